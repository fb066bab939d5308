"""A create on the fast path takes no stages of its operation: with the same answer and the same world."""

import json
import random
from dataclasses import asdict, fields
from typing import Any

import orjson

from cnx_mock.api.caller import Caller
from cnx_mock.api.errors import ApiError
from cnx_mock.api.operation import Incoming
from cnx_mock.services import operations
from cnx_mock.services.compute.fast_create import FAST_CREATE
from cnx_mock.world.account import SCOPES
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.clock import SECOND
from cnx_mock.world.lifecycle import Lifecycle, ProvisioningRule
from cnx_mock.world.records import InstanceRecord
from cnx_mock.world.sandbox import SandboxOptions, SandboxState
from tests.cases import rounds
from tests.conftest import INSTANCE

SEED = 20261129
FIELDS = ("name", "plan", "region", "image", "tags")
VALUES: dict[str, list[Any]] = {
    "name": [
        "a",
        "prod-api-01",
        "A.b",
        "-a",
        "a-",
        "",
        "a" * 63,
        "a" * 64,
        "a\n",
        "mock-stopped",
        "mock-none",
        "é",
        1,
        None,
    ],
    "plan": ["starter", "pro", "enterprise", "gold", ["pro"], None],
    "region": ["us-east-1", "eu-west-1", "mock-outage-1", "nowhere", {}, None],
    "image": ["ubuntu-22.04-lts", "debian-12", "windows-server-2022", "snap_0123456789abcdef", "none", 5],
    "tags": [
        [],
        ["web"],
        ["web", "web"],
        ["a", "b"],
        ["-"],
        ["a b"],
        ["x" * 63],
        ["x" * 64],
        ["a\n"],
        [1],
        "web",
        None,
    ],
    "more": ["x"],
}
ORDINARY = {**INSTANCE, "tags": ["web", "production"]}
CREATE = next(each for each in operations() if each.name == "instances.create")
WORLDS: list[dict[str, Any]] = [
    *[{}] * 6,
    {"readings": {"instance-names": "unique"}},
    {"readings": {"unknown-body-field": "ignore"}},
    {"magic": False},
    {"quotas": {"instances": 3}},
    {"balance": 499},
    {"balance": 520},
    *[
        {"provisioning": {"instance": ProvisioningRule.parsed(text)}}
        for text in ("never", "polls:2", "0s", "0s..9s", "1ms..2ms", "7s")
    ],
    {"provisioning": {"instance": ProvisioningRule((SECOND, SECOND), then="stopped")}},
    {"provisioning": {"instance": ProvisioningRule(None, is_status_only=True)}},
]


def twins(options: dict[str, Any]) -> tuple[SandboxState, SandboxState]:
    """Two equal sandboxes, whose clock stands still."""
    made = [
        SandboxState("key", 7, Catalogue(), SandboxOptions(start=1_767_225_600_500_000, frozen=True, **options))
        for _ in range(2)
    ]
    for sandbox in made:
        sandbox.add_key("a" * 32, "key", SCOPES)
    return made[0], made[1]


def judged(sandbox: SandboxState, body: bytes) -> tuple[str, bytes] | None:
    """What the stages of the operation make of a body; None if they refuse it."""
    try:
        reply = CREATE.perform(
            Incoming((), "", body), {SandboxState: sandbox, Caller: Caller(sandbox.key_with("a" * 32))}
        )
    except ApiError:
        return None
    return reply.shape.id, reply.shape.json()  # type: ignore[attr-defined]  # an Instance


def fast_create(sandbox: SandboxState, body: bytes, data: Any) -> tuple[str, bytes] | None:
    """What the fast path makes of a body; None if the stages have to judge."""
    asked = FAST_CREATE.read(sandbox.catalogue, body, data)
    made = None if asked is None else FAST_CREATE.make(sandbox, asked, sandbox.now)
    return None if made is None else (made[0], made[1].encode())


