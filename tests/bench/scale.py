"""Rows of the size: what large worlds and many sandboxes cost, and what others wait for meanwhile."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from cnx_mock.world.keys import test_key
from tests.bench.plan import Plan
from tests.bench.results import OURS, Goal, Result, alone
from tests.bench.stage import Failure, Mock, mock_command, resident, running

MB = 1_000_000
CALLS = 20
"""How often each page is asked for in a round."""
OTHER = test_key("0" * 31 + "f")
"""The key of those who have a small world, and wait for what the large one does."""
SMALL = "/v1/instances?limit=1"
"""What they call: no rule of world.yaml has it."""
SPREAD = {
    "region": {"us-east-1": 5, "us-west-2": 2, "eu-west-1": 3, "eu-central-1": 1, "ap-southeast-1": 1},
    "status": {"running": 17, "stopped": 2, "provisioning": 1},
    "tags": {"web": 5, "worker": 3, "db": 1, "batch": 1},
}
PAGES = {
    "region": "?region=us-east-1",
    "status": "?status=stopped",
    "tag": "?tag=db",
    "a deep page": "?page={deep}",
}


def key_of(number: int) -> str:
    """The key of a world of this benchmark."""
    return test_key(f"{number:032x}")


@dataclass
class Keeper(Mock):
    """The mock, called over one connection that stays open, for as long as a call takes."""

    timeout: float = 900
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def ask(self, path: str, key: str, method: str = "GET", body: Any = None) -> bytes:
        """The body of an answer. Raises Failure for a refusal."""
        if self._connection is None:
            at = urlsplit(self.url)
            self._connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=self.timeout)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        read = response.read()
        if response.status >= 400:
            raise Failure(f"{method} {path} answered {response.status}: {read[:500].decode()}")
        return read

    def make(self, number: int, instances: int) -> str:
        """The key of a new sandbox with so many generated instances, when it has answered its first call."""
        key = key_of(number)
        account = {"plan": "enterprise", "balance": "$1000000000.00"}
        fixture = {"accounts": [account], "generate": {"instances": instances, "spread": SPREAD}}
        self.ask("/_mock/sandboxes", OTHER, "POST", {"key": key, "fixture": fixture})
        total = json.loads(self.ask("/v1/instances?limit=1", key))["pagination"]["total"]
        if total != instances:
            raise Failure(f"the list says that there are {total} instances, not {instances}")
        return key


@dataclass
class Waits:
    """How long the calls of somebody else took, in milliseconds."""

    longest: float = 0
    failure: Failure | None = None


@contextmanager
def others(mock: Mock) -> Iterator[Waits]:
    """While this lasts, somebody else calls all the time."""
    waits, calling, over = Waits(), threading.Event(), threading.Event()

    def call() -> None:
        keeper = Keeper(mock.url, mock.key)
        try:
            keeper.ask(SMALL, OTHER)
            calling.set()
            while not over.is_set():
                began = time.perf_counter()
                keeper.ask(SMALL, OTHER)
                waits.longest = max(waits.longest, (time.perf_counter() - began) * 1000)
                time.sleep(0.0005)
        except Failure as failure:
            waits.failure = failure
            calling.set()

    thread = threading.Thread(target=call)
    thread.start()
    try:
        calling.wait()
        yield waits
    finally:
        over.set()
        thread.join()
    if waits.failure:
        raise waits.failure


@contextmanager
def server(plan: Plan) -> Iterator[tuple[Keeper, int]]:
    """A server, and its process id."""
    with running(mock_command(plan.server_core, "--max-sandboxes", 1_000_000), OURS) as ready:
        yield Keeper(ready["url"], ready["api_key"]), int(ready["pid"])


# ---- the rows


def generate(plan: Plan, _: Sequence[str]) -> Iterator[Result]:
    """A large world, from nothing to the first answer, by size."""
    seconds: list[tuple[int, float]] = []
    for size in plan.sizes:
        with server(plan) as (mock, pid), others(mock) as waits:
            began = time.perf_counter()
            mock.make(1, size)
            seconds.append((size, time.perf_counter() - began))
            memory = resident(pid) / MB
        plan.say(f"generate: {size:,} in {seconds[-1][1]:.1f} s")
    largest = plan.sizes[-1]
    work = f"{largest:,} instances by generate"
    goals = (Goal("value", "≤", 30, "s"), Goal("value", "≤", 900, "MB"))
    yield Result(row="generate", work=work, value=seconds[-1][1], unit="s", goal=goals[0], curve=seconds)
    yield Result(row="generate", work=f"{work}: memory", value=memory, unit="MB", goal=goals[1])
    yield Result(row="generate", work=f"{work}: others' longest wait", value=waits.longest, unit="ms")


def page(plan: Plan, _: Sequence[str]) -> Iterator[Result]:
    """One page of 20, by filter and size."""
    taken: dict[str, dict[int, list[float]]] = {name: {size: [] for size in plan.sizes} for name in PAGES}
    with server(plan) as (mock, _pid):
        keys = {size: mock.make(size, size) for size in plan.sizes}
        for _round in range(plan.rounds):
            for name, query in PAGES.items():
                for size, key in keys.items():
                    path = "/v1/instances" + query.format(deep=size // 20)
                    taken[name][size].append(median(_milliseconds(mock, path, key) for _ in range(CALLS)))
        plan.say(f"page: {', '.join(f'{size:,}' for size in plan.sizes)} instances")
    small, large = plan.sizes[0], plan.sizes[-1]
    for name, by_size in taken.items():
        ratios = [much / little for much, little in zip(by_size[large], by_size[small], strict=True)]
        yield Result(
            row="page",
            work=f"a page of {large:,} by {name}" if name != "a deep page" else f"a deep page of {large:,}",
            value=median(by_size[large]),
            unit="ms",
            base=median(by_size[small]),
            beside=f"at {small:,}",
            ratio=median(ratios),
            spread=(min(ratios), max(ratios)),
            goal=Goal("ratio", "≤", 2),
            curve=[(size, median(found)) for size, found in by_size.items()],
        )


def _milliseconds(mock: Keeper, path: str, key: str) -> float:
    began = time.perf_counter()
    mock.ask(path, key)
    return (time.perf_counter() - began) * 1000


def sandboxes(plan: Plan, _: Sequence[str]) -> Iterator[Result]:
    """Many sandboxes of ten instances."""
    with server(plan) as (mock, pid):
        for number in range(plan.sandboxes):
            mock.make(0x1000 + number, 10)
        memory = resident(pid) / MB
    plan.say(f"sandboxes: {plan.sandboxes:,}")
    work = f"{plan.sandboxes:,} sandboxes of 10 instances: memory"
    yield Result(row="sandboxes", work=work, value=memory, unit="MB", goal=Goal("value", "≤", 1000, "MB"))


STALLS = {
    "GET /_mock/state": "/_mock/state",
    "GET /_mock/instances": "/_mock/instances",
    "a billing report": "/v1/billing/reports?start={start}&end={end}",
    "a page of transactions": "/v1/billing/transactions?page=1000&limit=100",
    "an audit": "/_mock/audit",
}
LONG = 3
"""Seconds: what takes longer is measured once. Others have made thousands of calls in that time."""

WRITTEN = 100_000
"""How many instances a fixture has that is written out. A body of 64 MiB would have room for 800,000."""


def state(plan: Plan, _: Sequence[str]) -> Iterator[Result]:
    """What others wait for while somebody reads a large world, or makes it anew."""
    size, end = plan.sizes[-1], datetime.now(UTC).date()
    with server(plan) as (mock, _pid):
        key = mock.make(1, size)

        def waited(work: str, ask: Callable[[], object]) -> Result:
            found = []
            for _round in range(plan.rounds):
                began = time.perf_counter()
                with others(mock) as waits:
                    ask()
                found.append(waits.longest)
                if time.perf_counter() - began > LONG:
                    break
            goal = Goal("value", "≤", 50, "ms")
            return Result(row="state", work=f"{work}: others' longest wait", unit="ms", goal=goal, **alone(found))

        for name, path in STALLS.items():
            asked = path.format(start=end - timedelta(days=30), end=end)
            yield waited(f"{name} of {size:,}", partial(mock.ask, asked, key))
        yield waited(f"a reset of {size:,}", partial(mock.ask, "/_mock/reset", key, "POST"))
        fixture, other = written(WRITTEN), key_of(2)
        yield waited(
            f"PUT /_mock/state of {WRITTEN:,} written", partial(mock.ask, "/_mock/state", other, "PUT", fixture)
        )
    plan.say(f"state: {size:,} instances")


def written(instances: int) -> bytes:
    """A fixture that is written out, as JSON."""
    each = [{"name": f"web-{number}", "plan": "pro", "tags": ["web"]} for number in range(instances)]
    account = {"plan": "enterprise", "balance": "$1000000000.00", "instances": each}
    return json.dumps({"accounts": [account]}).encode()
