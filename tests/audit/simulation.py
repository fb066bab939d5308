"""Simulated crowds: several workers with one key, their connections and a server with a fault, as a journal shows them.

No process runs and no time passes: an agenda holds what happens next. The same seed gives the same journal.
"""

import heapq
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.audit.journal import Entry, create, get, page

SECOND = 1_000.0
"""Times are in milliseconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client sees of one attempt."""

    status: int | None
    readable: bool = True
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the client has what it asked for."""
        return self.status is not None and self.status < 300 and self.readable


Request = str
"""A path of a GET, `create` or `look`."""
Step = Request | float
"""A worker makes a request, or waits for so many milliseconds."""
Worker = Generator[Step, Answer | None, None]
Fault = Callable[[int, float], Answer | None]
"""Return what goes wrong with a call of the broken request, by its number from 1 and its time; None for nothing."""
OK = Answer(200)


# ---- what goes wrong


def _first(times: int, status: int | None, **more: Any) -> Fault:
    return lambda number, now: Answer(status, **more) if number <= times else None


def _limited(since: float, seconds: float) -> Fault:
    """The account is limited until a moment, and every refusal says how long still, in whole seconds."""

    def fault(number: int, now: float) -> Answer | None:
        left = since + seconds * SECOND - now
        return Answer(429, retry_after=-(-left // SECOND)) if left > 0 else None

    return fault


def faults(chance: random.Random) -> dict[str, Fault]:
    """The most frequent kinds of faults by name."""
    some = chance.randint(2, 6)
    return {
        "error": _first(1, 500),
        "some errors": _first(some, 500),
        "outage": _first(5, 500),
        "down": _first(10**6, 500),
        "unavailable": _first(some, 503, retry_after=1.0),
        "reset": _first(1, None),
        "some resets": _first(some, None),
        "unreachable": _first(10**6, None),
        "rate-limit": _first(1, 429, retry_after=2.0),
        "some limits": _first(some, 429, retry_after=2.0),
        "limited": _limited(0, chance.choice((2, 5, 10))),
        "always limited": _first(10**6, 429, retry_after=1.0),
        "refused": _first(some, 403),
        "hang": _first(1, None, retry_after=-1.0),
        "truncate": _first(1, 200, readable=False),
        "bad-json": _first(some, 200, readable=False),
    }


# ---- how connections are used


@dataclass(slots=True)
class Pool:
    """Connections that are kept for the next request: the one that was free last is taken first, or the one that was
    free first. `most` is how many there may be; 0 keeps none."""

    numbers: Iterator[int]
    most: int
    last_first: bool = True
    idle: list[int] = field(default_factory=list)
    used: int = 0

    def take(self) -> int | None:
        """Return a connection; None if all are in use."""
        if self.idle:
            return self.idle.pop(-1 if self.last_first else 0)
        if self.most and self.used >= self.most:
            return None
        self.used += 1
        return next(self.numbers)

    def give(self, connection: int, *, alive: bool) -> None:
        """Take a connection back."""
        if self.most and alive:
            self.idle.append(connection)
        else:
            self.used -= 1


@dataclass
class Simulation:
    """One run: workers, their connections, and what goes wrong with one request."""

    chance: random.Random
    broken: Request
    fault: Fault
    latency: tuple[float, float] = (0.5, 5)
    patience: float = 3 * SECOND
    """How long a client waits for an answer."""
    entries: list[tuple[float, Entry]] = field(default_factory=list)
    made: int = 0
    _agenda: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _calls: int = 0
    _queue: list[tuple[Worker, Pool, Request]] = field(default_factory=list)

    def start(self, worker: Worker, pool: Pool, at: float) -> None:
        """Let a worker begin at a time."""
        self._later(at, lambda now: self._resume(worker, pool, None, now))

    def run(self) -> list[Entry]:
        """Return the journal's calls in order of arrival."""
        while self._agenda:
            moment, _, action = heapq.heappop(self._agenda)
            action(moment)
        return [entry for _, entry in sorted(self.entries, key=lambda each: each[0])]

    def _later(self, at: float, action: Callable[[float], None]) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), action))

    def _resume(self, worker: Worker, pool: Pool, answer: Answer | None, now: float) -> None:
        try:
            step = worker.send(answer)
        except StopIteration:
            return
        if isinstance(step, str):
            self._queue.append((worker, pool, step))
            self._serve_queue(now)
        else:
            self._later(now + step + self.chance.uniform(0.1, 1.5), lambda then: self._resume(worker, pool, None, then))

    def _serve_queue(self, now: float) -> None:
        for each in list(self._queue):
            worker, pool, request = each
            connection = pool.take()
            if connection is not None:
                self._queue.remove(each)
                self._call(worker, pool, request, connection, now + self.chance.uniform(0.1, 2))

    def _call(self, worker: Worker, pool: Pool, request: Request, connection: int, began: float) -> None:
        answer = OK
        if request == self.broken:
            self._calls += 1
            answer = self.fault(self._calls, began) or OK
        hangs = answer.status is None and answer.retry_after is not None
        ended = began + (self.patience if hangs else self.chance.uniform(*self.latency))
        self.entries.append((began, self._entry(request, answer, connection, began, ended)))

        def done(now: float) -> None:
            pool.give(connection, alive=answer.status is not None and answer.readable)
            self._resume(worker, pool, answer, now)
            self._serve_queue(now)

        self._later(ended, done)

    def _entry(self, request: Request, answer: Answer, connection: int, began: float, ended: float) -> Entry:
        times = {"at": f"{began * 1000:.0f}us", "lasts": f"{(ended - began) * 1000:.0f}us", "connection": connection}
        given = answer.retry_after if answer.status is not None else None
        more: dict[str, Any] = {**times, "retry_after": None if given is None else f"{given:.0f}"}
        if not answer.readable:
            more["shows"] = '{"id": '
        if request == "create":
            self.made += 1
            status = 201 if answer.status == 200 else answer.status
            return create(status, number=self.made, **more)
        if request == "look":
            return page("/v1/instances", [], **more)
        return get(request, status=answer.status, **more)


