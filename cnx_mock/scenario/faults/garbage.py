"""Something answers that is not an HTTP server."""

from functools import partial
from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Exchange, LastAct, Wire
from cnx_mock.scenario.fault import Outcome

GARBAGE = b"\x00\xff\x13\x9clskdu018973t09sylgasjkfg1{}][?/.,\r\n\r\n"
"""The same bytes every time; no answer begins like this in any version of HTTP."""


class Garbage(Outcome):
    """`connection: garbage`."""

    key: ClassVar[str] = "connection"
    connection: Literal["garbage"]
    """Bytes that are not HTTP, then a FIN."""

    def replace(self, exchange: Exchange) -> None:
        """Send these bytes instead of an answer."""
        exchange.effects.connection_fault = _send_garbage


async def _send_garbage(exchange: Exchange, wire: Wire) -> LastAct:
    return partial(wire.close, GARBAGE)
