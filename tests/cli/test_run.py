"""`cnx-mock run`, as people use it: the real command around small real programs."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import commands
from tests.commands import COMMAND, REAL

pytestmark = pytest.mark.slow

SECONDS = 30  # more than anything here takes; only a test that fails waits so long
KEY = "cnx_test_" + "ab" * 16
BODY = '{"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}'

CALLS = f"""
import json, os, urllib.error, urllib.request
KEY = os.environ["CLOUDNEXUS_API_KEY"]
def call(method, path, body=None, base="https://api.cloudnexus.com", key=KEY):
    headers = {{"Authorization": "Bearer " + key, "Content-Type": "application/json"}}
    request = urllib.request.Request(base + path, body and body.encode(), headers, method=method)
    return json.load(urllib.request.urlopen(request, timeout=20))
def create(**more):
    return call("POST", "/v1/instances", {BODY!r}, **more)["id"]
def destroy(id):
    call("DELETE", "/v1/instances/" + id)
"""
"""What the programs here begin with."""

DEPLOY = f"""#!/bin/sh
# A deploy script as people write them: it knows the real address, and tries again when a call fails.
create() {{
    curl -sS --fail-with-body https://api.cloudnexus.com/v1/instances \\
        -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" -H 'Content-Type: application/json' -d '{BODY}' >/dev/null
}}
create || {{ echo 'trying again'; create; }}
echo 'deployed'
"""

EXPECTING = """
rules:
  - id: no
    match: {operation: instances.create}
    times: 1
    fault: {error: INTERNAL_ERROR}
expect: {fired: {no: 1}}
"""

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


def environment(**more: str) -> dict[str, str]:
    """The test's own, but for what would change how the command behaves."""
    bundles = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    unwanted = ("CNX_MOCK_", "NO_PROXY", "no_proxy", *bundles)
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | more


def run(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """`cnx-mock run` with these arguments."""
    options: dict[str, Any] = {"env": environment(), "stdin": subprocess.DEVNULL} | more
    if "input" in options:
        del options["stdin"]
    command = [COMMAND, "run", *map(str, arguments)]
    return commands.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, **options)


