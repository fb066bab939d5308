"""A request as rules look at it: what the client sent, and which operation it is for."""

from typing import Any, Final
from urllib.parse import unquote

import orjson

from cnx_mock.api.operation import Operation

RawHeaders = list[tuple[bytes, bytes]]
"""Headers as ASGI has them: lower-case names, in order."""

_UNREAD = object()
"""Not the request itself: an object that refers to itself is freed only by the garbage collector, in long pauses."""


class ApiRequest:
    """One request. Nothing changes it once it is made: its attributes are `Final`, which the type checker enforces. (A
    frozen dataclass of this size takes five times as long to make.)"""

    __slots__ = (
        "_json",
        "arrived",
        "body",
        "connection",
        "headers",
        "method",
        "operation",
        "params",
        "path",
        "query",
        "secure",
        "too_large",
        "wall",
    )

    def __init__(
        self,
        method: str,
        path: str,
        query: str,
        headers: RawHeaders,
        body: bytes = b"",
        *,
        operation: Operation | None = None,
        params: tuple[str, ...] = (),
        arrived: int = 0,
        wall: int = 0,
        connection: int | None = None,
        too_large: bool = False,
        secure: bool = False,
    ) -> None:
        self.method: Final = method
        self.path: Final = path
        """Undecoded."""
        self.query: Final = query
        """Undecoded."""
        self.headers: Final = headers
        self.body: Final = body
        self.operation: Final = operation
        """The operation at its method and path, if there is one."""
        self.params: Final = params
        """The parts of the path that are parameters, undecoded."""
        self.arrived: Final = arrived
        """When it arrived, in microseconds of the monotonic clock."""
        self.wall: Final = wall
        """When it arrived, as an instant of real time."""
        self.connection: Final = connection
        """The client's port, which tells its connections apart; None if the server does not know it."""
        self.too_large: Final = too_large
        """Whether its body is larger than the limit; `body` is empty then."""
        self.secure: Final = secure
        """Whether it came over HTTPS."""
        self._json: Any = _UNREAD

    @property
    def resource(self) -> str | None:
        """The id in the path, decoded; None if the path has none."""
        return unquote(self.params[0]) if self.params else None

    def header(self, name: bytes) -> str | None:
        """Return the first header of this (lower-case) name."""
        for known, value in self.headers:
            if known == name:
                return value.decode("latin-1")
        return None

    def header_values(self, name: bytes) -> list[str]:
        """Return every header of this (lower-case) name."""
        return [value.decode("latin-1") for known, value in self.headers if known == name]

    def json(self) -> Any:
        """Return the body as JSON, or None if it is not JSON. It is read once, and before it is validated."""
        if self._json is _UNREAD:
            try:
                self._json = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                self._json = None
        return self._json
