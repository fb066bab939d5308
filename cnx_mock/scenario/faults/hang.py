"""A server that never answers: the call ends when the client gives up."""

from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Exchange, LastAct, Wire
from cnx_mock.scenario.fault import Outcome


class Hang(Outcome):
    """`connection: hang`."""

    key: ClassVar[str] = "connection"
    connection: Literal["hang"]
    """Nothing at all, for as long as the client waits. Before the effect it never commits, after it it has."""

    def replace(self, exchange: Exchange) -> None:
        """Have the client waited out instead of an answer sent."""
        exchange.effects.delivery = _wait


async def _wait(exchange: Exchange, wire: Wire) -> LastAct:
    await exchange.hang(wire.left())
    return wire.reset
