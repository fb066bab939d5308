"""A server that is down for a moment: new connections are refused."""

from typing import Annotated, Any, ClassVar

from cnx_mock.api.declarations import BeforeValidator, WithJsonSchema
from cnx_mock.scenario.exchange import Exchange, Wire
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.scenario.field_types import DURATION, short_while
from cnx_mock.scenario.lasting import LastingOutage
from cnx_mock.text.units import format_duration


class RefuseConnections(Fault):
    """`refuse_connections: 2s`."""

    key: ClassVar[str] = "refuse_connections"
    refuse_connections: Annotated[Any, BeforeValidator(short_while), WithJsonSchema(DURATION)]
    """The connection is closed after the answer, and the ports are closed for this time, so that connecting really
    fails (ECONNREFUSED). The time is real time, at most 1m. It affects the whole server: the ports of HTTPS and of the
    proxy, all sandboxes and the control plane. Open connections stay open."""

    def label(self) -> str:
        return f"refuse_connections={format_duration(self.refuse_connections)}"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Close the ports when the answer is sent."""
        exchange.effects.last_on_connection = True
        await turn.proceed()

        def close(wire: Wire) -> None:
            turn.lasts(LastingOutage(wire.refuse_connections(self.refuse_connections)))

        exchange.effects.afterwards += (close,)
        turn.fired()
