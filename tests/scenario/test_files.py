"""Scenario files: every mistake at once, each at its place; and the gallery, whose stories each show their point."""

from math import sqrt
from pathlib import Path

import pytest

from cnx_mock import ControlError, MockServer, Sandbox, SourceError
from cnx_mock.scenario.gallery import UnknownScenario
from tests.conftest import INSTANCE, Client

GALLERY = ["calm", "flaky-network", "insufficient-credits", "lost-response", "rate-limited", "slow-provisioning"]


def findings(sandbox: Sandbox, path: Path) -> list[str]:
    """What is said of a bad file, each finding as line:col: message."""
    with pytest.raises(SourceError) as refusal:
        sandbox.use(path)
    lines = str(refusal.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_an_unknown_error_code_names_every_code_there_is(sandbox, write):
    (line,) = findings(sandbox, write("rules: [{fault: {error: RATE_LIMITD}}]\n"))
    assert line.startswith("1:25: 'error' must be one of: BAD_REQUEST, FORBIDDEN,")
    assert line.endswith("did you mean 'RATE_LIMITED'? (or use status: alone)")


def test_a_bad_file_changes_nothing(sandbox, api, write):
    sandbox.use("rate-limited")
    findings(sandbox, write("world: {balance: $1.00, rate_limit: 5}\n"))
    assert sandbox.account.rate_limit == "5/min"
    assert sandbox.account.balance == "$100.00"


def test_a_file_that_is_not_there_is_said_to_be_missing(sandbox, write):
    with pytest.raises(SourceError, match=r"missing\.yaml:1:1: cannot be read: No such file"):
        sandbox.use("missing.yaml")


def test_a_misspelt_name_of_the_gallery_gets_the_right_one(sandbox):
    with pytest.raises(UnknownScenario, match="'flaky-netwrk', did you mean 'flaky-network'"):
        sandbox.use("flaky-netwrk")


def test_a_scenario_is_called_as_it_says_or_else_as_its_file(sandbox, write):
    sandbox.use(write("description: fine\n", "stem.yaml"))
    assert sandbox.call("GET", "/scenario")["name"] == "stem"
    sandbox.use(write("name: chosen\n", "stem.yaml"))
    assert sandbox.call("GET", "/scenario")["name"] == "chosen"


def test_an_empty_file_is_a_calm_day(sandbox, api, write):
    sandbox.use(write("# nothing\n"))
    assert api.get("/v1/instances").status == 200


def test_a_rule_without_an_id_is_called_after_its_place(sandbox, write):
    sandbox.use(write("rules:\n  - {id: a, times: 1, fault: {status: 500}}\n  - {fault: {status: 500}}\n"))
    assert [rule["id"] for rule in sandbox.call("GET", "/rules")["data"]] == ["a", "rule-2"]


# ---- several scenarios on top of one another


def test_stacked_scenarios_have_all_rules_in_order_and_single_values_from_the_last(server):
    first = {"name": "one", "world": {"balance": "$1.00", "rate_limit": "7/min"}, "rules": [rule("a"), rule()]}
    second = {"name": "two", "world": {"balance": "$2.00"}, "rules": [rule("b"), rule()]}
    sandbox = server.sandbox([first, second])
    assert [each["id"] for each in sandbox.call("GET", "/rules")["data"]] == ["a", "one:rule-2", "b", "two:rule-2"]
    assert (sandbox.account.balance, sandbox.account.rate_limit) == ("$2.00", "7/min")


def test_stacked_scenarios_cannot_share_an_id(server):
    with pytest.raises(ControlError, match="the id 'a' is used by two of the stacked scenarios"):
        server.sandbox([{"name": "one", "rules": [rule("a")]}, {"name": "two", "rules": [rule("a")]}])


def test_a_stacked_rule_without_an_id_can_be_called_by_its_name(server):
    sandbox = server.sandbox([{"name": "one day", "rules": [rule()]}, {"name": "two", "rules": [rule()]}])
    assert sandbox.call("GET", "/rules/one-day%3Arule-1")["id"] == "one-day:rule-1"


def rule(rule_id: str | None = None) -> dict[str, object]:
    return {"fault": {"latency": "0s"}} | ({} if rule_id is None else {"id": rule_id})


# ---- the gallery


def test_the_gallery_is_good_and_says_what_each_story_shows(sandbox):
    stories = {story["name"]: story["description"] for story in sandbox.call("GET", "/scenarios")["data"]}
    assert set(GALLERY) <= set(stories)
    assert all(stories.values())


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("scenarios/*.yaml")), ids=lambda path: path.stem)
def test_every_story_of_the_gallery_begins_with_what_it_teaches(path):
    header = path.read_text(encoding="utf-8").split("\ndescription:")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "# Teaches: " in header


