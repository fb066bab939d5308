"""`pytest --cnx-sweep`, in other people's projects: every test that uses `cnx`, once for every fault at every call."""

import signal
from textwrap import dedent

import pytest

from .conftest import Run

pytestmark = pytest.mark.slow  # each test runs something many times

CLIENT = """
import http.client
import json

import pytest


class CloudError(Exception):
    pass


def once(cnx, method, path, body=None):
    connection = http.client.HTTPConnection(cnx.url.removeprefix("http://"), timeout=0.3)
    try:
        connection.request(method, path, body and json.dumps(body), {"Authorization": f"Bearer {cnx.api_key}"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CloudError(repr(error)) from error
    finally:
        connection.close()
    if response.status >= 400:
        raise CloudError(answer["error"]["code"])
    return answer


BODY = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
"""

BLIND = """
def test_deploy(cnx):
    try:
        once(cnx, "POST", "/v1/instances", BODY)
    except CloudError:
        once(cnx, "POST", "/v1/instances", BODY)
"""


def test_a_blind_retry_is_found_and_the_session_fails(run: Run) -> None:
    result = run(CLIENT + BLIND, "--cnx-sweep", "--cnx-sweep-faults", "error,reset-after")
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*cnx-mock sweep*",
            "test_it.py::test_deploy",
            "POST /v1/instances #1  ok     DUPL",
            "*1 duplicated, 1 survived",
            "duplicated: `POST /v1/instances` #1, reset after commit: *retried and left 2 instances named web-1",
            "    pytest test_it.py::test_deploy --cnx-seed 0 --cnx-cell instances.create-1-reset-after",
        ]
    )


def test_one_defect_is_one_paragraph_and_the_last_line_counts_its_cells(run: Run) -> None:
    result = run(CLIENT + BLIND, "--cnx-sweep", "--cnx-sweep-faults", "error-after,reset-after,hang-after")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["duplicated: *", "    in 3 cells: #1 error-after, reset-after, hang-after", "*1 passed, 3 duplicated in *"]
    )
    assert result.stdout.str().count("duplicated: `") == 1


PARTIAL = """
def test_deploy(cnx):
    once(cnx, "POST", "/v1/instances", BODY)
    once(cnx, "GET", "/v1/plans")
"""


@pytest.mark.parametrize(
    ("marker", "options", "status"),
    [
        ("", [], 1),
        ("", ["--cnx-sweep-allow-partial"], 0),
        ("@pytest.mark.cnx_sweep(allow_partial=True)", [], 0),
        ("@pytest.mark.cnx_sweep(allow_partial=False)", ["--cnx-sweep-allow-partial"], 1),
    ],
)
def test_a_failed_test_whose_client_left_something_leaks_unless_that_is_allowed(
    run: Run, marker: str, options: list[str], status: int
) -> None:
    result = run(f"{CLIENT}\n{marker}{PARTIAL}", "--cnx-sweep", "--cnx-sweep-faults", "error", *options)
    assert result.ret == status
    kept = "left the instance web-1 behind" if status else "left the instance web-1, which it may leave"
    verdict = "leaked" if status else "failed cleanly"
    result.stdout.fnmatch_lines([f"{verdict}: `GET /v1/plans` #1, *{kept}"])


def test_what_a_test_has_added_itself_is_not_left_by_its_client(run: Run) -> None:
    tests = "\ndef test_it(cnx):\n    cnx.instances.add(name='there')\n    once(cnx, 'GET', '/v1/plans')\n"
    result = run(CLIENT + tests, "--cnx-sweep", "--cnx-sweep-faults", "error")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["failed cleanly: *left nothing of its own behind"])


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("allow_parial=True", "cnx_sweep takes no 'allow_parial', did you mean 'allow_partial'?"),
        ("allow='CloudError'", "cnx_sweep takes exceptions as allow, such as allow=(ValueError,), not 'CloudError'"),
        ("(CloudError,)", "cnx_sweep takes only keywords: cnx_sweep(allow=(ValueError,))"),
    ],
)
def test_a_marker_that_cannot_be_used_fails_the_test_also_without_a_sweep(run: Run, given: str, complaint: str) -> None:
    tests = f"{CLIENT}\n@pytest.mark.cnx_sweep({given}){PARTIAL}"
    for options in ([], ["--cnx-sweep", "--cnx-sweep-faults", "error"]):
        result = run(tests, *options)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([complaint])


@pytest.mark.parametrize("options", [["--cnx-sweep-faults", "error"], ["--cnx-sweep-timeout", "5s"]])
def test_an_option_of_a_sweep_says_that_there_is_no_sweep(run: Run, options: list[str]) -> None:
    result = run("def test_it(cnx): pass", *options)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"cnx-mock: {options[0]} has no effect without --cnx-sweep"])


HAMMERING = """
def test_it(cnx):
    for attempt in range(9):
        try:
            once(cnx, "GET", "/v1/plans")
            return
        except CloudError:
            pass
    raise CloudError
"""


