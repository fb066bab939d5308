"""`cnx-mock shrink`, as people use it: a random run fails, and the few faults that matter are found."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import commands
from tests.cli.test_run import environment
from tests.commands import COMMAND

pytestmark = pytest.mark.slow

SECONDS = 60  # more than anything here takes; only a test that fails waits so long

NOISY = """
rules:
  - {id: bad, match: {method: GET}, probability: 0.4, fault: {error: INTERNAL_ERROR}}
  - {id: slow, probability: 0.5, fault: {latency: [1ms, 3ms]}}
  - {id: lost, match: {operation: instances.create}, probability: 0.9, at: after, fault: {connection: reset}}
"""
CLIENT = """
import json, os, urllib.error, urllib.request

BODY = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}

def call(method, path, body=None):
    headers = {"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"], "Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["CLOUDNEXUS_BASE_URL"] + path, body, headers, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)

for _ in range(6):
    try:
        call("GET", "/v1/plans")
    except OSError:
        pass  # it can do without
call("POST", "/v1/instances", json.dumps(BODY).encode())
"""


def cnx_mock(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, *map(str, words)]
    options: dict[str, Any] = {"cwd": folder, "env": environment(), "capture_output": True, "text": True}
    return commands.run(command, timeout=SECONDS, check=False, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A noisy scenario, and a client that fails where its create has no answer, and minds nothing else."""
    (tmp_path / "noisy.yaml").write_text(NOISY)
    (tmp_path / "client.py").write_text(CLIENT)
    return tmp_path


def test_a_failing_random_run_offers_the_line_that_finds_the_one_fault_that_matters(folder: Path) -> None:
    failing = cnx_mock(folder, "run", "--scenario", "noisy.yaml", "--seed", 3, "--", sys.executable, "client.py")
    assert failing.returncode == 1
    offered = re.search(r"cnx-mock:   cnx-mock (shrink .*)", failing.stderr)
    assert offered, failing.stderr
    fired = sum(map(int, re.findall(r"fired ([0-9]+) time", failing.stderr)))
    assert fired > 2

    shrunk = cnx_mock(folder, *offered[1].split())
    assert shrunk.returncode == 0, shrunk.stderr
    assert shrunk.stdout.startswith(f"1 of {fired} faults makes CMD fail (exit status 1), ")
    assert "`POST /v1/instances` #1: connection=reset after commit (rule lost)" in shrunk.stdout
    written = yaml.safe_load((folder / ".cnx-mock" / "shrunk.yaml").read_text())
    [rule] = written["rules"]
    assert rule["match"] == {"operation": "instances.create"}
    assert (rule["times"], rule["at"], rule["fault"]) == ({"only": [1]}, "after", {"connection": "reset"})

    line = shrunk.stdout.splitlines()[-1].split()
    assert line[:2] == ["cnx-mock", "run"]
    again = cnx_mock(folder, *line[1:])
    assert again.returncode == 1
    assert re.findall(r"fired [0-9]+ time.*", again.stderr) == ["fired 1 time: connection=reset"]


def test_a_delay_that_was_drawn_is_written_down_as_it_was(folder: Path) -> None:
    (folder / "slow.yaml").write_text("rules: [{probability: 0.9, fault: {latency: [300ms, 400ms]}}]")
    (folder / "client.py").write_text(CLIENT.replace("timeout=5", "timeout=0.15"))
    options = ("--scenario", "slow.yaml", "--output", "found.yaml", "--seed", 1)
    shrunk = cnx_mock(folder, "shrink", *options, "--", sys.executable, "client.py")
    assert shrunk.returncode == 0, shrunk.stderr
    [rule] = yaml.safe_load((folder / "found.yaml").read_text())["rules"]
    assert re.fullmatch("[0-9.]+m?s", rule["fault"]["latency"])


def test_what_is_left_behind_is_a_failure_where_that_is_asked_for(folder: Path) -> None:
    (folder / "leaves.yaml").write_text(
        "provisioning: {polls: 0}\n"
        "rules:\n"
        "- {id: stays, match: {operation: instances.delete}, fault: {error: INTERNAL_ERROR}}\n"
        "- {id: slow, fault: {latency: 1ms}}\n"
    )
    tidy = 'call("DELETE", "/v1/instances/" + made["id"])'
    source = CLIENT.replace('call("POST"', 'made = call("POST"') + f"try:\n    {tidy}\nexcept OSError:\n    pass\n"
    (folder / "client.py").write_text(source)
    options = ("--scenario", "leaves.yaml", "--expect-clean")
    shrunk = cnx_mock(folder, "shrink", *options, "--", sys.executable, "client.py")
    assert shrunk.stdout.startswith("1 of 8 faults makes CMD fail (exit status 0, and something is left), ")
    assert "(rule stays)" in shrunk.stdout


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("", ["--scenario", "noisy.yaml"], "CMD does not fail: give the --scenario, --seed and --key of the run"),
        (
            "raise SystemExit(4)",
            ["--scenario", "noisy.yaml"],
            "CMD fails without any fault as well (exit status 4): the faults are not the cause",
        ),
        (
            "raise SystemExit('no such file: deploy.toml')",
            ["--scenario", "noisy.yaml"],
            "the faults are not the cause\n  no such file: deploy.toml\n",
        ),
        ("", [], "there is nothing to shrink without a scenario"),
        ("", ["--scenario", "nobody.yaml"], "nobody.yaml"),
        ("", ["--scenario", "noisy.yaml", "--output", "."], "is a directory"),
        ("", ["--scenario", "noisy.yaml", "--timeout", "soon"], "must be a duration"),
    ],
)
def test_what_cannot_be_shrunk_is_told_so(folder: Path, source: str, options: Sequence[str], message: str) -> None:
    (folder / "client.py").write_text(source)
    done = cnx_mock(folder, "shrink", *options, "--", sys.executable, "client.py")
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / ".cnx-mock").exists()


def test_a_program_that_is_not_there_is_127(folder: Path) -> None:
    assert cnx_mock(folder, "shrink", "--scenario", "noisy.yaml", "--", "./nobody").returncode == 127
