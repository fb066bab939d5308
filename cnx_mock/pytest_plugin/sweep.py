"""`pytest --cnx-sweep`: every test that uses `cnx` runs once for every fault at every call, each time in a fresh
sandbox. (`--cnx-cell`, in `cells`, does one of these runs alone, with a full report.)"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cnx_mock.audit.audit import Hammering
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import CnxMockError, SweepError, SweepPlanError
from cnx_mock.pytest_plugin.again import again
from cnx_mock.pytest_plugin.readings import Second, explained, read_test, readings_in_force, second_run
from cnx_mock.pytest_plugin.runs import Runs, has_runs, raised_by, switched_off
from cnx_mock.pytest_plugin.sweep_marker import sweep_marker
from cnx_mock.sweep.causes import Cause, causes
from cnx_mock.sweep.patience import BACKOFF_SECONDS
from cnx_mock.sweep.plan import SweepFault, select_faults
from cnx_mock.sweep.report import terminal as text
from cnx_mock.sweep.report.matrix import bad_first, counts
from cnx_mock.sweep.results import SweepOptions, SweepResults
from cnx_mock.sweep.trial import RunResult
from cnx_mock.sweep.verdict import FAILING, GOOD, SURVIVING, VERDICTS

_WIDTH = 110
"""Columns of the matrix."""
_SWEPT = "cnx_sweep"


@dataclass(frozen=True)
class _BadCell:
    """Represents a bad cell among the reports that pytest counts. Other plugins read the attributes of these
    reports."""

    nodeid: str
    when: str = "call"


class SweepPlugin:
    """The plugin that sweeps a suite. Raises UsageError for a fault that does not exist."""

    def __init__(self, config: pytest.Config, runs: Runs) -> None:
        self._config = config
        self._runs = runs
        self._found: list[tuple[str, Mapping[str, Any]]] = []
        try:
            names = [name for name in config.getoption("--cnx-sweep-faults").split(",") if name]
            self._faults = select_faults(names, limit=runs.limit)
            self._named = bool(names)
            self._reads = config.getoption("--cnx-sweep-readings")
            _check_shared_server(config, self._faults)
        except SweepPlanError as error:
            raise pytest.UsageError(f"--cnx-sweep: {error}") from None

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        """Sweep a test, then run it once more without faults. The report shows this last run."""
        if not has_runs(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        try:
            swept = self._sweep(item)
        except CnxMockError as error:
            swept = _note(f"it is not swept: {error}")
        for report in self._runs.last(item, nextitem):
            if report.when == "call":
                vars(report)[_SWEPT] = swept  # travels to xdist's controller with the report
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the results of a test's sweep."""
        swept = vars(report).get(_SWEPT)
        if swept is not None:
            self._found.append((report.nodeid, swept))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let the session fail if there is a bad cell."""
        if session.exitstatus == pytest.ExitCode.OK and any(
            verdict in FAILING for _, swept in self._found for verdict in swept["counts"]
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the matrices, and each bad cell with the command that runs it again."""
        if self._found:
            terminalreporter.write_sep("=", "cnx-mock sweep")
        for nodeid, swept in self._found:
            terminalreporter.write_line(nodeid, bold=True)
            for line in (*swept["notes"], *swept["matrix"]):
                terminalreporter.write_line(line)
            for verdict, sentence, places, line in swept["found"]:
                terminalreporter.write_line(f"{verdict}: {sentence}", red=verdict in FAILING)
                if places:
                    terminalreporter.write_line(f"    {places}")
                terminalreporter.write_line(f"    {line}")
            terminalreporter.write_line("")
            for verdict, number in swept["counts"].items():
                if verdict not in GOOD:  # pytest's last line then counts it beside the tests that passed
                    terminalreporter.stats.setdefault(verdict, []).extend([_BadCell(nodeid)] * number)

    # ---- one test

    def _sweep(self, item: pytest.Item) -> dict[str, Any]:
        """Run a test with every fault, and under the other readings if asked; return the results as plain data."""
        attempt = self._runs.once(item)
        first = self._runs.collected(item, attempt, start=True)
        if attempt.outcome != "passed":
            return _note(f"it is not swept: without faults it {attempt.outcome}")
        second = _once_only(lambda: second_run(self._runs, item))
        readings = readings_in_force(item)
        found = self._with_faults(item, first, second)
        return _joined(found, self._under_readings(item, first, readings, second)) if self._reads else found

    def _with_faults(self, item: pytest.Item, first: RunResult, second: Second) -> dict[str, Any]:
        swept = SweepResults(options=self._options(item), check_hammering=Hammering())
        swept.plan(first)
        if not swept.cells:
            return _note("it is not swept: none of the faults applies to its calls")
        other, _ = second()
        notes = [*swept.compare(first, other), *switched_off(item)]
        limit = self._runs.limit_after(first, other)
        for cell in swept.cells:
            extra = cell.seconds + (BACKOFF_SECONDS if cell.lasts else 0) if self._runs.limit is None else 0
            attempt = self._runs.once(item, rules=cell.document()["rules"], limit=limit + extra)
            run = self._runs.collected(item, attempt)
            swept.judge_cell(cell, run, allowed=_allowed(item))
            if cell.seconds and not self._named:  # it would take a minute in every test of a client without a deadline
                self._faults = [fault for fault in self._faults if not fault.seconds]
        found = [
            [each.verdict, each.sentence, f"in {each.places}" if each.places else "", again(item, cell=_name(each))]
            for each in causes(swept.results.values())
        ]
        return _data(swept, notes, found)

    def _under_readings(
        self, item: pytest.Item, first: RunResult, readings: Mapping[str, str], second: Second
    ) -> dict[str, Any]:
        try:
            read = read_test(self._runs, item, first, readings, second)
        except SweepError as error:
            return _note(f"it is not judged under other readings: {error}")
        if not read.cells:
            return _note("no reading affects its calls")
        bad = [each for each in bad_first(list(read.results.values())) if each.verdict not in SURVIVING]
        return _data(read, [], [[each.verdict, *explained(item, read, each)] for each in bad])

    def _options(self, item: pytest.Item) -> SweepOptions:
        partial = sweep_marker(item).get("allow_partial", self._config.getoption("--cnx-sweep-allow-partial"))
        return SweepOptions(faults=self._faults, allow_partial=bool(partial))