def world(sandbox: SandboxState) -> Any:
    """All that a create leaves."""
    for record in sandbox.instances:
        record.forget()
    own = {"plan", "changes_of_table"}
    return (
        [
            {each.name: getattr(record, each.name) for each in fields(record) if each.name not in own}
            | {"plan": record.plan.id}
            for record in sandbox.instances
        ],
        [asdict(meter) | {"description": meter.description} for meter in sandbox.ledger.meters],
        sandbox.balance,
        sandbox.ledger.next_charge(sandbox.now),
        sandbox.chance.counters,
        sandbox.polling.keys(),
    )


def random_body(chance: random.Random) -> bytes:
    data: Any = dict(ORDINARY)
    for name in chance.choices(list(VALUES), k=chance.choice((0, 0, 1, 1, 2, 3))):
        data[name] = chance.choice(VALUES[name])
    if chance.random() < 0.2:
        data.pop(chance.choice(FIELDS), None)
    text = json.dumps(data, indent=chance.choice((None, 1)), ensure_ascii=chance.choice((True, False)))
    match chance.randrange(30):
        case 0:
            text = text.replace("{", '{"name":"twice",', 1)
        case 1:
            text = text.replace("a", "\\u0061", 1)
        case 2:
            text = text[:-1]
        case 3:
            text = f"[{text}]"
    return text.encode()


def read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def test_a_fast_create_is_what_the_stages_make_of_it():
    chance = random.Random(SEED)
    fast = 0
    for _ in range(rounds(100, 200)):
        options = chance.choice(WORLDS)
        quick, slow = twins(options)
        for _ in range(12):
            body = random_body(chance)
            found = fast_create(quick, body, read(body))
            fast += found is not None
            assert (judged(quick, body) if found is None else found) == judged(slow, body), f"seed {SEED}: {body!r}"
            assert world(quick) == world(slow), f"seed {SEED}: {body!r} in {options}"
            for sandbox in (quick, slow):
                sandbox.clock.advance(37 * SECOND)
        statuses = [[each.status(quick.now) for each in sandbox.instances] for sandbox in (quick, slow)]
        assert statuses[0] == statuses[1]
    assert fast > 125


def is_fast(body: dict[str, Any], **options: Any) -> bool:
    """Whether the fast path takes a body in a sandbox with these options."""
    raw = json.dumps(body).encode()
    return fast_create(twins(options)[0], raw, read(raw)) is not None


def test_the_documented_example_takes_the_fast_path():
    assert is_fast(INSTANCE)
    assert is_fast(ORDINARY)
    assert not is_fast({**INSTANCE, "tags": ["x"] * 51})


def test_a_name_that_must_be_free_is_for_the_model_to_judge():
    assert not is_fast(INSTANCE, readings={"instance-names": "unique"})


def test_lists_of_tags_are_remembered_up_to_a_bound():
    sandbox = twins({})[0]
    for number in range(1100):
        raw = json.dumps({**INSTANCE, "tags": [f"t{number}", f"t{number}", "web"]}).encode()
        _, answer = fast_create(sandbox, raw, read(raw)) or (None, b"")
        assert json.loads(answer)["tags"] == [f"t{number}", "web"]
    assert len(sandbox.catalogue.known.tags) <= 1000


def test_a_record_that_is_begun_is_what_its_class_makes():
    plan = Catalogue().plans.get("pro")
    assert plan is not None
    lifecycle = Lifecycle(5, None, "running")
    begun = InstanceRecord.begun("inst_1", 3, "web", plan, "us-east-1", "debian-12", ("a",), 4, lifecycle)
    made = InstanceRecord(
        id="inst_1",
        number=3,
        name="web",
        plan=plan,
        region="us-east-1",
        image="debian-12",
        tags=("a",),
        created=4,
        updated=4,
        lifecycle=lifecycle,
    )
    names = [each.name for each in fields(InstanceRecord)]
    assert [getattr(begun, name) for name in names] == [getattr(made, name) for name in names]
