"""What a page needs of the control plane to show a sandbox: its usage, what is under way, its story, and its words."""

from typing import Any

import pytest
import yaml

from cnx_mock import MockServer, Sandbox, dashboard
from tests import commands
from tests.conftest import Client

STORY = {
    "name": "three-acts",
    "phases": [{"name": "calm", "for": "2m"}, {"name": "storm", "until": {"requests": 3}}, {"name": "after"}],
    "rules": [{"id": "down", "when": {"phase": "storm"}, "fault": {"error": "INTERNAL_ERROR"}}],
    "expect": {"fired": {"down": 3}},
}


def call(api: Client, method: str, path: str, body: Any = None) -> Any:
    reply = api.call(method, f"/_mock{path}", body)
    assert reply.status < 300, reply.body
    return reply.json


def test_the_usage_shows_what_is_charged_and_does_not_count_as_a_request(api: Client) -> None:
    api.create(plan="pro")
    first, second = call(api, "GET", "/usage"), call(api, "GET", "/usage")
    assert (first["charged"], first["hourly"], first["monthly"]) == ("$0.04", "$0.04", "$29.20")
    assert first["balance"] == "$99.96"
    assert first["rate_window"]["used"] == second["rate_window"]["used"] == 1
    assert 0 < second["rate_window"]["resets_in_ms"] <= 60_000
    assert first["rate_window"]["limit"] - first["rate_window"]["remaining"] == 1


def test_a_fleet_that_is_made_when_it_is_read_costs_what_its_instances_cost(api: Client) -> None:
    call(api, "PUT", "/state", {"accounts": [{"name": "Fleet"}], "generate": {"instances": 40}})
    hourly = call(api, "GET", "/usage")["hourly"]
    prices = {each["id"]: each["price_hourly_cents"] for each in api.get("/v1/plans").json["data"]}
    cents = sum(prices[each["plan"]] for each in call(api, "GET", "/instances")["data"])
    assert hourly == f"${cents / 100:.2f}"


def test_what_was_taken_away_is_not_a_charge(api: Client) -> None:
    call(api, "PATCH", "/account", {"balance": "$5.00"})
    assert call(api, "GET", "/usage")["charged"] == "$0.00"


@pytest.mark.parametrize("style", ["anchored", "aligned", "sliding"])
def test_a_look_at_the_window_opens_none(api: Client, style: str) -> None:
    call(api, "PATCH", "/readings", {"rate-window": style})
    empty = call(api, "GET", "/usage")["rate_window"]
    assert (empty["used"], empty["resets_in_ms"], empty["resets_at"]) == (0, 0, None)
    api.get("/v1/plans")
    api.get("/v1/plans")
    window = call(api, "GET", "/usage")["rate_window"]
    assert window["used"] == 2
    assert window["resets_at"]
    call(api, "POST", "/clock/advance", {"by": "61s"})
    assert call(api, "GET", "/usage")["rate_window"]["used"] == 0


def test_what_is_under_way_says_when_it_is_ready(api: Client, sandbox: Sandbox) -> None:
    made = api.create()
    [item] = call(api, "GET", "/provisioning")["data"]
    assert (item["kind"], item["id"], item["status"]) == ("instance", made["id"], "provisioning")
    assert item["began"] < item["ready_at"]
    sandbox.clock.advance("2m")
    assert call(api, "GET", "/provisioning")["data"] == []


def test_what_never_becomes_ready_has_no_instant(api: Client) -> None:
    call(api, "PUT", "/rules/never", {"fault": {"provisioning": "never"}})
    api.create()
    assert call(api, "GET", "/provisioning")["data"][0]["ready_at"] is None


def test_a_story_shows_its_phases_and_where_it_is(api: Client) -> None:
    assert call(api, "GET", "/story")["index"] is None
    call(api, "PUT", "/scenario", STORY)
    story = call(api, "GET", "/story")
    assert [(each["name"], each["seconds"], each["requests"]) for each in story["phases"]] == [
        ("calm", 120.0, None),
        ("storm", None, 3),
        ("after", None, None),
    ]
    assert (story["index"], story["requests"], story["repeat"]) == (0, 0, False)


