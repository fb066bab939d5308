"""What bounds the connections of one server: their number, what each may send, and how long that may take."""

import logging
import sys
from collections import OrderedDict
from typing import Any

from cnx_mock.net.bounds import Bounds
from cnx_mock.net.known_heads import KnownHeads
from cnx_mock.net.outage import Outage

log = logging.getLogger("cnx_mock")

RESERVED_FILES = 64
"""File descriptors that connections leave free: for listening sockets, the event loop, scenario files."""


class ConnectionLimits:
    """The bounds of connections, and the open connections of one server."""

    def __init__(self, bounds: Bounds) -> None:
        self.header_bytes = bounds["max_header_bytes"]
        self.headers = bounds["max_headers"]
        self.pipelined = bounds["max_pipelined"]
        self.read_timeout = bounds["read_timeout"]
        self.handshake_timeout = bounds["handshake_timeout"]
        self.open: set[Any] = set()
        """The protocol of every open socket."""
        self.outage = Outage()
        """What new connections meet for a while."""
        self.connections = bounds["max_connections"]
        self.connections.limit = _allowed(self.connections.limit)
        self.connections.measure = lambda: len(self.open)
        self._waiting: OrderedDict[Any, None] = OrderedDict()
        """The protocols of connections without a request under way, the longest wait first."""
        self._warned = False
        self.waits_again = self._waiting.move_to_end
        """Notes that a connection that waits has had a request meanwhile, which was answered at once."""
        self.heads = KnownHeads()

    def waits(self, protocol: Any) -> None:
        """Note that a connection waits for a request from now on."""
        self._waiting[protocol] = None

    def works(self, protocol: Any) -> None:
        """Note that a connection has a request under way, or that it has ended."""
        self._waiting.pop(protocol, None)

    def too_large(self, url: bytes, headers: list[tuple[bytes, bytes]]) -> str | None:
        """Return what is wrong with a head that is too large; None if it is not."""
        self.headers.seen(len(headers))
        size = len(url) + sum([len(name) + len(value) + 4 for name, value in headers])
        self.header_bytes.seen(size)
        return self.too_many_bytes() if size > self.header_bytes.limit else None

    def too_many_bytes(self) -> str:
        """Return what is wrong with a head that has too many bytes."""
        return self.header_bytes.refusal("the request's line and headers have more than {:,} bytes")

    def make_room(self) -> bool:
        """Return whether there is room for one more connection. If there is none, end the one that has waited the
        longest for a request."""
        if len(self.open) < self.connections.limit:
            return True
        self.connections.refused += 1
        if not self._warned:
            self._warned = True
            log.warning(
                "the limit of %d connections is reached (--max-connections, or the limit of open files): "
                "the connections that are idle for the longest time are closed. GET /_mock/health counts them",
                len(self.open),
            )
        if not self._waiting or len(self.open) >= self.connections.limit + RESERVED_FILES // 4:
            return False
        oldest, _ = self._waiting.popitem(last=False)
        oldest.transport.close()
        return True


def _allowed(wanted: int) -> int:
    """Return how many connections there may be: as many as wanted, or fewer if the process may open few files."""
    if sys.platform == "win32":
        return wanted
    import resource  # lazy: it does not exist on Windows

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, files - min(RESERVED_FILES, files // 2))
