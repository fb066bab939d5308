"""Serving on an event loop that somebody else runs: sockets bound beforehand, uvicorn's protocol, a stop that is
bounded.

uvicorn's own `Server` sleeps twice while it stops and exits the process for a taken port, so only its protocol is used.
"""

import asyncio
import errno
import socket
import sys
from collections.abc import Callable

import uvicorn
from uvicorn.server import ServerState

from cnx_mock.http.app import App
from cnx_mock.http.connection import Connection, drain

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open: longer than clients think between two calls."""

_TRIES = 20


class PortTaken(OSError):
    """The port is in use; the message says which."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Bound, listening sockets: one, or for 127.0.0.1 also one on ::1 with the same port where the machine has it
    (`localhost` means either). Raises PortTaken, or OSError for an address that is not this machine's; the message
    names it."""
    for _ in range(_TRIES):
        first = _bound(host, port)
        if host != "127.0.0.1":
            return [first]
        chosen = first.getsockname()[1]
        try:
            return [first, _bound("::1", chosen)]
        except PortTaken:
            first.close()
            if port != 0:
                raise
        except OSError:
            return [first]
    raise PortTaken(errno.EADDRINUSE, "no port is free on both 127.0.0.1 and ::1")


def _bound(host: str, port: int) -> socket.socket:
    """One socket. TCP is named, or asyncio leaves Nagle's delay on and every answer waits 40 ms for an ACK."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise OSError(errno.EINVAL, f"{host!r} is no address: {getattr(error, 'strerror', error)}") from None
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind(address)
        sock.listen(2048)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(error.errno, f"port {port} on {host} is already in use") from None
        raise OSError(error.errno, f"port {port} on {host}: {error.strerror}") from None
    sock.setblocking(False)
    return sock


def url_of(sock: socket.socket) -> str:
    """Where clients on this machine find a listening socket; one that listens everywhere is found on loopback, the only
    place where the control plane answers."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the fastest loop there is."""
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


class Serving:
    """An app on its sockets."""

    def __init__(self, app: App, sockets: list[socket.socket]) -> None:
        self.app = app
        self._sockets = sockets
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Accept connections from now on."""
        config = uvicorn.Config(
            self.app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        config.load()
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            server = await loop.create_server(
                lambda: Connection(self.app.pages.not_http, config, self._state, {}, loop), sock=sock
            )
            self._servers.append(server)

    async def stop(self, seconds: float = 0.5) -> None:
        """Stop accepting, cut what waits on purpose, let the rest end within so many seconds, then close."""
        for server in self._servers:
            server.close()
        self.app.tenants.cut()
        await drain(set(self._state.tasks), seconds)
        for connection in list(self._state.connections):
            connection.transport.abort()
        while self._state.connections:
            await asyncio.sleep(0)
        for sock in self._sockets:
            sock.close()
