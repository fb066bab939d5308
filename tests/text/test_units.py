"""Durations, money, rates and instants: how they are written, and what is an error."""

from collections.abc import Callable
from email.utils import formatdate
from math import inf, nan

import pytest

from cnx_mock.text.units import (
    format_duration,
    format_http_date,
    format_instant,
    format_instant_ms,
    format_money,
    parse_duration,
    parse_instant,
    parse_money,
    parse_rate,
)
from tests.cases import cases

SECOND = 1_000_000
HUGE = 10**5000  # str() of it raises, also when pytest makes an id of it
NO_TEXT = [None, True, [], {}, object(), b"5s", HUGE, -HUGE, inf, nan]
BAD_TEXT = ["", " ", "soon", "１s", "5s\n", "x" * 100_000, "9" * 1_000 + "d"]
JUNK = [pytest.param(value, id=f"junk{at}") for at, value in enumerate([*NO_TEXT, *BAD_TEXT])]


@cases(
    ("text", "microseconds"),
    [
        ("500us", 500),
        ("250ms", 250_000),
        ("2s", 2 * SECOND),
        ("1.5s", 1_500_000),
        ("0s", 0),
        ("1m30s", 90 * SECOND),
        ("2h", 7200 * SECOND),
        ("3d", 259_200 * SECOND),
        ("1d2h3m4s5ms6us", 93_784_005_006),
        ("36525d", 36_525 * 86_400 * SECOND),
    ],
)
def test_durations_are_microseconds(text: str, microseconds: int) -> None:
    assert parse_duration(text) == microseconds


@cases(("bare", "shown"), [(5, "5"), ("5", "5"), (1.5, "1.5"), (-5, "5"), (0, "0")])
def test_a_duration_needs_a_unit(bare: object, shown: str) -> None:
    with pytest.raises(ValueError, match=f"^needs a unit: write {shown}s or {shown}ms$"):
        parse_duration(bare)


@cases(
    ("text", "why"),
    [
        ("-5s", "cannot be negative"),
        ("30s1m", "from large to small"),
        ("1s1s", "each at most once"),
        ("5 s", "^must be a duration such as 250ms, 2s or 1m30s, not '5 s'$"),
        ("2S", "must be a duration"),
        (".5s", "must be a duration"),
        ("0.5us", "must be a whole number of microseconds, not '0.5us'"),
        ("36526d", r"must be at most 36525d \(100 years\), not '36526d'"),
        ("9" * 60 + "d", "must be at most 36525d"),
    ],
)
def test_a_wrong_duration_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_duration(text)


@cases(
    ("microseconds", "text"),
    [
        (0, "0s"),
        (7, "7us"),
        (1_500, "1.5ms"),
        (100_000, "100ms"),
        (250_000, "250ms"),
        (1_500_000, "1.5s"),
        (1_000_001, "1s1us"),
        (90 * SECOND, "1m30s"),
        (129_600 * SECOND, "1d12h"),
        (60_250_000, "1m250ms"),
    ],
)
def test_durations_are_shown_short_and_read_back(microseconds: int, text: str) -> None:
    assert format_duration(microseconds) == text
    assert parse_duration(text) == microseconds


def test_every_digit_of_a_duration_survives() -> None:
    spans = [7**power for power in range(18)] + [3_599_999_999, 3_600_000_001]
    assert [parse_duration(format_duration(each)) for each in spans] == spans


def test_a_negative_duration_can_be_shown() -> None:
    assert format_duration(-90 * SECOND) == "-1m30s"


@cases(
    ("text", "cents"),
    [("$5.07", 507), ("-$0.04", -4), ("$100", 10_000), ("$100.00", 10_000), ("$0.00", 0), ("$10000000000000", 10**15)],
)
def test_money_is_cents(text: str, cents: int) -> None:
    assert parse_money(text) == cents


