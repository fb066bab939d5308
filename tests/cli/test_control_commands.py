"""`cnx-mock inject`, `rules`, `clock`, `state` and `scenario use|show|drop`: a running server, steered from a
terminal."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnx_mock import MockServer, Sandbox
from cnx_mock.cli.inject import FAULT, RULE
from cnx_mock.scenario import faults
from cnx_mock.scenario.models import RuleModel
from cnx_mock.world.keys import EXAMPLE_KEY
from tests import commands
from tests.cases import cases
from tests.commands import COMMAND
from tests.conftest import INSTANCE, Client


class Terminal:
    """Runs commands against one sandbox, in one folder."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._options = ["--url", sandbox.url, "--key", sandbox.api_key]
        self.folder = folder

    def run(self, *words: str) -> Any:
        return commands.run(
            [COMMAND, *words, *self._options], capture_output=True, text=True, timeout=30, cwd=self.folder
        )

    def prints(self, *words: str) -> str:
        """What a command prints that succeeds without a warning."""
        done = self.run(*words)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return str(done.stdout)

    def refused(self, *words: str) -> str:
        """What a command says that cannot do it."""
        done = self.run(*words)
        assert (done.returncode, done.stdout) == (2, "")
        return str(done.stderr)


@pytest.fixture
def terminal(sandbox: Sandbox, tmp_path: Path) -> Terminal:
    return Terminal(sandbox, tmp_path)


# ---- inject and rules


def test_an_injected_error_strikes_twice_and_is_over(terminal: Terminal, api: Client) -> None:
    assert terminal.prints("inject", "instances.create", "--error", "INTERNAL_ERROR", "--times", "2") == "inject-1\n"
    assert [api.post("/v1/instances", INSTANCE).status for _ in range(3)] == [500, 500, 201]


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--status", "503"], {"fault": {"status": 503}}),
        (["plans.list", "regions.list", "--latency", "[1ms, 2ms]"], {"fault": {"latency": ["1ms", "2ms"]}}),
        (["--headers", "{set: {X-Version: 1.10}}"], {"fault": {"headers": {"set": {"X-Version": "1.10"}}}}),
        (["--error", "RATE_LIMITED", "--retry-after", "2s", "--message", "5"], {"fault": {"message": "5"}}),
        (["--match", "{method: GET}", "--sequence", "[pass, {status: 500}]", "--then", "repeat"], {"then": "repeat"}),
        (["--probability", "0.5", "--ttl", "5m", "--id", "mine", "--body", "malformed_json"], {"id": "mine"}),
    ],
)
def test_every_word_of_a_rule_can_be_an_option(
    terminal: Terminal, sandbox: Sandbox, options: list[str], rule: dict[str, Any]
) -> None:
    name = terminal.prints("inject", *options).strip()
    written = sandbox.call("GET", f"/rules/{name}")["rule"]
    for key, value in rule.items():
        assert written[key] == value or value.items() <= written[key].items()


def test_there_is_an_option_for_every_key_of_the_language() -> None:
    assert sorted(FAULT) == faults.keys()
    assert {*RULE, "fault"} == set(RuleModel.model_fields)


def test_rules_injected_one_after_the_other_stay(terminal: Terminal, sandbox: Sandbox) -> None:
    assert terminal.prints("inject", "plans.list", "--status", "503") == "inject-1\n"
    assert terminal.prints("inject", "regions.list", "--status", "503") == "inject-2\n"
    assert terminal.prints("rules", "remove", "inject-1") == "removed inject-1\n"
    assert terminal.prints("inject", "images.list", "--status", "503") == "inject-1\n"
    assert [line.split() for line in terminal.prints("rules").splitlines()][1:] == [
        ["inject-2", "injected", "0", "no", "request", "came"],
        ["inject-1", "injected", "0", "no", "request", "came"],
    ]
    assert terminal.prints("rules", "clear") == "removed 2 rules\n"
    assert terminal.prints("rules", "list") == "no rules\n"


