"""A server that closes the connection without an answer."""

from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Exchange, LastAct, Wire
from cnx_mock.scenario.fault import Outcome


class Empty(Outcome):
    """`connection: empty`."""

    key: ClassVar[str] = "connection"
    connection: Literal["empty"]
    """No bytes, then a FIN."""

    def replace(self, exchange: Exchange) -> None:
        """Close the connection instead of sending an answer."""
        exchange.effects.connection_fault = _close


async def _close(exchange: Exchange, wire: Wire) -> LastAct:
    return wire.close
