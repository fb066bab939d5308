"""Small fleets are made when they are read. Nobody can see that: every answer is that of a world that is made at once,
and what one key writes stays with this key."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox
from cnx_mock.services.worlds import fixture, read_fixture
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.clock import SECOND
from cnx_mock.world.sandbox import SandboxOptions, SandboxState
from tests.conftest import INSTANCE, Client

FLEET: dict[str, Any] = {
    "accounts": [
        {
            "name": "Mixed",
            "balance": "$1000.00",
            "instances": [{"name": "web-1", "plan": "pro"}, {"name": "db", "status": "stopped", "age": "3d"}],
            "firewalls": [{"name": "walls", "instance_ids": ["web-1"]}],
            "snapshots": [{"instance": "db"}],
            "history": [{"resource_id": "inst_0000000000000001", "hourly": "$0.04", "age": "9d", "lasted": "5d"}],
        }
    ],
    "generate": {
        "instances": 45,
        "spread": {"status": {"running": 6, "stopped": 2, "provisioning": 3}, "tags": {"web": 1, "db": 2}},
    },
}
STORY: dict[str, Any] = {
    "world": {
        "rate_limit": "1000000/min",
        "fixture": FLEET,
        "clock": {"start": "2026-03-04T05:06:07.891Z", "frozen": True},
    }
}
SEED = 20_260_304


@pytest.fixture(params=[{}, {"provisioning": {"polls": 2}}], ids=["after a time", "after polls"])
def story(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {**STORY, **request.param}


class Player:
    """One client that reads and writes at random."""

    def __init__(self, sandbox: Sandbox, api: Client) -> None:
        self.chance, self.sandbox, self.api = random.Random(SEED), sandbox, api
        self.known = [each["id"] for each in sandbox.state()["accounts"][0]["instances"]]
        self.made: list[str] = []
        """The paths of snapshots and firewalls, which are deleted later."""

    def one(self) -> str:
        return self.chance.choice(self.known)

    def read_page(self) -> Any:
        page, limit = self.chance.randint(1, 4), self.chance.choice([7, 20, 100])
        return self.api.get(f"/v1/instances?page={page}&limit={limit}")

    def read_filtered(self) -> Any:
        filters = self.chance.choice(["status=running", "tags=web", "region=us-east-1", "status=provisioning"])
        return self.api.get(f"/v1/instances?{filters}&limit=100")

    def read_one(self) -> Any:
        return self.api.get(f"/v1/instances/{self.one()}")

    def read_bill(self) -> Any:
        return self.api.get("/v1/billing/transactions?limit=30&page=2")

    def read_balance(self) -> Any:
        return self.api.get("/v1/billing/balance")

    def export(self) -> Any:
        return self.sandbox.state()

    def wait(self) -> Any:
        self.sandbox.clock.advance(self.chance.choice(["1s", "25s", "1h", "3d"]))
        return self.read_page()

    def create(self) -> Any:
        answer = self.api.post("/v1/instances", INSTANCE)
        self.known.append(answer.json["id"])
        return answer

    def delete(self) -> Any:
        return self.api.delete(f"/v1/instances/{self.one()}")

    def snapshot(self) -> Any:
        return self._make("/v1/snapshots", {"instance_id": self.one()})

    def attach(self) -> Any:
        return self._make("/v1/network/firewall", {"name": "wall", "instance_ids": self.chance.sample(self.known, 3)})

    def _make(self, path: str, body: Any) -> Any:
        answer = self.api.post(path, body)
        self.made += [f"{path}/{answer.json['id']}"] if answer.status == 201 else []
        return answer

    def delete_made(self) -> Any:
        return self.api.delete(self.made.pop()) if self.made else self.read_page()

    def power(self) -> Any:
        body = {"status": self.chance.choice(["running", "stopped"])}
        return self.api.call("PATCH", f"/_mock/instances/{self.one()}", body)

    def steps(self) -> Iterator[Any]:
        """Yield the answers to random reads and writes, then the state before and after a reset."""
        reads = [self.read_page, self.read_filtered, self.read_one, self.read_bill, self.read_balance, self.export]
        writes = [self.create, self.delete, self.snapshot, self.attach, self.delete_made, self.power, self.wait]
        for _ in range(120):
            yield self.chance.choice([*reads, *writes])()
        yield self.sandbox.state()
        self.sandbox.reset()
        yield self.sandbox.state()


def answers(story: dict[str, Any], client: type[Client]) -> list[Any]:
    with MockServer(seed=7) as server:
        sandbox = server.sandbox(story, name="the same")
        found = list(Player(sandbox, client(server.url, sandbox.api_key)).steps())
    return [each if isinstance(each, dict) else (each.status, each.body) for each in found]


@pytest.mark.slow
def test_a_fleet_that_is_made_when_read_answers_as_one_that_is_made_at_once(
    story: dict[str, Any], client: type[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    lazy = answers(story, client)
    monkeypatch.setattr(fixture, "LAZY_BELOW", 0)
    eager = answers(story, client)

    assert len(lazy) > 100, f"seed {SEED}"
    for number, (mine, theirs) in enumerate(zip(lazy, eager, strict=True)):
        assert mine == theirs, f"step {number}, seed {SEED}"


def without_ids(sandbox: Sandbox) -> Any:
    """What a sandbox has, as far as it is the same for every key."""
    names = ("name", "plan", "region", "status", "tags", "created_at", "updated_at")
    return [[each[name] for name in names] for each in sandbox.state()["accounts"][0]["instances"]]


@pytest.mark.slow
def test_no_write_of_one_key_shows_in_another(client: type[Client]) -> None:
    with MockServer() as server:
        reader, writer = server.sandbox(STORY, name="reader"), server.sandbox(STORY, name="writer")
        before, same = reader.state(), without_ids(reader)
        assert without_ids(writer) == same

        for _ in Player(writer, client(server.url, writer.api_key)).steps():
            assert reader.state() == before, f"seed {SEED}"
        assert without_ids(writer) == same, "after a reset it is as it was"


def test_a_stale_read_shows_an_instance_as_it_was_before_its_first_change(client: type[Client]) -> None:
    with MockServer() as server:
        sandbox = server.sandbox(STORY)
        api = client(server.url, sandbox.api_key)
        one = api.get("/v1/instances?status=running&limit=1").json["data"][0]["id"]
        sandbox.clock.advance("10s")
        api.call("PATCH", f"/_mock/instances/{one}", {"status": "stopped"})

        assert api.get(f"/v1/instances/{one}").json["status"] == "stopped"
        with sandbox.inject("instances.*", stale="5s"):
            assert api.get(f"/v1/instances/{one}").json["status"] == "running"
            assert one in [each["id"] for each in api.get("/v1/instances?status=running&limit=100").json["data"]]


def test_the_next_charge_is_that_of_a_fleet_that_is_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for below in (2_000, 0):
        monkeypatch.setattr(fixture, "LAZY_BELOW", below)
        sandbox = SandboxState("test", 7, Catalogue(), SandboxOptions(start=1_700_000_000_400_000, frozen=True))
        read_fixture(FLEET).build(sandbox, 0, (), own_clock=True)
        now = sandbox.now
        found.append([sandbox.ledger.next_charge(now + 97 * SECOND * number) for number in range(40)])

    assert found[0] == found[1]
