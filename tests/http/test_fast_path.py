"""A call that is answered on the fast path leaves what the stages leave: the same answer, journal and world.

Two apps get the same random calls, and the same changes between them that only the stages know. One of them takes every
call through the stages. What tells real time is left out.
"""

import asyncio
import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from cnx_mock.asgi import create_app
from cnx_mock.http.app import App
from cnx_mock.http.fast_path import FastPath, FastPathRecord
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.journal_entry import plain_entry
from cnx_mock.http.messages import Sender
from cnx_mock.scenario.rule import read_rule
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.world.account import SCOPES
from cnx_mock.world.clock import SECOND
from cnx_mock.world.lifecycle import ProvisioningRule
from tests.cases import cases, rounds
from tests.conftest import INSTANCE
from tests.net.in_process import connected

SEED = 20261130

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
    monkeypatch.setattr(CREATE, "fast_create", None)

    assert asyncio.run(_answers(create_app(scenario=scenario))) == quick
    assert [each[0] for each in quick[::2]].count(201) == 7


# ---- over a connection

KEY = "a" * 32
REAL_HEADERS = re.compile(rb'(?m)^(date|x-ratelimit-reset|retry-after): [^\r]*|"(retry_after|reset)":"[0-9]+"')
REAL_NAMES = ("date", "x-ratelimit-reset", "retry-after")
BODIES = [
    INSTANCE,
    INSTANCE,
    INSTANCE,
    {**INSTANCE, "name": "db-1", "tags": []},
    {**INSTANCE, "name": "slow"},
    {**INSTANCE, "name": "mock-stopped"},
    {**INSTANCE, "plan": "gold"},
    {**INSTANCE, "tags": ["cnx_live_0123456789abcdef"]},
]
INJECTED: list[dict[str, Any]] = [
    {"id": "by-name", "match": {"body": {"name": "db-1"}}, "fault": {"error": "INTERNAL_ERROR"}},
    {"id": "by-header", "match": {"header": {"x-trace": "*"}}, "fault": {"status": 503}},
    {"id": "by-operation", "match": {"operation": "instances.list"}, "probability": 0.5, "fault": {"status": 502}},
    {"id": "short", "match": {"operation": "instances.create"}, "ttl": "20s", "times": 1, "fault": {"status": 500}},
    {"id": "all", "match": {}, "times": 9, "fault": {"status": 418}},
    {"id": "revokes", "match": {"operation": "instances.get"}, "times": 1, "fault": {"revoked": "10s"}},
]
STORY = {
    "world": WORLD,
    "phases": [{"name": "first", "until": {"requests": 7}}, {"name": "second"}],
    "rules": [{"id": "late", "match": {}, "when": {"phase": "second"}, "times": 3, "fault": {"status": 504}}],
}


class Side:
    """One app, a connection to it, and what has been answered."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.app: App = create_app(scenario=read_scenario({"world": WORLD}, operations()))
        self.tenant = self.app.tenants.find(KEY)
        self.sandbox = self.tenant.sandbox
        self._connection, self._transport = connected(self.app, loop)

    def call(self, method: str, target: str, body: Any = None, more: str = "") -> bytes:
        """Make one call, and return the bytes of its answer without what tells real time."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer cnx_test_{KEY}\r\n{more}"
        head += f"Content-Length: {len(data)}\r\n" if data else ""
        self._transport.written = b""
        self._connection.data_received(f"{head}\r\n".encode() + data)
        for _ in range(20):
            if self._transport.written:
                break
            self._loop.run_until_complete(asyncio.sleep(0))
        return REAL_HEADERS.sub(b"<real>", self._transport.written)

    def step(self, chance: random.Random) -> bytes:
        """Make some random calls, or change something first: the same for the same chance."""
        if chance.random() < 0.08:
            chance.choice(CHANGES)(self, chance)
        more = chance.choices(("", "X-Trace: 1\r\n", "X-CNX-Mock-Fault: status=418\r\n"), (20, 1, 1))[0]
        ids = self.sandbox.instances.ids()[-3:] or ["inst_0123456789abcdef"]
        match chance.randrange(8):
            case 0:
                return self.call("DELETE", f"/v1/instances/{chance.choice(ids)}", None, more)
            case 1 | 2 | 3:
                kind = chance.choices(("application/json", "application/json; charset=utf-8", "text/plain"), (9, 1, 1))[
                    0
                ]
                more += f"Content-Type: {kind}\r\n"
                return self.call("POST", "/v1/instances", chance.choice(BODIES), more)
        target = chance.choice(("/v1/instances", "/v1/instances?limit=2", *[f"/v1/instances/{each}" for each in ids]))
        method = chance.choices(("GET", "HEAD"), (6, 1))[0]
        return b"".join(self.call(method, target, None, more) for _ in range(3))

    def left(self) -> Any:
        """Return what the calls have left: the journal, and the world."""
        sandbox = self.sandbox
        entries = [plain_entry(record) for record in self.tenant.journal]
        for entry in entries:
            assert entry["duration_ms"] is not None, "the call is complete"
            entry["response_headers"] = [each for each in entry["response_headers"] if each[0] not in REAL_NAMES]
        return (
            REAL_HEADERS.sub(b"<real>", repr([{**each, **dict.fromkeys(REAL)} for each in entries]).encode()),
            [(each.id, each.name, each.tags, each.created, each.status(sandbox.now)) for each in sandbox.instances],
            [(each.resource_id, each.opened, each.closed, each.description) for each in sandbox.ledger.meters],
            sandbox.balance,
            sandbox.chance.counters,
            self.tenant.journal.bytes,
        )


