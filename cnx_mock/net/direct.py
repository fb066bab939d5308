"""The direct path through the connection: a call that is complete is answered where it was read, in one write.

The ASGI path makes a scope, a cycle and a task for each request, which costs more than most answers. Only what waits
needs them: a fault that delays or acts on the connection, a client that does not read, a large body, a request
behind one that is still under way. Both paths lead to the same stages of the app, and
`tests/http/test_both_paths.py` compares their bytes.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from cnx_mock.net.connection import BODY_SO_FAR, Connection
from cnx_mock.net.known_heads import HeaderBlock, RequestLine
from cnx_mock.net.unread import BodyProblem
from cnx_mock.net.uvicorn_protocol import HttpToolsProtocol
from cnx_mock.text.live_keys import may_have_live_key

BEGUN = "cnx_mock.begun"
"""The key among the scope's extensions of a call that the app has begun and that has to wait."""

Begin = Callable[[RequestLine, HeaderBlock, bytes, int | None, bool], "bytes | object | None"]
"""Begins a call: its line, its headers, its body, the client's port, and whether it came over TLS. It returns the whole
answer as bytes, None for what has to take the ASGI path, or the begun call if that has to wait."""

MOST_BYTES = 64 * 1024
"""The largest body that takes the direct path."""

_LONGEST_TARGET = 8 * 1024
_CALLS = b"/v1/"


