"""What a sandbox costs, counted in bytes that Python allocates: ten thousand have to fit into one process."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from cnx_mock.asgi import create_app
from cnx_mock.http.app import App
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.services.compute.instance_body import InstanceCreate
from cnx_mock.services.compute.instances import provision
from cnx_mock.services.worlds import Fixture, load, read_fixture, shipped_fixtures
from cnx_mock.world.recent import GENERATION, Recent

LIMIT = 40 * 1024
"""The bytes that a key may take before its first write."""

PAGES = 3
"""Of each list. The bill of a fleet has thousands."""

LISTS = [each.path for each in operations() if each.pages]
FILTERS = ("region=us-east-1", "status=running&tags=web")
UNLIMITED = read_scenario({"world": {"rate_limit": "1000000/min"}}, operations())


def make(tenants: Tenants, instances: int, name: str) -> None:
    sandbox = tenants.make(name).sandbox
    body: dict[str, Any] = {"name": "web", "plan": "pro", "region": "us-east-1", "image": "debian-12", "tags": ["web"]}
    for _ in range(instances):
        provision(sandbox, InstanceCreate.model_construct(**body), sandbox.now)


def cost(use: Callable[[int], object], keys: int) -> float:
    """Return the bytes that one more key takes, if `use` makes and uses the key with a number."""
    use(0)  # the first one pays for what all share
    gc.collect()
    gc.freeze()  # what other tests have left is looked through once, and not for each number
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(1, keys + 1):
            use(number)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / keys


async def read_everything(app: App, tenant: Tenant) -> None:
    """Read the first pages of every list, filtered ones too, and ten instances with all details."""

    async def get(target: str) -> Any:
        record = await app.rehearse(tenant, "GET", target, [], b"")
        assert record.exchange.answer is not None
        assert record.exchange.answer.status == 200, target
        return json.loads(record.exchange.answer.body)

    for path in LISTS:
        first = await get(f"{path}?limit=30")
        for page in range(2, min(PAGES, first["pagination"]["total_pages"]) + 1):
            await get(f"{path}?limit=30&page={page}")
    for filters in FILTERS:
        await get(f"/v1/instances?{filters}")
    for each in (await get("/v1/instances?limit=10"))["data"]:
        await get(f"/v1/instances/{each['id']}")
    await get("/v1/billing/balance")
    await get("/v1/account")
    tenant.journal.clear()  # a journal has bounds of its own


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fixture", "instances", "limit"), [("empty", 0, 25), ("small-team", 0, 40), ("empty", 10, 40)]
)
def test_a_sandbox_is_small(fixture: str, instances: int, limit: int) -> None:
    tenants = create_app(fixture=load(fixture)).tenants

    assert cost(lambda number: make(tenants, instances, f"key {number}"), keys=50) < limit * 1024


WORLDS: dict[str, Callable[[], Fixture]] = {name: lambda name=name: load(name) for name in shipped_fixtures()}  # type: ignore[misc]
WORLDS["700 instances"] = lambda: read_fixture({"accounts": [{"name": "Fleet"}], "generate": {"instances": 700}})


@pytest.mark.slow
@pytest.mark.parametrize("world", WORLDS)
def test_a_key_is_small_before_its_first_write_whatever_it_has_read(world: str) -> None:
    app = create_app(fixture=WORLDS[world](), scenario=UNLIMITED)

    def use(number: int) -> None:
        tenant = app.tenants.find(f"{number:032x}")
        asyncio.run(read_everything(app, tenant))
        push_out(tenant.sandbox.recent)

    assert cost(use, keys=4) < LIMIT  # of fewer, one may pay for a table that all share and that grows just then


def push_out(recent: Recent) -> None:
    """Let something else take the place of all that was read."""
    for number in range(2):
        recent.put(number, None, GENERATION)


def test_what_all_keys_share_of_their_reads_is_bounded() -> None:
    recent, page = Recent(), "x" * 10 * 1024
    for number in range(1_000):
        recent.put(number, page, 10)

    kept = [number for number in range(1_000) if recent.get(number) is not None]

    assert GENERATION // 10 <= len(kept) <= 2 * GENERATION // 10


def test_what_is_read_again_and_again_stays() -> None:
    recent = Recent()
    recent.put("hot", "page", 10)
    for number in range(1_000):
        recent.put(number, "page", 10)
        assert recent.get("hot") == "page"
