"""The sandbox under anyio's own plugin."""

import anyio
import httpx2
import pytest

BODY = {"name": "web", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def client(cnx):
    async with httpx2.AsyncClient(base_url=cnx.url, headers={"Authorization": f"Bearer {cnx.api_key}"}) as client:
        yield client


@pytest.mark.cnx_scenario(
    {"rules": [{"match": {"operation": "instances.create"}, "times": 2, "fault": {"status": 503}}]}
)
async def test_two_of_many_creates_fail(client):
    statuses = []

    async def create():
        statuses.append((await client.post("/v1/instances", json=BODY)).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(6):
            tasks.start_soon(create)
    assert sorted(statuses) == [201] * 4 + [503] * 2


async def test_a_loop_that_polls_ends(client):
    instance = (await client.post("/v1/instances", json=BODY)).json()
    with anyio.fail_after(10):
        while instance["status"] == "provisioning":
            instance = (await client.get(f"/v1/instances/{instance['id']}")).json()
    assert instance["ipv4"]
