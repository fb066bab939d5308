"""The fault `provisioning`: what one call makes needs another time to provision than the default. The sandbox's clock
stands still in every test, except for `advance`."""

import pytest

from cnx_mock import ControlError
from cnx_mock.scenario.provisioning import read_provisioning, spell_provisioning
from tests.cases import cases
from tests.conftest import INSTANCE
from tests.scenario.test_stale import BALANCER, BALANCERS, LIST, SNAPSHOTS, made, reasons


@pytest.fixture(autouse=True)
def _standing(sandbox):
    sandbox.clock.freeze()


def status(api, instance):
    return api.get(f"{LIST}/{instance['id']}").json["status"]


def after(sandbox, api, instance, *times):
    """The statuses after each of these times, which add up."""
    found = []
    for time in times:
        sandbox.clock.advance(time)
        found.append(status(api, instance))
    return found


def test_one_call_makes_something_slow_and_the_next_does_not(sandbox, api):
    rule = sandbox.inject("instances.create", provisioning="90s", times=1)
    slow, fast = api.create(), api.create()
    assert (slow["status"], fast["status"]) == ("provisioning", "provisioning")
    assert after(sandbox, api, fast, "60s") == ["running"]
    assert after(sandbox, api, slow, "29999999us", "1us") == ["provisioning", "running"]
    assert rule.fired == 1
    applied = [each.fault for entry in sandbox.requests for each in entry.faults]
    assert applied == ["provisioning=1m30s"]


def test_a_range_is_drawn_from_and_never_is_never(sandbox, api):
    sandbox.inject("instances.create", provisioning=["70s", "80s"], times=1)
    sandbox.inject("instances.create", provisioning="never", id="never", times=2)
    drawn, never = api.create(), api.create()
    assert after(sandbox, api, drawn, "69s", "11s") == ["provisioning", "running"]
    assert after(sandbox, api, never, "100d") == ["provisioning"]


def test_polls(sandbox, api):
    sandbox.inject("instances.create", provisioning={"polls": 2})
    assert [status(api, instance) for instance in [api.create()] * 3] == ["provisioning", "provisioning", "running"]
    sandbox.inject("instances.create", provisioning={"polls": 0}, id="inject-1")
    assert api.create()["status"] == "running"


def test_it_comes_up_stopped(sandbox, api):
    sandbox.inject("instances.create", provisioning={"delay": "45s", "then": "stopped"}, times=1)
    assert after(sandbox, api, api.create(), "44s", "1s") == ["provisioning", "stopped"]
    sandbox.use({"provisioning": {"instance": "10s"}})
    sandbox.inject("instances.create", provisioning={"then": "stopped"}, id="default", times=1)
    assert after(sandbox, api, api.create(), "9s", "1s") == ["provisioning", "stopped"]
    assert after(sandbox, api, api.create(), "9s", "1s") == ["provisioning", "running"]


def test_a_scenario_may_leave_the_default_time_too(sandbox, api):
    sandbox.use({"provisioning": {"instance": {"then": "stopped"}}})
    assert after(sandbox, api, api.create(), "29s", "31s") == ["provisioning", "stopped"]
    with sandbox.inject("instances.create", provisioning={"then": "running"}):
        assert after(sandbox, api, api.create(), "29s", "31s") == ["provisioning", "running"]
    with sandbox.inject("instances.create", provisioning="10s"):
        assert after(sandbox, api, api.create(), "9s", "1s") == ["provisioning", "running"]


def test_snapshots_and_load_balancers_too_and_neither_is_ever_stopped(sandbox, api):
    sandbox.inject(["snapshots.create", "load_balancers.create"], provisioning={"delay": "2m", "then": "stopped"})
    source = sandbox.instances.add()["id"]
    snapshot = f"{SNAPSHOTS}/{made(api, SNAPSHOTS, {'instance_id': source})['id']}"
    balancer = f"{BALANCERS}/{made(api, BALANCERS, BALANCER)['id']}"
    sandbox.clock.advance("119s")
    assert [api.get(path).json["status"] for path in (snapshot, balancer)] == ["creating", "provisioning"]
    sandbox.clock.advance("1s")
    assert [api.get(path).json["status"] for path in (snapshot, balancer)] == ["available", "active"]
    assert api.post(LIST, {**INSTANCE, "plan": "enterprise", "image": snapshot.rpartition("/")[2]}).status == 201


