"""The line that runs a failure again: what it prints, run as it is printed, fails in the same way."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import _pytest.config
import pytest

from cnx_mock.pytest_plugin import again
from tests.pytest_plugin.conftest import Run, without_others


def line_of(result: pytest.RunResult, start: str = "again: ") -> str:
    """The one line that starts so, without the start."""
    [line] = {each.strip().removeprefix(start) for each in result.stdout.lines if each.strip().startswith(start)}
    return line


def rerun(pytester: pytest.Pytester, line: str) -> pytest.RunResult:
    program, *words = shlex.split(line)
    assert program == "pytest"
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *words)


ODD = """
@pytest.mark.parametrize("n", ["a b", "it's", 'say "x"', "$HOME `id` !", "a@b", "ü", "x::y", "[z]", "-v", ";#&|"])
def test_it(cnx, n):
    assert create(cnx)[0] == 500

class TestIn:
    def test_method(self, cnx):
        assert create(cnx)[0] == 500
"""


@pytest.mark.slow
def test_every_line_runs_again_whatever_the_test_is_called(run: Run, pytester: pytest.Pytester) -> None:
    result = run(ODD, "--cnx-seed=9", "--cnx-scenario=calm")
    result.assert_outcomes(failed=11)
    lines = [line for line in result.stdout.lines if line.startswith("again: ")]
    assert len(set(lines)) == 11
    for line in lines:
        second = rerun(pytester, line.removeprefix("again: "))
        second.assert_outcomes(failed=1)
        assert line in second.stdout.lines
        second.stdout.fnmatch_lines(["cnx-mock: seed 9, scenario calm"])


REACHES_THE_CLOUD = """
def test_it(cnx):
    import urllib.request
    request = urllib.request.Request(
        "https://api.cloudnexus.com/v1/plans", headers={"Authorization": f"Bearer {cnx.api_key}"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 500
"""


def test_the_line_still_leads_the_real_host_to_the_mock(run: Run, pytester: pytest.Pytester) -> None:
    result = run(REACHES_THE_CLOUD, "--cnx-intercept", "--cnx-no-egress")
    result.stdout.fnmatch_lines(["[#]1 GET /v1/plans → 200 (plans.list)"])
    line = line_of(result)
    assert line == "pytest test_it.py::test_it --cnx-seed 0 --cnx-intercept --cnx-no-egress"
    second = rerun(pytester, line)
    second.assert_outcomes(failed=1)
    second.stdout.fnmatch_lines(["[#]1 GET /v1/plans → 200 (plans.list)"])


def test_the_line_keeps_the_cell(run: Run, pytester: pytest.Pytester) -> None:
    result = run("def test_it(cnx): assert create(cnx)[0] == 201", "--cnx-cell", "instances.create-1-error")
    result.assert_outcomes(failed=1)
    second = rerun(pytester, line_of(result))
    second.assert_outcomes(failed=1)
    second.stdout.fnmatch_lines(["     fired sweep:instances.create-1-error: error=INTERNAL_ERROR"])


def test_the_line_of_a_sweep_runs_again_too(run: Run, pytester: pytest.Pytester) -> None:
    tests = """
    @pytest.mark.parametrize("n", ["it's a $HOME"])
    def test_it(cnx, n):
        if create(cnx)[0] != 201:
            create(cnx)
    """
    result = run(tests, "--cnx-sweep", "--cnx-sweep-faults", "error-after", "--cnx-seed", "7", "--cnx-intercept")
    assert result.ret == 1
    [line] = [line.strip() for line in result.stdout.lines if line.strip().startswith("pytest ")]
    words = ["--cnx-seed", "7", "--cnx-cell", "instances.create-1-error-after", "--cnx-intercept"]
    assert shlex.split(line) == ["pytest", "test_it.py::test_it[it's a $HOME]", *words]
    rerun(pytester, line).assert_outcomes(passed=1)  # an error, if the cell had not happened


def test_the_line_works_from_the_folder_in_which_pytest_was_started(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("")
    pytester.mkdir("deep")
    pytester.path.joinpath("deep", "test_deep.py").write_text("def test_it(cnx): assert False\n")
    monkeypatch.chdir(pytester.path / "deep")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-o", "cnx_seed=5")
    line = line_of(result)
    assert line == "pytest -o cnx_seed=5 test_deep.py::test_it --cnx-seed 5"
    rerun(pytester, line).assert_outcomes(failed=1)


def test_no_option_that_changes_a_run_is_forgotten() -> None:
    config = _pytest.config.get_config()
    for name in ("plugin", "egress"):
        config.pluginmanager.import_plugin(f"cnx_mock.pytest_plugin.{name}")
    known = {option.names()[0] for option in config._parser.getgroup("cnx-mock").options}
    explicit = {"--cnx-seed", "--cnx-scenario", "--cnx-reading"}
    assert known - explicit - {*again._VALUES, *again._SWITCHES} == {
        "--cnx-readings",
        "--cnx-sweep",
        "--cnx-sweep-allow-partial",
        "--cnx-sweep-faults",
        "--cnx-sweep-readings",
        "--cnx-sweep-timeout",
    }


@pytest.mark.slow
@pytest.mark.usefixtures("forks")
def test_a_shell_runs_the_line_of_a_group_of_xdist(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile(
        test_it="""
        import pytest

        @pytest.mark.xdist_group("one")
        @pytest.mark.parametrize("n", ["it's @home"])
        def test_it(cnx, n):
            assert False
        """
    )
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", *without_others(), "-n", "2", "--dist", "loadgroup"
    )
    line = line_of(result)
    assert "@one" not in line
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTEST_ADDOPTS": " ".join(without_others()),
    }
    second = subprocess.run(
        ["sh", "-c", line], cwd=pytester.path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == pytest.ExitCode.TESTS_FAILED
    assert f"again: {line}" in second.stdout.splitlines()
