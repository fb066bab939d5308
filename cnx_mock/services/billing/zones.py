"""Time zones: their names, and the instants at which their days start.

Names and rules come from the `tzdata` package, never from the machine. So a report is the same everywhere, names are
checked exactly (a file system could accept another case, paths, or `localtime`), and rules are as new as the package.
"""

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from cnx_mock.text.regex import regex
from cnx_mock.text.suggestions import did_you_mean
from cnx_mock.world.clock import SECOND

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET = regex(r"(?:UTC|GMT|Z)?[-+ ]?[0-9]{1,2}(?::?[0-9]{2})?", re.IGNORECASE)  # a plus sign in a query is a space


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Return every name of the IANA database except `Factory`, which stands for a machine without a time zone."""
    from importlib.resources import files  # lazy: few servers are asked for a report

    return frozenset((files("tzdata") / "zones").read_text().split()) - {"Factory"}


def checked_name(name: str) -> str:
    """Return the same name. Raises ValueError if it is not exactly the name of a zone."""
    if name not in names():
        hint = ", not an offset" if _OFFSET.fullmatch(name) else did_you_mean(name, names(), len(names()))
        raise ValueError(f"must be an IANA time zone name such as Europe/Berlin{hint}")
    return name


@lru_cache(maxsize=1024)
def zone(name: str) -> "ZoneInfo":
    """Return the zone with this name. The name must be one of `names()`."""
    from importlib.resources import files  # lazy: as above
    from zoneinfo import ZoneInfo  # lazy: as above

    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def begin(day: date, tz: "ZoneInfo") -> int:
    """Return the instant at which a local day starts.

    That is midnight, the first one if there are two. If there is no midnight, it is the end of the gap. A day that the
    zone skipped starts at the same instant as the next one.
    """
    midnight = datetime.combine(day, time())
    early, late = (_seconds(midnight.replace(tzinfo=tz, fold=fold)) for fold in (0, 1))
    if early > late:  # in a gap, fold=0 means the offset before it, and so a later instant
        gap = range(late, early)
        early = late + bisect_left(gap, midnight, key=lambda second: _local(second, tz).replace(tzinfo=None))
    return early * SECOND


def shown(instant: int, tz: "ZoneInfo") -> str:
    """Return an instant as RFC 3339 with the zone's offset.

    The offset is rounded up to a whole minute, because RFC 3339 has no seconds there: Monrovia was at -00:44:30 until
    1972.
    """
    local = _local(instant // SECOND, tz)
    offset = local.utcoffset() or timedelta()
    return local.astimezone(timezone(offset + -offset % timedelta(minutes=1))).isoformat()


def _seconds(local: datetime) -> int:
    return (local - _EPOCH) // timedelta(seconds=1)


def _local(second: int, tz: "ZoneInfo") -> datetime:
    return (_EPOCH + timedelta(seconds=second)).astimezone(tz)
