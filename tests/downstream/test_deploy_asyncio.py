"""The sandbox under pytest-asyncio: the fixture is an ordinary one, the client may be anything."""

import asyncio

import httpx2
import pytest
import pytest_asyncio

BODY = {"name": "web", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def client(cnx):
    async with httpx2.AsyncClient(base_url=cnx.url, headers={"Authorization": f"Bearer {cnx.api_key}"}) as client:
        yield client


async def test_many_creates_at_once_are_many_instances(client, cnx):
    replies = await asyncio.gather(*(client.post("/v1/instances", json=BODY) for _ in range(10)))
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json()["id"] for reply in replies}) == 10
    assert len(cnx.requests) == 10


async def test_handles_may_be_used_between_awaits(client, cnx):
    made = (await client.post("/v1/instances", json=BODY)).json()
    cnx.clock.advance("60s")
    assert (await client.get(f"/v1/instances/{made['id']}")).json()["status"] == "running"


async def test_a_timeout_of_the_client_undoes_nothing(client, cnx):
    with cnx.inject("instances.create", latency="60s", at="after"), pytest.raises(httpx2.ReadTimeout):
        await client.post("/v1/instances", json=BODY, timeout=0.05)
    assert len((await client.get("/v1/instances")).json()["data"]) == 1
