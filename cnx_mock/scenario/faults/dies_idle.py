"""A connection that dies while the client keeps it for the next request, unnoticed by both sides."""

from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Exchange, Wire
from cnx_mock.scenario.fault import Fault, Turn


class DiesIdle(Fault):
    """`connection: dies_idle`."""

    key: ClassVar[str] = "connection"
    connection: Literal["dies_idle"]
    """The call is answered as usual. The next request on the same connection is reset, and has no effect. A client that
    opens a new connection for each call does not notice this fault."""

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Mark the connection, once the answer is sent."""
        await turn.proceed()
        answer, asked = exchange.answer, exchange.request.header(b"connection") or ""
        if exchange.effects.connection_fault or (answer and answer.framing) or asked.lower() == "close":
            turn.spared("the connection ends with this call")
            return

        def mark(wire: Wire) -> None:
            wire.die_idle(turn.rule, self.label())

        exchange.effects.afterwards += (mark,)
        turn.fired()