def _once_only(second: Second) -> Second:
    """Return a function that makes a second run when it is first called, and knows it from then on."""
    known: list[tuple[RunResult, str]] = []

    def call() -> tuple[RunResult, str]:
        known.extend([] if known else [second()])
        return known[0]

    return call


def _name(cause: Cause) -> str:
    return cause.clearest.cell.name


def _check_shared_server(config: pytest.Config, faults: Sequence[SweepFault]) -> None:
    """Raise SweepPlanError if a fault would strike a server that others may use at the same time."""
    names = [fault.name for fault in faults if fault.server]
    if names and config.getoption("--cnx-url"):
        raise SweepPlanError(
            f"the fault {names[0]!r} affects a whole server, and others may use the server of --cnx-url"
        )


def _data(swept: SweepResults, notes: list[str], found: list[list[str]]) -> dict[str, Any]:
    """Return results as plain data. `found` are the verdict, a sentence, where, and a command for each bad one."""
    results = list(swept.results.values())
    matrix = [*text.lines(swept, _WIDTH, False), text.legend(swept), f"in all {text.totals(results, False)}"]
    return {"notes": notes, "matrix": matrix, "counts": counts(results), "found": found}


def _joined(one: dict[str, Any], two: dict[str, Any]) -> dict[str, Any]:
    """Return two results of one test as one."""
    both = {each: one["counts"].get(each, 0) + two["counts"].get(each, 0) for each in VERDICTS}
    return {
        "notes": [*one["notes"], *two["notes"]],
        "matrix": [*one["matrix"], *([""] if one["matrix"] and two["matrix"] else []), *two["matrix"]],
        "counts": {verdict: number for verdict, number in both.items() if number},
        "found": [*one["found"], *two["found"]],
    }


def _note(text: str) -> dict[str, Any]:
    """Return the results of a test that is not swept."""
    return {"notes": [text], "matrix": [], "counts": {}, "found": []}


def _allowed(item: pytest.Item) -> bool:
    """Return whether what the test raised is a clean failure. Every exception is, unless the marker names them."""
    allowed = sweep_marker(item).get("allow", BaseException)
    return all(isinstance(each, allowed) for each in raised_by(item))
