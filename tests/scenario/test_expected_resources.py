"""`expect: {instances: 1}`: what must be there at the end, in a scenario and in Python."""

from typing import Any

import pytest

from cnx_mock import InputRefusedError, MockServer, Sandbox, Scenario, ScenarioError
from cnx_mock.scenario.resources import read_resources
from cnx_mock.scenario.scenario import read_scenario, stacked
from cnx_mock.services import operations
from cnx_mock.world.kinds import FIREWALL, INSTANCE
from tests.cases import cases

WEB = {"id": "inst_1", "name": "web-1", "status": "running", "tags": ["a", "b"], "specs": {"vcpus": 4}}
DB = {"id": "inst_2", "name": "db-1", "status": "provisioning", "tags": [], "specs": {"vcpus": 8}}


@cases(
    ("expected", "found"),
    [
        (0, []),
        ([], []),
        (2, [WEB, DB]),
        ({"at_least": 1}, [WEB, DB]),
        ({"at_least": [{"name": "db-1"}]}, [WEB, DB]),
        ([{"name": "web-1", "status": "running"}], [WEB]),
        ([{"name": "db-1"}, {"name": "web-1"}], [WEB, DB]),
        ([{"name": "web-*"}], [WEB]),
        ([{"name": "*"}, {"name": "web-1"}], [WEB, DB]),
        ([{"status": ["running", "provisioning"]}], [DB]),
        ([{"tags": ["b"]}], [WEB]),
        ([{"specs": {"vcpus": 4}}], [WEB]),
    ],
)
def test_what_is_as_expected(expected: Any, found: list[dict[str, Any]]) -> None:
    assert read_resources(expected).unmet(INSTANCE, len(found), lambda most: found[:most]) == []


@cases(
    ("expected", "found", "lines"),
    [
        (1, [], ["there are 0 instances, not 1"]),
        ([], [WEB], ["there is 1 instance, not 0: web-1 (inst_1)"]),
        (1, [WEB, DB], ["there are 2 instances, not 1: web-1 (inst_1), db-1 (inst_2)"]),
        ({"at_least": 3}, [WEB, DB], ["there are 2 instances, not at least 3: web-1 (inst_1), db-1 (inst_2)"]),
        ([{"name": "db-1", "status": "running"}], [DB], ["the instance db-1 has status provisioning, not running"]),
        ([{"name": "web-1"}], [WEB, DB], ["the instance db-1 (inst_2) is not expected"]),
        ([{"name": "x"}], [], ["there is no instance with name x"]),
        ([{"name": "web-1"}] * 2, [WEB], ["there is no other instance with name web-1"]),
        ({"at_least": [{"name": "x"}]}, [WEB], ["there is no instance with name x"]),
    ],
)
def test_what_is_not_as_expected_is_said(expected: Any, found: list[dict[str, Any]], lines: list[str]) -> None:
    assert read_resources(expected).unmet(INSTANCE, len(found), lambda most: found[:most]) == lines


def test_a_resource_without_a_name_is_named_by_its_id() -> None:
    assert read_resources(0).unmet(FIREWALL, 1, lambda most: [{"id": "fw_1"}]) == [
        "there is 1 firewall, not 0: fw_1 (fw_1)"
    ]


def read(**expect: Any) -> Scenario:
    return read_scenario({"expect": expect}, operations())


@cases(
    ("expect", "message"),
    [
        ({"instances": "one"}, "must be a number such as 1"),
        ({"instances": True}, "must be a number such as 1"),
        ({"firewalls": -1}, "must be a number such as 1"),
        ({"instances": {"at_lest": 1}}, "must be a number such as 1"),
        ({"instances": {"name": "web-1"}}, "write the fields of a resource in a list"),
        ({"instances": [{}]}, "must be a number such as 1"),
        ({"instnces": 1}, "did you mean 'instances'"),
        ({"instances": [{"nmae": "web-1"}]}, "unknown field, did you mean 'name'"),
        ({"load_balancers": {"at_least": [{"statsu": "active"}]}}, "unknown field, did you mean 'status'"),
        ({"snapshots": [{"status": "aviable"}]}, "must be one of: "),
    ],
)
def test_what_cannot_be_expected_is_refused(expect: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        read(**expect)


def test_of_stacked_scenarios_the_last_word_on_a_kind_counts() -> None:
    stack = stacked([read(instances=1, firewalls=2, audit="clean"), read(instances={"at_least": 3})], operations())
    assert {kind: (each.number, each.more) for kind, each in stack.expected_resources.items()} == {
        "instances": (3, True),
        "firewalls": (2, False),
    }
    assert stack.expects_clean_audit


# ---- in a sandbox


@pytest.fixture
def sandbox(server: MockServer) -> Sandbox:
    return server.sandbox()


def test_every_kind_is_counted_as_the_api_shows_it(sandbox: Sandbox) -> None:
    sandbox.load("small-team")
    state = sandbox.state()["accounts"][0]
    numbers: dict[str, Any] = {
        kind: len(state[kind]) for kind in ("instances", "snapshots", "firewalls", "load_balancers")
    }
    assert all(numbers.values())
    more: dict[str, Any] = {kind: number + 1 for kind, number in numbers.items()}
    assert sandbox.expect(**numbers).unmet == []
    assert len(sandbox.expect(**more).unmet) == 4


def test_a_scenario_says_what_must_be_there(sandbox: Sandbox) -> None:
    sandbox.use({"expect": {"instances": [{"name": "web-1", "status": "running"}]}})
    with pytest.raises(AssertionError, match="there is no instance with name web-1, status running"):
        sandbox.assert_fired()
    sandbox.instances.add(name="web-1", status="running")
    sandbox.assert_fired()


def test_python_says_what_must_be_there_at_the_end(sandbox: Sandbox) -> None:
    expectation = sandbox.expect(instances=1)
    with pytest.raises(AssertionError, match="there are 0 instances, not 1"):
        sandbox.assert_fired()
    sandbox.instances.add(name="web-1")
    sandbox.assert_fired()
    expectation.assert_met()
    sandbox.reset()
    sandbox.assert_fired()


def test_a_block_is_checked_at_its_end_and_then_no_more(sandbox: Sandbox) -> None:
    with sandbox.expect(instances=1):
        sandbox.instances.add(name="web-1")
    with (
        pytest.raises(AssertionError, match="there is 1 instance, not at least 2"),
        sandbox.expect(instances={"at_least": 2}),
    ):
        pass
    sandbox.instances.add(name="web-2")
    sandbox.assert_fired()


def test_looking_is_no_poll(sandbox: Sandbox) -> None:
    sandbox.use({"provisioning": {"polls": 1}})
    sandbox.instances.add(name="web-1", status="provisioning")
    expectation = sandbox.expect(instances=[{"status": "provisioning"}])
    assert [expectation.unmet for _ in range(3)] == [[], [], []]


def test_nothing_to_expect_and_what_cannot_be_are_refused_at_once(sandbox: Sandbox) -> None:
    with pytest.raises(ScenarioError, match="needs one of: instances, snapshots"):
        sandbox.expect()
    with pytest.raises(ScenarioError, match="did you mean 'name'"):
        sandbox.expect(instances=[{"nmae": "web-1"}])
    with pytest.raises(InputRefusedError, match="about the rules of a scenario"):
        sandbox.call("POST", "/expect", {"fired": {"lost": 1}})
    sandbox.assert_fired()
