"""`pytest --cnx-sweep`: every test that uses `cnx`, once for every fault at every call, each time in a fresh sandbox;
and `--cnx-cell`, which does one of these runs alone, to be looked at."""

import re
import signal
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from _pytest.outcomes import Failed
from _pytest.runner import runtestprotocol

from cnx_mock.audit.audit import hammered
from cnx_mock.audit.call import calls_of
from cnx_mock.errors import SweepPlanError
from cnx_mock.programs.start import ProgramResult
from cnx_mock.pytest_plugin.stash import FAULT, SANDBOX
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.plan import FAULTS, rule_for, select_faults
from cnx_mock.sweep.report import terminal as text
from cnx_mock.sweep.report.matrix import bad_first
from cnx_mock.sweep.results import SweepOptions, SweepResults
from cnx_mock.sweep.trial import RunResult
from cnx_mock.sweep.verdict import FAILING
from cnx_mock.text.units import parse_duration
from cnx_mock.world.clock import SECOND, ticks

EXTRA_SECONDS = 15
"""What a run with a fault may take beyond three times the run without."""
_WIDTH = 110
"""Columns of the matrix."""
_SWEPT = "cnx_sweep"
_RAISED = pytest.StashKey[list[BaseException]]()


class SweepPlugin:
    """The plugin while a suite is swept. Raises UsageError for options that mean nothing."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._found: list[tuple[str, dict[str, Any]]] = []
        try:
            names = [name for name in config.getoption("--cnx-sweep-faults").split(",") if name]
            self._faults = select_faults(names)
            limit = config.getoption("--cnx-sweep-timeout")
            self._limit = None if limit is None else parse_duration(limit) / SECOND
        except (SweepPlanError, ValueError) as error:
            raise pytest.UsageError(f"--cnx-sweep: {error}") from None

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        """Sweep a test, then run it once more without faults: that run is the one that is reported."""
        if "cnx" not in getattr(item, "fixturenames", ()):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        swept = self._sweep(item)
        item.stash[FAULT] = []
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if report.when == "call":
                vars(report)[_SWEPT] = swept  # travels to xdist's controller with the report
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep what a failing test raised."""
        report = yield
        if report.failed and call.excinfo is not None:
            item.stash.setdefault(_RAISED, []).append(call.excinfo.value)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what came of a test's sweep."""
        swept = vars(report).get(_SWEPT)
        if swept is not None:
            self._found.append((report.nodeid, swept))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A bad cell makes the session fail."""
        if session.exitstatus == pytest.ExitCode.OK and any(swept["bad"] for _, swept in self._found):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The matrices, and each bad cell with the line that shows it again."""
        if self._found:
            terminalreporter.section("cnx-mock sweep")
        for nodeid, swept in self._found:
            terminalreporter.write_line(nodeid, bold=True)
            for line in (*swept["notes"], *swept["matrix"]):
                terminalreporter.write_line(line)
            for verdict, blame, again in swept["bad"]:
                terminalreporter.write_line(f"{verdict}: {blame}", red=True)
                terminalreporter.write_line(f"    {again}")
            terminalreporter.write_line("")

    # ---- one test

    def _sweep(self, item: pytest.Item) -> dict[str, Any]:
        """All runs of a test, and what came of them, as plain data."""
        first, outcome = self._attempt(item, None, None)
        if outcome != "passed":
            return _told(f"it is not swept: without faults it {outcome}")
        swept = SweepResults(options=SweepOptions(faults=self._faults), check_hammering=_hammering)
        swept.plan(first)
        if not swept.cells:
            return _told("it is not swept: none of the faults applies to any of its calls")
        second, _ = self._attempt(item, None, None)
        notes = list(swept.compare(first, second))
        limit = self._limit or 3 * max(first.ended.seconds, second.ended.seconds) + EXTRA_SECONDS
        for cell in swept.cells:
            run, _ = self._attempt(item, cell.document()["rules"], limit)
            swept.judge_cell(cell, run, allowed=_allowed(item))
        results = list(swept.results.values())
        again = f"pytest {item.nodeid!r} --cnx-cell "
        bad = [each for each in bad_first(results) if each.verdict in FAILING]
        return {
            "notes": notes,
            "matrix": [*text.lines(swept, _WIDTH, False), text.legend(swept), f"in all {text.totals(results, False)}"],
            "bad": [[each.verdict, sentence(each), again + each.cell.name] for each in bad],
        }

    def _attempt(
        self, item: pytest.Item, rules: Sequence[Mapping[str, Any]] | None, limit: float | None
    ) -> tuple[RunResult, str]:
        """One run of a test, with these rules at work or none, and how it ended: passed, failed, skipped."""
        raised: list[BaseException] = []
        item.stash[_RAISED] = raised
        item.stash[FAULT] = [dict(rule) for rule in rules or ()]
        began = ticks()
        more: Any = item.parent  # what comes next needs all fixtures but the test's own
        with _bounded(limit) as over:
            reports = runtestprotocol(item, nextitem=more, log=False)
        seconds = (ticks() - began) / SECOND
        outcome = next((report.outcome for report in reports if report.outcome != "passed"), "passed")
        status = None if over else int(outcome == "failed")
        sandbox = item.stash.get(SANDBOX, None)
        ended = ProgramResult(status, seconds, f"{type(raised[0]).__name__}: {raised[0]}"[:200] if raised else "")
        if sandbox is None:
            return RunResult(ended=ended, entries=[], states=[], start=[]), outcome
        entries = [{"sandbox": None, **entry} for entry in sandbox.call("GET", "/requests")["data"]]
        states = [sandbox.state()]
        sandbox.reset()  # ends what still hangs, and shows how it all began
        start = [sandbox.state()] if rules is None else []
        return RunResult(ended=ended, entries=entries, states=states, start=start), outcome


def one_cell(name: str) -> list[dict[str, Any]]:
    """The rules of a cell by its name, such as `instances.create-1-reset-after`. Raises UsageError."""
    known = {fault.name: fault for fault in FAULTS}
    rules = []
    for part in name.split("--"):
        found = re.fullmatch(r"([\w.]+)-([0-9]{1,9})-([\w-]+)", part)
        if found is None or found[3] not in known or int(found[2]) < 1:
            raise pytest.UsageError(f"--cnx-cell: {part!r} is no cell: write instances.create-1-reset-after")
        rules.append(rule_for(found[1], int(found[2]), known[found[3]]))
    return rules


def _told(note: str) -> dict[str, Any]:
    return {"notes": [note], "matrix": [], "bad": []}


def _hammering(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(each) for each in hammered(calls_of(entries))]


def _allowed(item: pytest.Item) -> bool:
    """Whether what the test raised counts as a clean failure: everything, unless the marker says what does."""
    marker = item.get_closest_marker("cnx_sweep")
    if marker is None or "allow" not in marker.kwargs:
        return True
    return all(isinstance(each, marker.kwargs["allow"]) for each in item.stash[_RAISED])


class _Over(Failed):
    """A run is beyond its limit."""


@contextmanager
def _bounded(seconds: float | None) -> Iterator[list[bool]]:
    """End what runs in the main thread beyond a limit; what is given is filled where that happened. Only POSIX can."""
    over: list[bool] = []
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield over
        return

    def end(*_: object) -> None:
        over.append(True)
        raise _Over(f"the test went on beyond {seconds:.1f} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # and again every second, should a test pass over it
    try:
        yield over
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
