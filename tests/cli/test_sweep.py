"""`cnx-mock sweep`, as people use it: the real command around small real programs, each with one defect or none."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests import commands
from tests.cli.test_serve import until
from tests.commands import COMMAND

pytestmark = pytest.mark.slow

SECONDS = 120  # more than anything here takes; only a test that fails waits so long

HEAD = """
import http.client, json, os, sys, time, urllib.error, urllib.request

BASE, KEY = os.environ["CLOUDNEXUS_BASE_URL"], os.environ["CLOUDNEXUS_API_KEY"]
BODY = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
PASSING = (OSError, ValueError, http.client.HTTPException)

def once(method, path, body=None, timeout=1):
    headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(BASE + path, body and json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)
"""

BLIND = """
for attempt in range(2):
    try:
        once("POST", "/v1/instances", BODY)
        break
    except PASSING:
        if attempt: raise
"""
LEAKS = """
made = once("POST", "/v1/instances", BODY)
once("GET", "/v1/plans")
once("DELETE", "/v1/instances/" + made["id"])
"""
SWALLOWS = """
try:
    once("POST", "/v1/instances", BODY)
except PASSING:
    pass
"""
WAITS = 'once("GET", "/v1/plans", timeout=None)'
HAMMERS = """
for attempt in range(4):
    try:
        once("GET", "/v1/plans")
        break
    except PASSING:
        if attempt == 3: raise
"""
CAREFUL = """
def patient(method, path, body=None):
    for attempt in range(4):
        try:
            return once(method, path, body)
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500 or attempt == 3: raise
            told = float(error.headers.get("Retry-After") or 0)
        except PASSING:
            if attempt == 3: raise
            told = 0
        time.sleep(told + 0.05 * 3 ** attempt)

def found():
    page = patient("GET", "/v1/instances?limit=100")
    return [each["id"] for each in page["data"] if each["name"] == BODY["name"]]

def create():
    for attempt in range(4):
        for one in found():
            return one
        try:
            return once("POST", "/v1/instances", BODY)["id"]
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500: raise
            time.sleep(float(error.headers.get("Retry-After") or 0) + 0.05 * 3 ** attempt)
        except PASSING:
            time.sleep(0.05 * 3 ** attempt)
    for one in found():
        return one
    sys.exit("the cloud is down")

create()
"""


def sweep(folder: Path, source: str, *options: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """`cnx-mock sweep` on a program, in a folder."""
    (folder / "client.py").write_text(HEAD + source)
    command = [COMMAND, "sweep", "--timeout", "3s", "-j", "2", *map(str, options), "--", sys.executable, "client.py"]
    return commands.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False, **more)


def verdicts(folder: Path, source: str, *options: object) -> dict[str, str]:
    """The verdicts by the cells' names."""
    sweep(folder, source, "--report", "report.json", *options)
    cells = json.loads((folder / "report.json").read_text())["cells"]
    return {f"{cell['operation']}-{cell['ordinal']}-{cell['fault']}": cell["verdict"] for cell in cells}


# ---- verdicts


def test_a_blind_retry_duplicates(tmp_path: Path) -> None:
    found = verdicts(tmp_path, BLIND, "--faults", "error,error-after,reset-after")
    assert found == {
        "instances.create-1-error": "survived",
        "instances.create-1-error-after": "duplicated",
        "instances.create-1-reset-after": "duplicated",
    }


def test_what_nobody_cleans_up_leaks(tmp_path: Path) -> None:
    found = verdicts(tmp_path, LEAKS, "--faults", "error", "--operations", "plans.*,instances.delete")
    assert found == {"plans.list-1-error": "leaked", "instances.delete-1-error": "leaked"}


def test_an_error_passed_over_loses(tmp_path: Path) -> None:
    assert verdicts(tmp_path, SWALLOWS, "--faults", "reset,reset-after") == {
        "instances.create-1-reset": "lost",
        "instances.create-1-reset-after": "survived",
    }


