"""`pytest --cnx-readings`, in other people's projects: tests that take one meaning of the documentation for granted."""

import shlex
import signal

import pytest

from tests.pytest_plugin.conftest import Run, without_others
from tests.pytest_plugin.test_again import line_of, rerun
from tests.pytest_plugin.test_sweep import CLIENT

pytestmark = pytest.mark.slow  # each test runs something many times

DELETE = """
def test_it(cnx):
    _, made = create(cnx)
    _, gone = call(cnx, "DELETE", f"/v1/instances/{made['id']}")
    assert gone["id"] == made["id"]
"""
EMPTY = "under the reading delete-answer=200-empty-object: the test failed: KeyError: 'id'"


def test_a_reading_taken_for_granted_is_a_short_failure(run: Run) -> None:
    result = run(DELETE, "--cnx-readings")
    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*_ test_it _*",
            f"misread: {EMPTY}",
            "    the documentation leaves open: DELETE has no shape; 204 is not in the list of codes",
            "    again: pytest test_it.py::test_it --cnx-seed 0 --cnx-reading delete-answer=200-empty-object",
            "misread: under the reading delete-answer=204: the test failed: JSONDecodeError: *",
            "    the documentation leaves open: *",
            "    again: pytest test_it.py::test_it --cnx-seed 0 --cnx-reading delete-answer=204",
            "*= cnx-mock readings =*",
            "1 test, 5 runs under other readings: 2 misread, 3 survived",
            "FAILED test_it.py::test_it - Failed: misread: under the reading delete-*",
        ],
        consecutive=False,
    )
    assert "pytest_plugin" not in result.stdout.str(), "frames of ours"
    result.stdout.no_fnmatch_line("*cnx-mock journal*")


def test_the_line_fails_in_the_same_way(run: Run, pytester: pytest.Pytester) -> None:
    result = run(DELETE.replace("def test_it(cnx)", "class TestIn:\n  def test_it(self, cnx)"), "--cnx-readings")
    lines = [each.strip() for each in result.stdout.lines if each.strip().startswith("again: ")]
    assert len(lines) == 2
    for line in lines:
        second = rerun(pytester, line.removeprefix("again: "))
        second.assert_outcomes(failed=1)
        second.stdout.fnmatch_lines([f"cnx-mock: seed 0, reading {line.rpartition(' ')[2]}", line])


def test_a_careful_test_passes_and_one_without_cnx_runs_once(run: Run, pytester: pytest.Pytester) -> None:
    tests = """
    def test_plans(cnx):
        assert call(cnx, "GET", "/v1/plans")[0] == 200

    def test_without_calls(cnx): pass

    def test_other():
        with open("runs", "a") as file: file.write("x")
    """
    result = run(tests, "--cnx-readings")
    result.assert_outcomes(passed=3)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["1 test, 4 runs under other readings: 4 survived"])
    assert (pytester.path / "runs").read_text() == "x"


LEAVES_TWO = """
def test_it(cnx):
    create(cnx)
    create(cnx)
"""


def test_another_world_is_misread_though_the_test_passes(run: Run, pytester: pytest.Pytester) -> None:
    result = run(LEAVES_TWO, "--cnx-readings")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["misread: under the reading instance-names=unique: the instance web-1 is missing"])
    line = line_of(result)
    assert line == "pytest test_it.py::test_it --cnx-seed 0 --cnx-readings"
    rerun(pytester, line).assert_outcomes(failed=1)
    run(LEAVES_TWO, "--cnx-reading", "instance-names=unique").assert_outcomes(passed=1)


def test_names_with_a_random_part_are_no_other_world(run: Run) -> None:
    tests = """
    import uuid

    def test_it(cnx):
        body = {"name": f"web-{uuid.uuid4().hex}", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
        assert call(cnx, "POST", "/v1/instances", body)[0] == 201
    """
    run(tests, "--cnx-readings").assert_outcomes(passed=1)


def test_a_skipped_test_is_another_outcome_and_the_set_up_counts(run: Run) -> None:
    tests = """
    @pytest.fixture
    def names(cnx):
        listed = call(cnx, "GET", "/v1/instances")[1]
        if not isinstance(listed, dict):
            pytest.skip("a bare list")
        return listed["data"]

    def test_it(cnx, names):
        assert names == []
    """
    result = run(tests, "--cnx-readings")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["misread: under the reading list-envelope=bare: the test was skipped"])
    result = run(tests.replace("isinstance(listed, dict)", "True"), "--cnx-readings")
    result.stdout.fnmatch_lines(["misread: * list-envelope=bare: its set-up failed: TypeError: *"])