# ---- what workers do


@dataclass(frozen=True, slots=True)
class Manners:
    """How a client retries."""

    base: float
    attempts: int
    jitter: float
    """The part of each wait that is random, from 0 to 1."""

    def wait(self, chance: random.Random, attempt: int, answer: Answer) -> float:
        """Return how long the client waits after an attempt, numbered from 0."""
        longest = min(60 * SECOND, self.base * 2**attempt)
        own = longest * chance.uniform(1 - self.jitter, 1)
        asked = answer.retry_after if answer.status is not None else None
        return max(own, SECOND * (asked or 0))


def careful(steps: Sequence[Request], chance: random.Random, manners: Manners) -> Worker:
    """A worker that makes requests one after the other, retries each as one should, and stops at one that fails."""
    for request in steps:
        for attempt in range(manners.attempts):
            answer = yield request
            assert answer is not None
            if answer.succeeded:
                break
            if attempt + 1 == manners.attempts or answer.status == 403:
                return
            yield manners.wait(chance, attempt, answer)
            if request == "create" and answer.status not in (429, 503):
                yield "look"


def no_fault(number: int, now: float) -> Answer | None:
    """Let every call succeed."""
    return None


POOLS = ("single", "own", "last first", "first first", "small")
"""How a client uses connections: each once; one for each worker; a pool that takes the connection that was free last,
or first; and a pool that is smaller than the crowd."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Workers that do the same, and how they connect."""

    size: int
    pool: str
    work: Callable[[random.Random], Worker]
    broken: Request
    latency: tuple[float, float]
    apart: float
    """Within which time the workers start."""

    def run(self, chance: random.Random, fault: Fault = no_fault) -> list[Entry]:
        """Return the calls of a run with a fault."""
        simulation = Simulation(chance, self.broken, fault, self.latency)
        numbers = count(50_001)
        most = {"single": 0, "own": 1, "small": max(2, self.size // 2)}.get(self.pool, self.size)
        shared = Pool(numbers, most, self.pool != "first first")
        for _ in range(self.size):
            pool = Pool(numbers, most) if self.pool == "own" else shared
            simulation.start(self.work(chance), pool, chance.uniform(0, self.apart))
        return simulation.run()


def careful_crowd(chance: random.Random, pool: str) -> Crowd:
    """Return a crowd of careful workers."""
    size = chance.randint(2, 8)
    base, attempts, jitter = chance.choice((200, 500, 1000)), chance.randint(3, 7), chance.choice((0.5, 1))
    manners = Manners(base, attempts, jitter)
    plans = [["/v1/plans"], ["/v1/regions", "/v1/plans"], ["/v1/regions", "/v1/plans", "/v1/plans"]]
    steps = chance.choice([*plans, ["/v1/plans"] * 3, ["create"], ["/v1/plans", "create"]])
    latency, apart = chance.choice(((0.5, 3), (1, 10), (5, 40))), chance.choice((2, 10, 40, 90))
    return Crowd(size, pool, lambda chance: careful(steps, chance, manners), steps[-1], latency, apart)