def test_a_client_without_a_timeout_hangs(tmp_path: Path) -> None:
    assert verdicts(tmp_path, WAITS, "--faults", "hang,error") == {
        "plans.list-1-error": "failed cleanly",
        "plans.list-1-hang": "hung",
    }


def test_retries_at_once_hammer(tmp_path: Path) -> None:
    found = verdicts(tmp_path, HAMMERS, "--faults", "rate-limit")  # Retry-After: a slow machine does not change it
    assert found == {"plans.list-1-rate-limit": "hammered"}


def test_a_careful_client_has_no_bad_cell(tmp_path: Path) -> None:
    patient = ("-j", "6")  # it waits for most of its time
    done = sweep(
        tmp_path, CAREFUL, *patient, "--fail-on", "hung,duplicated,leaked,lost,hammered", "--report", "report.json"
    )
    assert done.returncode == 0, done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    failed = [cell for finding in report["findings"] for cell in finding["cells"]]
    assert {finding["verdict"] for finding in report["findings"]} == {"doubled", "failed cleanly"}
    assert len(failed) == report["verdicts"]["doubled"] + report["verdicts"]["failed cleanly"]
    assert {path.stem for path in (tmp_path / ".cnx-mock" / "sweep").glob("*.yaml")} == set(failed)


def test_a_cell_that_failed_cleanly_has_a_sentence_and_a_line_that_shows_it_again(tmp_path: Path) -> None:
    done = sweep(tmp_path, 'once("GET", "/v1/plans")', "--faults", "error")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    [place] = [number for number, line in enumerate(lines) if line.startswith("failed cleanly: ")]
    assert lines[place].endswith("your client failed (exit status 1) and left nothing of its own behind")
    shown = commands.run([COMMAND, *lines[place + 1].split()[1:]], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 1
    assert "fired 1 time: error=INTERNAL_ERROR" in shown.stderr


# ---- a second run

REMEMBERS = """
from pathlib import Path
state = Path(os.environ["CNX_MOCK_SCRATCH"], "state")
if not state.exists():
    once("POST", "/v1/instances", BODY)
    state.touch()
"""


def test_a_program_that_dies_between_a_create_and_its_own_note_of_it_creates_twice(tmp_path: Path) -> None:
    done = sweep(tmp_path, REMEMBERS, "--crash", "--report", "report.json")
    assert done.returncode == 1
    sentence = "killed after `POST /v1/instances` #1 was committed, then run again: 2 instances named web-1"
    lines = done.stdout.splitlines()
    place = lines.index(f"duplicated: {sentence}")
    assert "4 runs" not in done.stdout
    assert lines[-1] == "2 runs: 1 duplicated, 1 recovered"
    shown = commands.run([COMMAND, *shlex.split(lines[place + 1])[1:]], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0
    assert "CMD was killed after `POST /v1/instances` #1 was committed; it runs again in the same world" in shown.stderr
    assert shown.stderr.count("left behind: instance web-1") == 2
    cells = json.loads((tmp_path / "report.json").read_text())["cells"]
    assert [(each["fault"], each["verdict"]) for each in cells] == [
        ("crash", "recovered"),
        ("crash-after", "duplicated"),
    ]
    assert not (tmp_path / ".cnx-mock").exists()


def test_a_program_that_is_not_meant_to_be_run_twice_is_told_so_and_not_blamed(tmp_path: Path) -> None:
    done = sweep(tmp_path, 'once("POST", "/v1/instances", BODY)', "--crash")
    assert done.returncode == 0
    assert "without any fault, run twice in one world: 2 instances named web-1" in done.stderr
    assert done.stdout.splitlines()[-1] == "2 runs: 2 recovered"


def test_a_run_that_failed_is_made_again_in_its_world(tmp_path: Path) -> None:
    done = sweep(tmp_path, REMEMBERS, "--rerun", "--faults", "error,error-after")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    sentence = "`POST /v1/instances` #1, INTERNAL_ERROR after commit, then run again: 2 instances named web-1"
    place = lines.index(f"duplicated: {sentence}")
    shown = commands.run([COMMAND, *shlex.split(lines[place + 1])[1:]], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0
    assert shown.stderr.count("left behind: instance web-1") == 2


def test_a_program_that_writes_where_it_stands_gets_a_copy_for_each_cell(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "seen").write_text("")
    source = """
if open("seen").read(): sys.exit("somebody was here")
open("mine", "w").write("x")
once("GET", "/v1/plans")
"""
    (tmp_path / "work" / "client.py").write_text(HEAD + source)
    done = sweep(tmp_path, source, "--workdir", "work", "--faults", "error,reset")
    assert done.stdout.splitlines()[-1] == "2 runs: 2 failed cleanly", done.stderr
    assert "--workdir work" in done.stdout
    assert sorted(each.name for each in (tmp_path / "work").iterdir()) == ["client.py", "seen"]


def test_a_client_that_depends_on_a_reading_is_told_which(tmp_path: Path) -> None:
    source = """
made = once("POST", "/v1/instances", BODY)
once("DELETE", "/v1/instances/" + made["id"])["id"]
"""
    done = sweep(tmp_path, source, "--readings", "--report", "r.json", "--report", "r.html", "--report", "r.xml")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    place = lines.index("misread: under the reading delete-answer=200-empty-object: your client failed (exit status 1)")
    assert lines[place + 2].startswith(
        "    cnx-mock run --reading delete-answer=200-empty-object --provisioning polls:1 "
    )
    shown = commands.run([COMMAND, *shlex.split(lines[place + 2])[1:]], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 1
    cells = json.loads((tmp_path / "r.json").read_text())["cells"]
    assert {each["verdict"] for each in cells if each["fault"] == "delete-answer"} == {"misread"}
    assert {each["verdict"] for each in cells if each["fault"] != "delete-answer"} == {"survived"}


POLLS = """
made = once("POST", "/v1/instances", BODY)
for _ in range(5):
    once("GET", "/v1/instances/" + made["id"])
once("DELETE", "/v1/instances/" + made["id"])
"""


def test_of_calls_that_are_alike_the_first_the_second_and_the_last_are_swept(tmp_path: Path) -> None:
    options = ("--faults", "error", "--operations", "instances.get")
    done = sweep(tmp_path, POLLS, *options)
    assert done.stdout.splitlines()[-2:] == [
        "2 cells of calls that are like others left out: --all-calls runs them",
        "3 runs: 3 leaked",
    ]
    assert re.findall(r"GET /v1/instances/\{id\} #(\d)", done.stdout.partition("LEAK leaked")[0]) == ["1", "2", "5"]
    assert sweep(tmp_path, POLLS, *options, "--all-calls").stdout.splitlines()[-1] == "5 runs: 5 leaked"


def test_the_shards_of_a_sweep_are_put_together(tmp_path: Path) -> None:
    options = ("--faults", "error,error-after,reset,reset-after")
    whole = verdicts(tmp_path, BLIND, *options)
    found: dict[str, str] = {}
    for shard in ("1/2", "2/2"):
        report = tmp_path / f"{shard[0]}.json"
        sweep(tmp_path, BLIND, *options, "--shard", shard, "--report", report)
        cells = json.loads(report.read_text())["cells"]
        names = {f"{cell['operation']}-{cell['ordinal']}-{cell['fault']}": cell["verdict"] for cell in cells}
        assert not names.keys() & found.keys()
        found |= names
    assert found == whole
    merged = merge(tmp_path, "1.json", "2.json", "--report", "all.html", "--report", "all.json", "--report", "all.xml")
    assert merged.returncode == 1, merged.stderr
    lines = merged.stdout.splitlines()
    assert lines[-1] == "4 runs: 2 duplicated, 2 survived"
    assert "duplicated: `POST /v1/instances` #1, INTERNAL_ERROR after commit: your client retried" in merged.stdout
    assert sum(line.startswith("duplicated: ") for line in lines) == 1  # one cause, from two machines
    cells = json.loads((tmp_path / "all.json").read_text())["cells"]
    assert {f"{cell['operation']}-{cell['ordinal']}-{cell['fault']}": cell["verdict"] for cell in cells} == whole
    assert "connection=reset" in (tmp_path / "all.html").read_text()
    assert len(list(ElementTree.parse(tmp_path / "all.xml").getroot().iter("testcase"))) == 4


def test_merged_reports_name_scenario_files_of_the_machine_that_merges(tmp_path: Path) -> None:
    for shard in ("1", "2"):
        machine = tmp_path / shard
        machine.mkdir()
        files = machine / "files"
        sweep(
            machine,
            BLIND,
            "--faults",
            "reset-after",
            "--shard",
            f"{shard}/2",
            "--scenarios",
            files,
            "--report",
            "r.json",
        )
        shutil.copy(machine / "r.json", tmp_path / f"{shard}.json")
        shutil.copy(machine / "client.py", tmp_path)
        shutil.rmtree(machine)
    done = merge(tmp_path, "1.json", "2.json", "--scenarios", "here", "--report", "all.json", "--report", "all.html")
    [line] = [line.strip() for line in done.stdout.splitlines() if "cnx-mock run" in line]
    assert line.startswith("cnx-mock run --scenario here/instances.create-1-reset-after.yaml --"), (
        done.stdout + done.stderr
    )
    [cell] = json.loads((tmp_path / "all.json").read_text())["cells"]
    assert cell["reproduce"] == line
    for name in ("all.json", "all.html", "here/instances.create-1-reset-after.yaml"):
        text = (tmp_path / name).read_text()
        assert "here/instances.create-1-reset-after.yaml" in text
        assert str(tmp_path) not in text
    again = commands.run([COMMAND, *shlex.split(line)[1:]], cwd=tmp_path, capture_output=True, text=True)
    assert again.stderr.count("left behind: instance web-1") == 2, again.stderr


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    sweep(tmp_path, BLIND, "--faults", "error", "--shard", "1/2", "--report", "one.json")
    sweep(tmp_path, BLIND, "--faults", "error", "--shard", "2/2", "--seed", "7", "--report", "seven.json")
    sweep(tmp_path, BLIND, "--faults", "error", "--shard", "1/3", "--report", "third.json")
    (tmp_path / "no.json").write_text("{}")
    for files, words in (
        (["one.json"], "the shards are not complete: 2/2 is missing"),
        (["one.json", "one.json"], "1/2 is given twice; 2/2 is missing"),
        (["one.json", "seven.json"], "seven.json does not belong to one.json: the seeds differ"),
        (["one.json", "third.json"], "these are shards of different sweeps: 1/2, 1/3"),
        (["no.json"], "no.json is not a JSON report of `cnx-mock sweep` 0.1.0: command: is required"),
        (["nowhere.json"], "does not exist"),
    ):
        done = merge(tmp_path, *files)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr


def merge(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`cnx-mock sweep-merge`, in a folder."""
    command = [COMMAND, "sweep-merge", *arguments]
    return commands.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_only_new_calls_are_swept_since_an_earlier_report_and_its_bad_cells_still_count(tmp_path: Path) -> None:
    options = ("--faults", "error,reset-after")
    sweep(tmp_path, BLIND, *options, "--report", "before.json")
    later = sweep(
        tmp_path, BLIND + 'once("GET", "/v1/plans")', *options, "--since", "before.json", "--report", "r.json"
    )
    assert later.returncode == 1, later.stderr
    assert "1 run, each at most" in later.stderr
    assert "2 cells not run again: their calls are those of the earlier report" in later.stdout
    assert later.stdout.splitlines()[-1] == "3 runs: 1 duplicated, 1 leaked, 1 survived"
    again = sweep(tmp_path, BLIND + 'once("GET", "/v1/plans")', *options, "--since", "r.json", "--scenarios", "new")
    assert "--scenario new/instances.create-1-reset-after.yaml" in again.stdout
    assert (tmp_path / "new" / "instances.create-1-reset-after.yaml").exists()
    assert again.returncode == 1
    assert again.stdout.splitlines()[-1] == "3 runs: 1 duplicated, 1 leaked, 1 survived"
    other = BLIND.replace("BODY", '{**BODY, "tags": ["a"]}')
    changed = sweep(tmp_path, other, *options, "--since", "before.json")
    assert "2 runs, each at most" in changed.stderr
    more = sweep(tmp_path, BLIND, "--faults", "error,down", "--since", "before.json")
    assert "1 run, each at most" in more.stderr
    for option in ("--crash", "--rerun", "--allow-partial", "--fixture=small-team"):
        refused = sweep(tmp_path, BLIND, option, "--since", "before.json")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == "cnx-mock: --since before.json is the report of another sweep: the options differ\n"


LOOKS_FIRST = """
if not any(each["name"] == "web-1" for each in once("GET", "/v1/instances")["data"]):
    once("POST", "/v1/instances", BODY)
"""


def test_two_copies_that_look_first_create_twice_and_a_line_shows_it_again(tmp_path: Path) -> None:
    done = sweep(tmp_path, LOOKS_FIRST, "--race", "--report", "r.json", "--report", "r.xml", "--report", "r.html")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "2 runs: 2 raced"
    [place] = [number for number, line in enumerate(lines) if line.startswith("raced: ")]
    assert lines[place] == (
        "raced: B's `GET /v1/instances` (B1) and `POST /v1/instances` (B2) came between "
        "A's `GET /v1/instances` (A1) and A's `POST /v1/instances` (A2): 2 instances named web-1"
    )
    again = shlex.split(lines[place + 2])
    assert again[:5] == ["cnx-mock", "run", "--race", "--schedule", "A1 B1 B2 A2"]
    shown = commands.run([COMMAND, *again[1:]], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0
    assert [line.split()[1] for line in shown.stderr.splitlines()[:4]] == ["A1", "B1", "B2", "A2"]
    assert shown.stderr.count("left behind: instance web-1") == 2
    other = [COMMAND, "run", "--race", "--quiet", "--schedule", "A1 B1 B2 B3 A2", "--", sys.executable, "client.py"]
    missed = commands.run(other, cwd=tmp_path, capture_output=True, text=True)
    words = "cnx-mock: schedule 'A1 B1 B2 B3 A2': this order did not happen, the calls came as 'A1 B1 B2 A2'\n"
    assert (missed.returncode, missed.stderr) == (3, words)
    cells = json.loads((tmp_path / "r.json").read_text())["cells"]
    assert {(each["operation"], each["fault"]) for each in cells} == {
        ("instances.create", "b-to-its-end"),
        ("instances.create", "b-until-instances.create-1"),
    }
    known = sweep(tmp_path, LOOKS_FIRST, "--race", "--baseline", "r.json", "--switches", "1")
    assert (known.returncode, known.stdout.splitlines()[-1]) == (0, "1 run: 1 raced")


def test_two_different_programs_race(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(HEAD + 'once("POST", "/v1/instances", BODY)')
    done = sweep(tmp_path, LOOKS_FIRST, "--race", "--with", f"{sys.executable} other.py")
    assert done.returncode == 0, done.stdout  # both orders one after the other are as good: one or two are left
    assert done.stdout.splitlines()[-1].endswith("serial")
    assert "A: POST /v1/instances #1" in done.stdout


@pytest.mark.parametrize("source", ['once("GET", "/v1/plans")', 'once("GET", "/v1/instances")'])
def test_without_calls_that_conflict_there_is_nothing_to_race(tmp_path: Path, source: str) -> None:
    done = sweep(tmp_path, source, "--race")
    assert done.returncode == 0
    assert "nothing to race: in every order, the result is that of one program after the other" in done.stderr


def test_a_program_that_is_never_the_same_twice_cannot_be_swept_so(tmp_path: Path) -> None:
    source = """
with open("runs", "a+") as runs:  # each run makes one more than the one before
    runs.write(".")
    runs.seek(0)
    more = len(runs.read())
for _ in range(more):
    once("POST", "/v1/network/firewall", {"name": "web", "rules": []})
"""
    for way in ("--race", "--crash", "--rerun", "--readings"):
        (tmp_path / "runs").unlink(missing_ok=True)
        done = sweep(tmp_path, source, way)
        assert done.returncode == 2, done.stdout
        assert "cannot be compared" in done.stderr or "nothing can be compared" in done.stderr
        assert "firewall" in done.stderr
        assert done.stderr.endswith("new for each run in the folder CNX_MOCK_SCRATCH, and with --workdir\n")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_the_programs_of_a_race_also_the_one_that_is_stopped(tmp_path: Path) -> None:
    source = """
open(f"pid-{os.getpid()}", "w").close()
once("GET", "/v1/plans", timeout=None)
once("GET", "/v1/instances", timeout=None)
open("sleeps", "w").close()
time.sleep(600)
"""
    (tmp_path / "client.py").write_text(HEAD + source)
    words = [COMMAND, "run", "--race", "--schedule", "A1 B1", "--", sys.executable, "client.py"]
    process = commands.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until((tmp_path / "sleeps").exists)
    pids = [int(each.name.removeprefix("pid-")) for each in tmp_path.glob("pid-*")]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert len(pids) == 2
    until(lambda: all(map(is_gone, pids)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--crash", "--rerun"], "--crash makes its own runs: leave out --rerun"),
        (["--crash", "--pairs"], "--crash makes its own runs: leave out --pairs"),
        (["--crash", "--race"], "--crash makes its own runs: leave out --race"),
        (["--race", "--faults", "error"], "--race injects no faults: leave out --faults"),
        (["--readings", "--crash"], "--crash makes its own runs: leave out --readings"),
        (["--readings", "--faults", "error"], "--readings injects no faults: leave out --faults"),
        (["--readings", "--operations", "instances.*"], "--readings injects no faults: leave out --operations"),
        (["--shard", "0/4"], "'0/4' is not a shard: write 2/8 for the second of eight"),
        (["--shard", "5/4"], "is not a shard"),
        (["--shard", "1"], "is not a shard"),
        (["--race", "--shard", "1/2"], "--race plans its runs from those before: leave out --shard"),
        (["--since", "client.py"], "client.py is not a JSON report of `cnx-mock sweep`"),
        (["--with", "true"], "--with is the second program of a race: add --race"),
        (["--race", "--with", "'"], "is not a command line: No closing quotation"),
        (["--race", "--with", " "], "--with is empty"),
        (["--race", "--switches", "0"], "0 is not in the range"),
        (["--crash", "--faults", "crash-afer"], "did you mean 'crash-after'?"),
        (["--workdir", "nowhere"], "Directory 'nowhere' does not exist"),
    ],
)
def test_ways_that_do_not_go_together_are_refused(tmp_path: Path, options: list[str], words: str) -> None:
    done = sweep(tmp_path, CAREFUL, *options)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


DIES = """
once("POST", "/v1/instances", BODY)
once("GET", "/v1/plans")
"""


def test_what_a_failed_run_would_have_left_anyway_leaks_unless_that_is_allowed(tmp_path: Path) -> None:
    options = ["--faults", "bad-json", "--operations", "plans.*"]
    assert verdicts(tmp_path, DIES, *options) == {"plans.list-1-bad-json": "leaked"}
    assert verdicts(tmp_path, DIES, *options, "--allow-partial") == {"plans.list-1-bad-json": "failed cleanly"}


def test_one_defect_in_several_cells_is_one_paragraph(tmp_path: Path) -> None:
    done = sweep(tmp_path, BLIND, "--faults", "error-after,reset-after", "--report", "report.json")
    assert done.stdout.count("duplicated: `") == 1
    assert "    in 2 cells: #1 error-after, reset-after\n" in done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert (len(report["findings"]), len(report["cells"])) == (1, 2)


def test_the_clouds_own_address_is_swept_as_well(tmp_path: Path) -> None:
    source = 'BASE = "https://api.cloudnexus.com"' + BLIND
    assert verdicts(tmp_path, source, "--faults", "reset-after") == {"instances.create-1-reset-after": "duplicated"}


# ---- what is shown and written


def test_a_bad_cell_has_a_sentence_and_a_line_that_shows_it_again(tmp_path: Path) -> None:
    done = sweep(tmp_path, BLIND, "--faults", "reset-after,error")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert "POST /v1/instances #1  ok     DUPL" in lines
    [place] = [number for number, line in enumerate(lines) if line.startswith("duplicated: ")]
    assert lines[place] == (
        "duplicated: `POST /v1/instances` #1, reset after commit: your client retried and left 2 instances named web-1"
    )
    again = lines[place + 1].split()
    assert again[:4] == ["cnx-mock", "run", "--scenario", ".cnx-mock/sweep/instances.create-1-reset-after.yaml"]
    shown = commands.run([COMMAND, *again[1:]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stderr.count("left behind: instance web-1") == 2


def test_reports_are_written_by_their_suffix(tmp_path: Path) -> None:
    names = ("r.json", "r.html", "r.xml")
    reports = [word for name in names for word in ("--report", name)]
    assert sweep(tmp_path, BLIND, "--faults", "reset-after,error", *reports).returncode == 1
    cells = json.loads((tmp_path / "r.json").read_text())["cells"]
    assert [cell["verdict"] for cell in cells] == ["survived", "duplicated"]
    assert cells[1]["reproduce"].startswith("cnx-mock run --scenario .cnx-mock/sweep/")
    suite = ElementTree.parse(tmp_path / "r.xml").getroot()
    assert [len(list(suite.iter(name))) for name in ("testcase", "failure")] == [2, 1]
    page = (tmp_path / "r.html").read_text()
    assert "<script" not in page
    assert "src=" not in page
    assert "duplicated" in page


def test_what_an_earlier_report_has_is_accepted_and_what_is_new_is_not(tmp_path: Path) -> None:
    sweep(tmp_path, BLIND, "--faults", "reset-after", "--report", "before.json")
    known = sweep(tmp_path, BLIND, "--faults", "reset-after", "--baseline", "before.json")
    assert (known.returncode, "duplicated (known): " in known.stdout) == (0, True)
    assert sweep(tmp_path, BLIND, "--faults", "reset-after,hang-after", "--baseline", "before.json").returncode == 1


def test_which_verdicts_fail_can_be_chosen(tmp_path: Path) -> None:
    assert sweep(tmp_path, BLIND, "--faults", "reset-after", "--fail-on", "hung").returncode == 0
    assert sweep(tmp_path, BLIND, "--faults", "error", "--fail-on", "survived").returncode == 1


def test_two_faults_at_once_and_no_more_runs_than_wished(tmp_path: Path) -> None:
    source = 'once("GET", "/v1/plans"); once("GET", "/v1/regions")'
    found = verdicts(tmp_path, source, "--faults", "error,reset", "--pairs", "--max-runs", "6")
    cells = json.loads((tmp_path / "report.json").read_text())["cells"]
    assert sorted(len(cell.get("and", [])) for cell in cells) == [0, 0, 0, 0, 1, 1]
    assert set(found.values()) == {"failed cleanly"}


def test_what_every_run_has_is_in_the_line_that_shows_a_cell_again(tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text("rules: [{fault: {latency: 1ms}}]")
    given = ["--scenario", "slow.yaml", "--fixture", "small-team", "--seed", "7", "--allow-host", "example.com"]
    done = sweep(tmp_path, BLIND, "--faults", "reset-after", *given)
    [line] = [line.split() for line in done.stdout.splitlines() if line.startswith("    cnx-mock run")]
    own = ["--scenario", ".cnx-mock/sweep/instances.create-1-reset-after.yaml"]
    assert line[: line.index("--")] == ["cnx-mock", "run", *own, *given]
    shown = commands.run([COMMAND, *line[1:]], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stderr.count("left behind: instance web-1") == 2


# ---- programs that cannot be swept


def test_a_program_that_fails_without_faults_is_told_so(tmp_path: Path) -> None:
    done = sweep(tmp_path, 'once("GET", "/v1/plans"); sys.exit("no such file: deploy.toml")')
    assert done.returncode == 2
    assert "CMD fails without any fault (exit status 1): it must succeed against the mock" in done.stderr
    assert "no such file: deploy.toml" in done.stderr


@pytest.mark.parametrize("options", [[], ["--race"]])
def test_a_program_that_a_signal_ends_without_faults_is_told_which(tmp_path: Path, options: list[str]) -> None:
    done = sweep(tmp_path, 'once("GET", "/v1/plans"); import os; os.kill(os.getpid(), 9)', *options)
    assert done.returncode == 2
    assert "(signal 9)" in done.stderr


def test_a_program_that_makes_no_calls_is_told_so(tmp_path: Path) -> None:
    done = sweep(tmp_path, "pass")
    assert done.returncode == 2
    assert "CMD makes no calls to the mock" in done.stderr


def test_a_program_that_differs_each_time_is_told_where_and_swept(tmp_path: Path) -> None:
    source = 'once("POST", "/v1/instances", BODY | {"name": f"web-{os.getpid()}"})'
    done = sweep(tmp_path, source, "--faults", "error")
    assert done.returncode == 0
    assert "two runs without faults differ" in done.stderr
    assert "POST /v1/instances #1 was sent with a different body" in done.stderr


def test_a_program_that_is_not_there_is_127(tmp_path: Path) -> None:
    done = commands.run([COMMAND, "sweep", "--", "./nobody"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (127, 1)


def test_a_program_that_may_not_be_run_is_126(tmp_path: Path) -> None:
    (tmp_path / "client").write_text("#!/bin/sh\n")
    words = [COMMAND, "sweep", "--", "./client"]
    done = commands.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 126
    assert done.stderr.startswith("cnx-mock: ./client: Permission denied; ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--faults", "rest"], "did you mean 'reset'"),
        (["--operations", "instance.create"], "did you mean 'instances.create'"),
        (["--report", "report.txt"], "a report's name ends in .html, .json, or .xml for JUnit"),
        (["--fail-on", "dupl"], "no verdict is called 'dupl'"),
        (["--baseline", "nobody.json"], "nobody.json: No such file"),
        (["--timeout", "3"], "needs a unit"),
        (["--max-runs", "0"], "0 is not in the range"),
    ],
)
def test_bad_options_are_told_before_anything_runs(tmp_path: Path, options: list[str], message: str) -> None:
    done = sweep(tmp_path, 'open("ran", "w").close()', *options)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_before_anything_is_planned_says_so(tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text("import os, signal\nos.kill(os.getppid(), signal.SIGINT)\nsignal.pause()\n")
    started = [sys.executable, "-u", "client.py"]  # with this option it is not forked: its parent has to be the sweep
    words = [COMMAND, "sweep", "--timeout", "100s", "--", *started]
    done = commands.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 130
    assert done.stdout.splitlines()[-1] == "stopped before the runs with faults were planned; no report is written"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_what_runs_and_shows_what_is_known(tmp_path: Path) -> None:
    source = """
open("new", "w").write(str(os.getpid()))
os.replace("new", "pid")  # it may be killed at any time
once("GET", "/v1/plans", timeout=None)
"""
    (tmp_path / "client.py").write_text(HEAD + source)
    words = [COMMAND, "sweep", "--faults", "error,hang", "--timeout", "100s", "--", sys.executable, "client.py"]
    process = commands.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:  # the first cell is done, the second hangs
        if "1/2" in line:
            break
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "stopped after 1 of 2 runs" in shown
    until(lambda: is_gone(int((tmp_path / "pid").read_text())))


def is_gone(pid: int) -> bool:
    """Whether there is no such process. One that has been killed is there until who started it has asked for its end;
    a forked program's server does that on its own."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