def test_a_hammered_cell_is_explained_and_does_not_fail_the_session(run: Run) -> None:
    # with a Retry-After: how fast the machine is does not change it
    result = run(CLIENT + HAMMERING, "--cnx-sweep", "--cnx-sweep-faults", "rate-limit")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["hammered: `GET /v1/plans` #1, *retries badly: *", "*1 passed, 1 hammered in *"])


def test_what_a_test_expects_is_checked_at_its_end(run: Run) -> None:
    tests = """
    def test_met(cnx):
        cnx.expect(instances=[{"name": "web-1"}])
        once(cnx, "POST", "/v1/instances", BODY)

    def test_unmet(cnx):
        cnx.expect(instances=1)
        once(cnx, "GET", "/v1/plans")
    """
    result = run(CLIENT + dedent(tests))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*there are 0 instances, not 1*"])


def test_one_cell_runs_alone(run: Run) -> None:
    tests = CLIENT + BLIND + "    cnx.requests.assert_called('instances.create', times=1)\n"
    result = run(tests, "--cnx-cell", "instances.create-1-reset-after")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*fired sweep:instances.create-1-reset-after: connection=reset*"])


def test_a_test_without_cnx_is_left_alone_and_a_good_one_passes(run: Run) -> None:
    tests = CLIENT + "\ndef test_plans(cnx):\n    once(cnx, 'GET', '/v1/plans')\n\n\ndef test_other(): pass\n"
    result = run(tests, "--cnx-sweep")
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["GET /v1/plans #1 *", "*12 failed cleanly"])


def test_only_what_is_allowed_counts_as_a_clean_failure(run: Run) -> None:
    tests = """
    @pytest.mark.cnx_sweep(allow=[CloudError])
    def test_tidy(cnx):
        once(cnx, "GET", "/v1/plans")

    @pytest.mark.cnx_sweep(allow=(CloudError,))
    def test_untidy(cnx):
        try:
            once(cnx, "GET", "/v1/plans")
        except CloudError as error:
            raise KeyError("plans") from error
    """
    result = run(CLIENT + dedent(tests), "--cnx-sweep", "--cnx-sweep-faults", "error")
    result.assert_outcomes(passed=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*raised: `GET /v1/plans` #1, INTERNAL_ERROR before effect: *KeyError: 'plans'*"])
    assert result.stdout.str().count("raised: `") == 1


def test_a_test_that_fails_anyway_is_not_swept(run: Run) -> None:
    result = run(CLIENT + "\ndef test_it(cnx):\n    assert not once(cnx, 'GET', '/v1/plans')\n", "--cnx-sweep")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["it is not swept: without faults it failed"])


def test_a_test_that_makes_no_calls_is_not_swept(run: Run) -> None:
    result = run("def test_it(cnx): pass", "--cnx-sweep")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["it is not swept: none of the faults applies to its calls"])


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals for threads")
def test_a_client_without_a_timeout_hangs(run: Run) -> None:
    tests = CLIENT.replace("timeout=0.3", "timeout=None") + "\ndef test_it(cnx):\n    once(cnx, 'GET', '/v1/plans')\n"
    result = run(tests, "--cnx-sweep", "--cnx-sweep-faults", "hang", "--cnx-sweep-timeout", "500ms")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["hung: `GET /v1/plans` #1, hang before effect: *"])


def test_a_fixture_cleans_up_after_every_run_and_what_it_misses_leaks(run: Run) -> None:
    tests = """

@pytest.fixture
def server(cnx):
    made = once(cnx, "POST", "/v1/instances", BODY)
    yield made
    once(cnx, "DELETE", f"/v1/instances/{made['id']}")


def test_it(cnx, server):
    once(cnx, "GET", "/v1/plans")
"""
    result = run(CLIENT + tests, "--cnx-sweep", "--cnx-sweep-faults", "error")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["leaked: `DELETE /v1/instances/{id}` #1*"])
    assert result.stdout.str().count("leaked: `") == 1


