"""A connection that is closed between the headers and the body that they declare."""

from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Answer, Exchange
from cnx_mock.scenario.fault import Outcome


class Close(Outcome):
    """`connection: close`."""

    key: ClassVar[str] = "connection"
    needs_body: ClassVar[bool] = True
    connection: Literal["close"]
    """Headers that declare a body, then a FIN. Not applied to HEAD, because its answer is complete without a body."""

    def replace(self, exchange: Exchange) -> None:
        """Keep the headers and leave out the body."""
        answer = exchange.promised()
        length = (b"content-length", str(len(answer.body)).encode())
        exchange.answer = Answer(answer.status, answer.headers, b"", length)
