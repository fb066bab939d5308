"""Durations, instants, money, rates and sizes as people write them, and as integers.

Durations and instants are microseconds, money is cents, rates are requests per minute, sizes are bytes. Every
``parse_*`` takes any value of a document. It raises ValueError for what it cannot read; the message continues after the
name of the key or of the option ("must be …"), and shows how to write it.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from cnx_mock.text.regex import regex

_UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"  # not \d, which takes the digits of every script
_DURATION = regex("".join(f"(?:({_NUMBER}){unit})?" for unit in _UNITS))
_MISORDERED = regex(f"(?:{_NUMBER}(?:{'|'.join(_UNITS)}))+")
LONGEST_DURATION = 36_525 * _UNITS["d"]
"""100 years: the longest that `parse_duration` reads."""

_LONGEST_TEXT = 64  # no spelling needs more; it also bounds the work for hostile input

_MONEY = regex(r"(-?)\$(0|[1-9][0-9]*)(?:\.([0-9]{2}))?")
_MOST_CENTS = 10**15

_RATE = regex(r"([0-9]{1,12})/(?:min|minute)")

_SIZES = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE = regex(f"({_NUMBER})({'|'.join(_SIZES)})")
_LARGEST_SIZE = 10**12

_INSTANT = regex(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_DATE = regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KINDS = {"NoneType": "null", "bool": "true or false", "list": "a list", "dict": "a map", "str": "this text"}

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1)  # naive on purpose: all arithmetic is in UTC, and isoformat() then adds no offset
_MICROSECOND = timedelta(microseconds=1)
_END_OF_TIME = (datetime.max - _EPOCH) // _MICROSECOND


def parse_duration(value: object) -> int:
    """Return the microseconds of a text such as ``250ms``, ``1.5s`` or ``1m30s``.

    Units are d, h, m, s, ms and us, from large to small, each at most once. Raises ValueError for anything else, for
    fractions of a microsecond, and for more than 100 years.
    """
    text = _text(value)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        if bare := re.fullmatch(f"-?({_NUMBER})", text):
            raise ValueError(f"needs a unit: write {bare[1]}s or {bare[1]}ms")
        raise ValueError(f"must be a duration such as 250ms, 2s or 1m30s, not {_shown(value)}{_why_not(text)}")
    total, parts = _total(zip(match.groups(default="0"), _UNITS.values(), strict=True))
    if total > LONGEST_DURATION * parts:
        raise ValueError(f"must be at most 36525d (100 years), not {_shown(value)}")
    if total % parts:
        raise ValueError(f"must be a whole number of microseconds, not {_shown(value)}")
    return total // parts


def _total(amounts: Iterable[tuple[str, int]]) -> tuple[int, int]:
    """Return the exact sum of decimal numbers, each times its unit, as a numerator and a denominator. The module
    `fractions` is not used, because it is slow to load."""
    split = [(*number.partition(".")[::2], unit) for number, unit in amounts]
    places = max(len(decimals) for _, decimals, _ in split)
    return sum(int(whole + decimals.ljust(places, "0")) * unit for whole, decimals, unit in split), 10**places


def format_duration(microseconds: int) -> str:
    """Return the shortest exact text for a duration: ``1m30s``, ``1.5s``, ``250ms``, ``0s``.

    `parse_duration` reads it back. A negative duration has a minus in front; `parse_duration` does not read that.
    """
    if microseconds <= 0:
        return f"-{format_duration(-microseconds)}" if microseconds else "0s"
    minutes, rest = divmod(microseconds, _UNITS["m"])
    whole = _in_units(minutes * _UNITS["m"])
    unit = next((unit for unit in ("s", "ms") if rest >= _UNITS[unit]), "us")
    return whole + min(_in_units(rest), _decimal(rest, unit), key=len)


def parse_money(value: object) -> int:
    """Return the cents of a text such as ``$5.07``, ``-$0.04`` or ``$100``. Raises ValueError for anything else."""
    text = _text(value)
    match = _MONEY.fullmatch(text)
    if match is None:
        raise ValueError(
            f'must be an amount of money such as "$5.07", with the sign and two decimals, not {_shown(value)}'
        )
    sign, dollars, cents = match.groups(default="00")
    amount = int(dollars) * 100 + int(cents)
    if amount > _MOST_CENTS:
        raise ValueError(f"must be at most {format_money(_MOST_CENTS)}, not {_shown(value)}")
    return -amount if sign == "-" else amount


def format_money(cents: int) -> str:
    """Return cents as dollars: ``$2.45``, ``-$0.04``."""
    dollars, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${dollars}.{rest:02}"


def parse_rate(value: object) -> int:
    """Return the requests per minute of ``5/min`` or ``5/minute``, at least 1. Raises ValueError for anything else."""
    match = _RATE.fullmatch(_text(value))
    if match is None:
        raise ValueError(f"must be a rate in requests per minute such as 60/min, not {_shown(value)}")
    if (rate := int(match[1])) < 1:
        raise ValueError(f"must be at least 1/min, not {_shown(value)}")
    return rate


def parse_size(value: object) -> int:
    """Return the bytes of ``8B``, ``20KB`` (1,000 each) or ``64KiB`` (1,024 each), at least 1.

    Raises ValueError for anything else.
    """
    return _size(_text(value), value, "a size", "")


def parse_bandwidth(value: object) -> int:
    """Return the bytes per second of ``20KB/s``, at least 1. Raises ValueError for anything else."""
    return _size(_text(value), value, "a bandwidth", "/s")


def format_size(count: int) -> str:
    """Return the shortest exact text for a number of bytes: ``20KB``, ``64KiB``, ``8B``. `parse_size` reads it back."""
    return min((f"{count // size}{unit}" for unit, size in _SIZES.items() if count % size == 0), key=len)


def _size(text: str, value: object, kind: str, per: str) -> int:
    match = _SIZE.fullmatch(text.removesuffix(per)) if text.endswith(per) else None
    if match is None:
        if bare := re.fullmatch(f"-?({_NUMBER})(?:{per})?", text):
            raise ValueError(f"needs a unit: write {bare[1]}B{per} or {bare[1]}KB{per}")
        raise ValueError(f"must be {kind} such as 8B{per}, 20KB{per} or 1MiB{per}, not {_shown(value)}")
    total, parts = _total([(match[1], _SIZES[match[2]])])
    if total % parts or not 1 <= total // parts <= _LARGEST_SIZE:
        raise ValueError(f"must be a whole number of bytes, from 1B{per} to 1000GB{per}, not {_shown(value)}")
    return total // parts


def parse_instant(value: object) -> int:
    """Return the microseconds since the epoch of an RFC 3339 text such as ``2026-01-01T00:00:00Z``.

    Digits beyond the microsecond are cut off. Raises ValueError for anything else: a date without a time, a time
    without an offset, a day that does not exist, a year outside 1970 to 9999 in UTC.
    """
    text = _text(value)
    match = _INSTANT.fullmatch(text)
    if match is None:
        example = f"{text}T00:00:00Z" if _DATE.fullmatch(text) else "2026-01-01T00:00:00Z"
        raise ValueError(f"must be an instant with date, time and offset such as {example}, not {_shown(value)}")
    date, time, fraction, sign, hours, minutes = match.groups(default="0")
    try:
        local = _parse_second(f"{date}T{time}")
    except ValueError:  # its words are Python's, and change from version to version
        raise ValueError(f"must be a date and a time that exist, not {_shown(value)}") from None
    offset = (int(hours) * 60 + int(minutes)) * 60_000_000
    whole = local + int(fraction.ljust(6, "0")[:6])
    instant = whole + offset if sign == "-" else whole - offset
    if not 0 <= instant <= _END_OF_TIME:
        raise ValueError(f"must be in the years 1970 to 9999, such as 2026-01-01T00:00:00Z, not {_shown(value)}")
    return instant


def format_instant(microseconds: int) -> str:
    """Return an instant, in microseconds since the epoch, as RFC 3339 in UTC, rounded down to whole seconds."""
    return _format_second(microseconds // 1_000_000)


@lru_cache(maxsize=16)
def _parse_second(text: str) -> int:
    """Return the microseconds since the epoch of a date and a time in UTC. What is read together often happened in the
    same few seconds. Raises ValueError if they do not exist."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND


