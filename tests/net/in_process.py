"""A connection to an app without a socket: it is given bytes, and what it writes is kept."""

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from cnx_mock.http.app import App
from cnx_mock.net.connection_limits import ConnectionLimits
from cnx_mock.net.direct import DirectConnection


class KeptTransport(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 4269)}.get(name, default)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Stay open: a test that runs for long is not idle."""


def connected(app: App, loop: asyncio.AbstractEventLoop) -> tuple[DirectConnection, KeptTransport]:
    """Return a new connection to an app, and its transport."""
    config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, server_header=False, date_header=False)
    config.load()
    limits, transport = ConnectionLimits(app.bounds), KeptTransport()
    connection = DirectConnection(app.begin, app.refuse_unread, limits, config, ServerState(), {}, loop)
    connection.connection_made(transport)
    return connection, transport