def inject(rule: dict[str, Any], side: Side) -> None:
    side.tenant.engine.inject(read_rule(rule, operations(), "rule"))


def set_readings(side: Side, chance: random.Random) -> None:
    side.sandbox.readings.clear()
    side.sandbox.readings.update(chance.choice(({}, {}, {"list-envelope": "bare"})))


def set_key(side: Side, chance: random.Random) -> None:
    key = side.sandbox.key_with(KEY)
    key.revoked = chance.random() < 0.2
    key.scopes = chance.choices((SCOPES, ("instances:read",)), (3, 1))[0]


def set_account(side: Side, chance: random.Random) -> None:
    account = side.sandbox.account
    account.rate_limit = chance.choice((1, *[1_000_000] * 6))
    account.quotas = chance.choice(({"instances": 3}, *[{}] * 4))
    account.fate = chance.choice(("broken", "limited", *[None] * 8))
    side.sandbox.balance = chance.choice((400, *[900_000] * 6))


def set_provisioning(side: Side, chance: random.Random) -> None:
    rule = ProvisioningRule.parsed(chance.choice(("polls:2", "never", *["5s", "5s..9s"] * 3)))
    if chance.random() < 0.2:
        side.sandbox.next_provisioning = rule
    else:
        side.sandbox.provisioning["instance"] = rule


def set_rules(side: Side, chance: random.Random) -> None:
    if chance.random() < 0.6:
        side.tenant.engine.clear()
    else:
        inject(chance.choice(INJECTED), side)


def begin_story(side: Side, chance: random.Random) -> None:
    side.tenant.engine.use(read_scenario(chance.choice((STORY, *[{"world": WORLD}] * 3)), operations()))


def pass_time(side: Side, chance: random.Random) -> None:
    side.sandbox.clock.advance(chance.choice((1, 15, 61)) * SECOND)


CHANGES = (set_readings, set_key, set_account, set_provisioning, set_rules, begin_story, pass_time)
"""What the fast path leaves to the stages, and what ends that."""


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with closing(asyncio.new_event_loop()) as loop:
        yield loop


@pytest.fixture
def sides(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Side, Side]]:
    """Makes two equal sides: one with a fast path, and one that takes all calls through the stages."""

    def make() -> tuple[Side, Side]:
        fast_side = Side(loop)
        with monkeypatch.context() as patch:
            patch.setattr(FastPath, "answer", lambda *given: None)
            return fast_side, Side(loop)

    return make


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> list[bytes | None]:
    """The answers of the fast path, and None for each call that the stages took."""
    found: list[bytes | None] = []
    answer = FastPath.answer

    def noted(*given: Any) -> bytes | None:
        found.append(answer(*given))
        return found[-1]

    monkeypatch.setattr(FastPath, "answer", noted)
    return found


def test_nobody_can_tell_a_call_that_went_no_stage(sides, fast):
    chance = random.Random(SEED)
    for _ in range(rounds(2, 100)):
        fast_side, staged = sides()
        for _ in range(120):
            step = chance.random()
            assert fast_side.step(random.Random(step)) == staged.step(random.Random(step)), f"seed {SEED}"
        assert fast_side.left() == staged.left(), f"seed {SEED}"
    found = [each for each in fast if each]
    creates = sum(each.startswith(b"HTTP/1.1 201") for each in found)
    assert creates > 15, "enough creates took the fast path to mean something"
    assert len(found) - creates > 100, "and enough reads"
    assert len(found) < len(fast) - 100, "and enough calls were not"


FOR_STAGES: dict[str, Callable[[Side], object]] = {
    "a broken account": lambda side: setattr(side.sandbox.account, "fate", "broken"),
    "a limited account": lambda side: setattr(side.sandbox.account, "fate", "limited"),
    "a full window": lambda side: setattr(side.sandbox.account, "rate_limit", 3),
    "a revoked key": lambda side: setattr(side.sandbox.key_with(KEY), "revoked", True),
    "a key without scopes": lambda side: setattr(side.sandbox.key_with(KEY), "scopes", ()),
    "a reading": lambda side: side.sandbox.readings.update({"list-envelope": "bare"}),
    "names that must be free": lambda side: side.sandbox.readings.update({"instance-names": "unique"}),
    "another way to count": lambda side: side.sandbox.readings.update({"rate-window": "sliding"}),
    "a quota": lambda side: side.sandbox.account.quotas.update({"instances": 1}),
    "no credits": lambda side: setattr(side.sandbox, "balance", 499),
    "polls": lambda side: side.sandbox.provisioning.update({"instance": ProvisioningRule.parsed("polls:1")}),
    "the next one": lambda side: setattr(side.sandbox, "next_provisioning", ProvisioningRule.parsed("never")),
    "a story": lambda side: side.tenant.engine.use(read_scenario(STORY, operations())),
    **{f"a rule {rule['id']}": partial(inject, rule) for rule in INJECTED},
}


