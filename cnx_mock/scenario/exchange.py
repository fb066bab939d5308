"""One request on its way through the mock, and all that is known of it: rules look at it, faults change it, the journal
keeps it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from cnx_mock.api.operation import Operation
from cnx_mock.world.records import KeyRecord, ProvisionedRecord
from cnx_mock.world.sandbox import Sandbox

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """What goes out: a status, headers, a body."""

    status: int
    headers: RawHeaders
    body: bytes


@dataclass(slots=True)
class Allowance:
    """Where a rate window stands, as the `X-RateLimit-*` headers say it; `reset` in epoch seconds."""

    limit: int
    remaining: int
    reset: int


class Cut(Exception):
    """The sandbox was reset, or the server stops, while this exchange waited: its connection is to be cut."""


class Delays:
    """Everything in one sandbox that waits on purpose, so that a reset can end it at once."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    async def pause(self, microseconds: int) -> None:
        """Wait in real time. Raises Cut when the sandbox is reset meanwhile."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(microseconds / 1_000_000, _wake, future)
        self._waiting.add(future)
        try:
            await future
        finally:
            timer.cancel()
            self._waiting.discard(future)

    def cut(self) -> None:
        """End every wait now, with Cut."""
        for future in self._waiting:
            if not future.done():
                future.set_exception(Cut())


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Wire(Protocol):
    """What a fault can do to the connection below HTTP."""

    def reset(self) -> None:
        """Cut the connection with a TCP RST."""


Delivery = Callable[["Exchange", Wire], Awaitable[None]]


_UNREAD = object()
"""Not the exchange itself: what refers to itself is freed only by the garbage collector, in long pauses."""


class Exchange:
    """A request, what becomes of it, and why."""

    __slots__ = (
        "_json",
        "allowance",
        "answer",
        "arrived",
        "asked",
        "at",
        "body",
        "committed",
        "decisions",
        "delayed",
        "delays",
        "delivery",
        "duration",
        "faults",
        "headers",
        "key",
        "method",
        "operation",
        "params",
        "path",
        "polled",
        "query",
        "replaced",
        "request_id",
        "response_headers",
        "sandbox",
        "seq",
        "status",
        "wall",
    )

    def __init__(self, method: str, path: str, query: str, headers: RawHeaders, arrived: int, wall: int) -> None:
        self.method, self.path, self.query, self.headers = method, path, query, headers
        self.body = b""
        self.arrived, self.wall = arrived, wall
        self.at: int | None = None
        self.seq = 0
        self.request_id = ""
        self.operation: Operation | None = None
        self.params: tuple[str, ...] = ()
        self.sandbox: Sandbox | None = None
        self.key: KeyRecord | None = None
        self.delays: Delays | None = None
        self.allowance: Allowance | None = None
        self.asked: tuple[Any, ...] = ()
        """The rules that were there to be asked, in order: each as it is armed, and as it was then."""
        self.decisions: dict[Any, Any] = {}
        """What was decided for each rule that matched, by the rule as it was armed."""
        self.faults: list[tuple[str, str]] = []
        """(rule, fault) of every fault that was applied."""
        self.delayed = 0
        self.committed = False
        self.polled: list[ProvisionedRecord] = []
        """What this call read that is still coming up; it counts once the answer is on the way."""
        self.replaced = False
        """Whether a fault put something else in the answer's place."""
        self.answer: Answer | None = None
        self.delivery: Delivery | None = None
        """How a fault wants the answer sent, where it does not go out as it is."""
        self.status: int | None = None
        """The status that the client was sent; None while it waits, and for ever where the wire was cut."""
        self.response_headers: RawHeaders = []
        self.duration: int | None = None
        self._json: Any = _UNREAD

    def header(self, name: bytes) -> str | None:
        """The first header of this (lower-case) name."""
        for known, value in self.headers:
            if known == name:
                return value.decode("latin-1")
        return None

    def json(self) -> Any:
        """The body as JSON, or None where it is none: rules look at it before anybody judges it."""
        if self._json is _UNREAD:
            try:
                self._json = orjson.loads(self.body)
            except orjson.JSONDecodeError:
                self._json = None
        return self._json

    async def pause(self, microseconds: int) -> None:
        """Wait, in real time, on purpose."""
        self.delayed += microseconds
        if microseconds and self.delays is not None:
            await self.delays.pause(microseconds)
