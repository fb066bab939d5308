"""An answer that is kept is the one that the operation would give: two apps, one of which keeps none, answer alike."""

import json
import random
from typing import Any

import pytest

from cnx_mock.asgi import create_app
from cnx_mock.http import performed
from cnx_mock.http.app import App
from cnx_mock.http.kept_answers import kept_answer
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.world.clock import SECOND
from tests.cases import rounds
from tests.conftest import INSTANCE
from tests.http.at_once import at_once

SEED = 20261129
WORLD = {"clock": {"frozen": True, "start": "2026-01-01T00:00:00Z"}, "rate_limit": "1000000/min"}
READS = ["/v1/instances", "/v1/instances?limit=2", "/v1/instances?limit=2&page=2", "/v1/instances?region=us-east-1"]


class Side:
    """One app, and what it answers."""

    def __init__(self, provisioning: dict[str, Any]) -> None:
        world = {"world": WORLD, "provisioning": provisioning}
        self.app: App = create_app(scenario=read_scenario(world, operations()))
        self.tenant = self.app.tenants.find("a" * 32)

    def call(self, method: str, target: str, body: Any = None) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        data = b"" if body is None else json.dumps(body).encode()
        record = at_once(self.app.rehearse(self.tenant, method, target, [], data))
        assert record.answer is not None
        return record.answer.status, record.answer.headers, record.answer.body

    def do(self, chance: random.Random, ids: list[str]) -> object:
        """Do something random: the same for the same chance and ids."""
        one, sandbox = chance.choice(ids), self.tenant.sandbox
        match chance.randrange(50):
            case 0 | 1:
                return self.call("POST", "/v1/instances", INSTANCE)
            case 2:
                return self.call("DELETE", f"/v1/instances/{one}")
            case 3:
                sandbox.clock.advance(chance.choice((1, 20, 61)) * SECOND)
            case 4:
                return self.call("POST", "/v1/snapshots", {"name": "s", "instance_id": one})
            case 5:
                sandbox.readings.update({"list-envelope": chance.choice(("bare", "nested"))})
            case 6:
                sandbox.readings.clear()
            case 7:
                scopes = chance.choice(((), ("instances:read", "instances:write", "snapshots:write")))
                sandbox.key_with("a" * 32).scopes = scopes
            case _:
                target = chance.choice((*READS, *[f"/v1/instances/{each}" for each in ids]))
                return [self.call(chance.choice(("GET", "HEAD")), target) for _ in range(4)]
        return None


@pytest.mark.parametrize(("provisioning", "least"), [({}, 80), ({"instance": {"polls": 3}}, 0)])
def test_nobody_can_tell_a_kept_answer(
    provisioning: dict[str, Any], least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def noted(*given: Any) -> Any:
        used.append(kept_answer(*given))
        return used[-1]

    keeps, keeps_none = Side(provisioning), Side(provisioning)
    chance, ids = random.Random(SEED), ["inst_0123456789abcdef"]
    for _ in range(rounds(400, 1_000)):
        step = chance.random()
        monkeypatch.setattr(performed, "kept_answer", noted)
        mine = keeps.do(random.Random(step), ids)
        monkeypatch.setattr(performed, "kept_answer", lambda *given: None)
        other = keeps_none.do(random.Random(step), ids)
        assert repr(mine) == repr(other), f"seed {SEED}"
        ids = (keeps.tenant.sandbox.instances.ids() or ids)[-4:]
    assert sum(each is not None for each in used) >= least