@cases("change", FOR_STAGES)
def test_what_the_fast_path_leaves_to_the_stages(change, sides, fast):
    fast_side, staged = sides()
    assert fast_side.call("POST", "/v1/instances", INSTANCE) == staged.call("POST", "/v1/instances", INSTANCE)
    first = fast_side.sandbox.instances.ids()[0]
    calls = [
        ("GET", f"/v1/instances/{first}", None, ""),
        ("GET", "/v1/instances", None, ""),
        ("GET", "/v1/instances", None, "X-Trace: 1\r\n"),
        ("POST", "/v1/instances", INSTANCE, ""),
        ("POST", "/v1/instances", {**INSTANCE, "name": "db-1"}, ""),
        ("GET", "/v1/instances", None, ""),
        ("GET", "/v1/instances", None, ""),
    ]
    for _ in range(2):
        assert [fast_side.call(*each) for each in calls] == [staged.call(*each) for each in calls]
    assert fast[-7:].count(None) == 2, "only the first read of what has changed takes the stages"
    for side in (fast_side, staged):
        FOR_STAGES[change](side)
    assert [fast_side.call(*each) for each in calls] == [staged.call(*each) for each in calls]
    assert fast[-7:].count(None) > 2
    for side in (fast_side, staged):
        side.sandbox.clock.advance(70 * SECOND)
    assert [fast_side.call(*each) for each in calls] == [staged.call(*each) for each in calls]
    assert fast_side.left() == staged.left()


def test_what_is_broken_in_it_ends_in_the_apis_own_500(loop, monkeypatch):
    side = Side(loop)
    assert side.call("POST", "/v1/instances", INSTANCE).startswith(b"HTTP/1.1 201")
    monkeypatch.setattr(Sender, "created", None)
    head, _, body = side.call("POST", "/v1/instances", INSTANCE).partition(b"\r\n\r\n")
    error = json.loads(body)["error"]
    assert head.startswith(b"HTTP/1.1 500")
    assert error["code"] == "INTERNAL_ERROR"
    _, entry = map(plain_entry, side.tenant.journal)
    assert (entry["request_id"], entry["status"], entry["path"]) == (error["request_id"], 500, "/v1/instances")
    assert (entry["committed"], entry["created_id"]) == (True, side.sandbox.instances.ids()[-1])
    assert json.loads(entry["request_body"]) == INSTANCE
    assert entry["duration_ms"] is not None
    assert side.call("GET", "/v1/instances").startswith(b"HTTP/1.1 200")
    monkeypatch.setattr(Sender, "allowed", None)
    assert side.call("GET", "/v1/instances").startswith(b"HTTP/1.1 500")
    assert plain_entry([*side.tenant.journal][-1])["committed"] is False


def test_all_of_a_call_happens_at_one_instant(loop):
    side = Side(loop)
    side.sandbox.clock.frozen = False
    for _ in range(2):
        assert side.call("POST", "/v1/instances", INSTANCE).startswith(b"HTTP/1.1 201")
    record = [*side.tenant.journal][-1]
    assert isinstance(record, FastPathRecord)
    instance, meter = [*side.sandbox.instances][-1], side.sandbox.ledger.meters[-1]
    assert record.at == instance.created
    assert meter.opened == instance.created - instance.created % SECOND


def test_the_record_of_a_fast_call_has_all_that_others_have(loop):
    side = Side(loop)
    for _ in range(2):
        side.call("POST", "/v1/instances", INSTANCE)
    record = [*side.tenant.journal][-1]
    assert isinstance(record, FastPathRecord)
    slots = {name for each in JournalRecord.__mro__ for name in getattr(each, "__slots__", ())}
    assert {name for name in slots if not hasattr(record, name)} == {"allowance", "key"}, "only stages need these"
    assert not hasattr(record, "nonsense")


def test_bodies_are_remembered_up_to_a_bound(loop):
    side = Side(loop)
    path: FastPath = side.app.begin.__self__._fast_path  # type: ignore[attr-defined]
    for number in [*range(1_200), *range(800, 1_200)]:
        assert side.call("POST", "/v1/instances", {**INSTANCE, "name": f"web-{number}"}).startswith(b"HTTP/1.1 201")
        assert len(path._bodies) <= 200
        assert len(path._once) <= 1_000
    assert path._bodies
