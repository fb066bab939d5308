"""The connection below HTTP: uvicorn's protocol, extended so that a fault can reach the transport, and so that nothing
that arrives is lost.

It relies on these of uvicorn's internals, all of them used here and tested: the parser's callbacks, of which
`on_headers_complete` makes the scope and the cycle; `on_response_complete`, which starts the next request of a
pipeline; and that a cycle that is marked complete or disconnected neither writes nor logs.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import httptools

from cnx_mock.net.parser_errors import has_no_version, what_is_wrong, what_is_wrong_with_the_body
from cnx_mock.net.unread import Unread, last_request
from cnx_mock.net.uvicorn_protocol import HttpToolsProtocol, RequestResponseCycle

EXTENSION = "cnx_mock.connection"
"""The key of the connection among the scope's extensions."""

BODY_PROBLEM = "cnx_mock.body_problem"
"""The key among the scope's extensions of what is wrong with a body that cannot be read to its end."""

BODY_SO_FAR = "cnx_mock.body_so_far"
"""The key among the scope's extensions of what arrived of a body before the client left."""

_LINGER_SECONDS = 2
"""How long a client may go on sending after such an answer."""

_LINGER_0 = struct.pack("ii", 1, 0)

_NOTHING: Final = 0
_HEAD: Final = 1
_BODY: Final = 2
"""What of a request is being read."""


class Connection(HttpToolsProtocol):
    """One client's connection. `refuse` puts a request that cannot be read into a journal, and returns the whole
    answer to it."""

    def __init__(self, refuse: Callable[[Unread], bytes], *args: Any) -> None:
        super().__init__(*args)
        self.access_log = False
        self._refuse = refuse
        self._reading = _NOTHING
        self._bytes: list[bytes] = []
        """What has arrived of the head that is being read, from the beginning of the packet with its first byte."""
        self._from_body = False
        """Whether those bytes begin inside the body of the request before."""
        self._ended = False
        """Whether nothing is read any more, because something could not be read."""
        self._unread: Unread | None = None
        """A request that cannot be read, while those before it are answered."""
        self._extensions: dict[str, Any] = {}
        """Of the last request's scope."""
        self._under_way: list[RequestResponseCycle] = []
        self._left: asyncio.Future[None] | None = None

    # ---- the parser's callbacks

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._starts_to_read()

    def _starts_to_read(self) -> None:
        self._reading = _HEAD

    def _reads_body(self) -> None:
        self._reading = _BODY

    def _has_read(self) -> None:
        self._reading = _NOTHING

    def _is_between_requests(self) -> bool:
        return self._reading == _NOTHING

    def on_headers_complete(self) -> None:
        if self.parser.get_http_version() == "0.9":
            raise ValueError("no version")
        super().on_headers_complete()
        self._reads_body()
        self._under_way = [*(each for each in self._under_way if not each.response_complete), self.cycle]
        self.scope["extensions"] = self._extensions = {EXTENSION: (self, self.cycle)}

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # the parser ends here, whatever the length of the body: see `_ignore_upgrade`
        self._has_read()
        if not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._unread is not None and self.cycle.response_complete:
            self._answer(self._unread)

    # ---- what arrives

    def data_received(self, data: bytes) -> None:
        if self._left is not None or self._ended:
            return
        self._unset_keepalive_if_required()
        while data:
            if not self._bytes:
                self._from_body = self._reading == _BODY
            self._bytes.append(data)
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._ignore_upgrade()
            except httptools.HttpParserError as error:
                self._stop_reading(error)
                return
            if self._reading != _HEAD:
                self._bytes.clear()
            elif has_no_version(b"".join(self._bytes[:8])):
                self._stop_reading(ValueError("no version"))
                return

    def _ignore_upgrade(self) -> None:
        """Read on behind the head of a request that asks for another protocol (RFC 9110 section 7.8: a server may
        ignore that). The parser takes all that follows for the other protocol; a new one is told how the body ends."""
        framing = [header for header in self.headers if header[0] in (b"content-length", b"transfer-encoding")]
        self.parser = httptools.HttpRequestParser(_Resumed(self))
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        lines = b"".join(b"%b: %b\r\n" % header for header in framing)
        self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % lines)

    def _stop_reading(self, error: Exception) -> None:
        """Refuse what the parser cannot read, and read nothing more."""
        self._ended = True
        arrived, self._bytes = b"".join(self._bytes), []
        cycle = self._last_cycle()
        if self._reading == _BODY:
            self._stop_body(what_is_wrong_with_the_body(error))
        elif cycle is None or cycle.response_complete or cycle.keep_alive:
            raw = last_request(arrived, inside_body=self._from_body)
            unread = Unread.of(raw, what_is_wrong(raw, error), self._port())
            if cycle is None or cycle.response_complete:
                self._answer(unread)
            else:
                self._unread = unread

    def _last_cycle(self) -> RequestResponseCycle | None:
        """Return the last request on this connection, None before the first."""
        return self.cycle

    def _stop_body(self, problem: str) -> None:
        """Let the app refuse a request whose body cannot be read to its end."""
        cycle = self.cycle
        if cycle.response_complete:
            self.transport.close()
            return
        self._extensions[BODY_PROBLEM] = problem
        cycle.keep_alive = cycle.more_body = False
        cycle.message_event.set()

    def _answer(self, unread: Unread) -> None:
        self._unread = None
        if self.transport.is_closing():
            self._refuse(replace(unread, gone=True))
            return
        self.transport.write(self._refuse(unread))
        self.flow.resume_reading()
        end_gently(self.transport)

    # ---- its end

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell every request under way that the client is gone; uvicorn tells only the last one of a pipeline."""
        super().connection_lost(exc)
        for cycle in self._under_way:
            cycle.disconnected = True
            cycle.message_event.set()
        if self._left is not None and not self._left.done():
            self._left.set_result(None)
        if self._unread is not None:
            self._answer(self._unread)
        elif self._reading == _HEAD and self._bytes:
            raw, self._bytes = b"".join(self._bytes), []
            reason = "the client left before the end of the request's head"
            self._refuse(Unread.of(raw, reason, self._port(), gone=True))

    def _port(self) -> int | None:
        return self.client[1] if self.client else None

    def left(self) -> "asyncio.Future[None]":
        """Return a future that is done when the client has closed the connection. Whatever it still sends is dropped:
        behind requests that are never answered, its end would not be noticed."""
        if self._left is None:
            self._left = self.loop.create_future()
            self.flow.resume_reading()
        if self.transport.is_closing() and not self._left.done():
            self._left.set_result(None)
        return self._left

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


class _Resumed:
    """The callbacks of a parser whose first head is one that the connection has seen already."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._in_first_head = True
        self.on_body = connection.on_body
        self.on_message_complete = connection.on_message_complete

    def on_message_begin(self) -> None:
        if not self._in_first_head:
            self._connection.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._in_first_head:
            self._connection.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_first_head:
            self._connection.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._in_first_head:
            self._in_first_head = False
        else:
            self._connection.on_headers_complete()


def end_gently(transport: asyncio.Transport) -> None:
    """End a connection after an answer that the client may not expect yet. What it still sends is to be dropped: an RST
    would take the answer from it too (RFC 9112 section 9.6)."""
    if not transport.can_write_eof():
        transport.close()
        return
    transport.write_eof()
    asyncio.get_running_loop().call_later(_LINGER_SECONDS, transport.close)


async def drain(tasks: set[asyncio.Task[None]], seconds: float) -> None:
    """Wait until the requests in flight end; cancel those that have not ended after so many seconds."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=seconds)
