"""A request as rules look at it: what the client sent, and which operation it is for."""

from typing import Any, Final
from urllib.parse import unquote

import orjson

from cnx_mock.api.operation import Operation
from cnx_mock.api.router import is_api_path

RawHeaders = list[tuple[bytes, bytes]]
"""Headers as ASGI has them: lower-case names, in order."""

FAULT_HEADER = b"x-cnx-mock-fault"
"""The header in which a request brings a fault with it."""

_UNREAD = object()
"""Not the request itself: an object that refers to itself is freed only by the garbage collector, in long pauses."""


class RequestTarget:
    """What a request asks for. Nothing changes it, and requests that ask for the same can share it."""

    __slots__ = ("is_api", "method", "operation", "params", "path", "query", "size")

    def __init__(
        self, method: str, path: str, query: str, operation: Operation | None = None, params: tuple[str, ...] = ()
    ) -> None:
        self.method: Final = method
        self.path: Final = path
        """Undecoded."""
        self.query: Final = query
        """Undecoded."""
        self.operation: Final = operation
        """The operation at its method and path, if there is one."""
        self.params: Final = params
        """The parts of the path that are parameters, undecoded."""
        self.is_api: Final = is_api_path(path)
        """Whether the path belongs to the API, be there an operation at it or not."""
        self.size: Final = len(path) + len(query)
        """How many characters it has."""

    @property
    def resource(self) -> str | None:
        """The id in the path, decoded; None if the path has none."""
        return unquote(self.params[0]) if self.params else None


class RequestHeaders:
    """The headers of a request. Nothing changes them, and requests with the same headers can share them: what has been
    looked up once is known."""

    __slots__ = ("_first", "_values", "all", "has_faults", "shown", "size")

    def __init__(self, headers: RawHeaders) -> None:
        self.all: Final = headers
        self.has_faults: Final = any(name == FAULT_HEADER for name, _ in headers)
        """Whether one of them asks for a fault."""
        self.size: Final = sum([len(name) + len(value) for name, value in headers])
        """How many bytes their names and values have."""
        self.shown: list[list[str]] | None = None
        """The headers as a journal shows them, if it has shown them."""
        self._values: dict[bytes, list[str]] = {}
        self._first: dict[bytes, str | None] = {}

    def first(self, name: bytes) -> str | None:
        """Return the first header of this (lower-case) name."""
        if name not in self._first:
            values = self.values(name)
            self._first[name] = values[0] if values else None
        return self._first[name]

    def values(self, name: bytes) -> list[str]:
        """Return every header of this (lower-case) name. The list is not to be changed."""
        known = self._values.get(name)
        if known is None:
            known = self._values[name] = [value.decode("latin-1") for each, value in self.all if each == name]
        return known


class ApiRequest:
    """One request. Nothing changes it once it is made: its attributes are `Final`, which the type checker enforces. (A
    frozen dataclass of this size takes five times as long to make.)"""

    __slots__ = ("_json", "arrived", "body", "connection", "secure", "sent", "target", "too_large", "wall")

    def __init__(
        self,
        target: RequestTarget,
        sent: RequestHeaders,
        body: bytes = b"",
        arrived: int = 0,
        wall: int = 0,
        connection: int | None = None,
        too_large: bool = False,
        secure: bool = False,
    ) -> None:
        self.target: Final = target
        self.sent: Final = sent
        """Its headers."""
        self.body: Final = body
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
    def method(self) -> str:
        """Its method."""
        return self.target.method

    @property
    def path(self) -> str:
        """Its path, undecoded."""
        return self.target.path

    @property
    def query(self) -> str:
        """Its query string, undecoded."""
        return self.target.query

    @property
    def operation(self) -> Operation | None:
        """The operation at its method and path, if there is one."""
        return self.target.operation

    @property
    def params(self) -> tuple[str, ...]:
        """The parts of the path that are parameters, undecoded."""
        return self.target.params

    @property
    def headers(self) -> RawHeaders:
        """Its headers, in order."""
        return self.sent.all

    @property
    def resource(self) -> str | None:
        """The id in the path, decoded; None if the path has none."""
        return self.target.resource

    def header(self, name: bytes) -> str | None:
        """Return the first header of this (lower-case) name."""
        return self.sent.first(name)

    def header_values(self, name: bytes) -> list[str]:
        """Return every header of this (lower-case) name."""
        return self.sent.values(name)

    def json(self) -> Any:
        """Return the body as JSON, or None if it is not JSON. It is read once, and before it is validated."""
        if self._json is _UNREAD:
            try:
                self._json = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                self._json = None
        return self._json

    def take_json(self) -> Any:
        """Return the same, and forget it: a journal that keeps the request need not keep this too."""
        if self._json is _UNREAD:
            self.json()
        found, self._json = self._json, _UNREAD
        return found
