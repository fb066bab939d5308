"""One request's access to the connection below HTTP."""

import asyncio

from starlette.types import Scope

from cnx_mock.net.connection import EXTENSION, Connection
from cnx_mock.net.uvicorn_protocol import RequestResponseCycle


class RequestWire:
    """The connection, as a fault of one request uses it."""

    def __init__(self, scope: Scope) -> None:
        self._connection: Connection | None
        self._cycle: RequestResponseCycle | None
        # removed: a scope that refers to its own cycle is freed only by the garbage collector, in long pauses
        self._connection, self._cycle = scope.get("extensions", {}).pop(EXTENSION, (None, None))

    @property
    def gone(self) -> bool:
        """Whether the client has closed the connection."""
        return self._cycle is not None and self._cycle.disconnected

    def reset(self) -> None:
        """Abort the connection with a TCP RST. Raises RuntimeError under a server that is not cnx-mock's own."""
        self._muted().abort()

    def close(self, last: bytes = b"") -> None:
        """Send these bytes as they are, then end the connection with a FIN."""
        transport = self._muted().transport
        self._write(transport, last)
        transport.close()

    def left(self) -> "asyncio.Future[None]":
        """Return a future that is done when the client has closed the connection. No other request is served on it."""
        return self._own().left()

    def write(self, data: bytes) -> None:
        """Send these bytes as they are."""
        self._write(self._own().transport, data)

    def _own(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("connection faults need cnx-mock's own server: MockServer or `cnx-mock serve`")
        return self._connection

    def _muted(self) -> Connection:
        """Return the connection, and make uvicorn believe that the request was answered."""
        connection = self._own()
        if self._cycle is not None:
            self._cycle.response_started = self._cycle.response_complete = self._cycle.disconnected = True
            self._cycle.message_event.set()
        return connection

    @staticmethod
    def _write(transport: asyncio.Transport, data: bytes) -> None:
        if data and not transport.is_closing():
            transport.write(data)
