"""What a sandbox costs, counted in bytes that Python allocates: ten thousand have to fit into one process."""

import gc
import tracemalloc
from typing import Any

import pytest

from cnx_mock.asgi import create_app
from cnx_mock.http.tenants import Tenants
from cnx_mock.services.compute.instance_body import InstanceCreate
from cnx_mock.services.compute.instances import provision
from cnx_mock.services.worlds import load

MADE = 50


def make(tenants: Tenants, instances: int, name: str) -> None:
    sandbox = tenants.make(name).sandbox
    body: dict[str, Any] = {"name": "web", "plan": "pro", "region": "us-east-1", "image": "debian-12", "tags": ["web"]}
    for _ in range(instances):
        provision(sandbox, InstanceCreate.model_construct(**body), sandbox.now)


@pytest.mark.parametrize(
    ("fixture", "instances", "limit"), [("empty", 0, 25), ("small-team", 0, 40), ("empty", 10, 40)]
)
def test_a_sandbox_is_small(fixture: str, instances: int, limit: int) -> None:
    tenants = create_app(fixture=load(fixture)).tenants
    make(tenants, instances, "the first, which also pays for what all share")
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(MADE):
            make(tenants, instances, f"key {number}")
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (after - before) / MADE < limit * 1024
