"""The short way through the connection: a call that is complete is answered where it was read, in one write.

The long way makes an ASGI scope, a cycle and a task for each request, which costs more than most answers. Only what
waits needs them: a fault that delays or acts on the connection, a client that does not read, a large body, a request
behind one that is still under way. Both ways call the same function of the app, and
`tests/http/test_both_ways.py` compares their bytes.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from cnx_mock.net.connection import BODY_SO_FAR, Connection
from cnx_mock.net.unread import BodyProblem
from cnx_mock.net.uvicorn_protocol import HttpToolsProtocol
from cnx_mock.world.clock import SECOND, ticks

BEGUN = "cnx_mock.begun"
"""The key among the scope's extensions of a call that the app has begun and that has to wait."""

RawHeaders = list[tuple[bytes, bytes]]

Begin = Callable[[str, bytes, RawHeaders, bytes, int | None, bool, bytes | None], "bytes | object | None"]
"""Begins a call: method, target, headers, body, the client's port, whether it came over TLS, and the packet that
begins with it, None if it begins elsewhere. It returns the whole answer as bytes, None for what has to go the long way,
or the begun call if that has to wait."""

MOST_BYTES = 64 * 1024
"""The largest body that goes the short way."""

_LONGEST_TARGET = 8 * 1024
_CALLS = b"/v1/"


class DirectConnection(Connection):
    """A client's connection whose calls go the short way if they can."""

    def __init__(self, begin: Begin, *args: Any) -> None:
        super().__init__(*args)
        self._begin = begin
        self._direct = False
        """Whether the request that is being read may go the short way."""
        self._body = bytearray()
        self._packet: bytes | None = None
        """The packet that is being read, until a request begins in it."""
        self._own_packet: bytes | None = None
        """The packet that begins with the request that is being read, if it has arrived in one."""
        self._idle_timer: asyncio.TimerHandle | None = None
        """Closes the connection if it is idle."""
        self._last_used = 0
        """When the last answer went the short way, in microseconds of the monotonic clock."""

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
            self._enter_the_long_way()

    def on_body(self, body: bytes) -> None:
        if not self._direct:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > MOST_BYTES:
            self._leave_the_short_way()

    def on_message_complete(self) -> None:
        if not self._direct:
            super().on_message_complete()
            return
        done = self._begin(
            self.parser.get_method().decode("ascii"),
            self.url,
            self.headers,
            bytes(self._body),
            self._port(),
            self.scheme == "https",
            self._own_packet,
        )
        if type(done) is bytes:
            self._direct = False
            self._has_read()
            self.transport.write(done)
        else:
            self._leave_the_short_way(done)
            super().on_message_complete()

    # ---- from one way to the other

    def data_received(self, data: bytes) -> None:
        self._packet = data if self._is_between_requests() else None
        if self._direct:
            self._own_packet = None  # the rest of its body is in this one
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._direct:  # its body breaks off
            self._leave_the_short_way()
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
            self._leave_the_short_way()
        super()._stop_body(problem)

    def _stop_reading(self, error: Exception) -> None:
        if self._direct:
            self._leave_the_short_way()
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

    def _leave_the_short_way(self, begun: object | None = None) -> None:
        """Go the long way with what has arrived of a request; `begun` is the call, if the app has begun it."""
        self._direct = False
        self._enter_the_long_way()
        if begun is not None:
            self._extensions[BEGUN] = begun
        if self._body:
            super().on_body(bytes(self._body))

    def _enter_the_long_way(self) -> None:
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
        self._last_used = ticks()
        if self._idle_timer is None and not self.transport.is_closing():
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _close_if_idle(self) -> None:
        self._idle_timer = None
        if not self._is_between_requests():
            self._last_used = ticks()  # `--read-timeout` is for those
        left = self.timeout_keep_alive - (ticks() - self._last_used) / SECOND
        cycle = self._last_cycle()
        if cycle is not None and not cycle.response_complete:
            return  # the end of that request sets a timer of uvicorn's
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._close_if_idle)
        elif not self.transport.is_closing():
            self.transport.close()
