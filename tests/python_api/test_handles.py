"""The handles that people reach for first: what is there, what is not, and how a misspelling is told."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cnx_mock import (
    AuditError,
    ControlError,
    InputRefusedError,
    InvalidInputError,
    MockServer,
    Sandbox,
    ScenarioError,
    UnknownAttribute,
    UnknownResource,
)
from tests.cases import cases

# ---- what is in a sandbox


def test_instances_are_counted_listed_and_found_by_name_id_and_place(sandbox: Sandbox) -> None:
    assert len(sandbox.instances) == 0
    assert list(sandbox.instances) == []
    web, db = sandbox.instances.add(name="web-1"), sandbox.instances.add(name="db-1", status="stopped")
    assert len(sandbox.instances) == 2
    assert [each.name for each in sandbox.instances] == ["web-1", "db-1"]
    assert sandbox.instances["db-1"].status == sandbox.instances[db.id]["status"] == "stopped"
    assert sandbox.instances["web-1"] == sandbox.instances[0] == web != sandbox.instances[-1]
    assert "web-1" in sandbox.instances
    assert web.id in sandbox.instances
    assert db in sandbox.instances
    assert "web-2" not in sandbox.instances
    assert sandbox.instances[:1] == [web]


@pytest.mark.parametrize(
    ("kind", "name", "status"),
    [
        ("instances", "staging", "stopped"),
        ("snapshots", "nightly", "creating"),
        ("firewalls", "database", "active"),
        ("load_balancers", "front", "active"),
    ],
)
def test_every_kind_of_resource_is_read_in_the_same_way(sandbox: Sandbox, kind: str, name: str, status: str) -> None:
    handle = getattr(sandbox, kind)
    assert repr(handle) == f"<{kind.replace('_', ' ')}: none>"
    sandbox.load("small-team")
    assert len(handle) == len(list(handle)) > 0
    assert handle[name].status == status
    assert handle[handle[name].id] == handle[name]
    assert f"{name} ({handle[name].id}, {status})" in repr(handle)
    with pytest.raises(UnknownResource, match=f"no {kind[:-1].replace('_', ' ')} has the name or id .*, did you mean"):
        handle[name[:-1]]


def test_a_look_is_no_poll(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox({"provisioning": {"polls": 1}})
    client(sandbox.url, sandbox.api_key).create(name="web-1")
    assert [sandbox.instances["web-1"].status for _ in range(3)] == ["provisioning"] * 3
    assert len(sandbox.requests) == 1


def test_parts_of_a_record_are_typed_too(sandbox: Sandbox) -> None:
    sandbox.load("small-team")
    assert sandbox.instances["web-1"].specs.vcpus == 4
    assert sandbox.load_balancers["front"].targets[0].instance_id == sandbox.instances["web-1"].id
    assert sandbox.firewalls["web"].rules


def test_two_of_one_name_are_an_error_that_names_both(sandbox: Sandbox) -> None:
    ids = [sandbox.instances.add(name="web-1").id for _ in range(2)]
    with pytest.raises(
        UnknownResource, match=f"2 instances are called 'web-1': choose one by its id: {', '.join(ids)}"
    ):
        sandbox.instances["web-1"]


def test_a_place_that_does_not_exist_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(KeyError, match=r"no instance has place 0 \(there are none\)"):
        sandbox.instances[0]
    sandbox.instances.add(name="web-1")
    for place in (1, -2):
        with pytest.raises(UnknownResource, match=rf"no instance has place {place} \(there are web-1 \("):
            sandbox.instances[place]


# ---- misspelt


MISSPELT: list[tuple[Callable[[Sandbox], object], str, str]] = [
    (lambda cnx: cnx.account, "ballance", "AccountHandle has no 'ballance', did you mean 'balance'?"),
    (lambda cnx: cnx.account, "rate_limits", "AccountHandle has no 'rate_limits', did you mean 'rate_limit'?"),
    (lambda cnx: cnx.clock, "sped", "ClockHandle has no 'sped', did you mean 'speed'?"),
    (lambda cnx: cnx, "acount", "Sandbox has no 'acount', did you mean 'account'?"),
    (lambda cnx: cnx.instances, "ad", "InstancesHandle has no 'ad', did you mean 'add'?"),
    (lambda cnx: cnx.audit, "assert_cleen", "Audit has no 'assert_cleen', did you mean 'assert_clean'?"),
    (lambda cnx: cnx.requests, "assert_caled", "Requests has no 'assert_caled', did you mean 'assert_called'?"),
    (lambda cnx: cnx.inject(status=503), "fird", "RuleHandle has no 'fird', did you mean 'fired'?"),
    (lambda cnx: cnx.instances.add(), "staus", "SandboxInstance has no 'staus', did you mean 'status'?"),
    (lambda cnx: MockServer(), "prox_url", "MockServer has no 'prox_url', did you mean 'proxy_url'?"),
]


@cases(("handle", "name", "message"), MISSPELT, ids=[name for _, name, _ in MISSPELT])
def test_an_attribute_that_a_handle_does_not_have_is_an_error(
    sandbox: Sandbox, handle: Callable[[Sandbox], object], name: str, message: str
) -> None:
    found = handle(sandbox)
    with pytest.raises(UnknownAttribute) as getting:
        getattr(found, name)
    assert str(getting.value) == message
    with pytest.raises(AttributeError) as setting:
        setattr(found, name, "$5.00")
    assert str(setting.value).startswith(message.partition(" has no ")[0])
    assert not hasattr(found, name)


@pytest.mark.parametrize(
    ("part", "name", "message"),
    [
        ("clock", "now", r"ClockHandle.now cannot be set \(can be set: speed\)"),
        ("clock", "advance", r"ClockHandle.advance cannot be set \(can be set: speed\)"),
        ("audit", "findings", r"Audit.findings cannot be set \(no attribute can be set\)"),
    ],
)
def test_what_cannot_be_set_is_an_error_that_says_what_can(
    sandbox: Sandbox, part: str, name: str, message: str
) -> None:
    with pytest.raises(UnknownAttribute, match=message):
        setattr(getattr(sandbox, part), name, 1)
    with pytest.raises(UnknownAttribute, match=f"Sandbox.{part} cannot be set"):
        setattr(sandbox, part, 1)


def test_no_attribute_can_be_set_to_none(sandbox: Sandbox) -> None:
    nothing: Any = None
    with pytest.raises(InvalidInputError, match=r"^AccountHandle\.balance cannot be None$"):
        sandbox.account.balance = nothing
    with pytest.raises(InvalidInputError, match=r"^ClockHandle\.speed cannot be None$"):
        sandbox.clock.speed = nothing


def test_a_record_cannot_be_changed(sandbox: Sandbox) -> None:
    instance = sandbox.instances.add()
    with pytest.raises(UnknownAttribute, match=r"SandboxInstance.status cannot be set: it is a record"):
        instance.status = "stopped"
    with pytest.raises(UnknownResource, match="SandboxInstance has no 'nmae', did you mean 'name'"):
        instance["nmae"]


def test_a_subclass_of_your_own_may_have_attributes_of_its_own() -> None:
    class Cloud(MockServer):
        def __init__(self) -> None:
            super().__init__()
            self.notes = ["mine"]

    assert Cloud().notes == ["mine"]


# ---- rules whose time is over


def test_a_rule_whose_ttl_is_over_stays_readable(sandbox: Sandbox, api: Any) -> None:
    rule = sandbox.inject("plans.list", status=503, ttl="30s")
    assert (api.get("/v1/plans").status, rule.ended) == (503, False)
    sandbox.clock.advance("31s")
    assert api.get("/v1/plans").status == 200
    assert (rule.fired, rule.matched, rule.ended, rule.why) == (1, 1, True, None)
    assert rule.id not in [each["id"] for each in sandbox.call("GET", "/rules")["data"]]
    rule.remove()
    assert rule.fired == 1
    sandbox.assert_fired()


def test_an_ended_rule_that_never_fired_is_still_told(sandbox: Sandbox) -> None:
    with sandbox.inject("plans.list", status=503, ttl="30s", id="brief"):
        sandbox.clock.advance("1h")
    with pytest.raises(AssertionError, match="^brief never fired: no request came$"):
        sandbox.assert_fired()


def test_the_id_of_an_ended_rule_can_be_used_again(sandbox: Sandbox, api: Any) -> None:
    sandbox.inject("plans.list", status=503, ttl="30s", id="brief")
    sandbox.clock.advance("31s")
    again = sandbox.inject("plans.list", status=502, id="brief")
    assert (api.get("/v1/plans").status, again.fired, again.ended) == (502, 1, False)


def test_a_reset_forgets_ended_rules(sandbox: Sandbox) -> None:
    rule = sandbox.inject("plans.list", status=503, ttl="30s")
    sandbox.clock.advance("31s")
    sandbox.call("POST", "/reset")
    sandbox.assert_fired()
    with pytest.raises(ControlError, match="inject-1"):
        _ = rule.fired


# ---- what a REPL shows, and what it takes


def test_every_handle_says_what_it_is(sandbox: Sandbox) -> None:
    sandbox.clock.freeze()
    now = sandbox.clock.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert repr(sandbox.clock) == f"<clock: {now}, frozen>"
    sandbox.clock.unfreeze()
    sandbox.clock.speed = 60
    assert repr(sandbox.clock).endswith("Z, speed 60>")
    assert repr(sandbox.account) == "<account: professional, $100.00, 300/min>"
    assert "assert_clean()" in repr(sandbox.audit)
    assert repr(sandbox.requests) == "[]"


def test_a_server_says_where_it_is_and_its_parts_say_that_it_is_gone() -> None:
    server = MockServer()
    assert repr(server) == "<MockServer, not running>"
    with server:
        assert repr(server) == f"<MockServer at {server.url}>"
        sandbox = server.sandbox()
    assert repr(server) == "<MockServer, not running>"
    for part in (sandbox.clock, sandbox.account, sandbox.instances):
        assert "no cnx-mock answers at" in repr(part)


def test_durations_of_python_are_durations(sandbox: Sandbox) -> None:
    sandbox.clock.freeze()
    before = sandbox.clock.now
    sandbox.clock.advance(timedelta(hours=1, milliseconds=250))
    assert sandbox.clock.now - before == timedelta(hours=1, milliseconds=250)
    sandbox.call("PATCH", "/clock", {"now": before + timedelta(days=2)})
    assert sandbox.clock.now - before == timedelta(days=2)
    rule = sandbox.inject("instances.list", latency=timedelta(microseconds=1500), ttl="1m")
    found = sandbox.call("GET", f"/rules/{rule.id}")["rule"]
    assert (found["fault"], found["ttl"]) == ({"latency": "1.5ms"}, "1m")
    with pytest.raises(InputRefusedError, match="cannot be negative"):
        sandbox.clock.advance(timedelta(seconds=-1))
    with pytest.raises(InvalidInputError, match="Object of type Decimal"):
        sandbox.call("PATCH", "/clock", {"speed": Decimal(2)})


def test_a_duration_of_python_is_a_threshold_of_the_audit_too(sandbox: Sandbox) -> None:
    sandbox.audit.assert_clean(poll_interval=timedelta(seconds=1))
    with pytest.raises(AuditError, match="poll-interval: .* cannot be negative"):
        sandbox.audit.assert_clean(poll_interval=timedelta(seconds=-1))


def test_an_instance_gets_its_status_by_its_name_too(sandbox: Sandbox) -> None:
    first = sandbox.instances.add(name="web-1")
    assert sandbox.instances.set_status("web-1", "stopped") == sandbox.instances[first.id]
    assert sandbox.instances["web-1"].status == "stopped"
    sandbox.instances.add(name="web-1")
    with pytest.raises(UnknownResource, match="2 instances are called 'web-1'"):
        sandbox.instances.set_status("web-1", "running")
    with pytest.raises(UnknownResource, match="no instance has the name or id 'web-2', did you mean 'web-1'"):
        sandbox.instances.set_status("web-2", "running")
    assert sandbox.instances.set_status(first, "running") == sandbox.instances[first.id]


def test_a_count_that_no_count_can_equal_is_refused(sandbox: Sandbox) -> None:
    wrong: Any
    for wrong in ({"times": "1"}, {"times": 1.0}, {"status": "201"}, {"times": True}, {"times": -1}):
        with pytest.raises(ScenarioError, match=f"{next(iter(wrong))}: must be (an integer|at least 0), not "):
            sandbox.requests.assert_called("instances.create", **wrong)


def test_a_control_path_begins_with_a_slash(server: MockServer, sandbox: Sandbox) -> None:
    for each in (server, sandbox):
        with pytest.raises(InvalidInputError, match="'clock' cannot be sent: a path begins with /, such as /clock"):
            each.call("GET", "clock")


def test_a_key_that_is_none_is_told_what_a_key_is(server: MockServer) -> None:
    with pytest.raises(InputRefusedError, match="^key: must be cnx_test_ and 32 hex digits$"):
        server.sandbox(key="abc")
