"""Faults of new connections that last for a while: a closed port, or a TLS handshake that fails.

A connection has no key before its first request, so that an outage is for the whole server. A port that is closed is
refused by the system itself. On Linux the port stays bound meanwhile, without listening: the system refuses connections
to such a socket, and gives its port to nobody who asks for any free one. On macOS it would let clients wait instead
(its kernel drops what arrives for a socket in the state CLOSED): there, and on Windows, the port is free until it is
opened again.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import suppress

from cnx_mock.errors import ListenError
from cnx_mock.net.sockets import BACKLOG, ClosedSocket, ServerSocket, bind_again
from cnx_mock.world.clock import SECOND

log = logging.getLogger("cnx_mock")

_KEEPS_PORT = sys.platform == "linux"
_AGAIN_SECONDS = 0.05
"""How long to wait for a port that somebody else has taken."""


class ClosableSocket:
    """One listening socket of a server, which can be closed and opened again at the same address."""

    def __init__(
        self, sockets: list[ServerSocket], index: int, protocol: Callable[[], asyncio.Protocol], may_close: bool
    ) -> None:
        """`sockets` at `index` is the listening socket, and afterwards what stands in its place. `may_close` is whether
        it may be closed before the server stops."""
        self._sockets = sockets
        self._index = index
        self._protocol = protocol
        self.may_close = may_close
        self._server: asyncio.Server | None = None
        self._listens = True

    async def serve(self) -> None:
        """Accept connections. The socket listens already, or begins to."""
        sock = self._sockets[self._index]
        assert not isinstance(sock, ClosedSocket), "it was opened before"
        self._server = await asyncio.get_running_loop().create_server(self._protocol, sock=sock, backlog=BACKLOG)

    def stop(self) -> None:
        """Accept no connection any more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def close(self) -> None:
        """Let the system refuse connections from now on. Idempotent."""
        if not self._listens:
            return
        self._listens = False
        sock = self._sockets[self._index]
        closed = ClosedSocket(sock.family, sock.getsockname())
        self._sockets[self._index] = closed  # first: others read the address in other threads
        self.stop()
        if _KEEPS_PORT:
            with suppress(ListenError):  # somebody was faster: it is bound when it is opened again
                self._sockets[self._index] = bind_again(closed)

    def open(self) -> bool:
        """Let clients connect again; they wait until `serve` accepts them. Return False if somebody else has taken the
        port meanwhile."""
        sock = self._sockets[self._index]
        try:
            if isinstance(sock, ClosedSocket):
                sock = self._sockets[self._index] = bind_again(sock)
            sock.listen(BACKLOG)
        except OSError as error:
            log.debug("%s", error)
            return False
        self._listens = True
        return True


class Outage:
    """The outages of one server. Each call that begins one returns what ends it early, which may be called at any
    time."""

    def __init__(self) -> None:
        self._ports: list[ClosableSocket] = []
        self._refusing: set[object] = set()
        """Who wants the ports to be closed."""
        self._failing: dict[object, int | None] = {}
        """Who wants handshakes to fail, and how many more of them; None for any number."""
        self._opening: asyncio.Task[None] | None = None
        self._stopped = False

    async def serve(self, port: ClosableSocket) -> None:
        """Accept connections at a port."""
        self._ports.append(port)
        await port.serve()

    async def stop(self) -> None:
        """Close every port for good: the server stops."""
        self._stopped = True
        self._refusing.clear()
        if self._opening is not None:
            await self._opening
        for port in self._ports:
            port.stop()

    def refuse(self, microseconds: int) -> Callable[[], None]:
        """Close every port for this real time."""
        who = object()
        if not self._stopped:
            self._refusing.add(who)
            if self._opening is None:  # else they are closed when all are open
                self._close()
        return self._ends(lambda: self._no_longer(who), microseconds)

    def fail_handshakes(self, microseconds: int | None, connections: int | None) -> Callable[[], None]:
        """Let the handshakes of new connections fail: for this real time, or for this number of connections."""
        who = object()
        self._failing[who] = connections
        return self._ends(lambda: self._failing.pop(who, None), microseconds)

    def fails_handshake(self) -> bool:
        """Return whether the handshake that begins now is to fail, and count it."""
        if not self._failing:
            return False
        who, left = next(iter(self._failing.items()))
        if left is not None:
            self._failing[who] = left - 1
            if left == 1:
                del self._failing[who]
        return True

    @property
    def _may_close(self) -> list[ClosableSocket]:
        return [port for port in self._ports if port.may_close]

    @staticmethod
    def _ends(end: Callable[[], object], microseconds: int | None) -> Callable[[], None]:
        if microseconds is None:
            return lambda: _call(end)
        timer = asyncio.get_running_loop().call_later(microseconds / SECOND, end)

        def early() -> None:
            timer.cancel()
            end()

        return early

    def _no_longer(self, who: object) -> None:
        """Open the ports if this was the last one who wanted them closed."""
        if who not in self._refusing:
            return
        self._refusing.discard(who)
        if not self._refusing and self._opening is None:
            taken = [port for port in self._may_close if not port.open()]
            self._opening = asyncio.get_running_loop().create_task(self._serve_again(taken))

    def _close(self) -> None:
        for port in self._may_close:
            port.close()

    async def _serve_again(self, taken: list[ClosableSocket]) -> None:
        """Accept connections again. A port that somebody else has taken is opened when it is free."""
        for port in self._may_close:
            if port not in taken:
                await port.serve()
        if taken:
            log.warning("another program uses a port that a fault closed; the port is opened again when it is free")
        while taken and not self._refusing and not self._stopped:
            await asyncio.sleep(_AGAIN_SECONDS)
            for port in [each for each in taken if each.open()]:
                taken.remove(port)
                await port.serve()
        self._opening = None
        if self._refusing:
            self._close()


def _call(act: Callable[[], object]) -> None:
    act()
