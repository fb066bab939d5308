"""One request's access to the connection below HTTP."""

import asyncio
from collections.abc import Callable

from starlette.types import Scope

from cnx_mock.net.connection import EXTENSION, Connection
from cnx_mock.net.uvicorn_protocol import RequestResponseCycle
from cnx_mock.scenario.exchange import FaultEffects


class RequestWire:
    """The connection, as a fault of one request uses it."""

    def __init__(self, scope: Scope) -> None:
        self._connection: Connection | None
        self._cycle: RequestResponseCycle | None
        # removed: a scope that refers to its own cycle is freed only by the garbage collector, in long pauses
        self._connection, self._cycle = scope.get("extensions", {}).pop(EXTENSION, (None, None))

    @property
    def dead(self) -> tuple[str, str] | None:
        """Why the connection has died while it was idle: the id of a rule, and its fault; None if it has not."""
        return None if self._connection is None else self._connection.dead

    def check(self, effects: FaultEffects) -> None:
        """Raise RuntimeError if these effects need cnx-mock's own server, and this is another one."""
        if effects.afterwards:
            self._own()

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

    def die_idle(self, rule: str, fault: str) -> None:
        """Let the connection die behind this request: the next call on it is reset."""
        self._own().dead = rule, fault

    def refuse_connections(self, microseconds: int) -> Callable[[], None]:
        """Close the server's ports for this time. Return what opens them again before that."""
        return self._own().outage.refuse(microseconds)

    def fail_handshakes(self, microseconds: int | None, connections: int | None) -> Callable[[], None]:
        """Let the handshakes of new TLS connections fail: for this time, or for this number of connections. Return what
        ends that."""
        return self._own().outage.fail_handshakes(microseconds, connections)

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
