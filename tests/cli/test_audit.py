"""`cnx-mock audit` and `cnx-mock journal export`, as people use them: the real commands, a real server, real files."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from cnx_mock import MockServer, Sandbox
from cnx_mock.audit.audit import thresholds
from tests import commands
from tests.cases import cases
from tests.commands import COMMAND
from tests.pytest_plugin.conftest import Run


def cnx_mock(*words: object) -> subprocess.CompletedProcess[str]:
    done = commands.run([COMMAND, *map(str, words)], capture_output=True, text=True, timeout=30, check=False)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def hasty(server: MockServer) -> Sandbox:
    """The sandbox of a client that has retried three times long before Retry-After, however slow the machine is."""
    sandbox = server.sandbox()
    sandbox.inject("plans.list", error="INTERNAL_ERROR", retry_after="1h")
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {sandbox.api_key}"
        for _ in range(4):
            session.get(f"{sandbox.url}/v1/plans", timeout=10)
    return sandbox


def call(sandbox: Sandbox, path: str) -> int:
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    return requests.get(f"{sandbox.url}{path}", headers=headers, timeout=10).status_code


def found(*words: object) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(cnx_mock("audit", *words, "--format", "json").stdout)["findings"]
    return listed


# ---- the command


def test_it_says_what_is_wrong_why_and_how_to_fix_it(hasty: Sandbox) -> None:
    done = cnx_mock("audit", "--url", hasty.url)
    assert done.returncode == 1
    assert "early-retry: #2 GET /v1/plans came " in done.stdout
    assert " after #1, whose 500 said Retry-After 1h; #3 and #4 came too early as well\n" in done.stdout
    assert "    why: " in done.stdout
    assert "    fix: " in done.stdout


def test_a_careful_client_is_0(server: MockServer) -> None:
    assert call(server.sandbox(), "/v1/plans") == 200
    done = cnx_mock("audit", server.url)
    assert (done.returncode, done.stdout) == (0, "nothing found: the client behaves well\n")


def test_without_requests_there_is_nothing_to_judge(server: MockServer, tmp_path: Path) -> None:
    done = cnx_mock("audit", server.url)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"nothing to judge: {server.url} has no requests to the CloudNexus API" in done.stderr
    path = "/index.html"
    request = {"method": "GET", "url": f"https://example.com{path}", "headers": []}
    answer = {"status": 200, "headers": [], "content": {"text": "hello"}}
    other = {"startedDateTime": "2026-01-15T12:00:00.000Z", "time": 3, "request": request, "response": answer}
    for entries in ([], [other]):
        recording = tmp_path / "other.har"
        recording.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
        done = cnx_mock("audit", "--journal", recording)
        assert (done.returncode, "nothing to judge: " in done.stderr) == (2, True)


def test_a_key_picks_the_sandbox(server: MockServer, hasty: Sandbox) -> None:
    other = server.sandbox()
    call(other, "/v1/plans")
    assert [each["code"] for each in found(server.url)] == ["early-retry"]
    assert [each["code"] for each in found(server.url, "--key", hasty.api_key)] == ["early-retry"]
    assert found(server.url, "--key", other.api_key) == []


def test_json_has_what_is_promised(hasty: Sandbox) -> None:
    [finding] = found(hasty.url)
    assert {"code", "message", "requests", "why", "fix"} <= set(finding)
    assert finding["requests"] == [1, 2, 3, 4]


def test_sarif_names_its_rules(hasty: Sandbox) -> None:
    log = json.loads(cnx_mock("audit", hasty.url, "--format", "sarif").stdout)
    [run] = log["runs"]
    [result] = run["results"]
    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "early-retry"


def test_checks_are_left_out_and_added(hasty: Sandbox) -> None:
    assert found(hasty.url, "--ignore", "early-retry") == []
    call(hasty, "/v1/regions")
    hasty.inject("images.list", error="INTERNAL_ERROR", times=1)
    call(hasty, "/v1/images")
    assert [each["code"] for each in found(hasty.url, "--ignore", "early-retry", "--also", "gave-up")] == ["gave-up"]


def test_every_threshold_is_an_option(hasty: Sandbox) -> None:
    assert "amplification" in [each["code"] for each in found(hasty.url, "--attempts", "3")]
    shown = cnx_mock("audit", "--help").stdout
    assert "--poll-interval DURATION" in shown
    assert "--attempts N" in shown


# ---- journals as files


@pytest.mark.parametrize("form", ["jsonl", "har"])
def test_a_journal_as_a_file_says_the_same(hasty: Sandbox, tmp_path: Path, form: str) -> None:
    exported = cnx_mock("journal", "export", "--url", hasty.url, "--format", form)
    assert exported.returncode == 0
    assert hasty.api_key not in exported.stdout
    path = tmp_path / f"traffic.{form}"
    path.write_text(exported.stdout)
    there, here = found(hasty.url), found("--journal", path)
    assert [(each["code"], each["message"]) for each in here] == [(each["code"], each["message"]) for each in there]


def test_a_har_is_one_as_browsers_write_them(hasty: Sandbox) -> None:
    log = json.loads(cnx_mock("journal", "export", hasty.url, "--format", "har").stdout)["log"]
    assert (log["version"], len(log["entries"])) == ("1.2", 4)
    entry = log["entries"][0]
    assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
    assert entry["request"]["url"] == f"{hasty.url}/v1/plans"
    assert entry["response"]["status"] == 500


# ---- bad input


@cases(
    ("words", "message"),
    [
        (["http://127.0.0.1:1"], "start one with `cnx-mock serve`"),
        (["ftp://somewhere"], "is not the URL of a server"),
        (["--journal", "nobody.jsonl"], "nobody.jsonl: No such file"),
        (["--journal", __file__], "is not an entry of a journal"),
        (["--journal", "x", "--key", "cnx_test_" + "ab" * 16], "leave URL and --key out"),
        (["--journal", "x", "--url", "http://127.0.0.1:1"], "leave URL and --key out"),
        (["--url", "http://127.0.0.1:1", "http://127.0.0.1:1"], "the server is given twice"),
        (["--key", "secret"], "must be cnx_test_ and 32 hex digits"),
        (["--ignore", "flat-backof"], "did you mean 'flat-backoff'"),
        (["--also", "nobody"], "no check is called 'nobody' (there are "),
        (["--poll-interval", "soon"], "poll-interval"),
    ],
)
def test_bad_input_is_one_clear_line(words: list[str], message: str) -> None:
    done = cnx_mock("audit", *words)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


# ---- in a test, in a scenario, on the control plane


def test_a_test_can_assert_it(run: Run) -> None:
    result = run(
        """
        def hasty(cnx):
            cnx.inject("plans.list", error="INTERNAL_ERROR", retry_after="1h")
            for _ in range(4):
                call(cnx, "GET", "/v1/plans")

        def test_careful(cnx):
            call(cnx, "GET", "/v1/plans")
            cnx.audit.assert_clean()

        def test_hasty(cnx):
            hasty(cnx)
            cnx.audit.assert_clean()

        def test_hasty_but_allowed(cnx):
            hasty(cnx)
            cnx.audit.assert_clean(ignore=["early-retry"])
        """
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*early-retry: #2 GET /v1/plans came * after #1, whose 500 said Retry-After 1h*"])


def test_a_scenario_can_expect_it(run: Run) -> None:
    result = run(
        """
        DOWN = {"error": "INTERNAL_ERROR", "retry_after": "1h"}
        STORY = {"expect": {"audit": "clean"}, "rules": [
            {"id": "down", "match": {"operation": "plans.list"}, "fault": DOWN}]}

        @pytest.mark.cnx_scenario(STORY)
        def test_once(cnx):
            call(cnx, "GET", "/v1/plans")

        @pytest.mark.cnx_scenario(STORY)
        def test_again_and_again(cnx):
            for _ in range(4):
                call(cnx, "GET", "/v1/plans")
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*the audit is not clean: early-retry*"])