@pytest.mark.usefixtures("forks")
def test_it_works_under_xdist(run: Run) -> None:
    result = run(CLIENT + BLIND, "-n", "2", "--cnx-sweep", "--cnx-sweep-faults", "reset-after", beside=("xdist",))
    assert result.ret == 1
    result.stdout.fnmatch_lines(["duplicated: *left 2 instances named web-1"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cnx-sweep", "--cnx-sweep-faults", "rest"], "*did you mean 'reset'*"),
        (["--cnx-sweep", "--cnx-sweep-timeout", "3"], "*needs a unit*"),
        (["--cnx-sweep", "--cnx-cell", "instances.create-1-error"], "*leave --cnx-sweep out*"),
        (["--cnx-cell", "nonsense"], "*--cnx-cell: 'nonsense' is not a cell: write instances.create-1-reset-after: *"),
        (["--cnx-cell", "instances.creat-1-error"], "*no operation is called *, did you mean 'instances.create'?"),
        (["--cnx-cell", "instances.create-1-eror"], "*no fault is called 'eror', did you mean 'error'?"),
        (["--cnx-cell", "plans.list-1-reset-after"], "*the fault 'reset-after' cannot happen at GET /v1/plans"),
        (["--cnx-cell", "plans.list-1-error"], "*none of these tests uses cnx*"),
    ],
)
def test_bad_options_are_told_at_once(run: Run, options: list[str], message: str) -> None:
    result = run("def test_it(): pass", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_a_test_that_stops_the_server_is_not_swept(run: Run) -> None:
    tests = CLIENT + "\ndef test_it(cnx, cnx_server):\n    cnx_server.stop()\n\n\ndef test_other(): pass\n"
    result = run(tests, "--cnx-sweep")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["no sandbox: the server does not run: *"])


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals for threads")
def test_the_limit_of_a_run_never_interrupts_pytest_itself(run: Run, pytester: pytest.Pytester) -> None:
    """A report that takes longer than the limit: it must be written all the same."""
    pytester.makeconftest(
        """
        import pytest, signal

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item, call):
            limit = item.config.pluginmanager.getplugin("cnx_runs")._time_limit
            signal.raise_signal(limit.signal)
            return (yield)
        """
    )
    tests = CLIENT + "\ndef test_plans(cnx):\n    once(cnx, 'GET', '/v1/plans')\n"
    result = run(tests, "--cnx-sweep", "--cnx-sweep-faults", "error")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*1 hung*"])


HANGS = CLIENT.replace("timeout=0.3", "timeout=None") + "\n\ndef test_it(cnx):\n    once(cnx, 'GET', '/v1/plans')\n"


@pytest.mark.parametrize("only", [True, False], ids=["func_only", "whole"])
@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_hang_that_pytest_timeout_would_end_is_hung(
    method: str, only: bool, run: Run, pytester: pytest.Pytester
) -> None:
    """pytest-timeout gives the limit, and does not end the sweep of which each run keeps it."""
    pytester.makeini(f"[pytest]\ntimeout = 1\ntimeout_method = {method}\ntimeout_func_only = {only}\n")
    result = run(HANGS, "--cnx-sweep", "--cnx-sweep-faults", "error,hang", beside=("timeout",))
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*1 hung*", "hung: `GET /v1/plans` #1, hang before effect: *"])


def test_a_test_that_uses_the_alarm_itself_hangs_all_the_same(run: Run) -> None:
    tests = (
        HANGS
        + """
import signal

@pytest.fixture(autouse=True)
def alarm():
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
"""
    )
    result = run(tests, "--cnx-sweep", "--cnx-sweep-faults", "hang", "--cnx-sweep-timeout", "500ms")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["hung: `GET /v1/plans` #1, hang before effect: *"])


def test_pytest_timeout_still_ends_a_test_that_hangs_without_faults(run: Run) -> None:
    tests = """
    import threading

    @pytest.mark.timeout(0.3)
    def test_it(cnx):
        call(cnx, "GET", "/v1/plans")
        threading.Event().wait()

    @pytest.mark.timeout(0.3)
    def test_without_cnx():
        threading.Event().wait()
    """
    result = run(tests, "--cnx-sweep", beside=("timeout",))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["it is not swept: without faults it failed"])


@pytest.mark.parametrize("way", ["--reruns=2", "marker"])
def test_a_sweep_says_that_it_reruns_nothing(way: str, run: Run) -> None:
    marker = "@pytest.mark.flaky(reruns=2)\n" if way == "marker" else ""
    tests = CLIENT + f"\n\n{marker}def test_plans(cnx):\n    once(cnx, 'GET', '/v1/plans')\n"
    options = [way] if way != "marker" else []
    result = run(tests, "--cnx-sweep", "--cnx-sweep-faults", "error", *options, beside=("rerunfailures", "debugging"))
    result.stdout.fnmatch_lines(["pytest-rerunfailures does not run it again: *"])


def test_a_cell_that_the_test_does_not_have_is_an_error(run: Run) -> None:
    tests = (
        CLIENT
        + """

def test_plans(cnx):
    once(cnx, "GET", "/v1/plans")
"""
    )
    result = run(tests, "--cnx-cell", "plans.list-7-error")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["--cnx-cell: plans.list-7-error did not happen in this test: match 1, *"])
    run(tests, "--cnx-cell", "images.list-1-error").assert_outcomes(passed=1, errors=1)


def test_a_cell_of_the_tear_down_happens(run: Run) -> None:
    tests = (
        CLIENT
        + """

@pytest.fixture
def plans(cnx):
    yield
    try:
        once(cnx, "GET", "/v1/plans")
    except CloudError:
        pass


def test_it(cnx, plans):
    pass
"""
    )
    run(tests, "--cnx-cell", "plans.list-1-error").assert_outcomes(passed=1)
