"""The connection below HTTP: uvicorn's protocol, so that a fault can reach the transport.

It leans on three of uvicorn's internals, all of them here and all under test: `on_headers_complete` makes scope and
cycle, `send_400_response` answers what is no HTTP, and a cycle that is marked complete or disconnected neither writes
nor complains.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

EXTENSION = "cnx_mock.connection"
"""Where the scope carries the connection."""

_LINGER_0 = struct.pack("ii", 1, 0)

_HTTP2 = b"PRI * HTTP/2.0"
"""How a client begins that takes HTTP/2 for granted (RFC 9113 section 3.4)."""


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
        """uvicorn tells the last request only: with others in the pipeline behind it, the first would never hear."""
        super().connection_lost(exc)
        for cycle in self._under_way:
            cycle.disconnected = True
            cycle.message_event.set()
        if self._left is not None and not self._left.done():
            self._left.set_result(None)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets the API's error body too."""
        reason = "this is not an HTTP request"
        if self._last.startswith(_HTTP2):
            reason = "this is HTTP/2, and cnx-mock speaks HTTP/1.1"
        self.transport.write(self._not_http(reason))
        self.transport.close()

    def left(self) -> "asyncio.Future[None]":
        """Done when the client has hung up. Whatever it still sends is thrown away, or its end would go unnoticed
        behind calls that nobody will answer."""
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
        """End the connection with an RST: to linger for zero seconds means to send one (socket(7)). Over TLS it goes
        out as well, with no close_notify before it; but Python 3.10 to 3.12 show an RST under TLS to their own programs
        as a plain end (python/cpython#115627, mended late in 3.12).
        """
        if self.transport.is_closing():
            return
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        self.transport.abort()


async def drain(tasks: set[asyncio.Task[None]], seconds: float) -> None:
    """Let requests in flight end; cancel those that have not after so many seconds."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=seconds)
