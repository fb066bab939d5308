"""A server that never answers: the call ends when the client gives up."""

from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Exchange, LastAct, Wire
from cnx_mock.scenario.fault import Outcome


class Hang(Outcome):
    """`connection: hang`."""

    key: ClassVar[str] = "connection"
    connection: Literal["hang"]
    """No answer, as long as the client waits. With `at: before` nothing is committed, with `at: after` the change
    is."""

    def replace(self, exchange: Exchange) -> None:
        """Wait until the client closes the connection, instead of sending an answer."""
        exchange.effects.connection_fault = _wait


async def _wait(exchange: Exchange, wire: Wire) -> LastAct:
    await exchange.hang(wire.left())
    return wire.reset
