"""One request on its way through the mock, and all that is known of it: rules look at it, faults change it, the journal
keeps it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

import orjson

from cnx_mock.api.operation import Operation
from cnx_mock.world.clock import ticks
from cnx_mock.world.lifecycle import ProvisioningRule
from cnx_mock.world.records import KeyRecord, ProvisionedRecord
from cnx_mock.world.sandbox import SandboxState

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """What goes out: a status, headers, a body."""

    status: int
    headers: RawHeaders
    body: bytes
    framing: tuple[bytes, bytes] | None = None
    """The header that says how long the body is, where it does not tell the truth: the body then goes out as it is, and
    the connection ends behind it."""


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
        self._ended = False

    async def pause(self, microseconds: int) -> None:
        """Wait in real time, never for less. Raises Cut when the sandbox is reset meanwhile."""
        loop = asyncio.get_running_loop()
        due = ticks() + microseconds
        left = microseconds
        while left > 0:  # uvloop's timers know no less than 1 ms, and end up to 1 ms early
            future: asyncio.Future[None] = loop.create_future()
            timer = loop.call_later(-(-left // 1000) / 1000, _wake, future)
            try:
                await self.until(future)
            finally:
                timer.cancel()
            left = due - ticks()

    async def until(self, future: "asyncio.Future[None]") -> None:
        """Wait for something to happen. Raises Cut when the sandbox is reset meanwhile."""
        if self._ended:
            raise Cut
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def cut(self) -> None:
        """End every wait now, with Cut."""
        for future in self._waiting:
            if not future.done():
                future.set_exception(Cut())

    def end(self) -> None:
        """End every wait now, and all that are still to come: the server stops."""
        self._ended = True
        self.cut()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Wire(Protocol):
    """What a fault can do to the connection below HTTP."""

    def reset(self) -> None:
        """Cut the connection with a TCP RST."""

    def close(self, last: bytes = b"") -> None:
        """Send these bytes as they are, then end the connection politely, with a FIN."""

    def left(self) -> "asyncio.Future[None]":
        """Done when the client has hung up. The connection serves nothing else from here on."""


LastAct = Callable[[], None]
Delivery = Callable[["Exchange", Wire], Awaitable[LastAct]]
"""What becomes of a connection on which no answer goes out: it may wait, and gives back what is done to the wire once
the journal's entry is complete."""

Pace = Callable[[bytes], Iterator[tuple[int, bytes]]]
"""A body in pieces, each with the microseconds to wait before it."""

Surgery = Callable[[RawHeaders], RawHeaders]


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
        "connection",
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
        "pace",
        "params",
        "path",
        "polled",
        "provisioned",
        "provisioning",
        "query",
        "read",
        "replaced",
        "request_id",
        "response_headers",
        "sandbox",
        "seq",
        "stale",
        "status",
        "surgery",
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
        self.sandbox: SandboxState | None = None
        self.key: KeyRecord | None = None
        self.delays: Delays | None = None
        self.allowance: Allowance | None = None
        self.asked: tuple[Any, ...] = ()
        """The rules that were there to be asked, in order: each as it is active, and as it was then."""
        self.decisions: dict[Any, Any] = {}
        """What was decided for each rule that matched, by the rule as it was active."""
        self.faults: list[tuple[str, str]] = []
        """(rule, fault) of every fault that was applied."""
        self.delayed = 0
        self.committed = False
        self.connection: int | None = None
        """The client's port, which tells its connections apart; None where there is none."""
        self.polled: list[ProvisionedRecord] = []
        """What this call read that is still coming up; it counts once the answer is on the way."""
        self.stale: int | None = None
        """How many microseconds of the sandbox's time its reads lag behind, where a fault says so."""
        self.read = False
        """Whether the operation looked at what there is: its answer, be it that there is no such thing, tells of
        that."""
        self.provisioning: ProvisioningRule | None = None
        """How long it takes what the operation makes to come up, where a fault says so."""
        self.provisioned = False
        """Whether something was made of which that is true."""
        self.replaced = False
        """Whether a fault put something else in the answer's place."""
        self.answer: Answer | None = None
        self.delivery: Delivery | None = None
        """What a fault does to the wire, where no answer goes out."""
        self.pace: Pace | None = None
        """How slowly the body goes out, where a fault says so."""
        self.surgery: Surgery | None = None
        """What a fault does to the headers, once they are all there."""
        self.status: int | None = None
        """The status that the client was sent; None while it waits, and for ever where the wire was cut before."""
        self.response_headers: RawHeaders = []
        self.duration: int | None = None
        self._json: Any = _UNREAD

    def header(self, name: bytes) -> str | None:
        """The first header of this (lower-case) name."""
        for known, value in self.headers:
            if known == name:
                return value.decode("latin-1")
        return None

    def header_values(self, name: bytes) -> list[str]:
        """Every header of this (lower-case) name."""
        return [value.decode("latin-1") for known, value in self.headers if known == name]

    @property
    def resource(self) -> str | None:
        """The id in the path, where it has one."""
        return unquote(self.params[0]) if self.params else None

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

    async def hang(self, future: "asyncio.Future[None]") -> None:
        """Wait, on purpose, for something that may never happen."""
        begun = ticks()
        try:
            if self.delays is not None:
                await self.delays.until(future)
        finally:
            self.delayed += ticks() - begun

    def promised(self) -> Answer:
        """The answer whose body is not to arrive as its headers promise: what the operation left, else what it would
        leave; one that would have no body gets one."""
        answer = self.answer
        if answer is None or not answer.body:
            status = answer.status if answer else self.operation.status if self.operation else 200
            return Answer(200 if status == 204 else status, answer.headers if answer else [], b"{}")
        return answer
