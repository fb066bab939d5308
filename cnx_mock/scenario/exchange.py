"""A request, its answer, and what faults do to them: all that a fault can see and change."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Protocol

from cnx_mock.dataclass import dataclass
from cnx_mock.scenario.delays import Delays
from cnx_mock.scenario.request import ApiRequest, RawHeaders
from cnx_mock.world.clock import ticks
from cnx_mock.world.lifecycle import ProvisioningRule
from cnx_mock.world.records import KeyRecord, ProvisionedRecord
from cnx_mock.world.sandbox import SandboxState


@dataclass(slots=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: RawHeaders
    body: bytes
    framing: tuple[bytes, bytes] | None = None
    """A header about the body's length that is not true. The body then goes out as it is, and the connection ends after
    it."""
    foreign: bool = False
    """Whether something in front of the API answers: then its headers are all there are."""
    begun: bytes = b""
    """The beginning of its head as it goes to the wire, once that is made."""


@dataclass(frozen=True, slots=True)
class Performance:
    """The result of performing an operation once, for a call that is performed more than once."""

    status: int
    committed: bool
    """Whether it changed something."""
    created_id: str | None
    """The id of the resource that it created."""


@dataclass(slots=True)
class Allowance:
    """The state of a rate window, as the `X-RateLimit-*` headers show it; `reset` in epoch seconds."""

    limit: int
    remaining: int
    reset: int


class Wire(Protocol):
    """What a fault can do to the connection below HTTP."""

    def reset(self) -> None:
        """Abort the connection with a TCP RST."""

    def close(self, last: bytes = b"") -> None:
        """Send these bytes as they are, then end the connection with a FIN."""

    def left(self) -> "asyncio.Future[None]":
        """Return a future that is done when the client has closed the connection. No other request is served on it."""

    def die_idle(self, rule: str, fault: str) -> None:
        """Let the connection die behind this request: the next call on it is reset, by this fault of the rule with
        this id."""

    def refuse_connections(self, microseconds: int) -> Callable[[], None]:
        """Close the server's ports for this time. Return what opens them again before that."""

    def fail_handshakes(self, microseconds: int | None, connections: int | None) -> Callable[[], None]:
        """Let the handshakes of new TLS connections fail: for this time, or for this number of connections. Return what
        ends that."""


LastAct = Callable[[], None]

ConnectionFault = Callable[["Exchange", Wire], Awaitable[LastAct]]
"""What happens to the connection if no answer is sent. It may wait, and returns what to do to the wire once the
journal's entry is complete."""

Pacing = Callable[[bytes], Iterator[tuple[int, bytes]]]
"""Splits a body into pieces, each with the microseconds to wait before it."""

HeaderChange = Callable[[RawHeaders], RawHeaders]
"""Returns the headers to send in place of the default ones."""


class FaultEffects:
    """What faults want to happen to an exchange, and what the operation reports about it. The defaults belong to the
    class, so that the effects of a request without faults cost next to nothing."""

    stale: int | None = None
    """How many microseconds of the sandbox's time its reads lag behind."""
    provisioning: ProvisioningRule | None = None
    """How long the resource that the operation makes takes to come up."""
    change_headers: HeaderChange | None = None
    """Changes the headers, once all of them are there."""
    pace: Pacing | None = None
    """Sends the body slowly."""
    connection_fault: ConnectionFault | None = None
    """Acts on the connection; no answer is sent."""
    afterwards: tuple[Callable[[Wire], None], ...] = ()
    """What is done to the connection, or to the server's ports, just before the end of the answer is sent."""
    last_on_connection: bool = False
    """Whether the answer says that it is the connection's last one."""
    twice: bool = False
    """Whether the operation is performed twice."""
    replaced: bool = False
    """Whether a fault has put something else in the answer's place."""
    read: bool = False
    """Whether a stale operation has read anything. A 404 counts too: the client has read that there is no such
    resource."""
    provisioned: bool = False
    """Whether the operation has made a resource to which `provisioning` applies."""


NO_EFFECTS = FaultEffects()
"""Those of every exchange without faults. Nothing changes them: see `Engine.perform`."""


class Exchange:
    """A request, its answer, and the effects of faults on it."""

    __slots__ = (
        "allowance",
        "answer",
        "at",
        "committed",
        "created_id",
        "delayed",
        "delays",
        "effects",
        "key",
        "performances",
        "polled",
        "request",
        "request_id",
        "sandbox",
    )

    def __init__(self, request: ApiRequest) -> None:
        self.request = request
        self.request_id = ""
        self.at: int | None = None
        """When it arrived by the sandbox's clock; None if it reached no sandbox."""
        self.sandbox: SandboxState | None = None
        self.key: KeyRecord | None = None
        self.allowance: Allowance | None = None
        self.answer: Answer | None = None
        self.effects = NO_EFFECTS
        self.committed = False
        """Whether it changed something."""
        self.created_id: str | None = None
        """The id of the resource that it created."""
        self.performances: Sequence[Performance] = ()
        """The result of each time that the operation was performed, if it was more than once."""
        self.polled: list[ProvisionedRecord] | None = None
        """The resources that it read and that are still provisioning. Each read counts once the answer is sent."""
        self.delays: Delays | None = None
        """Where its deliberate waits take place; without it waits are counted and take no time."""
        self.delayed = 0
        """Microseconds that it waited on purpose."""

    async def pause(self, microseconds: int) -> None:
        """Wait on purpose, in real time. Raises Cancelled."""
        self.delayed += microseconds
        if microseconds and self.delays is not None:
            await self.delays.pause(microseconds)

    async def hang(self, future: "asyncio.Future[None]") -> None:
        """Wait on purpose for something that may never happen. Raises Cancelled."""
        begun = ticks()
        try:
            if self.delays is not None:
                await self.delays.until(future)
        finally:
            self.delayed += ticks() - begun

    def promised(self) -> Answer:
        """Return the answer whose body will not arrive as its headers promise: the one that the operation left, else
        one like it. An answer without a body gets one."""
        answer = self.answer
        if answer is None or not answer.body:
            operation = self.request.operation
            status = answer.status if answer else operation.status if operation else 200
            return Answer(200 if status == 204 else status, answer.headers if answer else [], b"{}")
        return answer
