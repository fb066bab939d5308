"""Workers that share the tests."""

import os
from pathlib import Path

import pytest

from tests.pytest_plugin.conftest import without_others

FIRST = """
import os

import pytest

def test_passes():
    print("never shown")

def test_fails():
    print(f"said in {os.getpid()}, a fork of {os.getppid()}")
    assert 1 == 2

@pytest.mark.skip(reason="for a reason")
def test_is_skipped(): ...

def test_warns():
    import warnings
    warnings.warn("take care")
"""
SECOND = """
import pytest

@pytest.fixture(scope="session")
def shared():
    yield
    raise RuntimeError("taken apart")

@pytest.mark.parametrize("number", range(20))
def test_one_of_many(number, shared): ...
"""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")]


@pytest.fixture
def shared(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose tests two workers share."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    options = ["-p", "tests.workers", "--workers", "2", *without_others(), "-p", "no:xdist", "-p", "no:cnx_mock"]
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(options))
    return pytester


def test_they_come_to_what_one_process_comes_to(shared: pytest.Pytester) -> None:
    shared.makepyfile(test_first=FIRST, test_second=SECOND)
    counts = {"passed": 22, "failed": 1, "skipped": 1, "errors": 1, "warnings": 1}
    several = shared.runpytest_subprocess("-ra")
    several.assert_outcomes(**counts)
    several.stdout.fnmatch_lines(
        [
            "*RuntimeError: taken apart",
            "*assert 1 == 2",
            "said in *, a fork of *",
            "*UserWarning: take care",
            "SKIPPED [[]1[]] test_first.py:*: for a reason",
            "FAILED test_first.py::test_fails - assert 1 == 2",
        ]
    )
    several.stdout.no_fnmatch_line("*never shown*")
    shared.runpytest_subprocess("--workers", "1").assert_outcomes(**counts)
    again = shared.runpytest_subprocess("--last-failed", "-v")
    again.assert_outcomes(failed=1, errors=1, passed=1)


def test_the_first_failure_stops_all_if_that_is_wanted(shared: pytest.Pytester) -> None:
    shared.makepyfile(test_first=FIRST, test_second=SECOND.replace("): ...", "): assert not number"))
    result = shared.runpytest_subprocess("-x")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("*stopping after * failures*")
    assert sum(result.parseoutcomes().values()) < 20


@pytest.mark.parametrize(
    ("dies", "status"),
    [("os.kill(os.getpid(), 9)", "-9"), ("os._exit(1)", "1"), ("atexit.register(os._exit, 3)", "3")],
)
def test_a_worker_that_dies_is_a_failure_of_its_test(shared: pytest.Pytester, dies: str, status: str) -> None:
    shared.makepyfile(
        test_first=f"import atexit, os\n\ndef test_dies(): {dies}\n",
        test_second="def test_runs(): ...",
    )
    result = shared.runpytest_subprocess()
    assert result.parseoutcomes()["failed"] == 1
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"the worker has ended in this test, or after it, with status {status}. *"])


def test_a_test_that_hangs_says_where_and_fails(shared: pytest.Pytester) -> None:
    shared.makepyfile(test_first="import threading\n\ndef test_hangs(): threading.Event().wait()\n")
    result = shared.runpytest_subprocess("-o", "faulthandler_timeout=1")
    result.assert_outcomes(failed=1)
    result.stderr.fnmatch_lines(["Fatal Python error: Aborted", "*test_first.py*, line 3 in test_hangs"])


@pytest.mark.parametrize("workers", [2, 20])  # of many, some have not started yet
def test_ctrl_c_ends_all(shared: pytest.Pytester, workers: int) -> None:
    shared.makepyfile(
        test_first="""
        import os, signal, threading

        def test_waits():
            os.kill(os.getppid(), signal.SIGINT)
            threading.Event().wait()

        def test_never_runs(): ...
    """
    )
    result = shared.runpytest_subprocess("--workers", str(workers))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines("*KeyboardInterrupt*")
    result.assert_outcomes()
