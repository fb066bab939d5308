"""Serving on an event loop that somebody else runs: sockets bound beforehand, uvicorn's protocol, a stop that is
bounded.

uvicorn's own `Server` sleeps twice while it stops and exits the process for a taken port, so only its protocol is used.
"""

import asyncio
import sys
from collections.abc import Callable
from functools import partial

import uvicorn
from uvicorn.server import ServerState

from cnx_mock.http.app import App
from cnx_mock.http.connection import Connection, drain
from cnx_mock.http.listeners import Listeners
from cnx_mock.http.tls import Tls

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open: longer than clients think between two calls."""


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the fastest loop there is."""
    if sys.platform == "win32":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop


class Serving:
    """An app on its sockets."""

    def __init__(self, app: App, listeners: Listeners) -> None:
        self.app = app
        app.tls_url = listeners.tls_url
        self._listeners = listeners
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        plain = partial(Connection, self.app.pages.not_http, self._config(), self._state, {}, loop)
        for sock in self._listeners.plain:
            self._servers.append(await loop.create_server(plain, sock=sock))
        if self._listeners.context is not None:
            secure = partial(Tls, self._listeners.context, plain, self._not_tls, self._state.connections)
            for sock in self._listeners.tls:
                self._servers.append(await loop.create_server(secure, sock=sock))

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
        self._listeners.close()

    def _config(self) -> uvicorn.Config:
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
        return config

    def _not_tls(self) -> bytes:
        return self.app.pages.not_http(f"this port speaks HTTPS: use {self._listeners.tls_url}")
