"""`pytest --cnx-readings`: every test that uses `cnx` runs once more for each other meaning of the documentation that
affects its calls. A test with another outcome, or one that leaves other resources, depends on a reading, and fails."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cnx_mock.api.readings import READINGS as ALL_READINGS
from cnx_mock.api.readings import parsed
from cnx_mock.audit.audit import Hammering
from cnx_mock.errors import CnxMockError, ReadingError, SweepError
from cnx_mock.pytest_plugin.again import again
from cnx_mock.pytest_plugin.runs import Attempt, Runs, has_runs, switched_off
from cnx_mock.pytest_plugin.stash import SANDBOX
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.plan import Cell
from cnx_mock.sweep.readings import ReadingResults
from cnx_mock.sweep.report.matrix import counts
from cnx_mock.sweep.results import CellResult, SweepOptions
from cnx_mock.sweep.trial import RunResult
from cnx_mock.sweep.verdict import FAILING, VERDICTS
from cnx_mock.text.plural import counted

_READ = "cnx_readings"
_WORDS = {each.name: each.words for each in ALL_READINGS}

Second = Callable[[], tuple[RunResult, str]]
"""Run the test a second time under the current readings, and return the run and its outcome."""


def check_readings(config: pytest.Config) -> None:
    """Raise UsageError if `--cnx-reading` has a name or an option that does not exist."""
    try:
        parsed(config.getoption("--cnx-reading"))
    except ReadingError as error:
        raise pytest.UsageError(f"--cnx-reading: {error}") from None


class ReadingsPlugin:
    """The plugin that runs a suite under the other readings."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._found: list[tuple[str, Mapping[str, Any]]] = []

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        """Run a test, then under each other reading, and report the first run, as a failure if a reading mattered. The
        last run is there to tear everything down that the next test does not need."""
        if not has_runs(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        first = self._runs.once(item)
        found = self._read(item, first)
        *reports, down = first.reports
        for report in reports:
            if report.when == "call":
                vars(report)[_READ] = found  # travels to xdist's controller with the report
                if found["misread"]:
                    _fail(item, report, "\n".join(found["misread"]))
            item.ihook.pytest_runtest_logreport(report=report)
        last = self._runs.last(item, nextitem)[-1]  # after the log: -x has to tear down everything
        item.ihook.pytest_runtest_logreport(report=down if down.failed else last)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the results of a test under other readings."""
        found = vars(report).get(_READ)
        if found is not None:
            self._found.append((report.nodeid, found))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write how many runs there were, and about which tests nothing can be said."""
        if not self._found:
            return
        terminalreporter.write_sep("=", "cnx-mock readings")
        for nodeid, found in self._found:
            for note in found["notes"]:
                terminalreporter.write_line(f"{nodeid}: {note}")
        read = [found["counts"] for _, found in self._found if found["counts"]]
        totals = {verdict: sum(each.get(verdict, 0) for each in read) for verdict in VERDICTS}
        words = ", ".join(f"{number} {verdict}" for verdict, number in totals.items() if number)
        runs = counted(sum(totals.values()), "run")
        terminalreporter.write_line(
            f"{counted(len(read), 'test')}, {runs} under other readings{': ' if words else ''}{words}"
        )

    def _read(self, item: pytest.Item, first: Attempt) -> dict[str, Any]:
        """Run a test that has passed under the other readings, and return the results as plain data."""
        notes = list(switched_off(item))
        expected = any(hasattr(report, "wasxfail") for report in first.reports)
        if first.outcome != "passed" or expected:
            return {"notes": notes, "counts": {}, "misread": []}
        try:
            run = self._runs.collected(item, first, start=True)
            read = read_test(self._runs, item, run, readings_in_force(item), lambda: second_run(self._runs, item))
        except CnxMockError as error:
            return {"notes": [*notes, f"it is not judged under other readings: {error}"], "counts": {}, "misread": []}
        bad = [each for each in read.results.values() if each.verdict in FAILING]
        return {
            "notes": notes,
            "counts": counts(list(read.results.values())),
            "misread": [line for each in bad for line in _paragraph(item, read, each)],
        }


def second_run(runs: Runs, item: pytest.Item) -> tuple[RunResult, str]:
    """Run a test once more under the current readings, and return the run and its outcome."""
    attempt = runs.once(item)
    return runs.collected(item, attempt, start=True), attempt.outcome


def read_test(
    runs: Runs, item: pytest.Item, first: RunResult, in_force: Mapping[str, str], second: Second
) -> ReadingResults:
    """Run a test under each other reading that the calls of its first run can meet, and return the results. `second` is
    called if a run was unlike the first one: what a second run under the current readings does too, no reading did.

    Raises SweepError if that one does not pass, since nothing can be said then, and what `Runs.collected` raises."""
    read = ReadingResults(options=SweepOptions(faults=(), way="readings"), check_hammering=Hammering())
    read.plan_readings(first.entries, in_force)
    made = [(cell, *_run_under(runs, item, read, cell, first)) for cell in read.cells]
    list(read.compare(first, first))
    _judge(read, made)
    if any(each.verdict in FAILING for each in read.results.values()):
        again_run, outcome = second()
        if outcome != "passed":
            raise SweepError(f"a second run under the same readings {outcome}")
        list(read.compare(first, again_run))
        _judge(read, made)
    return read


Made = tuple[Cell, RunResult, str | None, bool]
"""A run under a reading: its cell, the run, who failed and how, and whether the reading was active."""


def _run_under(
    runs: Runs, item: pytest.Item, read: ReadingResults, cell: Cell, first: RunResult
) -> tuple[RunResult, str | None, bool]:
    name, _, option = read.chosen[cell.name].partition("=")
    attempt = runs.once(item, readings={name: option}, limit=runs.limit_after(first))
    fired = readings_in_force(item).get(name) == option  # what the test's own scenario says comes before it
    run = runs.collected(item, attempt)
    failure = None if attempt.outcome == "passed" else _how(attempt)
    if failure and run.ended.status == 0:  # it was skipped, which is another outcome too
        run = replace(run, ended=replace(run.ended, status=1))
    return run, failure, fired


def _judge(read: ReadingResults, made: Sequence[Made]) -> None:
    for cell, run, failure, fired in made:
        read.judge_reading(cell, run, failure=failure, fired=fired)


def _how(attempt: Attempt) -> str:
    """Return how a test that has not passed ended."""
    failed = next((report.when for report in attempt.reports if report.failed), None)
    what = {"setup": "its set-up failed", "teardown": "its tear-down failed", "call": "the test failed"}
    output = attempt.ended.output.partition("\n")[0]
    return f"{what[failed]}{': ' if output else ''}{output}" if failed else "the test was skipped"


def readings_in_force(item: pytest.Item) -> dict[str, str]:
    """Return the current readings in the sandbox of a test, by name."""
    sandbox = item.stash.get(SANDBOX, None)
    return {} if sandbox is None else {each["name"]: each["value"] for each in sandbox.call("GET", "/readings")["data"]}


def explained(item: pytest.Item, read: ReadingResults, result: CellResult) -> tuple[str, str, str]:
    """Return the result of a test under a reading, what the documentation leaves open, and the command that shows the
    result again. If the test fails under the reading, the command uses that reading. Otherwise it uses all of them,
    because only then the resources are compared."""
    chosen, fails = read.chosen[result.cell.name], result.status != 0
    line = again(item, reading=chosen) if fails else again(item, switch="--cnx-readings")
    return sentence(result), f"the documentation leaves open: {_WORDS[result.cell.fault.name]}", line


def _paragraph(item: pytest.Item, read: ReadingResults, result: CellResult) -> list[str]:
    text, left_open, line = explained(item, read, result)
    return [f"{result.verdict}: {text}", f"    {left_open}", f"    again: {line}"]


def _fail(item: pytest.Item, report: pytest.TestReport, text: str) -> None:
    """Make the report of a test that has passed that of a failure, with this text and nothing else."""
    try:
        pytest.fail(text, pytrace=False)
    except pytest.fail.Exception:
        report.longrepr = item.repr_failure(pytest.ExceptionInfo.from_current())
    report.outcome = "failed"