def test_a_lost_response_may_have_made_something_slow(sandbox, api):
    rule = sandbox.inject("instances.create", connection="reset", provisioning="never", at="after", times=1)
    with pytest.raises(ConnectionResetError):
        api.create()
    assert [each.fault for each in sandbox.requests[-1].faults] == ["connection=reset", "provisioning=never"]
    sandbox.clock.advance("1h")
    assert [each["status"] for each in api.get(LIST).json["data"]] == ["provisioning"]
    assert rule.fired == 1


def test_where_nothing_is_made_nothing_is_spent_on_the_next_call(sandbox, api):
    rule = sandbox.inject(provisioning="never", times=5)
    firewall = api.post("/v1/network/firewall", {"name": "web"})
    calls = [
        firewall.status,
        api.get(LIST).status,
        api.post(LIST, {**INSTANCE, "plan": "huge"}).status,
        api.delete(f"{LIST}/inst_0").status,
        api.get("/v1/nothing").status,
    ]
    assert calls == [201, 200, 400, 404, 404]
    assert [each.decisions[0].reason for each in sandbox.requests] == [
        f"times {n} of 5, nothing was made" for n in range(1, 6)
    ]
    assert rule.fired == 0
    assert after(sandbox, api, api.create(), "60s") == ["running"]
    assert after(sandbox, api, sandbox.instances.add(status="provisioning"), "60s") == ["running"]


def test_a_refusal_before_the_effect_makes_nothing(sandbox, api):
    sandbox.inject("instances.create", error="INTERNAL_ERROR", provisioning="never", times=1)
    assert api.post(LIST, INSTANCE).status == 500
    entry = sandbox.requests[-1]
    assert [each.fault for each in entry.faults] == ["error=INTERNAL_ERROR"]
    assert (entry.decisions[0].fired, entry.decisions[0].reason) == (True, "times 1 of 1, nothing was made")


def test_of_several_rules_the_first_wins(sandbox, api):
    first = sandbox.inject("instances.create", provisioning="90s")
    second = sandbox.inject("instances.create", provisioning="never")
    instance = api.create()
    assert reasons(sandbox) == ["match 1", "match 1, an earlier rule says how long it takes"]
    assert (first.fired, second.fired) == (1, 0)
    assert after(sandbox, api, instance, "90s") == ["running"]


def test_a_slow_instance_that_no_read_shows_yet(sandbox, api):
    sandbox.inject(provisioning="90s", stale="5s")
    instance = api.create()
    assert reasons(sandbox) == ["match 1, nothing is read"]
    assert [each.fault for each in sandbox.requests[-1].faults] == ["provisioning=1m30s"]
    assert api.get(f"{LIST}/{instance['id']}").status == 404
    assert reasons(sandbox) == ["match 2, nothing was made"]
    assert after(sandbox, api, instance, "94s", "1s") == ["provisioning", "running"]


@cases(
    ("given", "label"),
    [
        ("90s", "1m30s"),
        (["30s", "45s"], "30s..45s"),
        ("never", "never"),
        ({"polls": 3}, "{polls: 3}"),
        ({"polls": 3, "then": "stopped"}, "{polls: 3, then: stopped}"),
        ({"delay": "45s"}, "45s"),
        ({"delay": "never", "then": "stopped"}, "{delay: never, then: stopped}"),
        ({"delay": ["1s", "2s"], "then": "stopped"}, "{delay: 1s..2s, then: stopped}"),
        ({"then": "stopped"}, "{then: stopped}"),
    ],
)
def test_the_journal_spells_it(given, label):
    assert spell_provisioning(read_provisioning(given)) == label


@cases(
    ("given", "why"),
    [
        (90, "needs a unit: write 90s or 90ms"),
        ("soon", "must be a duration such as 250ms, 2s or 1m30s, not 'soon'"),
        (["90s", "30s"], "must go from the smaller to the larger: [30s, 90s]"),
        (["30s"], "must have two durations"),
        ({}, "must have polls, delay or then"),
        ({"polls": 3, "delay": "4s"}, "cannot have both polls and delay"),
        (None, "must be a duration"),
        (True, "must be a duration"),
    ],
)
def test_what_cannot_be_said(sandbox, given, why):
    with pytest.raises(ControlError) as refusal:
        sandbox.inject(provisioning=given)
    assert why in refusal.value.details["fault.provisioning"]


def test_every_mistake_is_named_in_its_place(sandbox):
    with pytest.raises(ControlError) as refusal:
        sandbox.inject(provisioning={"pols": 3, "delay": 45, "then": "gone"})
    assert set(refusal.value.details) == {f"fault.provisioning.{key}" for key in ("pols", "delay", "then")}
