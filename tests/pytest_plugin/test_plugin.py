"""The pytest plugin, in runs of projects that have installed cnx-mock."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pytest_plugin.conftest import OWN, PLUGINS, Run, without_others

# ---- what it costs those who do not use it


def test_the_plugin_imports_nothing_but_pytest_and_the_standard_library() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import cnx_mock.pytest_plugin.plugin\n"
        "new = set(sys.modules) - before\n"
        "print(*sorted(name for name in new if name.partition('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    names = ("options", "plugin", "sandboxes", "scenarios", "stash", "sweep_marker")
    rooms = ["", ".pytest_plugin", *(f".pytest_plugin.{name}" for name in names)]
    assert done.stdout.split() == [f"cnx_mock{name}" for name in rooms]


@pytest.mark.slow
def test_a_run_that_asks_for_no_sandbox_starts_no_server(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys, threading

        def test_nothing_is_there():
            assert not {"uvicorn", "pydantic", "starlette"} & set(sys.modules)
            assert [thread.name for thread in threading.enumerate() if "cnx" in thread.name] == []
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider", *without_others()).assert_outcomes(passed=1)


def test_the_plugin_can_be_left_out(run: Run) -> None:
    result = run("def test_it(cnx): pass", "-p", "no:cnx_mock")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*fixture 'cnx' not found*")


@pytest.mark.parametrize("absent", ["asyncio", "anyio", "xdist", "terminalreporter"])
def test_it_needs_no_other_plugin(absent: str, run: Run) -> None:
    slow = {"faker", "schemathesis"}
    once = {"hypothesispytest"}  # it warns in a process whose tests have used Hypothesis before
    present = tuple({*PLUGINS, *OWN, "xdist"} - {absent} - slow - once)
    result = run("def test_it(cnx): assert create(cnx)[0] == 201", "-p", f"no:{absent}", beside=present)
    assert result.ret == 0


def test_it_works_under_anyio_and_asyncio(run: Run) -> None:
    tests = """
    @pytest.mark.anyio
    async def test_on_anyio(cnx, anyio_backend): assert create(cnx)[0] == 201

    @pytest.mark.asyncio
    async def test_on_asyncio(cnx_intercept): assert create(cnx_intercept)[0] == 201
    """
    run(tests, beside=("anyio", "asyncio")).assert_outcomes(passed=3)


def test_the_plugin_explains_itself(run: Run) -> None:
    result = run("def test_it(cnx): pass", "--help")
    result.stdout.fnmatch_lines(["CloudNexus mock:", "*--cnx-seed=N*", "*--cnx-scenario=NAME|PATH*"])
    run("", "--markers").stdout.fnmatch_lines("@pytest.mark.cnx_scenario(*scenarios): *")
    run("", "--fixtures").stdout.fnmatch_lines_random(["cnx_server *", "cnx -- *"])


# ---- a sandbox for every test


def test_every_test_has_a_fresh_sandbox_on_one_server(run: Run) -> None:
    tests = """
    seen = []

    @pytest.mark.parametrize("number", range(3))
    def test_it(cnx, cnx_server, number):
        assert cnx.url == cnx_server.url
        assert call(cnx, "GET", "/v1/instances")[1]["data"] == []
        assert create(cnx)[0] == 201
        seen.append((cnx.url, cnx.api_key))
        assert len(set(seen)) == number + 1
        assert len({url for url, _ in seen}) == 1
    """
    run(tests).assert_outcomes(passed=3)


def test_a_loop_that_polls_ends_at_the_second_read(run: Run) -> None:
    tests = """
    def test_it(cnx):
        _, made = create(cnx)
        reads = [call(cnx, "GET", f"/v1/instances/{made['id']}")[1]["status"] for _ in range(3)]
        assert [made["status"], *reads] == ["provisioning", "provisioning", "running", "running"]
    """
    run(tests).assert_outcomes(passed=1)


def test_the_clock_starts_at_a_fixed_instant_and_runs(run: Run) -> None:
    tests = """
    def test_it(cnx):
        before = cnx.clock.now
        assert before.isoformat().startswith("2026-01-01T00:00:0")
        while cnx.clock.now == before:
            pass
    """
    run(tests).assert_outcomes(passed=1)


# ---- scenarios


MARKED = """
def limit_and_code(cnx):
    status, body = create(cnx)
    return cnx.account.rate_limit, body.get("error", {}).get("code")

def test_none(cnx):
    assert limit_and_code(cnx) == ("300/min", None)

@pytest.mark.cnx_scenario("rate-limited")
def test_one(cnx):
    assert limit_and_code(cnx) == ("5/min", None)