@pytest.mark.parametrize(
    ("tests", "outcomes"),
    [
        ("def test_it(cnx): assert create(cnx)[0] == 500", {"failed": 1}),
        ("def test_it(cnx): create(cnx); pytest.skip()", {"skipped": 1}),
        ("@pytest.mark.xfail\ndef test_it(cnx): assert create(cnx)[0] == 500", {"xfailed": 1}),
        ("@pytest.mark.xfail\ndef test_it(cnx): create(cnx); create(cnx)", {"xpassed": 1}),
        ("def test_it(cnx, cnx_server): cnx_server.stop()", {"passed": 1}),
    ],
)
def test_a_test_of_which_nothing_can_be_said_is_reported_as_without_the_option(
    run: Run, tests: str, outcomes: dict[str, int]
) -> None:
    result = run(tests, "--cnx-readings")
    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines(["0 tests, 0 runs under other readings"])
    assert result.stdout.str().count("again: ") == outcomes.get("failed", 0)


def test_a_test_that_passes_only_once_passes_and_is_not_judged(run: Run) -> None:
    tests = """
    SEEN = []

    def test_it(cnx):
        SEEN.append(create(cnx))
        assert len(SEEN) == 1
    """
    result = run(tests, "--cnx-readings")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["test_it.py::test_it: it is not judged under other readings: a second run under the same readings failed"]
    )


def test_each_run_has_a_fresh_instance_of_the_class_and_parameters_stay_apart(run: Run) -> None:
    tests = """
    import unittest

    class TestIn:
        @pytest.mark.parametrize("limit", [1, 500])
        def test_pages(self, cnx, limit):
            self.seen = [*getattr(self, "seen", ()), call(cnx, "GET", f"/v1/instances?limit={limit}")[0]]
            assert len(self.seen) == 1
            assert (self.seen == [200]) == (limit == 1)

    class Case(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def sandbox(self, cnx):
            self.cnx = cnx

        def test_names(self):
            assert create(self.cnx)[0] == create(self.cnx)[0] == 201
    """
    result = run(tests, "--cnx-readings", "-v", beside=("unittest", "debugging"))
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["*::test_pages?1? PASSED*", "*::test_pages?500? FAILED*", "*::Case::test_names FAILED*"]
    )
    result.stdout.fnmatch_lines(["misread: under the reading limit-above-max=clamp: *"])
    result.stdout.fnmatch_lines(["misread: under the reading instance-names=unique: the test failed: *"])


MODULE = """
@pytest.fixture(scope="module", autouse=True)
def module(cnx_module):
    assert call(cnx_module, "GET", "/v1/plans")[0] == 200
    yield
    with open("ends", "a") as file:
        file.write("x")
"""


def test_the_first_failure_ends_the_run_and_tears_the_module_down(run: Run, pytester: pytest.Pytester) -> None:
    result = run(MODULE + LEAVES_TWO + "\ndef test_other(cnx): pass\n", "--cnx-readings", "-x")
    result.assert_outcomes(failed=1)
    assert (pytester.path / "ends").read_text() == "x"


def test_a_run_leaves_no_output_and_no_properties_in_the_report(run: Run, pytester: pytest.Pytester) -> None:
    tests = """
    def test_it(cnx, record_property):
        record_property("ticket", "7")
        print("said once")
        create(cnx)
        assert not create(cnx)[0] == 201 or True
    """
    result = run(tests, "--cnx-readings", "--junitxml=out.xml", "-o", "junit_family=xunit1", beside=("junitxml",))
    result.assert_outcomes(failed=1)
    assert result.stdout.str().count("said once") == 1
    report = (pytester.path / "out.xml").read_text()
    assert report.count('name="ticket"') == 1
    assert 'failures="1"' in report
    assert "misread: under the reading instance-names=unique" in report


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals for threads")
def test_a_test_that_never_ends_under_a_reading_is_hung(run: Run) -> None:
    tests = """
    import threading

    def test_it(cnx):
        if not isinstance(call(cnx, "GET", "/v1/instances")[1], dict):
            threading.Event().wait()
    """
    result = run(tests, "--cnx-readings", "--cnx-sweep-timeout=1s")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["hung: under the reading list-envelope=bare: *still running after *"])


def test_a_reading_reaches_every_sandbox(run: Run) -> None:
    tests = """
    def status(sandbox):
        return [create(sandbox)[0] for _ in range(2)][1]

    def test_cnx(cnx): assert status(cnx) == 422

    def test_module(cnx_module): assert status(cnx_module) == 422

    def test_session(cnx_session): assert status(cnx_session) == 422

    def test_made(cnx_server): assert status(cnx_server.sandbox()) == 422

    def test_after_a_reset(cnx):
        cnx.reset()
        assert status(cnx) == 422
    """.replace("range(2)][1]", "range(1)][0]").replace("create(sandbox)", "call(sandbox, 'POST', '/v1/instances', {})")
    result = run(tests, "--cnx-reading=validation-status=422")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["cnx-mock: seed 0, reading validation-status=422"])


CHOSEN = """
@pytest.mark.cnx_scenario({"world": {"readings": {"instance-names": "unique"}}})
def test_it(cnx):
    assert create(cnx)[0] == 201
    assert create(cnx)[0] in (400, 422)
"""