def test_the_control_plane_answers_the_same(hasty: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {hasty.api_key}"}
    answer = requests.get(f"{hasty.url}/_mock/audit?ignore=flat-backoff", headers=headers, timeout=10).json()
    assert [each["code"] for each in answer["findings"]] == ["early-retry"]
    for name, value in (("ignore", "nobody"), ("also", "nobody"), ("threshold", "attempts=few")):
        wrong = requests.get(f"{hasty.url}/_mock/audit?{name}={value}", headers=headers, timeout=10)
        assert (wrong.status_code, list(wrong.json()["error"]["details"])) == (400, [name])


def test_the_wires_clock_counts_and_not_the_sandboxs(server: MockServer) -> None:
    sandbox = server.sandbox()
    sandbox.inject("plans.list", error="RATE_LIMITED", retry_after="1m", times=1)
    call(sandbox, "/v1/plans")
    sandbox.clock.advance("1h")
    call(sandbox, "/v1/plans")
    assert [each.code for each in sandbox.audit.findings()] == ["early-retry"]


def test_help_says_what_a_threshold_is_before_the_reason_and_ends_with_help() -> None:
    done = commands.run([COMMAND, "audit", "--help"], capture_output=True, text=True, timeout=30, check=True)
    words = " ".join(done.stdout.split())
    for each in thresholds():
        meaning, reason = (f"{text[0].upper()}{text[1:]}." for text in (each.meaning, each.reason))
        assert f"{meaning} {reason} [default: {each.default}]" in words
    assert done.stdout.splitlines()[-1].lstrip().startswith("-h, --help")
