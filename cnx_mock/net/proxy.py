"""A proxy on the server's own event loop, for programs that use the cloud's URL. Calls to the cloud are answered on the
client's own connection, so that a fault of the connection reaches the client unchanged."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import httptools
from starlette.types import ASGIApp, Receive, Scope, Send

from cnx_mock.dataclass import dataclass
from cnx_mock.net.addresses import API_HOST
from cnx_mock.net.allowed_hosts import AllowedHosts, option_for
from cnx_mock.net.connection import Connection
from cnx_mock.net.connection_limits import ConnectionLimits
from cnx_mock.net.endings import end_gently
from cnx_mock.net.server_error import ErrorPages, ServerError
from cnx_mock.net.sockets import ListeningSockets
from cnx_mock.net.unread import Unread, port_of
from cnx_mock.text.host_names import is_loopback, split_port

CONNECT_SECONDS = 10
"""How long another host may take to accept a tunnel."""

_CONNECT = b"CONNECT "
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_OF_THE_HOP = (b"host", b"proxy-authorization", b"proxy-connection")

_MOST_REFUSED = 100
_LONGEST_NAME = 253
"""How many refused hosts are remembered, and how long a name in the DNS can be."""

MakeProtocol = Callable[[], asyncio.Protocol]


@dataclass(frozen=True)
class ProxyRoutes:
    """The routes through the proxy: to the API over HTTP or HTTPS, to an allowed host, or none."""

    sockets: ListeningSockets
    plain: MakeProtocol
    secure: MakeProtocol
    allowed: AllowedHosts
    refused: set[str]
    pages: ErrorPages
    refuse: Callable[[Unread], bytes]
    limits: ConnectionLimits

    def to(self, host: str, port: int) -> MakeProtocol | ServerError | None:
        """Return what serves this address: one of our protocols, None for the host itself, or the error to answer."""
        if host == API_HOST and port in (80, 443):
            return self.secure if port == 443 else self.plain
        if is_loopback(host) or host == self.sockets.plain[0].getsockname()[0]:
            if port in _ports(self.sockets.plain):
                return self.plain
            if port in _ports(self.sockets.tls):
                return self.secure
            if port in _ports(self.sockets.proxy):
                return ServerError(
                    508, "Loop Detected", "PROXY_LOOP", "This address is the proxy itself.", {"host": host}
                )
        return None if (host, port) in self.allowed else self.refusal(host, port)

    def refusal(self, host: str, port: int) -> ServerError:
        """Return the answer for an address that is not allowed, and remember it."""
        if len(self.refused) < _MOST_REFUSED and len(host) <= _LONGEST_NAME:
            self.refused.add(f"{host}:{port}")
        flag = option_for(host, port)
        return ServerError(
            403,
            f"Forbidden: to allow it, add {flag}",
            "HOST_NOT_ALLOWED",
            f"The proxy does not allow this host. To allow it, add {flag}",
            {"host": f"{host}:{port}", "option": flag},
        )

    def of(self, url: bytes) -> tuple[bytes, ServerError | None]:
        """Return the host of a request in absolute form, as its Host header should have it, and the error if it is not
        served."""
        try:
            parsed = httptools.parse_url(url)
        except httptools.HttpParserInvalidURLError:
            return b"", self._bad("the URL cannot be read")
        if not parsed.host:
            return b"", self._bad(f"this is the proxy; the API is at {self.sockets.url}")
        port = parsed.port or 80
        name = b"[%b]" % parsed.host if b":" in parsed.host else parsed.host
        found = _address(b"%b:%d" % (name, port))
        if parsed.schema.lower() != b"http" or found is None:
            return b"", self._bad("only an http:// URL can be requested like this; https:// needs CONNECT")
        route = self.to(*found)
        authority = name if port == 80 else b"%b:%d" % (name, port)
        if route is None:
            message = "The proxy reaches other hosts through tunnels only: use https, or keep the host in NO_PROXY."
            return authority, ServerError(501, "Not Implemented", "NOT_TUNNELLED", message, {"host": found[0]})
        if route is self.secure:
            return authority, self._bad("this port speaks HTTPS")
        return authority, route if isinstance(route, ServerError) else None

    @staticmethod
    def _bad(reason: str) -> ServerError:
        return ServerError(400, "Bad Request", "BAD_REQUEST", "The request could not be read.", {"reason": reason})


class Proxy(asyncio.Protocol):
    """A client's connection until its route is known."""

    def __init__(
        self,
        routes: ProxyRoutes,
        forwarded: MakeProtocol,
        tasks: set[Any],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.transport: asyncio.Transport
        self._routes = routes
        self._forwarded = forwarded
        self._limits = routes.limits
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = tasks
        self._loop = loop
        self._head = bytearray()
        self._ended = False
        """Whether its head has arrived, or was refused."""
        self._late = b""
        """What came behind the head while the tunnel was made."""
        self._leaving: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self._limits.open.add(self)
        self._limits.waits(self)
        self._timer = self._loop.call_later(self._limits.handshake_timeout.limit, self._end_slow_head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave_limits()
        if self._leaving is not None:
            self._leaving.cancel()

    def _leave_limits(self) -> None:
        self._limits.open.discard(self)
        self._begin()

    def _begin(self) -> None:
        """Stop the time for its head: that has arrived."""
        self._limits.works(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_slow_head(self) -> None:
        """Refuse a CONNECT that takes too long, or end a connection that says nothing."""
        why = self._limits.handshake_timeout.refusal("it did not arrive completely within {} s")
        self._begin()
        if not self._head:
            self.transport.close()
            return
        self._ended = True
        head, reason = bytes(self._head), f"the request took too long: {why}"
        self.transport.write(self._routes.refuse(Unread.of(head, reason, port_of(self.transport), status=408)))
        end_gently(self.transport)

    def data_received(self, data: bytes) -> None:
        if self._ended:
            self._late += data  # uvloop may read once although reading is paused
            return
        searched = max(0, len(self._head) - 3)
        self._head += data
        if not _CONNECT.startswith(bytes(self._head[: len(_CONNECT)])):
            self._become(self._forwarded(), bytes(self._head))
            return
        end = self._head.find(b"\r\n\r\n", searched)
        head = self._head if end < 0 else self._head[:end]
        bound = self._limits.header_bytes
        if len(head) > bound.limit:
            bound.refused += 1
            self._ended = True
            message = f"A CONNECT request has at most {bound.limit} bytes."
            problem = ServerError(
                431, "Request Header Fields Too Large", "HEADERS_TOO_LARGE", message, {"option": bound.option}
            )
            self._refuse(problem)
        elif end >= 0:
            self._begin()
            self._ended = True
            self._connect(bytes(head), bytes(self._head[end + 4 :]))

    def _connect(self, head: bytes, rest: bytes) -> None:
        method, _, line = head.partition(b"\r\n")[0].partition(b" ")
        target, _, version = line.partition(b" ")
        address = _address(target)
        if address is None or not version.startswith(b"HTTP/1."):
            reason = f"{method.decode()} needs a host and a port: CONNECT api.cloudnexus.com:443 HTTP/1.1"
            self.transport.write(self._routes.refuse(Unread.of(head, reason, port_of(self.transport))))
            self.transport.close()
            return
        route = self._routes.to(*address)
        if isinstance(route, ServerError):
            self._refuse(route)
        elif route is not None:
            self.transport.write(_ESTABLISHED)
            self._become(route(), rest)
        else:
            self.transport.pause_reading()
            self._leaving = self._loop.create_task(self._leave(*address, rest))
            self._tasks.add(self._leaving)
            self._leaving.add_done_callback(self._tasks.discard)

    async def _leave(self, host: str, port: int, rest: bytes) -> None:
        """Make a tunnel to another host."""
        near, far = _End(self._limits.open), _End(self._limits.open)
        near.transport, near.other, far.other = self.transport, far, near
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._loop.create_connection(lambda: far, host, port)
        except (OSError, UnicodeError) as error:  # a timeout is an OSError too
            details = {"host": f"{host}:{port}", "reason": str(error) or f"no answer within {CONNECT_SECONDS} s"}
            self._refuse(ServerError(502, "Bad Gateway", "HOST_UNREACHABLE", "The host cannot be reached.", details))
            return
        self._leaving = None
        peer = far.transport.get_extra_info("peername")[0]
        if is_loopback(peer) and not self._routes.allowed.may_be_loopback((host, port)):
            far.transport.abort()  # the name means this machine, whose services were not allowed
            self._refuse(self._routes.refusal(host, port))
            return
        self.transport.write(_ESTABLISHED)
        self._become(near, rest + self._late)
        for end in (near, far):
            end.open()

    def _refuse(self, problem: ServerError) -> None:
        self.transport.write(self._routes.pages.whole(problem))
        self.transport.close()

    def _become(self, protocol: asyncio.Protocol, data: bytes) -> None:
        """Let another protocol serve the connection from now on."""
        self._leave_limits()
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        if data:
            protocol.data_received(data)


class _End(asyncio.Protocol):
    """One of the two ends of a tunnel. Data that arrives before both are open is kept: uvloop may read once although
    reading is paused."""

    def __init__(self, connections: set[Any]) -> None:
        self.transport: asyncio.Transport
        self.other: _End
        self._connections = connections
        self._ended = False
        self._early: list[bytes] | None = []

    def open(self) -> None:
        """Pass on what has arrived, and all that arrives from now on."""
        early, self._early = self._early or [], None
        for data in early:
            self.other.transport.write(data)
        if not self._ended:
            self.transport.resume_reading()
        elif not self.eof_received():
            self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self._connections.add(self)
        transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self.other.transport.close()

    def data_received(self, data: bytes) -> None:
        if self._early is None:
            self.other.transport.write(data)
        else:
            self._early.append(data)

    def eof_received(self) -> bool:
        """Return True, which keeps the other direction open, unless that has ended too."""
        self._ended = True
        if self._early is not None:
            return True
        if self.other._ended or self.other.transport.is_closing():
            return False
        self.other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        with suppress(RuntimeError):  # it is closed
            self.other.transport.resume_reading()


class Forwarded(Connection):
    """A client that speaks plain HTTP to the proxy: each of its requests names its host."""

    def __init__(self, routes: ProxyRoutes, *args: Any) -> None:
        super().__init__(*args)
        self._routes = routes
        self._api: ASGIApp = self.app

    def on_headers_complete(self) -> None:
        """Use the URL's host in place of the Host header (RFC 9112 section 3.2.2)."""
        authority, problem = self._routes.of(self.url)
        kept = [header for header in self.headers if header[0] not in _OF_THE_HOP]
        self.headers[:] = [(b"host", authority), *kept]
        self.app = self._api if problem is None else _Refusing(self._routes.pages, problem)
        super().on_headers_complete()


class _Refusing:
    """Answers every request with one error."""

    def __init__(self, pages: ErrorPages, problem: ServerError) -> None:
        self._pages = pages
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._pages.problem(self._problem)(scope, receive, send)


def _address(authority: bytes) -> tuple[str, int] | None:
    """Return the host and the port of `host:port`, None for anything else."""
    host, port = split_port(authority.decode("latin-1")) or ("", None)
    return None if port is None else (host, port)


def _ports(sockets: Iterable[Any]) -> set[int]:
    return {sock.getsockname()[1] for sock in sockets}