def python(source: str) -> list[str]:
    """A CMD: Python with the helpers above."""
    return ["--", sys.executable, "-c", CALLS + source]


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the command itself says on stderr."""
    assert "Traceback" not in done.stderr, done.stderr
    return [line.removeprefix("cnx-mock: ") for line in done.stderr.splitlines() if line.startswith("cnx-mock: ")]


# ---- both ways lead to the mock


def test_a_program_that_asks_for_the_url_finds_it() -> None:
    done = run(*python('destroy(create(base=os.environ["CLOUDNEXUS_BASE_URL"]))'))
    assert (done.returncode, said(done)) == (0, ["2 requests (201 × 1, 200 × 1)"])


def test_the_clouds_own_address_is_the_mock_over_http_too() -> None:
    done = run(*python('destroy(create(base="http://api.cloudnexus.com"))'))
    assert (done.returncode, said(done)) == (0, ["2 requests (201 × 1, 200 × 1)"])


def test_another_host_is_refused_and_the_flag_is_named() -> None:
    done = run(*python('urllib.request.urlopen("https://example.com", timeout=20)'))
    assert done.returncode == 1
    assert "to allow it, add --allow-host example.com" in done.stderr
    assert done.stderr.endswith(
        "cnx-mock: 0 requests\ncnx-mock: the proxy refused example.com:443: --allow-host example.com lets it pass\n"
    )


@needs_curl
def test_a_deploy_script_that_tries_again_leaves_two(tmp_path: Path) -> None:
    script = tmp_path / "deploy.sh"
    script.write_text(DEPLOY)
    script.chmod(0o755)
    done = run("--scenario", "lost-response", "--expect-clean", "--", "./deploy.sh", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "trying again\ndeployed\n")
    requests, fired, *left, unclean, audit, more = said(done)
    assert (requests, fired) == ("2 requests (cut × 1, 201 × 1)", "lost fired 1 time: connection=reset")
    assert unclean == "expected: nothing is left behind (--expect-clean)"
    assert audit.startswith("audit: blind-create: #1 POST /v1/instances got no answer, and #2 sent it again")
    assert more == "audit: --report FILE says why it matters, and how to fix it"
    assert [line.partition(" (")[0] for line in left] == ["left behind: instance web-1"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["deploy.sh"]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_node_finds_the_url_and_where_it_is_new_enough_the_clouds_address() -> None:
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    major, minor, _ = (int(part) for part in version.strip().lstrip("v").split("."))
    new = (major, minor) >= (24, 5) or (major == 22 and minor >= 21)
    base = "'https://api.cloudnexus.com'" if new else "process.env.CLOUDNEXUS_BASE_URL"
    headers = "{headers: {Authorization: 'Bearer ' + process.env.CLOUDNEXUS_API_KEY}}"
    done = run("--", "node", "-e", f"fetch({base} + '/v1/instances', {headers}).then(r => console.log(r.status))")
    assert (done.returncode, done.stdout) == (0, "200\n")


def test_what_the_user_trusts_and_reaches_directly_stays(tmp_path: Path) -> None:
    """Private CAs stay trusted; a NO_PROXY entry that stands for the API would lead past the mock."""
    corporate = tmp_path / "corporate.pem"
    corporate.write_text("-----BEGIN CERTIFICATE-----\ncorporate\n-----END CERTIFICATE-----")
    given = environment(
        SSL_CERT_FILE=str(corporate),
        NODE_EXTRA_CA_CERTS=str(corporate),
        NO_PROXY="registry.corp,*.cloudnexus.com, cloudnexus.com api.cloudnexus.com:443,com,*",
    )
    names = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
    source = f'print(json.dumps([os.environ["NO_PROXY"], *(open(os.environ[n]).read() for n in {names})]))'
    no_proxy, *bundles = json.loads(run("--allow-host", "files.corp", *python(source), env=given).stdout)
    assert no_proxy == "registry.corp,files.corp,localhost,127.0.0.1,::1"
    for bundle in bundles:
        assert bundle.startswith(corporate.read_text())
        assert bundle.count("BEGIN CERTIFICATE") == 2


def test_nothing_is_left_behind_but_the_ca(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    given = environment(TMPDIR=str(tmp_path / "tmp"), XDG_DATA_HOME=str(tmp_path / "data"))
    bundle = Path(run(*python('print(os.environ["SSL_CERT_FILE"])'), env=given).stdout.strip())
    assert bundle.is_relative_to(tmp_path / "tmp")
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"data/cnx-mock/ca/ca.pem", "data/cnx-mock/ca/ca-key.pem"}


# ---- the sandbox


def test_a_seed_makes_the_same_ids_and_a_hard_coded_key_its_own_world() -> None:
    source = python(f'print(KEY == "{KEY}", create(key="{KEY}"))')
    one, same, other = (run("--seed", seed, "--key", KEY, *source).stdout for seed in (7, 7, 8))
    assert (one[:5], one == same, one == other) == ("True ", True, False)


def test_every_key_lives_by_the_scenario_and_is_told_apart() -> None:
    source = f"""
for each in (KEY, "{KEY}"):
    try: create(key=each)
    except urllib.error.HTTPError as error: print(json.load(error)["error"]["code"])
