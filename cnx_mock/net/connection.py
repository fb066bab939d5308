"""The connection below HTTP: uvicorn's protocol, extended so that a fault can reach the transport.

It relies on three of uvicorn's internals, all of them used here and tested: `on_headers_complete` makes the scope and
the cycle, `send_400_response` answers what is not HTTP, and a cycle that is marked complete or disconnected neither
writes nor logs.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

EXTENSION = "cnx_mock.connection"
"""The key of the connection among the scope's extensions."""

_LINGER_0 = struct.pack("ii", 1, 0)

_HTTP2 = b"PRI * HTTP/2.0"
"""The first bytes of a client that assumes HTTP/2 (RFC 9113 section 3.4)."""


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def __init__(self, not_http: Callable[[str], bytes], *args: Any) -> None:
        super().__init__(*args)
        self.access_log = False
        self._not_http = not_http
        self._last = b""
        self._under_way: list[RequestResponseCycle] = []
        self._left: asyncio.Future[None] | None = None

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._under_way = [*(each for each in self._under_way if not each.response_complete), self.cycle]
        extensions: dict[str, Any] = {EXTENSION: (self, self.cycle)}
        self.scope["extensions"] = extensions

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request under way that the client is gone; uvicorn tells only the last one of a pipeline."""
        super().connection_lost(exc)
        for cycle in self._under_way:
            cycle.disconnected = True
            cycle.message_event.set()
        if self._left is not None and not self._left.done():
            self._left.set_result(None)

    def send_400_response(self, msg: str) -> None:
        """Answer to what is not HTTP, with the API's error body."""
        reason = "this is not an HTTP request"
        if self._last.startswith(_HTTP2):
            reason = "this is HTTP/2, and cnx-mock speaks HTTP/1.1"
        self.transport.write(self._not_http(reason))
        self.transport.close()

    def left(self) -> "asyncio.Future[None]":
        """Return a future that is done when the client has closed the connection. Whatever it still sends is dropped:
        behind requests that are never answered, its end would not be noticed."""
        if self._left is None:
            self._left = self.loop.create_future()
            self.flow.resume_reading()
        if self.transport.is_closing() and not self._left.done():
            self._left.set_result(None)
        return self._left

    def data_received(self, data: bytes) -> None:
        if self._left is None:
            self._last = data
            super().data_received(data)
            self._last = b""

    def abort(self) -> None:
        """End the connection with an RST, which is what SO_LINGER with zero seconds sends (socket(7)). Over TLS it is
        sent too, with no close_notify before it; but Python 3.10 to 3.12 show programs an RST under TLS as a plain end
        (python/cpython#115627, fixed late in 3.12).
        """
        if self.transport.is_closing():
            return
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        self.transport.abort()


async def drain(tasks: set[asyncio.Task[None]], seconds: float) -> None:
    """Wait until the requests in flight end; cancel those that have not ended after so many seconds."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=seconds)
