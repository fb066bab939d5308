"""Serving on an event loop that the caller runs: sockets bound beforehand, uvicorn's protocol, a stop within a time.

uvicorn's own `Server` sleeps twice while it stops, and exits the process if the port is in use, so only its protocol is
used.
"""

import asyncio
import sys
from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from cnx_mock.net.addresses import Addresses
from cnx_mock.net.allowed_hosts import AllowedHosts
from cnx_mock.net.bounds import Bounds
from cnx_mock.net.connection import Connection
from cnx_mock.net.connection_limits import ConnectionLimits
from cnx_mock.net.direct import Begin, DirectConnection
from cnx_mock.net.endings import drain
from cnx_mock.net.outage import ClosableSocket
from cnx_mock.net.proxy import Forwarded, Proxy, ProxyRoutes
from cnx_mock.net.server_error import ErrorPages, ServerError
from cnx_mock.net.sockets import ListeningSockets, ServerSocket
from cnx_mock.net.tls import Tls
from cnx_mock.net.unread import Unread, port_of
from cnx_mock.net.uvicorn_protocol import Config, ServerState
from cnx_mock.world.clock import SECOND, ticks

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open: longer than clients pause between two calls."""


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return the function that makes the fastest event loop of this platform. A test that freezes Python's clocks does
    not stop its timers."""
    if sys.platform == "win32":
        return asyncio_loop
    import uvloop  # lazy: it does not exist on Windows, and costs start-up time

    return uvloop.new_event_loop  # its timers are those of libuv, which asks the system


def asyncio_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop of asyncio whose timers follow the machine's clock. Its own `time` asks Python's."""
    loop = asyncio.new_event_loop()
    loop.time = lambda: ticks() / SECOND  # type: ignore[method-assign]
    return loop


class ServedApp(Protocol):
    """The ASGI application to serve, and what serving needs of it."""

    addresses: Addresses
    bounds: Bounds
    refused_hosts: set[str]
    """Hosts that the proxy has refused."""

    @property
    def pages(self) -> ErrorPages:
        """Renders the errors that the server answers itself."""

    @property
    def allowed_hosts(self) -> Collection[str]:
        """Hosts that the proxy may open tunnels to."""

    def refuse_unread(self, unread: Unread) -> bytes:
        """Return the whole answer to a request that could not be read, status line included. The connection is to be
        closed after it."""

    def cancel_delays(self) -> None:
        """End every deliberate wait, for good."""

    @property
    def begin(self) -> Begin:
        """Begins a call."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""


class Serving:
    """An app on its sockets."""

    def __init__(self, app: ServedApp, sockets: ListeningSockets) -> None:
        self.app = app
        app.addresses = sockets.addresses
        self._sockets = [sockets]
        self._limits = ConnectionLimits(app.bounds)
        self._state = ServerState()
        self._state.connections = self._limits.open
        self._above_tls = ServerState()  # its connections are not sockets: those are counted once
        self._above_tls.tasks = self._state.tasks

    async def start(self) -> None:
        """Accept connections from now on."""
        [sockets] = self._sockets
        await self._serve(sockets)

    async def add(self, sockets: ListeningSockets, *, may_close: bool = True) -> None:
        """Accept connections on further sockets too. They are closed with the others; `may_close` is whether a fault
        may close them meanwhile."""
        self._sockets.append(sockets)
        await self._serve(sockets, may_close)

    async def abort_connections(self, sockets: ListeningSockets) -> None:
        """Abort the connections that were accepted on these sockets. New ones are accepted as before."""
        ports = {sock.getsockname()[1] for sock in (*sockets.plain, *sockets.tls)}
        connections = self._state.connections
        aborted = {each for each in connections if _port(each.transport) in ports}
        for connection in aborted:
            connection.transport.abort()
        while aborted & connections:
            await asyncio.sleep(0)

    async def _serve(self, sockets: ListeningSockets, may_close: bool = True) -> None:
        loop, state, pages = asyncio.get_running_loop(), self._state, self.app.pages
        config = Config(self.app, KEEP_ALIVE_SECONDS)
        http: tuple[Any, ...] = (self.app.refuse_unread, self._limits, config, state, {}, loop)
        plain = partial(DirectConnection, self.app.begin, *http)
        await self._accept(plain, sockets.plain, may_close)
        if sockets.context is None:
            return
        secured = partial(DirectConnection, self.app.begin, *http[:3], self._above_tls, {}, loop)
        secure = partial(Tls, sockets.context, secured, partial(self._not_tls, sockets.tls_url), self._limits)
        await self._accept(secure, sockets.tls)
        allowed = AllowedHosts.of(self.app.allowed_hosts)
        routes = ProxyRoutes(
            sockets, plain, secure, allowed, self.app.refused_hosts, pages, self.app.refuse_unread, self._limits
        )
        proxy = partial(Proxy, routes, partial(Forwarded, routes, *http), state.tasks, loop)
        await self._accept(proxy, sockets.proxy)

    def _not_tls(self, url: str | None, first: bytes, transport: asyncio.BaseTransport) -> bytes:
        """Return the whole answer to bytes that are not TLS, on a port that speaks HTTPS."""
        return self.app.refuse_unread(Unread.of(first, f"this port speaks HTTPS: use {url}", port_of(transport)))

    async def _accept(
        self, protocol: Callable[[], asyncio.Protocol], sockets: list[ServerSocket], may_close: bool = True
    ) -> None:
        def admitted() -> asyncio.Protocol:
            return protocol() if self._limits.make_room() else _NoRoom(self.app.pages, self._limits)

        for index in range(len(sockets)):
            await self._limits.outage.serve(ClosableSocket(sockets, index, admitted, may_close))

    async def stop(self, seconds: float = 0.5) -> None:
        """Stop accepting, cancel delays, let other requests end within this many seconds, then close everything."""
        await self._limits.outage.stop()
        self.app.cancel_delays()
        for connection in [*self._state.connections, *self._above_tls.connections]:
            if isinstance(connection, Connection):
                connection.stop()
        if self._state.tasks:
            await asyncio.wait(set(self._state.tasks), timeout=seconds)
        for connection in list(self._state.connections):
            connection.transport.abort()
        while self._state.connections:
            await asyncio.sleep(0)
        await drain(set(self._state.tasks), seconds)
        for sockets in self._sockets:
            sockets.close()


class _NoRoom(asyncio.Protocol):
    """Refuses a connection above the limit."""

    def __init__(self, pages: ErrorPages, limits: ConnectionLimits) -> None:
        self._pages = pages
        self._limits = limits

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        limit = self._limits.connections
        details = {"limit": str(limit.limit), "option": limit.option}
        message = "The mock has reached its limit of connections."
        problem = ServerError(503, "Service Unavailable", "CONNECTION_LIMIT", message, details)
        transport.write(self._pages.whole(problem))
        transport.close()


def _port(transport: Any) -> int | None:
    """Return the port on which a connection was accepted."""
    name = transport.get_extra_info("sockname")
    return name[1] if name else None
