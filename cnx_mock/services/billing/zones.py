"""Time zones: their names, and where their days begin.

Names and rules come from the `tzdata` package, never from the machine: the same report everywhere, a check of names
that no file system has a say in (no other case, no paths, no `localtime`), and rules as new as those that we ask for.
"""

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from cnx_mock.text.suggestions import did_you_mean
from cnx_mock.world.clock import SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET = re.compile(
    r"(?:UTC|GMT|Z)?[-+ ]?[0-9]{1,2}(?::?[0-9]{2})?", re.IGNORECASE
)  # a plus sign in a query is a space


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every name of the IANA database but `Factory`, which is what a machine has whose zone nobody has set."""
    return frozenset((files("tzdata") / "zones").read_text().split()) - {"Factory"}


def checked_name(name: str) -> str:
    """The same name. Raises ValueError unless it is exactly that of a zone."""
    if name not in names():
        hint = ", not an offset" if _OFFSET.fullmatch(name) else did_you_mean(name, names())
        raise ValueError(f"must be an IANA time zone name such as Europe/Berlin{hint}")
    return name


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone with this name, which has been checked."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def begin(day: date, where: ZoneInfo) -> int:
    """The instant at which a local day begins: the first of its midnights, or, where midnight does not exist, the end
    of the gap. A day that is missing as a whole begins when the next one does."""
    midnight = datetime.combine(day, time())
    early, late = (_seconds(midnight.replace(tzinfo=where, fold=fold)) for fold in (0, 1))
    if early > late:  # in a gap, fold=0 means the offset before it, and so a later instant
        gap = range(late, early)
        early = late + bisect_left(gap, midnight, key=lambda second: _local(second, where).replace(tzinfo=None))
    return early * SECOND


def shown(instant: int, where: ZoneInfo) -> str:
    """RFC 3339 with the zone's offset, rounded up to a whole minute, which is all that it can write: Monrovia was at
    -00:44:30 until 1972."""
    local = _local(instant // SECOND, where)
    offset = local.utcoffset() or timedelta()
    return local.astimezone(timezone(offset + -offset % timedelta(minutes=1))).isoformat()


def _seconds(local: datetime) -> int:
    return (local - _EPOCH) // timedelta(seconds=1)


def _local(second: int, where: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(seconds=second)).astimezone(where)
