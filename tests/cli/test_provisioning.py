"""How long provisioning takes under `serve` and `run`: the option, and what the summary of `run` says about waiting."""

import sys
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox, Settings
from cnx_mock.audit.call import calls_of
from cnx_mock.cli.provisioning_wait import provisioning_wait, wait_lines
from cnx_mock.scenario.scenario import Scenario, read_scenario
from cnx_mock.services import operations
from tests import commands
from tests.audit.journal import create, delete, journal, read
from tests.cases import cases
from tests.commands import COMMAND
from tests.conftest import INSTANCE, Client

SECOND = 1_000_000


def status_after(provisioning: str, by: str, scenario: Any = None, reads: int = 0) -> str:
    """The status of a new instance on a frozen clock, after so long and so many reads."""
    with MockServer(settings=Settings(port=0, provisioning=provisioning)) as server:
        sandbox = server.sandbox(scenario)
        sandbox.clock.freeze()
        return _status(sandbox, by, reads)


def _status(sandbox: Sandbox, by: str, reads: int = 0) -> str:
    api = Client(sandbox.url, sandbox.api_key)
    path = f"/v1/instances/{api.create()['id']}"
    sandbox.clock.advance(by)
    for _ in range(reads):
        api.get(path)
    return str(api.get(path).json["status"])


@cases(
    ("provisioning", "by", "status"),
    [
        ("2s", "1s", "provisioning"),
        ("2s", "2s", "running"),
        ("3s..5s", "2999ms", "provisioning"),
        ("3s..5s", "5s", "running"),
        ("never", "100d", "provisioning"),
        ("polls:1", "0s", "provisioning"),
        ("", "29s", "provisioning"),
        ("", "60s", "running"),
    ],
)
def test_the_option_says_how_long(provisioning: str, by: str, status: str) -> None:
    assert status_after(provisioning, by) == status


def test_polls_count_reads() -> None:
    assert status_after("polls:2", "0s", reads=1) == "provisioning"
    assert status_after("polls:2", "0s", reads=2) == "running"


def test_a_scenario_comes_before_the_option() -> None:
    assert status_after("2s", "2s", {"provisioning": {"instance": "9s"}}) == "provisioning"
    assert status_after("9s", "2s", {"provisioning": {"instance": "2s"}}) == "running"
    assert status_after("2s", "2s", {"provisioning": {"instance": {"then": "stopped"}}}) == "stopped"


def test_the_option_outlasts_a_loaded_world() -> None:
    with MockServer(settings=Settings(port=0, provisioning="2s")) as server:
        sandbox = server.sandbox()
        sandbox.load("empty")
        sandbox.clock.freeze()
        assert _status(sandbox, "2s") == "running"


# ---- what `run` says


def waited(*entries: Any) -> float:
    """The seconds that a client with these calls waited."""
    return round(provisioning_wait(calls_of(journal(*entries))) / SECOND)


@cases(
    ("calls", "seconds"),
    [
        ([create(at="0s"), read(at="20s"), read(state="running", at="41s")], 41),
        ([create(at="0s"), read(at="20s")], 20),
        ([create(at="0s"), delete(at="30s")], 0),
        ([read(state="running", at="0s"), read(state="running", at="30s")], 0),
        ([create(at="0s"), read(state="running", at="5s"), read(state="running", at="60s")], 5),
        ([create(at="0s"), create(number=2, at="1s"), read(at="40s"), read(2, "running", at="50s")], 50),
        ([create(at="0s"), read(state="running", at="10s"), create(number=2, at="60s"), read(2, at="75s")], 25),
    ],
)
def test_a_wait_is_from_an_answer_to_the_next_read_and_counts_once(calls: list[Any], seconds: float) -> None:
    assert waited(*calls) == seconds


FASTER = "--speed 60 makes the sandbox's clock faster"


@pytest.mark.parametrize(
    ("milliseconds", "settings", "scenario", "line"),
    [
        (41_200, {}, {}, f"waited 41s for provisioning: {FASTER}, --provisioning polls:1 makes one poll enough"),
        (61_000, {}, {"provisioning": {"instance": "2m"}}, f"waited 1m1s for provisioning: {FASTER}"),
        (2_000, {"provisioning": "2s"}, {}, f"waited 2s for provisioning: {FASTER}"),
        (2_000, {"provisioning": "2s", "speed": 10.0}, {}, "waited 2s for provisioning: --speed 600 makes the"),
    ],
)
def test_the_line_names_the_options_that_would_help(
    milliseconds: int, settings: dict[str, Any], scenario: dict[str, Any], line: str
) -> None:
    [said] = wait_lines(milliseconds * 1000, Settings(**settings), read_scenario(scenario, operations()))
    assert said.startswith(line)


def test_a_wait_that_nobody_notices_is_not_told() -> None:
    assert list(wait_lines(SECOND - 1, Settings(), Scenario())) == []


POLLS = """
import json, os, sys, time, urllib.request
url, key = os.environ["CLOUDNEXUS_BASE_URL"] + "/v1/instances", os.environ["CLOUDNEXUS_API_KEY"]
def call(path="", body=None):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    return json.load(urllib.request.urlopen(urllib.request.Request(url + path, body, headers)))
made = call(body=json.dumps(INSTANCE).encode())
while call("/" + made["id"])["status"] == "provisioning":
    time.sleep(0.2)
""".replace("INSTANCE", repr(INSTANCE))


@pytest.mark.slow
def test_run_says_how_long_the_program_waited_and_one_poll_is_no_wait(tmp_path: Path) -> None:
    (tmp_path / "polls.py").write_text(POLLS)
    said = {}
    for provisioning in ("1100ms", "polls:1"):
        command = [COMMAND, "run", "--provisioning", provisioning, "--", sys.executable, "polls.py"]
        done = commands.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        said[provisioning] = done.stderr
    assert f"cnx-mock: waited 1s for provisioning: {FASTER}\n" in said["1100ms"]
    assert "waited" not in said["polls:1"]