class DirectConnection(Connection):
    """A client's connection whose calls take the direct path if they can."""

    def __init__(self, begin: Begin, *args: Any) -> None:
        super().__init__(*args)
        self._begin = begin
        self._direct = False
        """Whether the request that is being read may take the direct path."""
        self._body = bytearray()
        self._packet: bytes | None = None
        """The packet that is being read, until a request begins in it."""
        self._own_packet: bytes | None = None
        """The packet that begins with the request that is being read, if it has arrived in one."""
        self._last_packet = self._last_head = b""
        """The last packet that was one request with a known head, and the parts of that."""
        self._last_size = -1
        self._last_line: RequestLine
        self._last_block: HeaderBlock
        self._last_body = b""
        self._waits_again = self._limits.waits_again
        self._at_rest = False
        """Whether the last packet was answered on the direct path, and nothing is under way since then."""
        self._idle_timer: asyncio.TimerHandle | None = None
        """Closes the connection if it is idle."""
        self._ahead: object | None = None
        """The call that the packet that is being read has begun before it is parsed, because it has to wait."""
        self._peer: int | None = None
        self._is_secure = False
        self._now = self.loop.time
        self._last_used = 0.0
        """When the last answer took the direct path, in seconds of the event loop."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._peer, self._is_secure = self._port(), self.scheme == "https"

    # ---- the parser's callbacks

    def on_message_begin(self) -> None:
        self.url, self.headers, self._body = b"", [], bytearray()
        self.expect_100_continue = False
        self._own_packet, self._packet = self._packet, None
        self._starts_to_read()

    def on_headers_complete(self) -> None:
        self._check_head()
        if self._may_go_directly():
            self._direct = True
            self._reads_body()
        else:
            self._enter_asgi_path()

    def on_body(self, body: bytes) -> None:
        if not self._direct:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > MOST_BYTES:
            self._leave_direct_path()

    def on_message_complete(self) -> None:
        if not self._direct:
            super().on_message_complete()
            return
        packet, body = self._own_packet, bytes(self._body)
        is_safe = packet is not None and not may_have_live_key(packet)
        line = RequestLine(self.parser.get_method().decode("ascii"), self.url, is_safe)
        block = HeaderBlock(self.headers, is_safe)
        done, self._ahead = self._ahead, None
        if done is None:
            done = self._begin(line, block, body, self._peer, self._is_secure)
        if type(done) is bytes:
            self._direct = False
            self._has_read()
            self.transport.write(done)
            if packet is not None:
                self._limits.heads.learn(packet, line, block, body)
        else:
            self._leave_direct_path(done)
            super().on_message_complete()

    # ---- from one path to the other

    def data_received(self, data: bytes) -> None:
        if self._at_rest and self._is_answered(data):
            return
        self._packet = data if self._is_between_requests() else None
        if self._direct:
            self._own_packet = None  # the rest of its body is in this one
        super().data_received(data)
        self._at_rest = not (
            self._ended or self._reading or self._is_busy() or self.flow.held or self._left is not None
        )

    def _is_answered(self, packet: bytes) -> bool:
        """Answer a packet that is one request with a known head: see `known_heads`. Return whether it is one."""
        if packet != self._last_packet:
            head = self._last_head
            if len(packet) == self._last_size and packet.startswith(head):
                self._last_packet, self._last_body = packet, packet[len(head) :]
            elif not self._has_known_head(packet):
                return False
        if self.flow.write_paused or self.transport.is_closing():
            return False
        done = self._begin(self._last_line, self._last_block, self._last_body, self._peer, self._is_secure)
        if type(done) is bytes:
            self.transport.write(done)
            self._waits_again(self)
            self._last_used = self._now()
            return True
        self._ahead = done
        return False

    def _has_known_head(self, packet: bytes) -> bool:
        """Return whether a packet is one request with a known head, which then is the last one. (A client that polls
        sends the same packet again.)"""
        heads, most = self._limits.heads, self._limits.header_bytes
        middle = packet.find(b"\r\n")
        end = packet.find(b"\r\n\r\n", middle) + 4
        block, line = heads.blocks.get(packet[middle:end]), heads.lines.get(packet[:middle])
        if block is None or line is None or end + block.body != len(packet):
            return False
        size = line.size + block.size
        if size > most.used:
            if size > most.limit:
                return False
            most.seen(size)
        self._last_packet, self._last_line, self._last_block = packet, line, block
        self._last_head, self._last_size, self._last_body = packet[:end], len(packet), packet[end:]
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._direct:  # its body breaks off
            self._leave_direct_path()
            # of a client that is gone, uvicorn hands out nothing more
            self._extensions[BODY_SO_FAR] = bytes(self._body)
        super().connection_lost(exc)
        if self._idle_timer is not None:  # it would keep the connection and all that came over it, for minutes
            self._idle_timer.cancel()

    def _read_on(self) -> None:
        self._packet = None  # what was held back begins anywhere in one
        super()._read_on()

    def _stop_body(self, problem: BodyProblem) -> None:
        if self._direct:
            self._leave_direct_path()
        super()._stop_body(problem)

    def _stop_reading(self, error: Exception) -> None:
        if self._direct:
            self._leave_direct_path()
        super()._stop_reading(error)

    def _may_go_directly(self) -> bool:
        """Return whether nothing is in the way of an answer at once, as far as the head tells."""
        cycle, parser = self._last_cycle(), self.parser
        return (
            self.url.startswith(_CALLS)
            and (cycle is None or cycle.response_complete)
            and not self.expect_100_continue
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and not parser.should_upgrade()
            and not self.flow.write_paused
            and len(self.url) <= _LONGEST_TARGET
            and b"#" not in self.url
            and not self.transport.is_closing()
            and self.dead is None
        )

    def _leave_direct_path(self, begun: object | None = None) -> None:
        """Take the ASGI path with what has arrived of a request; `begun` is the call, if the app has begun it."""
        self._direct = False
        self._enter_asgi_path()
        if begun is not None:
            self._extensions[BEGUN] = begun
        if self._body:
            super().on_body(bytes(self._body))

    def _enter_asgi_path(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    # ---- idle connections

    def _wait(self) -> None:
        """Close the connection after a while without requests. One timer looks now and then: to set one for each
        answer costs time."""
        self._limits.waits(self)
        self._last_used = self._now()
        if self._idle_timer is None and not self.transport.is_closing():
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _close_if_idle(self) -> None:
        self._idle_timer = None
        if not self._is_between_requests():
            self._last_used = self._now()  # `--read-timeout` is for those
        left = self.timeout_keep_alive - (self._now() - self._last_used)
        cycle = self._last_cycle()
        if cycle is not None and not cycle.response_complete:
            return  # the end of that request sets a timer of uvicorn's
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
        elif not self.transport.is_closing():
            self.transport.close()
