"""Answers that do not go out in one piece, or not as HTTP would have them."""

from collections.abc import Callable, Iterator

from starlette.types import Send

from cnx_mock.http.wire import RequestWire
from cnx_mock.scenario.exchange import Answer, Exchange


async def deliver(
    exchange: Exchange, answer: Answer, wire: RequestWire, send: Send, complete: Callable[[], None]
) -> None:
    """Send an answer at its pace and in its framing. `complete` completes the journal's entry, before the last byte
    leaves. Raises Cut when the sandbox is reset meanwhile."""
    if wire.gone:
        complete()
        return
    exchange.status = answer.status
    await send({"type": "http.response.start", "status": answer.status, "headers": exchange.response_headers})
    body = b"" if exchange.method == "HEAD" else answer.body
    last = b""
    for wait, piece in _pieces(exchange, body):
        await _write(wire, send, answer, last)
        await exchange.pause(wait)
        last = piece
        if wire.gone:
            complete()
            wire.reset()
            return
    complete()
    if answer.framing is None:
        await send({"type": "http.response.body", "body": last})
    else:
        wire.close(last)


def _pieces(exchange: Exchange, body: bytes) -> Iterator[tuple[int, bytes]]:
    return exchange.pace(body) if exchange.pace and body else iter([(0, body)])


async def _write(wire: RequestWire, send: Send, answer: Answer, piece: bytes) -> None:
    """One of the pieces that are not the last."""
    if answer.framing is not None:
        wire.write(piece)
    elif piece:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