"""
    done = run("--scenario", "insufficient-credits", *python(source))
    assert done.stdout == "INSUFFICIENT_CREDITS\n" * 2
    assert said(done)[1].startswith("each key has its own sandbox (…")
    assert "…abab × 1" in said(done)[1]


def test_a_live_key_reaches_no_sandbox() -> None:
    done = run(*python("try: create(key='cnx_live_' + 'ab' * 16)\nexcept urllib.error.HTTPError: pass"))
    assert said(done)[0] == "1 request (403 × 1)"
    assert said(done)[1].startswith("1 of them reached no sandbox: it had no key")


def test_what_was_there_at_the_start_is_not_left_behind() -> None:
    source = 'destroy(call("GET", "/v1/instances?status=stopped")["data"][0]["id"]); create()'
    done = run("--fixture", "small-team", *python(source))
    assert (done.returncode, len([line for line in said(done) if line.startswith("left behind:")])) == (0, 1), done


def test_a_random_seed_is_said() -> None:
    done = run("--seed", "random", "--quiet", "--", "true")
    [line] = said(done)
    assert line.removeprefix("the seed is ").isdigit()


# ---- exit status


@pytest.mark.parametrize(
    ("source", "options", "status"),
    [
        ("create()", [], 0),
        ("create()", ["--expect-clean"], 3),
        ("destroy(create())", ["--expect-clean"], 0),
        ("create(); raise SystemExit(5)", ["--expect-clean"], 5),
    ],
)
def test_leftovers_count_where_a_clean_account_is_expected(source: str, options: list[str], status: int) -> None:
    assert run(*options, *python(source)).returncode == status


def test_an_unmet_expectation_is_status_3_unless_the_program_failed_itself(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(EXPECTING)
    story = ["--scenario", tmp_path / "story.yaml"]
    unmet = run(*story, "--", "true")
    assert (unmet.returncode, said(unmet)[1]) == (3, "expected: no fired 0 times, not 1: no request came")
    assert run(*story, "--", "false").returncode == 1
    assert run(*story, *python("try: create()\nexcept urllib.error.HTTPError: pass")).returncode == 0


def test_quiet_says_only_why_the_status_is_3(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(EXPECTING)
    assert run("--quiet", *python("create()")).stderr == ""
    left = run("--quiet", "--expect-clean", *python("create()"))
    assert (left.returncode, [line[:12] for line in said(left)]) == (3, ["left behind:", "expected: no"])
    unmet = run("--quiet", "--scenario", tmp_path / "story.yaml", "--", "true")
    assert [line[:9] for line in said(unmet)] == ["expected:"]


def test_a_program_that_is_not_there_is_127_and_one_that_cannot_run_is_126(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("echo plain")
    (tmp_path / "odd").write_text("#!/nowhere/python\n")
    (tmp_path / "odd").chmod(0o755)
    (tmp_path / "windows").write_bytes(b"#!/bin/sh\r\necho\r\n")
    (tmp_path / "windows").chmod(0o755)
    quoted = "it is one word: write the program without quotes, or give a shell's line to sh -c"
    for name, status, words in (
        ("no-such-command", 127, "no-such-command: command not found"),
        ("./nowhere", 127, "./nowhere: no such file"),
        ("./odd", 127, "./odd: the interpreter in its first line is not there (/nowhere/python)"),
        (
            "./windows",
            127,
            "./windows: the interpreter in its first line is not there (/bin/sh: the file has Windows line ends)",
        ),
        (
            "./plain",
            126,
            "./plain: Permission denied; `chmod +x` makes it executable, or write its interpreter before it",
        ),
        ("odd", 127, "odd: command not found; a file in this folder is written ./odd"),
        ("A=1", 127, "A=1: command not found; write env before it to set a variable"),
        ("python x.py", 127, f"python x.py: command not found; {quoted}"),
        ("true | true", 127, f"true | true: command not found; {quoted}"),
        ("", 127, ": command not found"),
    ):
        done = run("--", name, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (status, "", f"cnx-mock: {words}\n")


def test_a_variable_that_is_almost_an_option_is_named() -> None:
    done = run("--", "true", env={**environment(), "CNX_MOCK_SCENARIOS": "lost-response"})
    assert (done.returncode, said(done)) == (
        0,
        ["nothing reads CNX_MOCK_SCENARIOS, did you mean CNX_MOCK_SCENARIO?", "0 requests"],
    )


def test_an_option_behind_the_program_is_the_programs_and_a_note_says_so() -> None:
    note = (
        "--expect, --report is written after the program, so the program gets it: write options of cnx-mock before it, "
        "or add -- before the program to hide this note"
    )
    late = run("echo", "--expect", "instances=1", "--report=x", "--own")
    assert (late.returncode, late.stdout, said(late)[0]) == (0, "--expect instances=1 --report=x --own\n", note)
    meant = run("--", "echo", "--expect", "instances=1")
    assert (meant.stdout, said(meant)) == ("--expect instances=1\n", ["0 requests"])
    others = run("echo", "--own", "--", "--expect")
    assert (others.stdout, said(others)) == ("--own -- --expect\n", ["0 requests"])


def test_a_script_without_a_first_line_is_the_shells(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text('echo "plain $1"')
    (tmp_path / "plain").chmod(0o755)
    done = run("--", "./plain", "words", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "plain words\n")


# ---- bad input, before anything runs

# ---- a second run

TWICE = """
from pathlib import Path
note = Path(os.environ["CNX_MOCK_SCRATCH"], "note")
print("again" if note.exists() else "first", flush=True)
note.touch()
create()
"""


@pytest.mark.parametrize(("at", "left"), [("instances.create", 1), ("instances.create#1:after", 2)])
def test_a_program_is_killed_at_a_call_and_run_again_in_the_same_world(at: str, left: int) -> None:
    done = run("--crash-at", at, *python(TWICE))
    assert (done.returncode, done.stdout) == (0, "first\nagain\n")
    assert sum(line.startswith("left behind: instance web-1") for line in said(done)) == left


def test_a_shell_is_killed_with_all_that_it_has_started() -> None:
    call = 'curl -s -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" "$CLOUDNEXUS_BASE_URL/v1/plans"'
    script = 'if [ -e "$CNX_MOCK_SCRATCH/x" ]; then exit 7; fi; touch "$CNX_MOCK_SCRATCH/x"; '
    for calls in (f"{call}; echo not killed", f"echo $({call} | cat; echo not killed)"):
        done = run("--crash-at", "plans.list", "--", "sh", "-c", script + calls)
        assert (done.returncode, done.stdout) == (7, "")
        assert "1 request (cut × 1)" in said(done)


def test_a_program_that_never_makes_the_call_is_not_killed_and_that_is_status_3() -> None:
    done = run("--crash-at", "instances.delete#2", *python(TWICE))
    assert (done.returncode, done.stdout) == (3, "first\n")
    assert "CMD was not killed: it ended before `DELETE /v1/instances/{id}` #2" in said(done)
    assert run("--crash-at", "instances.delete", "--", "false").returncode == 1


def test_a_program_that_failed_is_run_again_without_the_rules(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(EXPECTING.partition("expect")[0])
    done = run("--scenario", tmp_path / "story.yaml", "--rerun", *python(TWICE))
    assert (done.returncode, done.stdout) == (0, "first\nagain\n")
    assert run("--rerun", *python("raise SystemExit(5)")).returncode == 5


def test_a_program_runs_in_a_copy_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    done = run("--workdir", tmp_path / "work", "--", "sh", "-c", 'touch here; basename "$PWD"; ls')
    assert (done.returncode, done.stdout) == (0, "work\nhere\n")
    assert list((tmp_path / "work").iterdir()) == []


TOUCH = ["--", "touch", "started"]


def test_a_bad_scenario_is_told_by_its_place_before_the_program_starts(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("rules:\n  - match: {operation: instances.crate}\n    fault: {latency: 1s}\n")
    done = run("--scenario", "bad.yaml", *TOUCH, cwd=tmp_path)
    assert done.returncode == 2
    assert "bad.yaml:2:24: " in done.stderr
    assert "did you mean 'instances.create'?" in done.stderr
    assert not (tmp_path / "started").exists()


def test_what_can_never_happen_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("rules:\n  - {probability: 0, fault: {latency: 1s}}\n")
    done = run("--scenario", "odd.yaml", *TOUCH, cwd=tmp_path)
    assert (done.returncode, "odd.yaml:2:" in done.stderr) == (0, True)
    assert (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scenario", "clam"], "did you mean 'calm'?"),
        (["--fixture", "smal-team"], "did you mean 'small-team'?"),
        (["--seed", "x"], "'seed' must be a whole number"),
        (["--key", "cnx_live_" + "ab" * 16], "a live key is never accepted"),
        (["--report", "no/such/report.json"], "the report no/such/report.json cannot be written: No such file"),
        (["--report", "."], "the report . cannot be written: it is a folder"),
        (["--report", ""], "a report needs the name of a file"),
        (["--ca-dir", "/dev/null"], "cannot be used"),
        (["--crash-at", "instances.crate"], "did you mean 'instances.create'?"),
        (["--crash-at", "instances.list:after"], "instances.list changes nothing"),
        (["--crash-at", "instances.create#0"], "write OPERATION#NUMBER or OPERATION#NUMBER:after"),
        (["--crash-at", "instances.create", "--rerun"], "leave out --rerun"),
        (["--workdir", "nowhere"], "does not exist"),
        (["--race"], "--race needs a schedule"),
        (["--race", "--schedule", "A1 B2"], "the next call of B is B1"),
        (["--schedule", "A1"], "add --race"),
        (["--race", "--schedule", "A1", "--with", ""], "--with is empty"),
        (["--race", "--schedule", "A1", "--expect", "instances=1"], "leave out --expect"),
        (["--race", "--schedule", "A1", "--rerun"], "leave out --rerun"),
    ],
)
def test_a_bad_option_is_2_before_the_program_starts(tmp_path: Path, options: list[str], words: str) -> None:
    done = run(*options, *TOUCH, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "abab" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_program_at_all_is_a_usage_error() -> None:
    assert "The program to run is missing. Write it last: cnx-mock run [OPTIONS] -- ./deploy.sh" in run().stderr


# ---- the report


def test_the_report_has_the_summary_and_the_journal(tmp_path: Path) -> None:
    given = ["--scenario", "lost-response", "--report", "report.json", "--report", "report.html"]
    source = "try: create()\nexcept OSError: pass\nraise SystemExit(4)"
    done = run(*given, *python(source), "cnx_live_" + "ab" * 16, cwd=tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert (done.returncode, report["command_status"], report["exit_status"]) == (4, 4, 4)
    assert report["command"][-1] == "cnx_live_redacted"
    assert report["summary"]["requests"] == 1
    assert report["summary"]["faults"] == [{"rule": "lost", "fired": 1, "faults": ["connection=reset"]}]
    assert [(each["kind"], each["name"]) for each in report["summary"]["left"]] == [("instance", "web-1")]
    [entry] = report["journal"]
    assert (entry["operation"], entry["status"], entry["committed"]) == ("instances.create", None, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_a_report_takes_the_place_of_the_last_one_and_may_go_to_a_stream(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("the last one")
    run("--report", "report.json", "--", "true", cwd=tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["requests"] == 0
    done = run("--quiet", "--report", "/dev/stdout", "--", "true")
    assert json.loads(done.stdout)["exit_status"] == 0
    assert Path("/dev/null").is_char_device()
    assert run("--report", "/dev/null", "--", "true").returncode == 0
    assert Path("/dev/null").is_char_device()


def test_a_report_that_cannot_be_written_in_the_end_is_said_and_the_programs_status_wins(tmp_path: Path) -> None:
    for last, status in (("true", 2), ("exit 5", 5)):
        (tmp_path / "here").mkdir()
        done = run("--report", "here/report.json", "--", "sh", "-c", f"rm -r here; {last}", cwd=tmp_path)
        assert (done.returncode, said(done)[-1][:40]) == (status, "the report here/report.json cannot be wr")


# ---- standard streams, signals, and two at once


def test_standard_input_passes_through() -> None:
    assert run("--", "cat", input="one\ntwo\n").stdout == "one\ntwo\n"


def test_a_program_killed_by_a_signal_is_128_and_its_number() -> None:
    assert run("--", "sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_a_broken_pipe_is_the_programs_own_affair() -> None:
    """Python ignores SIGPIPE, and what it starts must not."""
    assert run("--", "sh", "-c", "kill -PIPE $$").returncode == 128 + signal.SIGPIPE


def started(*command: str, words: Sequence[object] = (COMMAND,), **more: Any) -> subprocess.Popen[str]:
    """`cnx-mock run` around a program that has just said `ready`."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = commands.Popen([*words, "run", "--", *command], text=True, env=environment(), **pipes, **more)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_goes_to_the_program_which_says_how_it_ends(name: str) -> None:
    process = started("sh", "-c", f"trap 'exit 9' {name[3:]}; echo ready; read line; read line")
    process.send_signal(signal.Signals[name])
    assert process.wait(SECONDS) == 9
    assert process.communicate()[1] == "cnx-mock: 0 requests\n"


