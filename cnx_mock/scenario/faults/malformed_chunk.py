"""A chunked body in which the size of a chunk is not a number."""

from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Answer, Exchange
from cnx_mock.scenario.fault import Outcome


class MalformedChunk(Outcome):
    """`connection: malformed_chunk`."""

    key: ClassVar[str] = "connection"
    needs_body: ClassVar[bool] = True
    connection: Literal["malformed_chunk"]
    """Headers that announce chunks, a broken chunk, then a FIN. Not applied to HEAD, because its answer is complete
    without a body."""

    def replace(self, exchange: Exchange) -> None:
        """Replace the body by a chunk whose size cannot be read."""
        answer = exchange.promised()
        broken = b"ZZ\r\n" + answer.body + b"\r\n"
        exchange.answer = Answer(answer.status, answer.headers, broken, (b"transfer-encoding", b"chunked"))
