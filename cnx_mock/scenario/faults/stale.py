"""Reads that do not show the latest writes."""

from typing import Annotated, Any, ClassVar

from cnx_mock.api.declarations import BeforeValidator, WithJsonSchema
from cnx_mock.api.operation import Operation
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.scenario.field_types import DURATION
from cnx_mock.text.units import format_duration, parse_duration


def _lag(value: object) -> int:
    lag = parse_duration(value)
    if lag == 0:
        raise ValueError("must be longer than 0s")
    return lag


class Stale(Fault):
    """`stale: 5s`."""

    key: ClassVar[str] = "stale"
    idle: ClassVar[str] = "nothing is read"
    stale: Annotated[Any, BeforeValidator(_lag), WithJsonSchema(DURATION)]
    """How old the data of a read is, by the sandbox's clock. The read does not show resources that were created within
    that time. Resources that were changed or deleted within that time are shown as they were before (one earlier
    version of each record is kept)."""

    def label(self) -> str:
        return f"stale={format_duration(self.stale)}"

    def applies(self, operation: Operation | None, method: str) -> bool:
        """Return whether such a call only reads."""
        return operation is not None and not operation.mutates

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Let the operation read the past. Of several rules the first wins."""
        first = exchange.effects.stale is None
        if first:
            exchange.effects.stale = self.stale
        await turn.proceed()
        if not exchange.effects.read:
            turn.spared(self.idle)
        elif not first:
            turn.spared("an earlier rule says how stale it is")
        else:
            turn.fired()