def test_a_rule_that_cannot_be_is_one_line(terminal: Terminal) -> None:
    said = terminal.refused("inject", "instance.create", "--error", "INTERNAL_EROR")
    assert "did you mean 'INTERNAL_ERROR'?" in said
    assert "match.operation: no operation is called 'instance.create', did you mean 'instances.create'?" in said
    twice = terminal.refused(
        "inject", "plans.list", "--match", "{operation: instances.create}", "--error", "INTERNAL_ERROR"
    )
    assert twice == "cnx-mock: match.operation: is given twice: leave one out\n"
    assert said.count("\n") == 1
    assert terminal.refused("inject", "plans.list").startswith("cnx-mock: fault: is empty: name at least one of")
    assert terminal.refused("inject", "--latency", "[1s").startswith("--latency:1:4: the list needs ',' or ']' here\n")
    assert terminal.refused("rules", "remove", "inject-7") == (
        "cnx-mock: no rule is called 'inject-7' (there are no rules)\n"
    )


def test_a_rule_that_can_never_fire_is_added_with_a_warning(terminal: Terminal) -> None:
    done = terminal.run("inject", "--status", "503", "--probability", "0")
    assert (done.returncode, done.stdout) == (0, "inject-1\n")
    assert done.stderr == "cnx-mock: inject-1: 'probability' is 0: the rule can never fire\n"


# ---- clock


def test_the_clock_moves_as_it_is_told(terminal: Terminal, sandbox: Sandbox) -> None:
    sandbox.call("PATCH", "/clock", {"now": "2035-01-01T00:00:00Z", "frozen": True})
    before = sandbox.clock.now
    assert terminal.prints("clock").endswith("  frozen\n")
    terminal.prints("clock", "advance", "1m30s")
    assert (sandbox.clock.now - before).total_seconds() == 90
    assert terminal.prints("clock", "speed", "60").endswith("  frozen\n")
    assert terminal.prints("clock", "set", "2036-05-01T00:00:00Z") == "2036-05-01T00:00:00.000Z  frozen\n"
    assert terminal.prints("clock", "unfreeze").endswith("  speed 60\n")
    assert terminal.prints("clock", "freeze") == terminal.prints("clock", "show")


def test_what_a_clock_cannot_do_is_one_line(terminal: Terminal) -> None:
    without_unit = terminal.refused("clock", "advance", "45")
    assert without_unit.endswith("Error: Invalid value for 'DURATION': needs a unit: write 45s or 45ms\n")
    assert "not '-45s' (it cannot be negative)" in terminal.refused("clock", "advance", "-45s")
    assert terminal.refused("clock", "speed", "-2") == "cnx-mock: speed: must be above 0\n"
    assert terminal.refused("clock", "set", "2020-01-01T00:00:00Z") == (
        "cnx-mock: now: a sandbox's time never goes back\n"
    )
    assert terminal.refused("clock", "speed", "0") == "cnx-mock: speed: must be above 0\n"


# ---- scenario


def test_a_scenario_is_put_into_force_shown_and_dropped(terminal: Terminal, api: Client) -> None:
    said = "insufficient-credits: The account is nearly empty; the first create is refused.\n"
    assert terminal.prints("scenario", "use", "insufficient-credits") == said
    assert api.post("/v1/instances", INSTANCE).status == 403
    shown = yaml.safe_load(terminal.prints("scenario", "show"))
    assert shown["name"] == "insufficient-credits"
    assert terminal.prints("scenarios", "drop") == "no scenario is active\n"


def test_scenarios_stack_and_the_phase_is_shown(terminal: Terminal, sandbox: Sandbox) -> None:
    assert terminal.prints("scenarios", "use", "recovery", "lost-response").startswith("recovery + lost-response: ")
    assert [rule["id"] for rule in sandbox.call("GET", "/rules")["data"]] == ["down", "still-shaky", "lost"]
    assert terminal.prints("scenarios", "show").startswith("# in phase outage since ")


def test_a_file_is_read_here_with_the_fixture_beside_it(terminal: Terminal, sandbox: Sandbox) -> None:
    (terminal.folder / "world.yaml").write_text("accounts: [{balance: '$7.00'}]\n")
    (terminal.folder / "story.yaml").write_text("world: {fixture: world.yaml}\n")
    assert terminal.prints("scenario", "use", "story.yaml") == "story\n"
    assert sandbox.account.balance == "$7.00"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [{match: {operation: instance.list}, fault: {status: 500}}]", "story.yaml:1:29: 'operation': no op"),
        ("rules:\n  - fault: {latencey: 2s}\n", "story.yaml:2:13: unknown key 'latencey', did you mean 'latency'?"),
        ("world: {fixture: nowhere.yaml}", "story.yaml:1:18: 'fixture': nowhere.yaml: no such file"),
    ],
)
def test_what_is_wrong_with_a_file_has_its_place(terminal: Terminal, text: str, said: str) -> None:
    (terminal.folder / "story.yaml").write_text(text)
    assert terminal.refused("scenario", "use", "story.yaml").startswith(said)


