"""TLS between a connection's socket and its HTTP.

The event loops' own TLS is not used, for three reasons. The first bytes must be seen before TLS begins, so that plain
HTTP gets an answer. A tunnel of the proxy changes to TLS in the middle of its connection. And what `close` and `abort`
send differs from loop to loop, while a fault has to be exact. Here `close` sends a close_notify and a FIN at once, and
`abort` is the socket's own.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cnx_mock.net.connection_limits import ConnectionLimits
from cnx_mock.net.endings import end_gently

_HANDSHAKE = b"\x16"
"""The first byte of a TLS connection: a record of this type opens it (RFC 8446 section 5.1)."""

_HANDSHAKE_FAILURE = bytes((21, 3, 3, 0, 2, 2, 40))
"""A record with the fatal alert `handshake_failure` (RFC 8446 section 6)."""

_PIECE = 256 * 1024


class Tls(asyncio.Protocol, asyncio.Transport):
    """One connection: the protocol of its socket, and the transport of the protocol that `secured` makes once the
    handshake is done. `not_tls` returns the whole answer to a client that does not speak TLS, from its first bytes.
    While the connection is open it is among those of `limits`, which also say how long the handshake may take."""

    def __init__(
        self,
        context: ssl.SSLContext,
        secured: Callable[[], asyncio.Protocol],
        not_tls: Callable[[bytes, asyncio.BaseTransport], bytes],
        limits: ConnectionLimits,
    ) -> None:
        super().__init__()
        self.transport: asyncio.Transport
        self._context = context
        self._secured = secured
        self._not_tls = not_tls
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session: ssl.SSLObject | None = None
        self._http: asyncio.Protocol | None = None
        self._closing = False

    # ---- the socket's protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self._limits.open.add(self)
        self._limits.waits(self)
        loop, limit = asyncio.get_running_loop(), self._limits.handshake_timeout
        self._timer = loop.call_later(limit.limit, self._end_slow_handshake)

    def _end_slow_handshake(self) -> None:
        self._limits.handshake_timeout.refused += 1
        self.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._session is None:
            if not data.startswith(_HANDSHAKE):
                self._closing = True
                self.transport.write(self._not_tls(data, self.transport))
                end_gently(self.transport)
                return
            if self._limits.outage.fails_handshake():
                self._closing = True
                self.transport.write(_HANDSHAKE_FAILURE)
                self.transport.close()
                return
            self._session = self._context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._incoming.write(data)
        try:
            self._process(self._session)
        except ssl.SSLError:  # OpenSSL has written an alert that says why
            self._flush()
            self._closing = True
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._stop_timer()
        self._limits.open.discard(self)
        self._limits.works(self)
        http, self._http = self._http, None
        if http is not None:
            http.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._http is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        if self._http is not None:
            self._http.resume_writing()

    def _process(self, session: ssl.SSLObject) -> None:
        """Process the bytes that have arrived. Raises SSLError."""
        if self._http is None:
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                return
            self._flush()
            self._stop_timer()
            self._limits.works(self)  # from here on its HTTP waits and works
            self._http = self._secured()
            self._http.connection_made(self)
        data, ended = self._decrypted(session)
        self._flush()  # messages of TLS itself, such as new keys
        if data:
            self._http.data_received(data)
        if ended:
            self.close()

    def _decrypted(self, session: ssl.SSLObject) -> tuple[bytes, bool]:
        """Return all that can be read now, in one piece as from a socket, and whether the client has ended."""
        pieces = []
        try:
            while piece := session.read(_PIECE):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            return b"".join(pieces), False
        except ssl.SSLZeroReturnError:
            pass
        return b"".join(pieces), True

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.transport.write(self._outgoing.read())

    # ---- HTTP's transport

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        known = {"sslcontext": self._context, "ssl_object": self._session}
        return known[name] if name in known else self.transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._closing or self.transport.is_closing()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Send a close_notify and a FIN, and drop what still arrives. The socket stays open until `close`, or until the
        client ends it."""
        if not self._closing:
            self._closing = True
            self._say_goodbye()
            self.transport.write_eof()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or self._session is None:
            return
        rest = memoryview(data)
        while rest:
            rest = rest[self._session.write(rest) :]
        self._flush()

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._say_goodbye()
        self.transport.close()

    def _say_goodbye(self) -> None:
        if self._session is not None:
            with suppress(ssl.SSLError):  # without waiting for the client's own close_notify
                self._session.unwrap()
            self._flush()

    def abort(self) -> None:
        self._closing = True
        self.transport.abort()

    def is_reading(self) -> bool:
        return self.transport.is_reading()

    def pause_reading(self) -> None:
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        self.transport.resume_reading()
