"""`Sandbox`: a world's handles in Python. The client under test speaks HTTP meanwhile."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import ControlError, MockServer, Sandbox, ScenarioWarning, SourceError
from cnx_mock.scenario import gallery
from cnx_mock.services import operations
from tests.cases import cases
from tests.waiting import until


def statuses(api: Any, count: int, path: str = "/v1/instances") -> list[int]:
    return [api.get(path).status for _ in range(count)]


def test_env_leads_a_client_to_its_sandbox(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox()
    assert sandbox.env == {"CLOUDNEXUS_BASE_URL": sandbox.url, "CLOUDNEXUS_API_KEY": sandbox.api_key}
    client(sandbox.env["CLOUDNEXUS_BASE_URL"], sandbox.env["CLOUDNEXUS_API_KEY"]).create()
    assert len(sandbox.requests) == 1


def test_it_shows_no_more_of_its_key_than_the_end(sandbox: Sandbox) -> None:
    assert repr(sandbox) == f"<Sandbox …{sandbox.api_key[-4:]} at {sandbox.url}>"


# ---- use


def stories(folder: Path) -> list[Any]:
    """One story in every form in which people give it."""
    file = folder / "limited.yaml"
    file.write_text("world: {rate_limit: 5/min}\n")
    known = gallery.load("rate-limited", operations())
    return ["rate-limited", file, str(file), {"world": {"rate_limit": "5/min"}}, {"name": "rate-limited"}, known]


def test_a_story_is_a_name_a_path_a_dict_or_a_scenario(server: MockServer, client: Any, tmp_path: Path) -> None:
    for story in stories(tmp_path):
        used, made = server.sandbox(), server.sandbox(story)
        used.use(story)
        with MockServer(story) as other:
            sandboxes = [used, made, other.sandbox()]
            replies = [client(each.url, each.api_key).get("/v1/instances") for each in sandboxes]
        assert [reply.headers["x-ratelimit-limit"] for reply in replies] == ["5", "5", "5"], story


def test_a_file_that_says_nothing_is_a_story_too(sandbox: Sandbox, api: Any, tmp_path: Path) -> None:
    sandbox.use("rate-limited")
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    with pytest.warns(ScenarioWarning, match="does nothing"):
        sandbox.use(tmp_path / "empty.yaml")
    assert sandbox.call("GET", "/scenario")["name"] == "empty"


def test_several_stories_stack(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox(["insufficient-credits", {"world": {"rate_limit": "7/min"}}])
    reply = client(server.url, sandbox.api_key).post(
        "/v1/instances", {"name": "a", "plan": "pro", "region": "us-east-1", "image": "debian-12"}
    )
    assert reply.error["code"] == "INSUFFICIENT_CREDITS"
    assert reply.headers["x-ratelimit-limit"] == "7"


def test_a_new_story_replaces_the_former_and_leaves_injected_rules(sandbox: Sandbox, api: Any) -> None:
    sandbox.use({"rules": [{"id": "old", "fault": {"status": 503}}]})
    sandbox.inject("plans.list", error="INTERNAL_ERROR")
    sandbox.use("calm")
    assert api.get("/v1/instances").status == 200
    assert api.get("/v1/plans").status == 500


def test_a_bad_story_changes_nothing(sandbox: Sandbox, api: Any, tmp_path: Path) -> None:
    sandbox.use({"rules": [{"fault": {"status": 503}}]})
    (tmp_path / "bad.yaml").write_text("rules:\n  - falt: {status: 500}\n")
    with pytest.raises(SourceError, match=r"bad\.yaml:2:5: .*did you mean 'fault'"):
        sandbox.use(tmp_path / "bad.yaml")
    with pytest.raises(LookupError, match="did you mean 'calm'"):
        sandbox.use("clam")
    with pytest.raises(ControlError, match="did you mean 'world'") as caught:
        sandbox.use({"wrld": {}})
    assert (caught.value.status, caught.value.code) == (400, "VALIDATION_ERROR")
    assert api.get("/v1/instances").status == 503


# ---- inject


def test_a_rule_counts_what_it_meant_and_what_it_did(sandbox: Sandbox, api: Any) -> None:
    rule = sandbox.inject("instances.list", error="INTERNAL_ERROR", times=2)
    assert statuses(api, 3) == [500, 500, 200]
    assert api.get("/v1/plans").status == 200
    assert (rule.matched, rule.fired) == (3, 2)


def test_a_rule_in_a_with_block_ends_with_it_and_still_says_what_it_did(sandbox: Sandbox, api: Any) -> None:
    with sandbox.inject("instances.*", status=503) as rule:
        assert statuses(api, 2) == [503, 503]
    assert api.get("/v1/instances").status == 200
    assert (rule.matched, rule.fired) == (2, 2)
    assert sandbox.call("GET", "/rules")["data"] == []


def test_a_rule_may_be_gone_before_its_with_block_ends(sandbox: Sandbox) -> None:
    with sandbox.inject(latency="0s") as rule:
        rule.remove()
    with sandbox.inject(latency="0s"):
        sandbox.reset()


def test_a_rule_may_look_at_more_than_the_operation(sandbox: Sandbox, api: Any) -> None:
    sandbox.inject(match={"method": "GET", "path": "/v1/plans/*"}, status=418)
    sandbox.inject(["instances.create", "instances.delete"], match={"body": {"name": "bad-*"}}, status=503, id="bad")
    assert api.get("/v1/plans/pro").status == 418
    assert api.get("/v1/plans").status == 200
    assert api.post("/v1/instances", {"name": "bad-1"}).status == 503
    assert sandbox.requests[-1].faults[0].rule == "bad"


def test_an_effect_may_happen_although_its_answer_is_an_error(sandbox: Sandbox, api: Any) -> None:
    sandbox.inject("instances.create", error="INTERNAL_ERROR", at="after", times=1)
    body = {"name": "a", "plan": "pro", "region": "us-east-1", "image": "debian-12"}
    assert api.post("/v1/instances", body).status == 500
    assert api.get("/v1/instances").json["pagination"]["total"] == 1
    assert [call.committed for call in sandbox.requests] == [True, False]


@pytest.mark.filterwarnings("ignore::cnx_mock.ScenarioWarning")  # it is meant never to fire
def test_never_is_a_probability_too(sandbox: Sandbox, api: Any) -> None:
    rule = sandbox.inject(error="INTERNAL_ERROR", probability=0)
    assert statuses(api, 5) == [200] * 5
    assert (rule.matched, rule.fired) == (5, 0)


@cases(
    ("arguments", "words", "problem"),
    [
        (["instances.crate"], {"error": "INTERNAL_ERROR"}, "did you mean 'instances.create'"),
        ([], {"error": "INTERNAL_ERRO"}, "did you mean 'INTERNAL_ERROR'"),
        ([], {"latncy": "1s"}, "did you mean 'latency'"),
        ([], {"latency": 200}, "needs a unit"),
        ([], {"connection": "rest"}, "did you mean 'reset'"),
        ([], {"status": 500, "at": "aftr"}, "did you mean 'after'"),
        ([], {"status": 500, "probability": 2}, "probability"),
        ([], {"status": 500, "times": 0}, "times"),
        ([], {"status": 500, "match": {"metod": "GET"}}, "did you mean 'method'"),
        ([], {"status": 500, "connection": "reset"}, "second outcome"),
        ([], {}, "empty"),
    ],
)
def test_a_rule_that_no_file_could_hold_is_refused(
    sandbox: Sandbox, arguments: list[str], words: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ControlError, match=problem):
        sandbox.inject(*arguments, **words)
    assert sandbox.call("GET", "/rules")["data"] == []


# ---- clock, account, instances


def test_advance_has_happened_when_it_returns(sandbox: Sandbox, api: Any) -> None:
    instance = api.create()
    assert instance["status"] == "provisioning"
    sandbox.clock.advance("60s")
    assert api.get(f"/v1/instances/{instance['id']}").json["status"] == "running"


def test_a_frozen_clock_moves_only_when_it_is_told(sandbox: Sandbox) -> None:
    sandbox.clock.freeze()
    before = sandbox.clock.now
    assert before.tzinfo == dt.UTC
    sandbox.clock.advance("1m30s")
    assert sandbox.clock.now - before == dt.timedelta(seconds=90)
    sandbox.clock.unfreeze()
    sandbox.clock.speed = 1000
    assert sandbox.clock.speed == 1000
    until(lambda: sandbox.clock.now - before >= dt.timedelta(seconds=91))
    with pytest.raises(ControlError, match="needs a unit"):
        sandbox.clock.advance("5")
    with pytest.raises(ControlError, match="speed"):
        sandbox.clock.speed = 0


def test_the_account_is_what_it_was_told_to_be(sandbox: Sandbox, api: Any) -> None:
    account = sandbox.account
    assert (account.plan, account.balance, account.rate_limit) == ("professional", "$100.00", "300/min")
    account.plan = "starter"
    assert account.rate_limit == "60/min"
    account.rate_limit = "2/min"
    assert statuses(api, 3) == [200, 200, 429]
    account.balance = "$5.03"
    assert account.balance == "$5.03"
    account.scopes = ["instances:read"]
    assert account.scopes == ["instances:read"]
    account.rate_limit = "100/min"
    assert api.post("/v1/instances", {}).error["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [("plan", "profesional", "did you mean 'professional'"), ("balance", 5.03, "balance"), ("rate_limit", 5, "rate")],
)
def test_the_account_takes_no_nonsense(sandbox: Sandbox, name: str, value: Any, problem: str) -> None:
    with pytest.raises(ControlError, match=problem):
        setattr(sandbox.account, name, value)


def test_instances_can_be_there_from_the_start(sandbox: Sandbox, api: Any) -> None:
    added = sandbox.instances.add(name="web-1", status="running", tags=["web"])
    sandbox.instances.add()
    [found] = api.get("/v1/instances?tags=web").json["data"]
    assert (found["id"], found["name"], found["status"]) == (added["id"], "web-1", "running")
    assert found["ipv4"]
    assert sandbox.instances.set_status(added["id"], "stopped")["status"] == "stopped"
    assert [each["id"] for each in api.get("/v1/instances?status=stopped").json["data"]] == [added["id"]]
    with pytest.raises(ControlError, match="did you mean 'stopped'"):
        sandbox.instances.add(status="stoped")


# ---- the journal, and back to the start


def test_the_journal_tells_the_whole_story_of_a_call(sandbox: Sandbox, api: Any) -> None:
    sandbox.inject("instances.create", latency="1ms", id="slow")
    sandbox.inject("instances.delete", status=503, id="other")
    created = api.create(name="web-1")
    api.get("/v1/instances?tags=web&limit=1")
    create, listed = sandbox.requests

    assert (create.seq, create.method, create.path, create.operation) == (
        1,
        "POST",
        "/v1/instances",
        "instances.create",
    )
    assert (create.status, create.committed, create.delayed_ms) == (201, True, 1.0)
    assert create.duration_ms is not None and create.duration_ms >= 1
    assert [(each.rule, each.fault) for each in create.faults] == [("slow", "latency=1ms")]
    assert [(each.rule, each.fired) for each in create.decisions] == [("slow", True), ("other", False)]
    assert "instances.delete" in create.decisions[1].reason
    assert '"name": "web-1"' in (create.request_body or "")
    assert created["id"] in (create.response_body or "")
    assert ["x-request-id", create.request_id] in create.response_headers
    assert sandbox.api_key not in str(create), "only the end of the key is kept"
    assert (listed.query, listed.status, listed.committed) == ("tags=web&limit=1", 200, False)


def test_reset_puts_everything_back(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox({"world": {"rate_limit": "50/min", "clock": {"start": "2026-01-01T00:00:00Z"}}})
    api = client(server.url, sandbox.api_key)
    first = api.create()
    sandbox.inject(error="INTERNAL_ERROR")
    sandbox.use("rate-limited")
    sandbox.account.balance = "$0.00"
    sandbox.clock.advance("300d")
    sandbox.reset()
    assert sandbox.requests == []
    assert sandbox.account.balance == "$100.00"
    assert sandbox.clock.now.year == 2026 and sandbox.clock.now.month == 1
    assert api.get("/v1/instances").headers["x-ratelimit-limit"] == "50"
    assert api.create()["id"] == first["id"]
    assert sandbox.inject(latency="0s").id == "inject-1"