@pytest.mark.cnx_scenario(["rate-limited", {"world": {"rate_limit": "7/min"}}, "insufficient-credits"])
def test_several(cnx):
    assert limit_and_code(cnx) == ("7/min", "INSUFFICIENT_CREDITS")

@pytest.mark.cnx_scenario("rate-limited")
class TestNearest:
    @pytest.mark.cnx_scenario("insufficient-credits")
    def test_it(self, cnx):
        assert limit_and_code(cnx) == ("300/min", "INSUFFICIENT_CREDITS")

@pytest.mark.cnx_scenario("slow-provisioning")
def test_its_provisioning_beats_the_polls(cnx):
    _, made = create(cnx)
    reads = [call(cnx, "GET", f"/v1/instances/{made['id']}")[1]["status"] for _ in range(3)]
    assert reads == ["provisioning"] * 3
"""


def test_the_marker_puts_a_test_under_one_scenario_or_several(run: Run) -> None:
    run(MARKED, "--strict-markers").assert_outcomes(passed=5)


def test_an_option_gives_a_scenario_to_every_test_without_a_marker(run: Run) -> None:
    tests = """
    def test_without(cnx):
        assert create(cnx)[1]["error"]["code"] == "INSUFFICIENT_CREDITS"

    @pytest.mark.cnx_scenario("calm")
    def test_with(cnx):
        assert create(cnx)[0] == 201

    @pytest.mark.cnx_scenario()
    def test_with_none(cnx):
        assert create(cnx)[0] == 201
    """
    run(tests, "--cnx-scenario", "insufficient-credits").assert_outcomes(passed=3)


def test_a_scenario_may_be_a_file_of_the_project(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", story="rules:\n  - fault: {error: INTERNAL_ERROR}\n")
    tests = """
    @pytest.mark.cnx_scenario("story.yaml")
    def test_it(cnx):
        assert create(cnx)[0] == 500
    """
    run(tests).assert_outcomes(passed=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("marker", "problem"),
    [
        ("'flaky-netwrk'", "no sandbox: no scenario is called 'flaky-netwrk', did you mean 'flaky-network'?*"),
        ("'story.yaml'", "no sandbox: story.yaml:2:5: unknown key 'falt', did you mean 'fault'?"),
        ("{'wrld': {}}", "*wrld*did you mean 'world'?*"),
        ("['lost-response', 'lost-response']", "*the id 'lost' is used by two of the stacked scenarios*"),
        ("42", "*int*"),
        ("name='calm'", "cnx_scenario takes no keywords: *"),
    ],
)
def test_a_bad_scenario_fails_the_test_clearly(run: Run, pytester: pytest.Pytester, marker: str, problem: str) -> None:
    pytester.makefile(".yaml", story="rules:\n  - falt: {error: INTERNAL_ERROR}\n")
    result = run(f"@pytest.mark.cnx_scenario({marker})\ndef test_it(cnx): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(problem)
    for trace in ("Traceback*", "*pytest_plugin.py*", "*Error: *"):
        result.stdout.no_fnmatch_line(trace)


# ---- what a failing test shows


def test_a_failing_test_shows_what_the_mock_saw_and_which_rules_fired(run: Run) -> None:
    tests = """
    @pytest.mark.cnx_scenario("lost-response")
    def test_it(cnx):
        cnx.inject("instances.list", latency="1ms", id="slow")
        try:
            create(cnx)
        except ConnectionError:
            pass
        assert call(cnx, "GET", "/v1/instances?limit=5")[1]["pagination"]["total"] == 0

    def test_good(cnx):
        assert call(cnx, "GET", "/v1/plans")[0] == 200
    """
    result = run(tests)
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*- cnx-mock journal -*",
            "#1 POST /v1/instances → cut (instances.create, committed)",
            "     fired lost: connection=reset",
            "[#]2 GET /v1/instances[?]limit=5 → 200 (instances.list)",
            "     fired slow: latency=1ms",
        ]
    )
    result.stdout.no_fnmatch_line("*/v1/plans*")


def test_a_failing_set_up_shows_it_too(run: Run) -> None:
    tests = """
    @pytest.fixture
    def instance(cnx):
        status, body = create(cnx)
        assert status == 201
        return body

    @pytest.mark.cnx_scenario("insufficient-credits")
    def test_it(instance): pass
    """
    result = run(tests)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "[#]1 POST /v1/instances → 403 (instances.create)",
            "     INSUFFICIENT_CREDITS: *current_balance: *",
        ]
    )


def test_the_journal_of_a_failing_test_says_why_a_request_was_refused(run: Run) -> None:
    tests = """
    def test_it(cnx):
        call(cnx, "POST", "/v1/instances", {"name": "w" * 100, "plan": "po"})
        cnx.inject("instances.create", error="INTERNAL_ERROR", times=1)
        create(cnx)
        assert False
    """
    result = run(tests)
    result.stdout.fnmatch_lines(
        [
            "[#]1 POST /v1/instances → 400 (instances.create)",
            "     VALIDATION_ERROR: name: must have at most 63 characters; *plan: *",
            "[#]2 POST /v1/instances → 500 (instances.create)",
            "     fired inject-1: error=INTERNAL_ERROR",
        ],
        consecutive=True,
    )


def test_a_test_that_failed_before_its_first_call_says_so(run: Run) -> None:
    result = run("def test_it(cnx): assert False")
    result.stdout.fnmatch_lines(["*- cnx-mock journal -*", "(no requests)"])


def test_a_failing_test_shows_its_requests_that_reached_no_sandbox(run: Run) -> None:
    tests = """
    class Stranger:
        def __init__(self, cnx, api_key):
            self.url, self.api_key = cnx.url, api_key

    def test_before(cnx):
        create(Stranger(cnx, "nonsense"))

    def test_it(cnx):
        create(Stranger(cnx, "cnx_test_short"))
        assert False

    def test_two(cnx):
        create(cnx)
        create(Stranger(cnx, "nonsense"))
        create(Stranger(cnx, "cnx_live_" + "0" * 32))
        assert False
    """
    result = run(tests)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*- cnx-mock journal -*", "1 request reached no sandbox: malformed_key"])
    result.stdout.fnmatch_lines(
        ["[#]1 POST /v1/instances → 201 *", "2 requests reached no sandbox: malformed_key (1), *"]
    )
    assert "(no requests)" not in result.stdout.str()


def test_a_request_for_nothing_that_exists_is_shown_as_such(run: Run) -> None:
    result = run("def test_it(cnx):\n    call(cnx, 'GET', '/v1/nowhere')\n    assert False")
    result.stdout.fnmatch_lines("[#]1 GET /v1/nowhere → 404 (no such operation)")


def test_the_summary_has_the_reason(run: Run) -> None:
    result = run("@pytest.mark.cnx_scenario({'wrld': {}})\ndef test_it(cnx): pass", "-rE")
    result.stdout.fnmatch_lines("ERROR test_it.py::test_it - *no sandbox: wrld: unknown*")


def test_a_journal_that_cannot_be_read_hides_no_failure(run: Run) -> None:
    result = run("def test_it(cnx, cnx_server):\n    cnx_server.stop()\n    assert 1 == 2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 1 == 2*", "(the journal could not be read: no cnx-mock answers at *)"])


# ---- the same in every run


RECORDED = """
import os, pathlib

