"""Scenario files: every mistake at once, each at its place; and several scenarios stacked."""

from pathlib import Path

import pytest

from cnx_mock import ControlError, Sandbox, ScenarioWarning, SourceError
from cnx_mock.errors import UnknownFixture, UnknownScenario


def problems(sandbox: Sandbox, path: Path) -> list[str]:
    """Return the problems of a bad file, each as line:col: message."""
    with pytest.raises(SourceError) as error:
        sandbox.use(path)
    lines = str(error.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_an_unknown_error_code_is_answered_with_every_known_code(sandbox, write):
    (line,) = problems(sandbox, write("rules: [{fault: {error: RATE_LIMITD}}]\n"))
    assert line.startswith("1:25: 'error' must be one of: BAD_REQUEST, FORBIDDEN,")
    assert line.endswith("did you mean 'RATE_LIMITED'? (or use status: alone)")


def test_a_bad_file_changes_nothing(sandbox, api, write):
    sandbox.use("rate-limited")
    problems(sandbox, write("world: {balance: $1.00, rate_limit: 5}\n"))
    assert sandbox.account.rate_limit == "5/min"
    assert sandbox.account.balance == "$100.00"


def test_a_file_that_does_not_exist_is_reported(sandbox, write):
    with pytest.raises(SourceError, match=r"^missing\.yaml: no such file$"):
        sandbox.use("missing.yaml")


def test_a_file_of_almost_that_name_is_suggested(sandbox, write, tmp_path, monkeypatch):
    write("rules: []\n", "friday.yaml")
    write("rules: []\n", "other.yaml")
    (tmp_path / "thing").write_text("")
    monkeypatch.chdir(tmp_path)
    for name, hint in (
        ("friday.yml", "friday.yml: no such file, did you mean 'friday.yaml'?"),
        ("./fridya.yaml", "fridya.yaml: no such file, did you mean 'friday.yaml'?"),
        ("nothing.yaml", "nothing.yaml: no such file"),
        ("friday", "no scenario is called 'friday'; the file in this folder is written ./friday.yaml"),
        ("thing", "no scenario is called 'thing'; the file in this folder is written ./thing"),
    ):
        with pytest.raises((SourceError, UnknownScenario)) as refused:
            sandbox.use(name)
        assert str(refused.value) == hint
    with pytest.raises(UnknownFixture, match=r"'friday'; the file in this folder is written \./friday\.yaml"):
        sandbox.load("friday")


def test_a_misspelt_name_of_the_gallery_gets_the_right_one(sandbox):
    with pytest.raises(UnknownScenario, match="'flaky-netwrk', did you mean 'flaky-network'"):
        sandbox.use("flaky-netwrk")


def test_a_scenario_has_the_name_that_it_gives_or_else_its_files(sandbox, write):
    sandbox.use(write("description: fine\n", "stem.yaml"))
    assert sandbox.call("GET", "/scenario")["name"] == "stem"
    sandbox.use(write("name: chosen\n", "stem.yaml"))
    assert sandbox.call("GET", "/scenario")["name"] == "chosen"


def test_an_empty_file_is_a_calm_day(sandbox, api, write):
    with pytest.warns(ScenarioWarning, match="does nothing"):
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
