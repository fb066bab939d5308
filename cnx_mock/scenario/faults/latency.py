"""A slow answer: real time passes before its first byte."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, WithJsonSchema

from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.scenario.values import DURATION, RANGE
from cnx_mock.text.units import format_duration, parse_duration

_LONGEST = parse_duration("36525d")


def read_range(value: object) -> tuple[int, int]:
    """`200ms` or `[100ms, 300ms]`, as (least, most) microseconds."""
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError("a range has two durations: [100ms, 300ms]")
        low, high = parse_duration(value[0]), parse_duration(value[1])
        if low > high:
            raise ValueError(f"a range goes from the smaller to the larger: [{value[1]}, {value[0]}]")
        return low, high
    duration = parse_duration(value)
    return duration, duration


_HIGHEST = 1 - 2**-53
_P99 = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Between:
    """A time drawn from a range, every one as likely as another."""

    low: int
    high: int

    def __str__(self) -> str:
        return format_duration(self.low) + ("" if self.low == self.high else f"..{format_duration(self.high)}")

    def time(self, draw: float) -> int:
        """The time for a draw from [0, 1)."""
        return self.low + round(draw * (self.high - self.low))


@dataclass(frozen=True, slots=True)
class Tail:
    """A time as real services take it: half of them about the median, a few very long (a lognormal distribution)."""

    median: int
    p99: int
    most: int | None

    def __str__(self) -> str:
        most = "" if self.most is None else f", max: {format_duration(self.most)}"
        return f"{{median: {format_duration(self.median)}, p99: {format_duration(self.p99)}{most}}}"

    def time(self, draw: float) -> int:
        """The time below which that share of all times lies."""
        sigma = log(self.p99 / self.median) / _P99
        time = round(self.median * exp(sigma * NormalDist().inv_cdf(min(max(draw, 1 - _HIGHEST), _HIGHEST))))
        return min(time, _LONGEST if self.most is None else self.most)


def read_latency(value: object) -> Between | Tail:
    """`200ms`, `[100ms, 300ms]` or `{median: 80ms, p99: 2s, max: 5s}`."""
    return _tail(value) if isinstance(value, Mapping) else Between(*read_range(value))


def _tail(value: Mapping[Any, Any]) -> Tail:
    if not {"median", "p99"} <= value.keys() <= {"median", "p99", "max"}:
        raise ValueError("has median and p99, and may have max: {median: 80ms, p99: 2s, max: 5s}")
    median, p99 = parse_duration(value["median"]), parse_duration(value["p99"])
    most = parse_duration(value["max"]) if "max" in value else None
    if not 0 < median <= p99 <= (p99 if most is None else most):
        raise ValueError("goes from the smaller to the larger, all above 0s: {median: 80ms, p99: 2s, max: 5s}")
    return Tail(median, p99, most)


_SCHEMA = {
    "anyOf": [
        *RANGE["anyOf"],
        {
            "type": "object",
            "properties": {
                "median": {**DURATION, "description": "Half of the answers take less."},
                "p99": {**DURATION, "description": "99 in 100 take less."},
                "max": {**DURATION, "description": "None takes more."},
            },
            "required": ["median", "p99"],
            "additionalProperties": False,
        },
    ]
}


class Latency(Fault):
    """`latency: 200ms`; `[100ms, 300ms]` for a time drawn from the range; `{median: 80ms, p99: 2s, max: 5s}` for a long
    tail."""

    key: ClassVar[str] = "latency"
    latency: Annotated[Any, BeforeValidator(read_latency), WithJsonSchema(_SCHEMA)]
    """How long: before the effect with `at: before`, after it with `at: after`."""

    def label(self) -> str:
        return f"latency={self.latency}"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Wait, then go on; or the other way round."""
        delay = self.latency.time(turn.draw("latency"))
        if turn.at == "after":
            await turn.proceed()
        turn.fired()
        await exchange.pause(delay)
        if turn.at == "before":
            await turn.proceed()
