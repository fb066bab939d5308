"""A call that is delivered twice, as by a proxy that repeats what it believes to be lost."""

from typing import ClassVar, Literal

from cnx_mock.api.operation import Operation
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn


class Delivery(Fault):
    """`delivery: twice`."""

    key: ClassVar[str] = "delivery"
    idle: ClassVar[str] = "a read that is delivered twice changes nothing"
    delivery: Literal["twice"]
    """The operation is performed twice, directly one after the other. The client gets only the second answer. So it
    does not learn the id of the first resource, and the answer to a DELETE is a 404. The call counts once for the rate
    limit."""

    def applies(self, operation: Operation | None, method: str) -> bool:
        """Return whether such a call changes something."""
        return operation is not None and operation.mutates

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Let the operation be performed twice. Of several rules the first one counts."""
        first = not exchange.effects.twice
        exchange.effects.twice = True
        await turn.proceed()
        if not exchange.performances:
            turn.spared("the call was not performed")
        elif not exchange.committed:
            turn.spared("nothing was committed")
        elif not first:
            turn.spared("an earlier rule delivers it twice")
        else:
            turn.fired()