@pytest.mark.parametrize("number", range(6))
def test_it(cnx, request, number):
    made = [create(cnx)[1]["id"] for _ in range(2)]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    record = json.dumps({"ids": made, "server": [worker, cnx.url]})
    pathlib.Path(os.environ["RECORDS"], f"{number}").write_text(record)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("forks")
def test_ids_are_the_same_alone_in_another_order_and_in_parallel(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = "import json\n" + RECORDED

    def ids(name: str, *options: str, passed: int = 6) -> dict[str, list[str]]:
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv("RECORDS", str(folder))
        run(tests, *options, beside=("xdist",)).assert_outcomes(passed=passed)
        records = {path.name: json.loads(path.read_text()) for path in folder.iterdir()}
        servers = {tuple(each["server"]) for each in records.values()}
        assert len(servers) == len({worker for worker, _ in servers}), "one server a worker"
        return {number: record["ids"] for number, record in records.items()}

    alone = ids("alone")
    assert len({each for made in alone.values() for each in made}) == 12
    assert ids("reordered", *(f"test_it.py::test_it[{number}]" for number in (5, 2, 0, 4, 3, 1))) == alone
    assert ids("picked", "-k", "3", passed=1) == {"3": alone["3"]}
    assert ids("parallel", "-n", "4") == alone
    assert ids("seeded", "--cnx-seed", "7", "-k", "3", passed=1) != {"3": alone["3"]}


@pytest.mark.parametrize("seed", ["x", "-1", "9" * 19])
def test_a_seed_is_a_whole_number(run: Run, seed: str) -> None:
    result = run("", f"--cnx-seed={seed}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"*--cnx-seed: '{seed}' is not a whole number of at most 18 digits")


# ---- faults that were asked for and never came


NEVER_FIRED = """
def test_forgotten(cnx):
    cnx.inject("instances.create", error="INTERNAL_ERROR", match={"body": {"region": "eu-west-1"}}, id="outage")
    assert create(cnx)[0] == 201

def test_one_too_many(cnx):
    cnx.inject("instances.list", error="INTERNAL_ERROR", times={"skip": 1}, id="late")
    call(cnx, "GET", "/v1/instances")

def test_no_request(cnx):
    with cnx.inject("instances.create", error="INTERNAL_ERROR", id="early"):
        pass

def test_by_chance(cnx):
    cnx.inject("instances.create", error="INTERNAL_ERROR", probability=0.5)

def test_optional(cnx):
    cnx.inject("instances.create", error="INTERNAL_ERROR", optional=True)

def test_struck(cnx):
    with cnx.inject("instances.create", error="INTERNAL_ERROR"):
        assert create(cnx)[0] == 500

@pytest.mark.cnx_scenario("lost-response")
def test_rules_of_a_scenario_need_not(cnx):
    pass

def test_failed_anyway(cnx):
    cnx.inject("instances.create", error="INTERNAL_ERROR", id="never")
    assert 1 == 2
"""


def test_a_fault_that_was_injected_and_never_fired_fails_the_test_with_the_reason(run: Run) -> None:
    result = run(NEVER_FIRED)
    result.assert_outcomes(passed=4, failed=4)
    result.stdout.fnmatch_lines(
        [
            "outage never fired: no request matched; the nearest is #1 POST /v1/instances: "
            'body region is "us-east-1", not "eu-west-1"',
            "late never fired: match 1, not in times {skip: 1} (#1 GET /v1/instances)",
            "early never fired: no request came",
            "*assert 1 == 2",
        ]
    )
    result.stdout.no_fnmatch_line("*never never fired*")


EXPECTED = """
RETRIED = {
    "rules": [{"id": "twice", "match": {"operation": "instances.create"}, "times": 2, "fault": {"status": 503}}],
    "expect": {"fired": {"twice": 2}},
}

def retry(cnx, attempts):
    for _ in range(attempts):
        create(cnx)

@pytest.mark.cnx_scenario(RETRIED)
def test_the_marker_meets_it(cnx):
    retry(cnx, 3)

@pytest.mark.cnx_scenario(RETRIED)
def test_the_marker_misses_it(cnx):
    retry(cnx, 1)

def test_use_meets_it(cnx):
    cnx.use(RETRIED)
    retry(cnx, 2)

def test_use_misses_it(cnx):
    cnx.use(RETRIED)
"""


def test_what_a_scenario_expects_must_have_happened(run: Run) -> None:
    result = run(EXPECTED)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["twice fired 1 times, not 2", "twice fired 0 times, not 2: no request came"])


def test_a_default_for_the_whole_suite_expects_nothing_of_each_test(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", story="rules:\n  - {id: r, fault: {status: 503}}\nexpect: {fired: {r: 5}}\n")
    run("def test_it(cnx): assert create(cnx)[0] == 503", "--cnx-scenario", "story.yaml").assert_outcomes(passed=1)


def test_a_failing_test_shows_the_rule_that_nearly_meant_a_request(run: Run) -> None:
    tests = """
    def test_it(cnx):
        cnx.inject("instances.create", status=503, match={"body": {"name": "web-2"}}, id="second", optional=True)
        assert create(cnx)[0] == 503
    """
    run(tests).stdout.fnmatch_lines(['     nearly second: body name is "*", not "web-2"'])


def test_a_failing_test_shows_why_a_request_could_not_be_read(run: Run) -> None:
    tests = """
    import socket

    def send(cnx, request):
        host, _, port = cnx.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port))) as wire:
            wire.sendall(request)
            wire.recv(1)

    def test_it(cnx):
        send(cnx, b"get /v1/plans HTTP/1.1\\r\\nAuthorization: Bearer " + cnx.api_key.encode() + b"\\r\\n\\r\\n")
        send(cnx, b"GET /v1/plans\\r\\n")
        assert False
    """
    lines = ["[#]1 get /v1/plans → 400 (methods are in upper case: write GET, not get)"]
    lines += ["1 request reached no sandbox: the request line has no HTTP version: end it with HTTP/1.1"]
    run(tests).stdout.fnmatch_lines(lines)


def test_a_rule_that_can_never_fire_is_a_warning_at_its_line(run: Run) -> None:
    tests = """
    def test_it(cnx):
        cnx.inject("instances.create", status=503, probability=0)
    """
    result = run(tests, "-Wdefault")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*test_*.py:*: ScenarioWarning: inject-1: 'probability' is 0: the rule can never fire"]
    )