def test_what_a_tests_own_scenario_says_stays(run: Run) -> None:
    run(CHOSEN, "--cnx-reading=instance-names=free").assert_outcomes(passed=1)
    run(CHOSEN, "--cnx-readings").assert_outcomes(passed=1)


def test_the_others_are_those_that_are_not_in_force(run: Run) -> None:
    result = run(
        LEAVES_TWO, "--cnx-readings", "--cnx-reading=instance-names=unique", "--cnx-reading=rate-window=sliding"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["misread: under the reading instance-names=free: 2 instances named web-1"])


def test_the_line_keeps_the_other_readings_and_the_switches(run: Run, pytester: pytest.Pytester) -> None:
    options = ["--cnx-reading=rate-window=sliding", "--cnx-reading=delete-answer=200-body", "--cnx-intercept"]
    result = run(DELETE, "--cnx-readings", *options)
    lines = [each.strip() for each in result.stdout.lines if each.strip().startswith("again: ")]
    words = "--cnx-reading rate-window=sliding --cnx-reading delete-answer=204 --cnx-intercept"
    assert lines[1] == f"again: pytest test_it.py::test_it --cnx-seed 0 {words}"
    rerun(pytester, lines[1].removeprefix("again: ")).assert_outcomes(failed=1)


def test_a_cell_runs_under_the_readings_too(run: Run, pytester: pytest.Pytester) -> None:
    tests = """
    def test_it(cnx):
        if create(cnx)[0] == 500:
            assert create(cnx)[0] == 201
    """
    run(tests, "--cnx-readings").assert_outcomes(passed=1)
    result = run(tests, "--cnx-readings", "--cnx-cell=instances.create-1-error-after")
    result.assert_outcomes(failed=1)
    line = line_of(result)
    cell = ["--cnx-cell", "instances.create-1-error-after", "--cnx-reading", "instance-names=unique"]
    assert shlex.split(line)[-4:] == cell
    rerun(pytester, line).assert_outcomes(failed=1)


PLANS = f"{CLIENT}\ndef test_it(cnx):\n    assert 'data' in once(cnx, 'GET', '/v1/plans')\n"


@pytest.mark.usefixtures("forks")
def test_a_sweep_takes_the_readings_too(run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--cnx-sweep", "--cnx-sweep-faults=error"]
    without = run(PLANS, *options)
    assert without.ret == 0
    assert "misread" not in without.stdout.str()
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(without_others(but=("hypothesispytest",))))  # it once broke the end
    options += ["-p", "no:cacheprovider", "--cnx-sweep-readings"]
    result = pytester.runpytest_subprocess(*options)  # Hypothesis would remember for ever that it was loaded twice
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "GET /v1/plans #1  fail",
            "other meaning 2  MISR *",
            "misread: under the reading list-envelope=bare: the test failed: AssertionError: *",
            '    the documentation leaves open: "Returns a paginated list"',
            "    pytest test_it.py::test_it --cnx-seed 0 --cnx-reading list-envelope=bare",
            "*1 passed, 1 misread in *",
        ]
    )


def test_a_sweep_runs_under_a_reading(run: Run) -> None:
    tests = PLANS.replace("'data' in", "[] !=")
    result = run(tests, "--cnx-sweep", "--cnx-sweep-faults=error", "--cnx-reading=list-envelope=bare")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["    pytest * --cnx-cell plans.list-1-error --cnx-reading list-envelope=bare"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cnx-reading=delete-anser=204"], "'delete-anser' is not a reading, did you mean 'delete-answer'?"),
        (["--cnx-reading=delete-answer=205"], "'delete-answer' must be one of: *did you mean '204'?"),
        (["--cnx-reading=204"], "a reading is chosen as NAME=VALUE, not '204'"),
        (["--cnx-reading=tags-match=any", "--cnx-reading=tags-match=all"], "reading 'tags-match' is chosen twice: *"),
        (["--cnx-sweep-readings"], "--cnx-sweep-readings is for a sweep: add --cnx-sweep, or write --cnx-readings"),
        (["--cnx-sweep", "--cnx-readings"], "*write --cnx-sweep --cnx-sweep-readings"),
        (["--cnx-readings", "--cnx-sweep-timeout=3"], "--cnx-sweep-timeout: *needs a unit*"),
    ],
)
def test_bad_options_are_told_at_once(run: Run, options: list[str], message: str) -> None:
    result = run("def test_it(): pass", *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{message}"])


def test_other_plugins_that_would_run_it_again_are_named(run: Run) -> None:
    result = run(DELETE, "--cnx-readings", "--reruns=2", beside=("rerunfailures", "debugging"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_it.py::test_it: pytest-rerunfailures does not run it again: *"])


@pytest.mark.usefixtures("forks")
def test_it_works_under_xdist(run: Run) -> None:
    result = run(DELETE + LEAVES_TWO.replace("test_it", "test_two"), "-n", "2", "--cnx-readings", beside=("xdist",))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines([f"misread: {EMPTY}"])
    result.stdout.fnmatch_lines(["2 tests, 8 runs under other readings: 3 misread, 5 survived"])
