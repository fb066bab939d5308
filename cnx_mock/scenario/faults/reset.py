"""A connection that is reset: the client gets a TCP RST in the middle of its call. `net.endings.abort` sends it."""

from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Exchange, LastAct, Wire
from cnx_mock.scenario.fault import Outcome


class Reset(Outcome):
    """`connection: reset`."""

    key: ClassVar[str] = "connection"
    connection: Literal["reset"]
    """A real RST (SO_LINGER 0), not a normal end. Also over TLS, where Python 3.10 to 3.12 show it as a normal end."""

    def replace(self, exchange: Exchange) -> None:
        """Abort the connection instead of sending an answer."""
        exchange.effects.connection_fault = _reset


async def _reset(exchange: Exchange, wire: Wire) -> LastAct:
    return wire.reset
