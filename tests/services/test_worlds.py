"""Fixtures: worlds as files, loaded in every way that a user has."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnx_mock import ControlError, MockServer, Sandbox, Settings, SourceError
from cnx_mock.services.worlds import load, shipped_fixtures
from tests.cases import cases

TEAM = {"production": "5a11000000000000000000000000000a", "ci": "5a11000000000000000000000000000b"}

WORLD: dict[str, Any] = {
    "clock": {"start": "2026-03-01T12:00:00Z", "frozen": True},
    "accounts": [
        {
            "name": "Acme",
            "balance": "$20.00",
            "instances": [
                {"name": "web", "plan": "pro", "age": "3h"},
                {"name": "old", "status": "stopped"},
                {"name": "new", "status": "provisioning", "age": "1s"},
            ],
            "snapshots": [{"name": "before", "instance": "web", "age": "1h"}],
            "firewalls": [{"name": "fw", "instance_ids": ["web"]}],
        }
    ],
}


@pytest.fixture(scope="module")
def team() -> Any:
    """A server whose new sandboxes start from `small-team`."""
    with MockServer(fixture="small-team") as running:
        yield running


def test_every_shipped_fixture_is_good_and_says_what_it_is() -> None:
    assert shipped_fixtures() == ["empty", "fleet", "small-team"]
    assert all(load(name).description for name in shipped_fixtures())


def test_a_listed_key_opens_its_account_and_every_other_key_a_copy(team: MockServer, client: Any) -> None:
    production, ci = (client(team.url, f"cnx_test_{digits}") for digits in TEAM.values())
    other = client(team.url, "cnx_test_" + "9" * 32)
    production.create(name="shared")
    assert ci.get("/v1/instances").json["pagination"]["total"] == 6
    assert other.get("/v1/instances").json["pagination"]["total"] == 5
    assert other.get("/v1/account").json["name"] == "Brightwork Ltd"


def test_keys_have_the_scopes_and_the_status_of_the_file(team: MockServer, client: Any) -> None:
    ci = client(team.url, f"cnx_test_{TEAM['ci']}")
    assert ci.get("/v1/network/firewall").error["code"] == "FORBIDDEN"
    former = client(team.url, "cnx_test_5a11000000000000000000000000000c")
    assert former.get("/v1/instances").details == {"reason": "revoked_key"}


def test_what_the_file_says_is_there(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox(fixture=WORLD)
    api = client(sandbox.url, sandbox.api_key)
    web, old, new = api.get("/v1/instances").json["data"]
    assert [each["status"] for each in (web, old, new)] == ["running", "stopped", "provisioning"]
    assert web["created_at"] == "2026-03-01T09:00:00Z"
    [snapshot] = api.get("/v1/snapshots").json["data"]
    assert (snapshot["source_instance_id"], snapshot["status"]) == (web["id"], "available")
    assert [each["id"] for each in api.get("/v1/network/firewall").json["data"]] == web["firewall_ids"]


def test_the_balance_is_what_is_left_when_all_is_paid(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox(fixture=WORLD)
    api = client(sandbox.url, sandbox.api_key)
    assert api.get("/v1/billing/balance").json["balance"] == "$20.00"
    charged = [each["amount_cents"] for each in api.get("/v1/billing/transactions?limit=100").json["data"]]
    assert sum(charged) == 2000
    sandbox.clock.advance("1h")
    assert api.get("/v1/billing/balance").json["balance_cents"] == 2000 - 4 - 1 - 1


@pytest.mark.parametrize("fixture", [WORLD, "empty", "small-team", "fleet"], ids=["by hand", "empty", "team", "fleet"])
def test_what_goes_out_comes_back_identical(server: MockServer, client: Any, fixture: Any) -> None:
    first, second = server.sandbox(fixture=fixture), server.sandbox()
    first.clock.freeze()
    written = first.state()
    second.load(written)
    again = second.state()
    for state in (written, again):
        state["accounts"][0].pop("keys")  # each keeps the key that opens it
    assert again == written
    one, two = client(first.url, first.api_key), client(second.url, second.api_key)
    for path in ("/v1/instances?limit=100", "/v1/snapshots", "/v1/network/firewall", "/v1/billing/transactions"):
        assert one.get(path).body == two.get(path).body


def test_a_sandbox_goes_on_as_if_nothing_had_happened(server: MockServer, client: Any) -> None:
    first, second = server.sandbox(), server.sandbox()
    for sandbox in (first, second):
        sandbox.load(WORLD)
    one, two = client(first.url, first.api_key), client(second.url, second.api_key)
    second.load(first.state())
    for api in (one, two):
        api.create(name="next")
    first.clock.advance("2h")
    second.clock.advance("2h")
    ids = [each["id"] for each in one.get("/v1/instances").json["data"]]
    assert ids == [each["id"] for each in two.get("/v1/instances").json["data"]]
    detail = f"/v1/instances/{ids[0]}"
    assert one.get(detail).body == two.get(detail).body


def test_putting_a_state_turns_the_clock_back(sandbox: Sandbox) -> None:
    sandbox.load(WORLD)
    before = sandbox.state()
    sandbox.clock.advance("30d")
    sandbox.load(before)
    assert sandbox.clock.now.isoformat() == "2026-03-01T12:00:00+00:00"


def test_a_file_in_yaml_or_json_is_loaded_by_path(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(yaml.safe_dump(WORLD))
    (tmp_path / "world.json").write_text(json.dumps(WORLD))
    for name in ("world.yaml", "world.json"):
        sandbox.load(tmp_path / name)
        assert len(sandbox.state()["accounts"][0]["instances"]) == 3


def test_a_scenario_names_its_world(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox({"world": {"fixture": "small-team", "balance": "$7.00"}})
    api = client(sandbox.url, sandbox.api_key)
    assert api.get("/v1/instances").json["pagination"]["total"] == 5
    assert api.get("/v1/account").json["balance"] == "$7.00"


def test_a_living_sandbox_takes_a_world_only_while_it_is_untouched(sandbox: Sandbox, api: Any) -> None:
    sandbox.use({"world": {"fixture": "small-team"}})
    assert api.get("/v1/instances").json["pagination"]["total"] == 5
    with pytest.raises(ControlError, match="untouched"):
        sandbox.use({"world": {"fixture": "empty"}})


def test_a_reset_brings_the_fixture_back(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox(fixture="small-team")
    api = client(sandbox.url, sandbox.api_key)
    api.create()
    sandbox.reset()
    assert api.get("/v1/instances").json["pagination"]["total"] == 5


@pytest.mark.slow
def test_a_fleet_is_the_same_for_the_same_seed_and_another_for_another(server: MockServer) -> None:
    fleets = [server.sandbox(fixture="fleet", name="fleet", seed=seed).state() for seed in (1, 1, 2)]
    names = [[each["name"] for each in fleet["accounts"][0]["instances"]] for fleet in fleets]
    assert len(names[0]) == 500
    assert names[0] == names[1] != names[2]


def test_a_spread_is_weights(server: MockServer) -> None:
    spread = {"region": {"us-east-1": 3, "eu-west-1": 1}, "status": {"stopped": 1}, "tags": {"web": 1}}
    state = server.sandbox(fixture={"generate": {"instances": 400, "spread": spread}}).state()
    made = state["accounts"][0]["instances"]
    assert {each["region"] for each in made} == {"us-east-1", "eu-west-1"}
    assert 250 < sum(each["region"] == "us-east-1" for each in made) < 350
    assert {(each["status"], *each["tags"]) for each in made} == {("stopped", "web")}


BAD = """\
accounts:
  - name: Acme
    balnce: "$1.00"
    instances:
      - {name: web, plan: po}
      - {name: web 2}
    firewalls:
      - {name: fw, default_inbound: drop}