def test_a_program_that_dies_of_a_signal_is_128_and_its_number() -> None:
    process = started("sh", "-c", "echo ready; exec cat")
    process.terminate()
    assert process.wait(SECONDS) == 128 + signal.SIGTERM
    process.communicate()


def test_a_program_that_signals_its_whole_group_does_not_take_us_along() -> None:
    """`kill 0`, as scripts do to end what they have started."""
    done = run("--", "sh", "-c", "trap 'exit 6' TERM; kill 0; exit 1", start_new_session=True)
    assert (done.returncode, done.stderr) == (6, "cnx-mock: 0 requests\n")


def test_what_is_stopped_stops_with_its_program_and_goes_on_with_it() -> None:
    process = started("sh", "-c", "echo ready; read line; echo $line", words=[REAL], process_group=0)
    process.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    stdout, _ = process.communicate("on\n", timeout=SECONDS)
    assert (process.returncode, stdout) == (0, "on\n")


ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
COUNTS = """
import os, select, signal
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
awake, wakes = os.pipe()
os.set_blocking(wakes, False)
signal.set_wakeup_fd(wakes)
print("ready", flush=True)
select.select([awake], [], [])  # Python would notice a signal just before `input()` when that returns
print("interrupted", flush=True)
input()
print("seen", len(seen), flush=True)
"""