def test_a_jump_begins_a_phase_and_leaves_the_clock(api: Client, sandbox: Sandbox) -> None:
    call(api, "PUT", "/scenario", STORY)
    call(api, "PATCH", "/clock", {"frozen": True})
    before = call(api, "GET", "/clock")["now"]
    assert call(api, "POST", "/story/jump", {"phase": "storm"})["index"] == 1
    assert call(api, "GET", "/clock")["now"] == before
    assert [api.get("/v1/plans").status for _ in range(4)] == [500, 500, 500, 200]
    assert call(api, "GET", "/story")["index"] == 2


@pytest.mark.parametrize(
    ("scenario", "phase", "words"),
    [(STORY, "strom", "did you mean 'storm'?"), ({"name": "flaky-network"}, "storm", "has no phases")],
)
def test_a_jump_to_nowhere_is_refused(api: Client, scenario: dict[str, Any], phase: str, words: str) -> None:
    call(api, "PUT", "/scenario", scenario)
    reply = api.post("/_mock/story/jump", {"phase": phase})
    assert reply.status == 400
    assert words in str(reply.json["error"]["details"])


@pytest.mark.parametrize("story", [None, STORY, {"name": "flapping"}, {"name": "lost-response"}])
def test_the_file_of_what_is_in_force_is_accepted(api: Client, tmp_path: Any, story: Any) -> None:
    if story is not None:
        call(api, "PUT", "/scenario", story)
    call(api, "POST", "/rules", {"match": {"operation": "instances.create"}, "times": 1, "fault": {"status": 503}})
    file = call(api, "GET", "/story/file")
    path = tmp_path / file["name"]
    path.write_text(file["yaml"])
    done = commands.run([commands.COMMAND, "scenarios", "check", path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert yaml.safe_load(file["yaml"])["rules"][0]["fault"] == {"status": 503}


def test_a_rule_that_was_removed_is_neither_in_the_file_nor_expected(api: Client) -> None:
    call(api, "PUT", "/scenario", STORY)
    call(api, "DELETE", "/rules/down")
    assert {"rules", "expect"} & yaml.safe_load(call(api, "GET", "/story/file")["yaml"]).keys() == set()


def test_every_operation_that_a_rule_can_match_is_listed(server: MockServer, client: type[Client]) -> None:
    listed = client(server.url).get("/_mock/operations").json["data"]
    assert {
        "name": "instances.create",
        "method": "POST",
        "path": "/v1/instances",
        "summary": "Create a new instance.",
    } in listed


def test_the_control_plane_lists_its_own_calls(server: MockServer, client: type[Client]) -> None:
    listed = {(each["method"], each["path"]) for each in client(server.url).get("/_mock/calls").json["data"]}
    assert {("GET", "/_mock/calls"), ("GET", "/_mock/audit"), ("POST", "/_mock/rules")} <= listed
    assert ("GET", "/_mock/demo") not in listed


def test_every_example_of_a_fault_is_a_rule_that_is_taken(api: Client) -> None:
    listed = call(api, "GET", "/faults")["data"]
    assert {each["key"] for each in listed} >= {"error", "connection", "latency", "body", "headers"}
    for each in listed:
        assert call(api, "POST", "/rules", {"fault": each["example"]})["rule"]["fault"] == each["example"]


def test_the_files_of_the_page_are_listed_for_a_browser_and_not_for_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    files, listed = dashboard.files, []

    def list_files() -> Any:
        listed.append("once")
        return files()

    monkeypatch.setattr(dashboard, "files", list_files)
    with MockServer() as server:
        sandbox = server.sandbox()
        sandbox.call("GET", "/state")
        assert listed == []
        assert Client(server.url).get("/_mock/").status == Client(server.url).get("/_mock/ui/app.js").status == 200
    assert listed == ["once"]
