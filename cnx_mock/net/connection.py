"""The connection below HTTP: uvicorn's protocol, extended so that a fault can reach the transport, and so that nothing
that arrives is lost.

It relies on these of uvicorn's internals, all of them used here and tested: the parser's callbacks, of which
`on_headers_complete` makes the scope and the cycle; `on_response_complete`, which starts the next request of a
pipeline; and that a cycle that is marked complete or disconnected neither writes nor logs.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import httptools

from cnx_mock.net.connection_limits import ConnectionLimits
from cnx_mock.net.endings import abort, end_gently
from cnx_mock.net.heads import header_lines
from cnx_mock.net.parser_errors import has_no_version, what_is_wrong, what_is_wrong_with_the_body
from cnx_mock.net.reading import HoldingFlow, Resumed
from cnx_mock.net.unread import BodyProblem, Unread, last_request
from cnx_mock.net.uvicorn_protocol import HttpToolsProtocol, RequestResponseCycle

EXTENSION = "cnx_mock.connection"
"""The key of the connection among the scope's extensions."""

BODY_PROBLEM = "cnx_mock.body_problem"
"""The key among the scope's extensions of what is wrong with a body that cannot be read to its end: a `BodyProblem`."""

BODY_SO_FAR = "cnx_mock.body_so_far"
"""The key among the scope's extensions of what arrived of a body before the client left."""

_SHORTEST = len(b"GET / HTTP/1.1\r\n\r\n")
"""The fewest bytes of a request."""

_NOTHING: Final = 0
_HEAD: Final = 1
_BODY: Final = 2
"""What of a request is being read."""