def test_ctrl_c_reaches_the_program_once() -> None:
    """The terminal sends it to us and to the program; we must not send it again."""
    command = [sys.executable, "-c", ON_A_TERMINAL, REAL, "run", "--", sys.executable, "-c", COUNTS]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment(), **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        for word, answer in (("ready", "\x03"), ("interrupted", "go on\n")):
            assert any(word in line for line in lines)
            process.stdin.write(answer)
            process.stdin.flush()
        assert any("seen 1" in line for line in lines)
        rest = "".join(lines)
    assert (process.returncode, "0 requests" in rest) == (0, True)


def test_two_at_once_never_meet() -> None:
    """Each reports what it sees when both are there; each sees its own alone."""
    program = 'create()\nprint("ready", flush=True)\ninput()\nprint(len(call("GET", "/v1/instances")["data"]))'
    both = [started(sys.executable, "-c", CALLS + program) for _ in range(2)]
    for process in both:
        stdout, stderr = process.communicate("go on\n", timeout=SECONDS)
        assert (process.returncode, stdout) == (0, "1\n")
        assert stderr.startswith("cnx-mock: 2 requests (201 × 1, 200 × 1)\n")


def test_the_help_has_examples_and_says_what_statuses_mean() -> None:
    shown = " ".join(run("--help").stdout.split())
    assert "cnx-mock run --scenario lost-response --expect instances=1 -- ./deploy.sh" in shown
    assert "128+N if signal N killed CMD, 127 if CMD is not found, 126 if it cannot be executed" in shown