"""


def test_everything_wrong_with_a_file_is_said_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    with pytest.raises(SourceError) as caught:
        load(str(tmp_path / "bad.yaml"))
    assert [(each.line, each.column) for each in caught.value.problems] == [(3, 5), (5, 27), (6, 16), (8, 37)]
    assert "did you mean 'balance'?" in str(caught.value)


@cases(
    ("account", "place"),
    [
        ({"firewalls": [{"name": "f", "instance_ids": ["nobody"]}]}, "firewalls[0].instance_ids[0]"),
        ({"snapshots": [{"instance": "nobody"}]}, "snapshots[0].instance"),
        ({"instances": [{"name": "a", "image": "snap_0000000000000000"}]}, "instances[0].image"),
        ({"keys": [{"key": "cnx_live_" + "0" * 32}]}, "keys[0].key"),
        ({"keys": [{"key": "cnx_test_" + "0" * 32, "scopes": ["instance:read"]}]}, "keys[0].scopes[0]"),
        ({"quotas": {"instance": 1}}, "quotas.instance"),
    ],
)
def test_what_leads_nowhere_is_refused_and_nothing_is_changed(sandbox: Sandbox, account: Any, place: str) -> None:
    sandbox.load(WORLD)
    before = sandbox.state()
    with pytest.raises(ControlError) as caught:
        sandbox.load({"accounts": [account]})
    assert any(name.startswith(f"accounts[0].{place}") for name in caught.value.details)
    assert sandbox.state() == before


def test_an_id_that_is_there_twice_is_refused(sandbox: Sandbox) -> None:
    twice = {"name": "web", "id": "inst_0123456789abcdef"}
    with pytest.raises(ControlError, match="is already used"):
        sandbox.load({"accounts": [{"instances": [twice, twice]}]})


def test_an_unknown_name_is_answered_with_the_near_one(sandbox: Sandbox) -> None:
    with pytest.raises(LookupError, match="did you mean 'small-team'"):
        sandbox.load("small-teem")
    with pytest.raises(ControlError, match="did you mean 'fleet'"):
        sandbox.call("PUT", "/state", {"name": "fleets"})


def test_known_keys_are_those_that_the_fixture_lists(client: Any) -> None:
    settings = Settings(port=0, fixture="small-team", known_keys_only=True)
    with MockServer(settings=settings) as running:
        assert client(running.url, f"cnx_test_{TEAM['ci']}").get("/v1/instances").status == 200
        assert client(running.url, "cnx_test_" + "8" * 32).get("/v1/instances").details == {"reason": "unknown_key"}