class Connection(HttpToolsProtocol):
    """One client's connection. `refuse` puts a request that cannot be read into a journal, and returns the whole
    answer to it."""

    flow: HoldingFlow

    def __init__(self, refuse: Callable[[Unread], bytes], limits: ConnectionLimits, *args: Any) -> None:
        super().__init__(*args)
        self.access_log = False
        self._refuse = refuse
        self._limits = limits
        self._reading = _NOTHING
        self._begun = 0
        """How many requests have begun to arrive."""
        self._head_bytes = 0
        """Bytes of the head that is being read, or those behind the last byte of a body; without the first piece."""
        self._too_large: str | None = None
        """What of the head is too large."""
        self._timer: asyncio.TimerHandle | None = None
        """Ends the request that is arriving, which is the one with the number `_timed`."""
        self._timed = 0
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
        self._under_way: deque[RequestResponseCycle] = deque()
        self._left: asyncio.Future[None] | None = None
        self.dead: tuple[str, str] | None = None
        """Why calls that arrive on it are lost: the id of a rule, and its fault; None while they are not."""
        self.outage = limits.outage
        """What new connections to the same server meet."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = HoldingFlow(transport)
        self._wait()

    def _wait(self) -> None:
        """Wait for a request, but not forever."""
        self._limits.waits(self)
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    # ---- the parser's callbacks

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._starts_to_read()

    def _starts_to_read(self) -> None:
        self._reading = _HEAD
        self._begun += 1
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= self._limits.headers.limit:
            self._too_large = self._limits.headers.refusal("the request has more than {:,} headers")
            raise ValueError("too many headers")
        super().on_header(name, value)

    def _reads_body(self) -> None:
        self._reading = _BODY
        self._head_bytes = 0
        self._limits.works(self)

    def _has_read(self) -> None:
        self._reading = _NOTHING

    def _is_between_requests(self) -> bool:
        return self._reading == _NOTHING

    def _check_head(self) -> None:
        """Raise ValueError if the head is too large."""
        self._too_large = self._limits.too_large(self.url, self.headers)
        if self._too_large is not None:
            raise ValueError("too large")

    def on_headers_complete(self) -> None:
        if self.parser.get_http_version() == "0.9":
            raise ValueError("no version")
        self._check_head()
        super().on_headers_complete()
        self._reads_body()
        self._limits.pipelined.seen(len(self.pipeline))
        while self._under_way and self._under_way[0].response_complete:
            self._under_way.popleft()
        self._under_way.append(self.cycle)
        self.scope["extensions"] = self._extensions = {EXTENSION: (self, self.cycle)}

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        super().on_body(body)

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
        elif not self.pipeline:
            if self.flow.held:
                self.loop.call_soon(self._read_on)
            elif self.cycle.response_complete and self._left is None:
                self._limits.waits(self)

    # ---- what arrives

    def data_received(self, data: bytes) -> None:
        if self._left is not None or self._ended:
            return
        self._unset_keepalive_if_required()
        if self.flow.held:
            self.flow.held.append(data)
        else:
            self._read(data)

    def _read_on(self) -> None:
        """Read what has been held back."""
        if self.flow.held and self._left is None and not self._ended and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            held, self.flow.held = b"".join(self.flow.held), []
            self._read(held)
            self.flow.resume_reading()

    def _read(self, data: bytes) -> None:
        """Read requests, at most so many that not too many wait for their turn, and that others get theirs. The rest is
        held back."""
        start, last = 0, self._begun + self._limits.pipelined.limit
        while start < len(data) and not self._ended:
            room = min(last - self._begun, self._limits.pipelined.limit - len(self.pipeline))
            if room <= 0:
                self.flow.hold(data[start:])
                if not self.pipeline and not self._is_busy():
                    self.loop.call_soon(self._read_on)
                break
            start += self._feed(data[start : start + room * _SHORTEST])
        self._watch()

    def _feed(self, data: bytes) -> int:
        """Give a piece of what arrives to the parser. Return how many of its bytes are used."""
        used = len(data)
        if not self._bytes:
            self._from_body = self._reading == _BODY
        self._bytes.append(data)
        self._head_bytes += used
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            used = upgrade.args[0]
            self._ignore_upgrade()
        except httptools.HttpParserError as error:
            self._stop_reading(error)
            return used
        if self._reading != _NOTHING and self._head_bytes > self._limits.header_bytes.limit:
            self._too_large = self._limits.too_many_bytes()
            self._stop_reading(ValueError("too large"))
        elif self._reading != _HEAD:
            self._bytes.clear()
        elif has_no_version(b"".join(self._bytes[:8])):
            self._stop_reading(ValueError("no version"))
        return used

    # ---- the time that it may take

    def _watch(self) -> None:
        """Start the time of the request that is arriving, if it has not arrived whole."""
        is_arriving = not self._ended and self._reading != _NOTHING
        if self._timer is not None and not (is_arriving and self._timed == self._begun):
            self._timer.cancel()
            self._timer = None
        if is_arriving and self._timer is None:
            self._timed = self._begun
            self._timer = self.loop.call_later(self._limits.read_timeout.limit, self._end_slow_request)
        elif not is_arriving and not self._ended and not self._is_busy():
            self._wait()  # there were only empty lines

    def _end_slow_request(self) -> None:
        """Refuse the request that is arriving, unless it is the server that lets it wait."""
        self._timer = None
        served = next((each for each in self._under_way if not each.response_complete), None)
        if self.transport.is_closing() or self._left is not None:
            return
        if served is not None and not (self._reading == _BODY and served is self.cycle):
            self._watch()
            return
        reason = self._limits.read_timeout.refusal("it did not arrive completely within {} s")
        self._ended = True
        if self._reading == _BODY:
            self._stop_body(BodyProblem(f"the body took too long: {reason}", 408))
        else:
            raw, self._bytes = b"".join(self._bytes), []
            self._answer(Unread.of(raw, f"the request took too long: {reason}", self._port(), status=408))

    def stop(self) -> None:
        """Wait no longer for a body that is still arriving: the server stops."""
        if self._reading == _BODY and not self._ended:
            self._ended = True
            self._stop_body(BodyProblem("the server stopped before the body had arrived"))

    def _ignore_upgrade(self) -> None:
        """Read on behind the head of a request that asks for another protocol (RFC 9110 section 7.8: a server may
        ignore that). The parser takes all that follows for the other protocol; a new one is told how the body ends."""
        framing = [header for header in self.headers if header[0] in (b"content-length", b"transfer-encoding")]
        self.parser = httptools.HttpRequestParser(Resumed(self))
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % header_lines(framing))

    def _stop_reading(self, error: Exception) -> None:
        """Refuse what the parser cannot read, and read nothing more."""
        self._ended = True
        arrived, self._bytes = b"".join(self._bytes), []
        cycle = self._last_cycle()
        self._watch()
        if self._reading == _BODY:
            self._stop_body(BodyProblem(self._too_large or what_is_wrong_with_the_body(error)))
        elif cycle is None or cycle.response_complete or cycle.keep_alive:
            raw = last_request(arrived, inside_body=self._from_body)
            reason, status = self._too_large or what_is_wrong(raw, error), 431 if self._too_large else 400
            unread = Unread.of(raw, reason, self._port(), status=status)
            if cycle is None or cycle.response_complete:
                self._answer(unread)
            else:
                self._unread = unread

    def _is_busy(self) -> bool:
        """Return whether a request is under way."""
        cycle = self._last_cycle()
        return cycle is not None and not cycle.response_complete

    def _last_cycle(self) -> RequestResponseCycle | None:
        """Return the last request on this connection, None before the first."""
        return self.cycle

    def _stop_body(self, problem: BodyProblem) -> None:
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
        self._unset_keepalive_if_required()
        self._limits.works(self)
        if self._timer is not None:
            self._timer.cancel()
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
            self.flow.held = []
            self.flow.resume_reading()
        if self.transport.is_closing() and not self._left.done():
            self._left.set_result(None)
        return self._left

    def abort(self) -> None:
        """End the connection with an RST, which is what SO_LINGER with zero seconds sends (socket(7)). Over TLS it is
        sent too, with no close_notify before it; but Python 3.10 to 3.12 show programs an RST under TLS as a plain end
        (python/cpython#115627, fixed late in 3.12).
        """
        abort(self.transport)