# ---- what is expected


@pytest.mark.parametrize(
    ("source", "expected", "lines"),
    [
        ("create()", ["instances=1"], []),
        ("create()", ["instances>=1", "firewalls = 0", "audit=clean"], []),
        ("create()", ["instances=[{name: web-1, status: provisioning}]"], []),
        ("create(); create()", ["instances=1"], ["there are 2 instances, not 1: web-1"]),
        ("call('GET', '/v1/plans')", ["instances>=1"], ["there are 0 instances, not at least 1"]),
        ("create()", ["instances=[{name: db-1}]"], ["there is no instance with name db-1", "the instance web-1"]),
    ],
)
def test_what_must_be_there_at_the_end(source: str, expected: list[str], lines: list[str]) -> None:
    options = [word for each in expected for word in ("--expect", each)]
    done = run("--quiet", *options, *python(source))
    found = said(done)
    assert done.returncode == (3 if lines else 0), done.stderr
    assert len(found) == len(lines)
    assert all(line.startswith(f"expected: {start}") for line, start in zip(found, lines, strict=True))


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ("instances", "write KIND=WHAT, such as instances=1"),
        ("instnces=1", "there is no 'instnces', did you mean 'instances'?"),
        ("instances=many", "must be a number such as 1"),
        ("instances=[", "a value is missing"),
        ("instances=[{nmae: web-1}]", "did you mean 'name'?"),
    ],
)
def test_what_cannot_be_expected_is_said_before_the_program_starts(expected: str, message: str) -> None:
    done = run("--expect", expected, "--", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(said(done)) == 1


def test_a_run_can_be_compared_with_one_without_faults() -> None:
    blind = python("try: create()\nexcept OSError: create()")
    same = run("--expect-same", *blind)
    assert (same.returncode, [line for line in said(same) if line.startswith("expected")]) == (0, [])
    other = run("--scenario", "lost-response", "--expect-same", *blind)
    assert other.returncode == 3
    assert "expected: instance web-1: 2 are left, and without faults 1" in said(other)


def test_an_account_without_money_is_no_part_of_a_run_without_faults() -> None:
    done = run("--scenario", "insufficient-credits", "--expect-same", *python("try: create()\nexcept OSError: pass"))
    assert done.returncode == 3
    assert "expected: instance web-1: 0 are left, and without faults 1" in said(done)


def test_names_that_differ_from_run_to_run_are_not_compared() -> None:
    source = f"""
import uuid
call("POST", "/v1/instances", {BODY!r}.replace("web-1", "web-" + uuid.uuid4().hex))
"""
    assert run("--expect-same", *python(source)).returncode == 0


def test_a_program_that_also_fails_without_faults_is_not_the_same(tmp_path: Path) -> None:
    once = f"""
import pathlib
ran = pathlib.Path({str(tmp_path / "ran")!r})
status = int(ran.exists())
ran.touch()
raise SystemExit(status)
"""
    done = run("--expect-same", "--", sys.executable, "-c", once)
    assert done.returncode == 3
    assert "expected: the same as without faults, but without faults CMD fails (exit status 1)" in said(done)


def test_shrink_is_offered_only_if_the_program_failed(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(EXPECTING.replace("times: 1", "times: 2"))
    source = """
for _ in range(3):
    try: create()
    except OSError: pass
"""
    done = run("--scenario", tmp_path / "story.yaml", *python(source))
    assert done.returncode == 3
    assert "expected: no fired 2 times, not 1" in said(done)
    assert "shrink" not in done.stderr
    assert "shrink" in run("--scenario", tmp_path / "story.yaml", *python(source + "raise SystemExit(1)")).stderr


@pytest.mark.parametrize("name", ["report.xml", "report.txt"])
def test_a_report_of_a_run_is_a_page_or_json(name: str, tmp_path: Path) -> None:
    done = run("--report", name, "--", "echo", "started", cwd=tmp_path)
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert "a report's name ends in .html or .json" in done.stderr


def test_a_page_shows_the_calls_the_faults_what_is_left_and_the_findings(tmp_path: Path) -> None:
    (tmp_path / "deploy.sh").write_text(DEPLOY)
    page = tmp_path / "report.html"
    done = run("--scenario", "lost-response", "--report", page, "--", "sh", tmp_path / "deploy.sh")
    assert done.returncode == 0
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.read_text(), flags=re.DOTALL)
    words = " ".join(text.split())
    assert re.search(r"1 POST /v1/instances connection=reset created inst_\w+, and the answer was lost – 0", words)
    assert re.search(r"2 POST /v1/instances created inst_\w+ 201", words)
    assert len(re.findall("instance web-1 inst_", words)) == 2
    assert "blind-create in 1 place" in words
    assert not re.search(r"<script|src=|https?://", page.read_text())