@lru_cache(maxsize=16)
def _format_second(second: int) -> str:
    """Return the same for seconds. What is shown together often happened in the same few seconds."""
    return (_EPOCH + timedelta(seconds=second)).isoformat() + "Z"


def format_http_date(seconds: int) -> str:
    """Return an instant, in seconds since the epoch, as HTTP writes dates: ``Thu, 01 Jan 1970 00:00:00 GMT``. (That of
    `email.utils` takes 3 ms to import.)"""
    moment = _EPOCH + timedelta(seconds=seconds)
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02} {month} {moment.year:04} {moment:%H:%M:%S} GMT"


def format_instant_exact(microseconds: int) -> str:
    """Return an instant as RFC 3339 in UTC with as many digits as it has; `parse_instant` reads back the same."""
    text = (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")
    return text.rstrip("0").rstrip(".") + "Z"


def format_instant_ms(microseconds: int) -> str:
    """Return the same as `format_instant`, rounded down to milliseconds: ``2026-01-01T00:00:00.000Z``."""
    second, rest = divmod(microseconds, 1_000_000)
    return f"{_format_second(second)[:-1]}.{rest // 1000:03}Z"


def _text(value: object) -> str:
    """Return a text or a number as text; ``""`` for anything else, and for what is too long to be right."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_TEXT:
        return ""  # str() of a huge int raises
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else ""


def _shown(value: object) -> str:
    """Return a value as a message shows it."""
    text = _text(value)
    if text:
        return repr(text) if isinstance(value, str) else text
    return "an empty text" if value == "" else _KINDS.get(type(value).__name__, "this value")


def _why_not(text: str) -> str:
    if text.startswith("-"):
        return " (it cannot be negative)"
    return " (units go from large to small, each at most once)" if _MISORDERED.fullmatch(text) else ""


def _in_units(microseconds: int) -> str:
    words = ""
    for unit, size in _UNITS.items():
        count, microseconds = divmod(microseconds, size)
        words += f"{count}{unit}" if count else ""
    return words


def _decimal(microseconds: int, unit: str) -> str:
    whole, rest = divmod(microseconds, _UNITS[unit])
    digits = len(str(_UNITS[unit])) - 1
    return f"{whole}.{rest:0{digits}}".rstrip("0").rstrip(".") + unit
