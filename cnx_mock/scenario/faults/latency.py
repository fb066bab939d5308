"""A slow answer: real time passes before its first byte."""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.text.units import format_duration, parse_duration


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


class Latency(Fault):
    """`latency: 200ms`, or `latency: [100ms, 300ms]` for a time drawn from the range."""

    key: ClassVar[str] = "latency"
    latency: Annotated[Any, BeforeValidator(read_range)]
    """How long: before the effect with `at: before`, after it with `at: after`."""

    def label(self) -> str:
        low, high = self.latency
        return f"latency={format_duration(low)}" + ("" if low == high else f"..{format_duration(high)}")

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Wait, then go on; or the other way round."""
        low, high = self.latency
        delay = low + round(turn.draw("latency") * (high - low))
        if turn.at == "after":
            await turn.proceed()
        turn.fired()
        await exchange.pause(delay)
        if turn.at == "before":
            await turn.proceed()