@cases("value", [5.07, 5, "5.07", "$5.1", "$1,000.00", "$-5", "$007", "€5.00", "$", *JUNK])
def test_money_is_text_with_a_sign_and_two_decimals(value: object) -> None:
    with pytest.raises(ValueError, match=r'must be an amount of money such as "\$5\.07"'):
        parse_money(value)


def test_money_has_a_limit() -> None:
    with pytest.raises(ValueError, match=r"must be at most \$10000000000000\.00, not"):
        parse_money("-$10000000000000.01")


@pytest.mark.parametrize(("cents", "text"), [(245, "$2.45"), (-4, "-$0.04"), (0, "$0.00"), (-12_345, "-$123.45")])
def test_money_is_shown_in_dollars_and_read_back(cents: int, text: str) -> None:
    assert format_money(cents) == text
    assert parse_money(text) == cents


@pytest.mark.parametrize(("text", "rate"), [("5/min", 5), ("60/minute", 60)])
def test_rates_are_requests_per_minute(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@cases("value", [5, "5", "5/s", "-1/min", "0/min", "1.5/min", *JUNK])
def test_a_wrong_rate_shows_how_to_write_it(value: object) -> None:
    with pytest.raises(ValueError, match=r"such as 60/min|at least 1/min"):
        parse_rate(value)


@cases(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00Z", 1_767_225_600 * SECOND),
        ("2026-01-01t00:00:00z", 1_767_225_600 * SECOND),
        ("2026-01-01T02:00:00+02:00", 1_767_225_600 * SECOND),
        ("2025-12-31T18:30:00-05:30", 1_767_225_600 * SECOND),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.123456789Z", 123_456),
    ],
)
def test_instants_are_microseconds_since_the_epoch(text: str, microseconds: int) -> None:
    assert parse_instant(text) == microseconds


@cases(
    ("text", "why"),
    [
        ("2026-03-04", "such as 2026-03-04T00:00:00Z"),
        ("2026-01-01T00:00:00", "such as 2026-01-01T00:00:00Z"),
        ("2026-01-01 00:00:00Z", "must be an instant"),
        ("2026-01-01T24:00:00Z", "must be an instant"),
        ("2026-02-30T00:00:00Z", "must be a date and a time that exist"),
        ("2026-01-01T00:00:60Z", "must be a date and a time that exist"),
        ("0000-01-01T00:00:00Z", "must be a date and a time that exist"),
        ("1969-12-31T23:59:59Z", "must be in the years 1970 to 9999"),
        ("1970-01-01T00:00:00+01:00", "must be in the years"),
        ("9999-12-31T23:59:59-01:00", "must be in the years"),
        (1_767_225_600, "must be an instant"),
    ],
)
def test_a_wrong_instant_says_why(text: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_instant(text)


def test_instants_are_shown_in_utc_rounded_down() -> None:
    instant = parse_instant("2026-01-02T03:04:05.999999Z")
    assert format_instant(instant) == "2026-01-02T03:04:05Z"
    assert format_instant_ms(instant) == "2026-01-02T03:04:05.999Z"
    assert format_instant_ms(0) == "1970-01-01T00:00:00.000Z"


def test_the_last_instant_can_be_shown() -> None:
    assert format_instant(parse_instant("9999-12-31T23:59:59.999999Z")) == "9999-12-31T23:59:59Z"


@cases("parse", [parse_duration, parse_instant])
@cases("value", JUNK)
def test_junk_is_an_error_with_an_example_in_one_short_line(parse: Callable[[object], int], value: object) -> None:
    with pytest.raises(ValueError, match=" such as ") as error:
        parse(value)
    assert len(str(error.value)) < 150
    assert "\n" not in str(error.value)


@cases("seconds", [0, 1, 86_399, 951_782_400, 1_790_000_000, 253_370_764_799])
def test_http_dates_are_those_of_the_standard_library(seconds: int) -> None:
    assert format_http_date(seconds) == formatdate(seconds, usegmt=True)
