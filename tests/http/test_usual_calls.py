"""A create that is answered as a whole leaves the same answer and the same journal as the stages of its operation."""

import asyncio
import json
from typing import Any

from cnx_mock.asgi import create_app
from cnx_mock.http.app import App
from cnx_mock.http.journal_entry import plain_entry
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from tests.conftest import INSTANCE

CREATE = next(each for each in operations() if each.name == "instances.create")
WORLD = {"clock": {"frozen": True, "start": "2026-01-01T00:00:00Z"}, "rate_limit": "1000000/min"}
RULES = [
    {"id": "slow", "match": {"body": {"name": "slow"}}, "fault": {"provisioning": "5s"}},
    {"id": "twice", "match": {"body": {"name": "twice"}}, "fault": {"delivery": "twice"}},
]
JSON = (b"content-type", b"application/json")
CALLS: list[tuple[list[tuple[bytes, bytes]], Any]] = [
    ([], INSTANCE),
    ([JSON], {**INSTANCE, "tags": ["web", "web"]}),
    ([(b"content-type", b"application/json; charset=utf-8")], INSTANCE),
    ([(b"content-type", b"text/plain")], INSTANCE),
    ([JSON, (b"content-encoding", b"gzip")], INSTANCE),
    ([JSON, (b"content-encoding", b"identity")], INSTANCE),
    ([JSON], {**INSTANCE, "name": "slow"}),
    ([JSON], {**INSTANCE, "name": "twice"}),
    ([JSON], {**INSTANCE, "plan": "gold"}),
    ([JSON], INSTANCE),
]
REAL = ("wall", "duration_ms", "delayed_ms")


async def _answers(app: App) -> list[Any]:
    found: list[Any] = []
    for scopes in (("instances:write",), ("instances:read",)):
        tenant = app.tenants.find("a" * 32)
        tenant.sandbox.key_with("a" * 32).scopes = scopes
        for headers, data in CALLS:
            record = await app.rehearse(tenant, "POST", "/v1/instances", headers, json.dumps(data).encode())
            assert record.answer is not None
            entry = plain_entry(record)
            found.append((record.answer.status, record.answer.headers, record.answer.body))
            found.append({name: value for name, value in entry.items() if name not in REAL})
    return found


def test_a_create_without_its_stages_leaves_what_they_leave(monkeypatch):
    scenario = read_scenario({"world": WORLD, "rules": RULES}, operations())
    quick = asyncio.run(_answers(create_app(scenario=scenario)))
    monkeypatch.setattr(CREATE, "usual", None)

    assert asyncio.run(_answers(create_app(scenario=scenario))) == quick
    assert [each[0] for each in quick[::2]].count(201) == 7
