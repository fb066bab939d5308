"""`cnx-mock sweep`, as people use it: the real command around small real clients, most of them with one defect."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

COMMAND = Path(sys.executable).with_name("cnx-mock")
CLIENTS = Path(__file__).parents[1] / "audit" / "clients"
SECONDS = 60  # more than anything here takes; only a test that fails waits so long


def environment(**more: str) -> dict[str, str]:
    """The test's own, but for what would change how the command behaves."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CNX_MOCK_")} | more


def sweep(folder: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """`cnx-mock sweep` with these arguments, two runs at a time."""
    done = subprocess.run(
        [COMMAND, "sweep", "-j", "2", *map(str, arguments)],
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def client(name: str) -> list[object]:
    """A CMD: one of the clients beside the audit's tests."""
    return ["--", sys.executable, CLIENTS / f"sweep_{name}.py"]


def cells(folder: Path, *arguments: object) -> dict[tuple[str, int, str], str]:
    """The verdicts by call and fault, as the JSON report says them."""
    sweep(folder, "--report", "sweep.json", *arguments)
    found = json.loads((folder / "sweep.json").read_bytes())["cells"]
    return {(cell["operation"], cell["ordinal"], cell["fault"]): cell["verdict"] for cell in found}


# ---- verdicts


def test_a_client_that_creates_again_without_looking_duplicates(tmp_path: Path) -> None:
    done = sweep(tmp_path, "--faults", "reset,reset-after", *client("recreates"))
    assert done.returncode == 1
    said = (
        "duplicated: `POST /v1/instances` #1, reset after commit: your client retried and left 2 instances named web-1"
    )
    assert said in done.stdout
    assert "1 duplicated, 1 survived" in done.stdout


def test_a_client_that_does_not_tidy_up_leaks(tmp_path: Path) -> None:
    found = cells(tmp_path, "--faults", "error", *client("leaves"))
    assert found == {
        ("instances.create", 1, "error"): "failed cleanly",
        ("billing.balance", 1, "error"): "leaked",
        ("instances.delete", 1, "error"): "leaked",
    }


def test_a_client_that_swallows_errors_loses_what_it_reports(tmp_path: Path) -> None:
    found = cells(tmp_path, "--faults", "error,reset-after", *client("swallows"))
    assert found == {
        ("instances.create", 1, "error"): "lost",
        ("instances.create", 1, "reset-after"): "survived",
    }


def test_a_client_that_waits_for_ever_hangs(tmp_path: Path) -> None:
    found = cells(tmp_path, "--faults", "never-ready", "--timeout", "1500ms", *client("polls"))
    assert found == {("instances.create", 1, "never-ready"): "hung"}


def test_a_client_that_retries_at_once_hammers_which_fails_only_if_asked_for(tmp_path: Path) -> None:
    asked = ["--faults", "outage", *client("storms")]
    assert cells(tmp_path, *asked) == {("instances.list", 1, "outage"): "hammered"}
    assert sweep(tmp_path, *asked).returncode == 0
    assert sweep(tmp_path, "--fail-on", "hammered,lost", *asked).returncode == 1


def test_a_careful_client_has_no_bad_cell(tmp_path: Path) -> None:
    faults = "error,error-after,reset-after,truncate,no-credits,never-ready"
    found = cells(tmp_path, "--faults", faults, "--timeout", "20s", *client("careful"))
    assert len(found) > 6
    assert set(found.values()) == {"survived", "failed cleanly"}
    assert found["instances.create", 1, "reset-after"] == "survived"
    assert found["instances.create", 1, "no-credits"] == "failed cleanly"


# ---- what it writes


def test_the_line_of_a_bad_cell_shows_it_again(tmp_path: Path) -> None:
    sweep(tmp_path, "--faults", "error", "--report", "sweep.json", *client("swallows"))
    [cell] = json.loads((tmp_path / "sweep.json").read_bytes())["cells"]
    assert cell["reproduce"].startswith("cnx-mock run --scenario .cnx-mock/sweep/instances.create-1-error.yaml -- ")
    again = cell["reproduce"].replace("cnx-mock", str(COMMAND), 1)
    done = subprocess.run(
        again, shell=True, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0
    assert "INTERNAL_ERROR" in done.stderr


def test_scenario_files_go_where_they_are_wanted(tmp_path: Path) -> None:
    sweep(tmp_path, "--faults", "error", "--scenarios", "found", *client("swallows"))
    assert [each.name for each in (tmp_path / "found").iterdir()] == ["instances.create-1-error.yaml"]


def test_reports_say_the_same_in_every_form(tmp_path: Path) -> None:
    names = ("a.html", "a.json", "a.xml")
    reports = [word for name in names for word in ("--report", name)]
    command = ["--", sys.executable, CLIENTS / "sweep_swallows.py", "<script>&"]
    assert sweep(tmp_path, "--faults", "error,hang-after", *reports, *command).returncode == 1
    page, data, junit = ((tmp_path / name).read_text("utf-8") for name in names)
    assert "<script" not in page
    assert "&lt;script&gt;&amp;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert [cell["verdict"] for cell in json.loads(data)["cells"]] == ["lost", "survived"]
    suites = ElementTree.fromstring(junit)
    assert (suites.get("tests"), suites.get("failures")) == ("2", "1")
    failure = suites.find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.get("type") == "lost"


def test_an_earlier_report_accepts_what_it_knows_and_nothing_else(tmp_path: Path) -> None:
    sweep(tmp_path, "--faults", "error", "--report", "old.json", *client("swallows"))
    known = sweep(tmp_path, "--faults", "error", "--baseline", "old.json", *client("swallows"))
    assert known.returncode == 0
    assert "lost (known): " in known.stdout
    assert sweep(tmp_path, "--faults", "error,reset", "--baseline", "old.json", *client("swallows")).returncode == 1


def test_pairs_and_a_limit_of_runs(tmp_path: Path) -> None:
    asked = ["--faults", "error,reset", "--operations", "!billing.*", *client("leaves")]
    assert "8 runs" in sweep(tmp_path, "--pairs", *asked).stdout
    assert "3 runs" in sweep(tmp_path, "--pairs", "--max-runs", "3", *asked).stdout


def test_the_matrix_is_coloured_on_a_terminal_only(tmp_path: Path) -> None:
    assert "\x1b[" not in sweep(tmp_path, "--faults", "error", *client("swallows")).stdout
    ours, theirs = pty.openpty()
    command = [COMMAND, "sweep", "--faults", "error", *map(str, client("swallows"))]
    more = {"TERM": "xterm"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(**more), stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = _everything(ours)
    assert process.wait(SECONDS) == 1
    assert "\x1b[1;31mLOST\x1b[0m" in shown


def _everything(terminal: int) -> str:
    """What a terminal shows until its last writer is gone."""
    parts = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:  # how Linux says so
        pass
    os.close(terminal)
    return b"".join(parts).decode()


# ---- what the user can mend


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--", "false"], 2, "CMD fails without any fault (exit status 1)"),
        (["--", "true"], 2, "CMD makes no calls to the mock: it must take its base URL from CLOUDNEXUS_BASE_URL"),
        (["--", "no-such-program"], 127, "no-such-program: command not found"),
        (["--report", "a.txt", "--", "true"], 2, "a report's name ends in .html, .json, or .xml"),
        (["--report", "nowhere/a.json", "--", "true"], 2, "there is no folder nowhere"),
        (["--faults", "rset", "--", "true"], 2, "no fault is called 'rset', did you mean 'reset'?"),
        (["--operations", "instance.create", "--", "true"], 2, "no operation is called 'instance.create'"),
        (["--fail-on", "leakd", "--", "true"], 2, "no verdict is called 'leakd', did you mean 'leaked'?"),
        (["--baseline", "none.json", "--", "true"], 2, "none.json: No such file"),
        (["--timeout", "soon", "--", "true"], 2, "Invalid value for '--timeout'"),
        (["--timeout", "0s", "--", "true"], 2, "must be longer than 0s"),
        (["--scenario", "nope", "--", "true"], 2, "nope"),
        ([], 2, "Missing argument"),
    ],
)
def test_bad_input_is_told_before_anything_runs(arguments: list[Any], status: int, said: str, tmp_path: Path) -> None:
    done = sweep(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [1]}', '{"cells": [{"operation": "x"}]}'])
def test_a_baseline_that_is_no_report_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(text)
    done = sweep(tmp_path, "--baseline", "old.json", "--", "true")
    assert done.returncode == 2


def test_a_client_that_differs_each_time_is_told_where(tmp_path: Path) -> None:
    (tmp_path / "varies.py").write_text(
        "import os, sys\nsys.path.insert(0, os.environ['CLIENTS'])\nfrom sweep_cloud import BODY, call\n"
        "call('POST', '/v1/instances', BODY | {'name': f'web-{os.getpid()}'})\n"
    )
    command = ["--", sys.executable, "varies.py"]
    done = sweep(tmp_path, "--faults", "reset", *command, CLIENTS=str(CLIENTS))
    assert done.returncode == 0
    assert "two runs without faults differ" in done.stderr
    assert "POST /v1/instances #1 was sent with another body" in done.stderr


def test_ctrl_c_says_what_is_known_and_leaves_nothing_running(tmp_path: Path) -> None:
    asked = ["--faults", "error,never-ready", "--timeout", "50s", *client("polls")]
    process = subprocess.Popen(
        [COMMAND, "sweep", *map(str, asked)],
        cwd=tmp_path,
        env=environment(MARK=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "instances.create-1-error: " in line:  # the next run is one that waits
            break
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "stopped" in out
    assert "POST /v1/instances #1" in out
    assert not _marked(str(tmp_path))


def _marked(mark: str) -> list[str]:
    """The processes that still have the mark in their environment, where the system shows that."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"MARK={mark}".encode() in each.read_bytes().split(b"\0"):
                found.append(each.parent.name)
        except OSError:
            continue
    return found