def test_a_file_that_can_never_act_is_used_with_a_warning(terminal: Terminal) -> None:
    (terminal.folder / "idle.yaml").write_text("rules: [{fault: {status: 500}, probability: 0}]\n")
    done = terminal.run("scenario", "use", "idle.yaml")
    assert (done.returncode, done.stdout) == (0, "idle\n")
    assert done.stderr.startswith("idle.yaml:1:45: 'probability' is 0: the rule can never fire\n")


def test_a_name_and_a_server_are_one_too_many(terminal: Terminal) -> None:
    assert terminal.refused("scenario", "show", "calm") == (
        "cnx-mock: leave calm out to show the current scenario of a server, or leave --url and --key out\n"
    )


# ---- state


@pytest.mark.parametrize(("name", "number"), [("small-team", 5), ("fleet", 500)])
def test_a_world_can_be_loaded_saved_and_loaded_again(
    terminal: Terminal, sandbox: Sandbox, name: str, number: int
) -> None:
    assert terminal.prints("state", "load", name) == f"loaded {name}: {number} instances\n"
    sandbox.clock.freeze()
    saved = terminal.prints("state")
    (terminal.folder / "world.json").write_text(saved)
    assert terminal.prints("state", "reset") == "reset\n"
    assert sandbox.state()["accounts"] != json.loads(saved)["accounts"]
    assert terminal.prints("state", "load", "world.json") == f"loaded world.json: {number} instances\n"
    assert terminal.prints("state", "show") == saved


def test_a_fixture_that_cannot_be_used_has_its_place(terminal: Terminal) -> None:
    (terminal.folder / "world.yaml").write_text("accounts: [{balanse: '$7.00'}]\n")
    said = terminal.refused("state", "load", "world.yaml")
    assert said.startswith("world.yaml:1:13: unknown key 'balanse', did you mean 'balance'?")
    assert terminal.refused("state", "load", "smal-team").startswith(
        "cnx-mock: no fixture is called 'smal-team', did you mean 'small-team'?"
    )


# ---- all of them


def test_the_sandbox_is_that_of_the_key_that_serve_prints() -> None:
    with MockServer() as server:
        done = commands.run(
            [COMMAND, "inject", "plans.list", "--status", "503", "--url", server.url], capture_output=True, text=True
        )
        assert (done.returncode, done.stdout) == (0, "inject-1\n")
        assert Client(server.url, EXAMPLE_KEY).get("/v1/plans").status == 503


@cases("command", ["clock", "rules", "state", "scenario show", "scenario drop", "inject --status 503"])
def test_without_a_server_each_says_how_to_start_one(command: str) -> None:
    words = [COMMAND, *command.split(), "--url", "http://127.0.0.1:1"]
    done = commands.run(words, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cnx-mock: no cnx-mock answers at http://127.0.0.1:1: ")
    assert done.stderr.endswith("; start one with `cnx-mock serve`, or give the URL of a running one\n")


@cases("command", ["clock", "rules", "state", "scenario use calm", "inject --status 503"])
def test_a_live_key_is_not_sent_nor_repeated(command: str) -> None:
    live = "cnx_live_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
    done = commands.run([COMMAND, *command.split(), "--key", live], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a live key is never accepted" in done.stderr
    assert live not in done.stderr


def test_the_index_of_the_control_plane_leads_on(server: MockServer, client: type[Client]) -> None:
    api = client(server.url)
    index = api.get("/_mock").json
    assert {"health", "sandboxes", "docs"} <= set(index)
    pages = {name: path for name, path in index.items() if name != "events"}  # a stream does not end
    assert {api.get(path).status for path in pages.values()} == {200}


def test_two_callers_get_two_ids(sandbox: Sandbox) -> None:
    ids = [sandbox.call("POST", "/rules", {"fault": {"status": 503}})["id"] for _ in range(2)]
    assert ids == ["inject-1", "inject-2"]
    assert sandbox.call("POST", "/rules", {"id": "mine", "fault": {"status": 503}})["id"] == "mine"
