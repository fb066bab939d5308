"""A server that hangs up without a word."""

from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Exchange, LastAct, Wire
from cnx_mock.scenario.fault import Outcome


class Empty(Outcome):
    """`connection: empty`."""

    key: ClassVar[str] = "connection"
    connection: Literal["empty"]
    """No bytes, then a FIN."""

    def replace(self, exchange: Exchange) -> None:
        """Have the connection ended instead of an answer sent."""
        exchange.effects.delivery = _end


async def _end(exchange: Exchange, wire: Wire) -> LastAct:
    return wire.close
