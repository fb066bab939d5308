"""Something answers, but no HTTP server."""

from functools import partial
from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Exchange, LastAct, Wire
from cnx_mock.scenario.fault import Outcome

GARBAGE = b"\x00\xff\x13\x9clskdu018973t09sylgasjkfg1{}][?/.,\r\n\r\n"
"""The same bytes every time, and in no version of HTTP the beginning of an answer."""


class Garbage(Outcome):
    """`connection: garbage`."""

    key: ClassVar[str] = "connection"
    connection: Literal["garbage"]
    """Bytes that are no HTTP, then a FIN."""

    def replace(self, exchange: Exchange) -> None:
        """Have the bytes sent instead of an answer."""
        exchange.effects.delivery = _babble


async def _babble(exchange: Exchange, wire: Wire) -> LastAct:
    return partial(wire.close, GARBAGE)
