"""A slow answer: real time passes before its first byte."""

from collections.abc import Mapping
from math import exp, log
from typing import Annotated, Any, ClassVar

from cnx_mock.api.declarations import BeforeValidator, Field, WithJsonSchema, later
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.scenario.field_types import RANGE, Duration
from cnx_mock.text.units import LONGEST_DURATION, format_duration, parse_duration


def read_range(value: object) -> tuple[int, int]:
    """Read `200ms` or `[100ms, 300ms]`; return (least, most) in microseconds. Raises ValueError."""
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError("must have two durations: [100ms, 300ms]")
        low, high = parse_duration(value[0]), parse_duration(value[1])
        if low > high:
            raise ValueError(f"must go from the smaller to the larger: [{value[1]}, {value[0]}]")
        return low, high
    duration = parse_duration(value)
    return duration, duration


_HIGHEST = 1 - 2**-53


@dataclass(frozen=True, slots=True)
class Between:
    """A time from a range, with a uniform distribution."""

    low: int
    high: int

    def __str__(self) -> str:
        return format_duration(self.low) + ("" if self.low == self.high else f"..{format_duration(self.high)}")

    def time(self, draw: float) -> int:
        """Return the time for a draw from [0, 1)."""
        return self.low + round(draw * (self.high - self.low))


@dataclass(frozen=True, slots=True)
class Tail:
    """A time such as real services need: half of them below the median, a few very long (a lognormal distribution)."""

    median: int
    p99: int
    most: int | None

    def __str__(self) -> str:
        most = "" if self.most is None else f", max: {format_duration(self.most)}"
        return f"{{median: {format_duration(self.median)}, p99: {format_duration(self.p99)}{most}}}"

    def time(self, draw: float) -> int:
        """Return the time for a draw from [0, 1): the time below which that share of all times lies."""
        from statistics import NormalDist  # lazy: it is slow to load, and few rules have a long tail

        quantile = NormalDist().inv_cdf
        sigma = log(self.p99 / self.median) / quantile(0.99)
        time = round(self.median * exp(sigma * quantile(min(max(draw, 1 - _HIGHEST), _HIGHEST))))
        return min(time, LONGEST_DURATION if self.most is None else self.most)


class TailForm(Declared):
    """A long tail: half of the answers are quick, a few very slow."""

    median: Duration
    """Half of the answers take less."""
    p99: Duration
    """99 in 100 take less."""
    most: Annotated[Duration, Field(alias="max")] = None
    """No answer takes more."""


def read_latency(value: object) -> Between | Tail:
    """Read `200ms`, `[100ms, 300ms]` or `{median: 80ms, p99: 2s, max: 5s}`. Raises ValueError."""
    if not isinstance(value, Mapping):
        return Between(*read_range(value))
    form = TailForm.model_validate(value)
    if not 0 < form.median <= form.p99 <= (form.p99 if form.most is None else form.most):
        raise ValueError("must go from the smaller to the larger, all above 0s: {median: 80ms, p99: 2s, max: 5s}")
    return Tail(form.median, form.p99, form.most)


_SCHEMA = later(lambda: {"anyOf": [*RANGE["anyOf"], TailForm.model_json_schema()]})


class Latency(Fault):
    """`latency: 200ms`; `[100ms, 300ms]` for a time drawn from the range; `{median: 80ms, p99: 2s, max: 5s}` for a long
    tail."""

    key: ClassVar[str] = "latency"
    latency: Annotated[Any, BeforeValidator(read_latency), WithJsonSchema(_SCHEMA)]
    """The delay: before the effect with `at: before`, after it with `at: after`."""

    def label(self) -> str:
        return f"latency={self.latency}"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Wait, then continue; with `at: after` continue, then wait."""
        delay = self.latency.time(turn.draw("latency"))
        if turn.at == "after":
            await turn.proceed()
        turn.fired()
        await exchange.pause(delay)
        if turn.at == "before":
            await turn.proceed()