def test_calm_nothing_goes_wrong(server, client):
    sandbox, api = told("calm", server, client)
    instance = api.create()
    assert api.get(f"/v1/instances/{instance['id']}").status == 200
    assert api.delete(f"/v1/instances/{instance['id']}").status == 200
    assert sandbox.call("GET", "/rules")["data"] == []


def test_insufficient_credits_the_first_create_is_the_documented_error(server, client):
    _, api = told("insufficient-credits", server, client)
    reply = api.post("/v1/instances", INSTANCE)
    assert reply.status == 403
    assert reply.json == {
        "error": {
            "code": "INSUFFICIENT_CREDITS",
            "message": "Account balance is below minimum threshold.",
            "details": {"current_balance": "$2.45", "required": "$5.00"},
            "request_id": reply.headers["x-request-id"],
        }
    }


def test_rate_limited_five_a_minute_then_an_honest_wait(server, client):
    sandbox, api = told("rate-limited", server, client)
    remaining = [api.get("/v1/instances").headers["x-ratelimit-remaining"] for _ in range(5)]
    assert remaining == ["4", "3", "2", "1", "0"]
    refused = api.get("/v1/instances")
    assert (refused.status, refused.error["code"]) == (429, "RATE_LIMITED")
    sandbox.clock.advance(f"{refused.headers['retry-after']}s")
    assert api.get("/v1/instances").status == 200


def test_slow_provisioning_instances_take_two_minutes(server, client):
    sandbox, api = told("slow-provisioning", server, client)
    sandbox.clock.freeze()
    path = f"/v1/instances/{api.create()['id']}"
    sandbox.clock.advance("1m59s")
    assert api.get(path).json["status"] == "provisioning"
    sandbox.clock.advance("1s")
    assert api.get(path).json["status"] == "running"


def test_lost_response_the_instance_exists_and_the_client_never_hears_of_it(server, client):
    _, api = told("lost-response", server, client)
    with pytest.raises(ConnectionResetError):
        api.post("/v1/instances", INSTANCE)
    assert [each["name"] for each in api.get("/v1/instances").json["data"]] == [INSTANCE["name"]]
    assert api.post("/v1/instances", INSTANCE).status == 201


def test_flaky_network_one_call_in_five_and_the_same_ones_again(server, client):
    first, second = a_bad_day(server, client, 400), a_bad_day(server, client, 400)
    assert first == second
    bad = sum(1 for outcome in first if outcome != "good")
    assert abs(bad - 400 / 5) < 3.29 * sqrt(400 * 0.2 * 0.8)  # 99.9 %
    assert {"reset", "slow"} < set(first)


def a_bad_day(server: MockServer, client: type[Client], calls: int) -> list[str]:
    """What becomes of so many calls; the slow ones are spared their wait, which changes no draw."""
    sandbox = server.sandbox("flaky-network", name="a bad day", seed=5)
    sandbox.account.rate_limit = "100000/min"
    sandbox.call("PATCH", "/rules/slow", {"fault": {"latency": ["0s", "1ms"]}})
    api = client(sandbox.url, sandbox.api_key)
    for _ in range(calls):
        try:
            api.get("/v1/instances")
        except ConnectionResetError:
            continue
    return [entry.faults[0].rule if entry.faults else "good" for entry in sandbox.requests]


def told(story: str, server: MockServer, client: type[Client]) -> tuple[Sandbox, Client]:
    sandbox = server.sandbox(story)
    return sandbox, client(sandbox.url, sandbox.api_key)
