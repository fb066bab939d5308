"""`pytest --cnx-sweep`: every test that uses `cnx` runs once for every fault at every call, each time in a fresh
sandbox. (`--cnx-cell`, in `cells`, does one of these runs alone, with a full report.)"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from cnx_mock.audit.audit import hammering
from cnx_mock.errors import CnxMockError, SweepPlanError
from cnx_mock.programs.start import ProgramResult
from cnx_mock.pytest_plugin.again import again
from cnx_mock.pytest_plugin.stash import FAULT, SANDBOX
from cnx_mock.pytest_plugin.time_limit import TimeLimit
from cnx_mock.sweep.causes import causes
from cnx_mock.sweep.patience import BACKOFF_SECONDS
from cnx_mock.sweep.plan import SweepFault, select_faults
from cnx_mock.sweep.report import terminal as text
from cnx_mock.sweep.report.matrix import counts
from cnx_mock.sweep.results import SweepOptions, SweepResults
from cnx_mock.sweep.trial import RunResult
from cnx_mock.sweep.verdict import FAILING, GOOD
from cnx_mock.text.suggestions import did_you_mean
from cnx_mock.text.units import parse_duration
from cnx_mock.world.clock import SECOND, ticks

EXTRA_SECONDS = 15
"""Seconds that a run with a fault may take beyond three times the run without."""
_WIDTH = 110
"""Columns of the matrix."""
_SWEPT = "cnx_sweep"
_MARKER = ("allow", "allow_partial")
"""What the marker takes."""
_RAISED = pytest.StashKey[list[BaseException]]()


class SweepPlugin:
    """The plugin that sweeps a suite. Raises UsageError for a fault that does not exist, or a limit that is not a
    duration."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._found: list[tuple[str, dict[str, Any]]] = []
        self._time_limit = TimeLimit()
        try:
            names = [name for name in config.getoption("--cnx-sweep-faults").split(",") if name]
            limit = config.getoption("--cnx-sweep-timeout")
            self._limit = None if limit is None else parse_duration(limit) / SECOND
            self._faults = select_faults(names, limit=self._limit)
            self._named = bool(names)
            _check_shared_server(config, self._faults)
        except (SweepPlanError, ValueError) as error:
            raise pytest.UsageError(f"--cnx-sweep: {error}") from None

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        """Sweep a test, then run it once more without faults: that run is the one that is reported."""
        if not _is_swept(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        try:
            swept = self._sweep(item)
        except CnxMockError as error:
            swept = _note(f"it is not swept: {error}")
        item.stash[FAULT] = []
        with self._time_limit.limited(None):
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
        self._time_limit.at_most(None)
        for report in reports:
            if report.when == "call":
                vars(report)[_SWEPT] = swept  # travels to xdist's controller with the report
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool | None:
        """Keep the limit of pytest-timeout for each run of a swept test, instead of its timer: that would end the sweep
        as a whole, or make a hang look like any other failure."""
        if not _is_swept(item):
            return None
        self._time_limit.at_most(settings.timeout)
        return True

    def pytest_unconfigure(self) -> None:
        """Give back the signal of the time limit."""
        self._time_limit.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Let the time limit end the set-up."""
        with self._time_limit.phase():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Let the time limit end the test."""
        with self._time_limit.phase():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Let the time limit end the tear-down."""
        with self._time_limit.phase():
            return (yield)

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
            terminalreporter.section("cnx-mock sweep")
        for nodeid, swept in self._found:
            terminalreporter.write_line(nodeid, bold=True)
            for line in (*swept["notes"], *swept["matrix"]):
                terminalreporter.write_line(line)
            for verdict, sentence, places, line in swept["found"]:
                terminalreporter.write_line(f"{verdict}: {sentence}", red=verdict in FAILING)
                if places:
                    terminalreporter.write_line(f"    in {places}")
                terminalreporter.write_line(f"    {line}")
            terminalreporter.write_line("")
            for verdict, number in swept["counts"].items():
                if verdict not in GOOD:  # pytest's last line then counts it beside the tests that passed
                    terminalreporter.stats.setdefault(verdict, []).extend([nodeid] * number)

    # ---- one test

    def _sweep(self, item: pytest.Item) -> dict[str, Any]:
        """Run a test with every fault and return the results as plain data."""
        first, outcome = self._attempt(item, None, None)
        if outcome != "passed":
            return _note(f"it is not swept: without faults it {outcome}")
        swept = SweepResults(options=self._options(item), check_hammering=hammering)
        swept.plan(first)
        if not swept.cells:
            return _note("it is not swept: none of the faults applies to any of its calls")
        second, _ = self._attempt(item, None, None)
        notes = [*swept.compare(first, second), *_switched_off(item)]
        limit = self._limit or 3 * max(first.ended.seconds, second.ended.seconds) + EXTRA_SECONDS
        for cell in swept.cells:
            extra = cell.seconds + (BACKOFF_SECONDS if cell.lasts else 0) if self._limit is None else 0
            run, _ = self._attempt(item, cell.document()["rules"], limit + extra)
            swept.judge_cell(cell, run, allowed=_allowed(item))
            if cell.seconds and not self._named:  # it would take a minute in every test of a client without a deadline
                self._faults = [fault for fault in self._faults if not fault.seconds]
        results = list(swept.results.values())
        return {
            "notes": notes,
            "matrix": [*text.lines(swept, _WIDTH, False), text.legend(swept), f"in all {text.totals(results, False)}"],
            "counts": counts(results),
            "found": [
                [each.verdict, each.sentence, each.places, again(item, each.clearest.cell.name)]
                for each in causes(results)
            ],
        }

    def _options(self, item: pytest.Item) -> SweepOptions:
        marker = item.get_closest_marker("cnx_sweep")
        partial = self._config.getoption("--cnx-sweep-allow-partial")
        if marker is not None:
            for name in marker.kwargs.keys() - set(_MARKER):
                raise SweepPlanError(f"cnx_sweep takes no {name!r}{did_you_mean(name, _MARKER)}")
            partial = marker.kwargs.get("allow_partial", partial)
        return SweepOptions(faults=self._faults, allow_partial=bool(partial))

    def _attempt(
        self, item: pytest.Item, rules: Sequence[Mapping[str, Any]] | None, limit: float | None
    ) -> tuple[RunResult, str]:
        """Run a test once, with these rules or none, and return the run and how it ended: passed, failed, skipped."""
        raised: list[BaseException] = []
        item.stash[_RAISED] = raised
        item.stash[FAULT] = [dict(rule) for rule in rules or ()]
        began = ticks()
        next_item: Any = item.parent  # pytest then tears down only the fixtures of the test itself
        with self._time_limit.limited(limit):
            reports = runtestprotocol(item, nextitem=next_item, log=False)
        seconds = (ticks() - began) / SECOND
        outcome = next((report.outcome for report in reports if report.outcome != "passed"), "passed")
        status = None if self._time_limit.exceeded else int(outcome == "failed")
        sandbox = item.stash.get(SANDBOX, None)
        ended = ProgramResult(status, seconds, f"{type(raised[0]).__name__}: {raised[0]}"[:200] if raised else "")
        if sandbox is None:
            return RunResult(ended=ended, entries=[], states=[], start=[]), outcome
        entries = [{"sandbox": None, **entry} for entry in sandbox.call("GET", "/requests")["data"]]
        states = [sandbox.state()]
        sandbox.reset()  # ends requests that still wait, and puts the state back to the start
        start = [sandbox.state()] if rules is None else []
        return RunResult(ended=ended, entries=entries, states=states, start=start), outcome


def _check_shared_server(config: pytest.Config, faults: Sequence[SweepFault]) -> None:
    """Raise SweepPlanError if a fault would strike a server that others may use at the same time."""
    names = [fault.name for fault in faults if fault.server]
    if names and config.getoption("--cnx-url"):
        raise SweepPlanError(
            f"the fault {names[0]!r} strikes a whole server, and that of --cnx-url may serve others too"
        )


def _is_swept(item: pytest.Item) -> bool:
    return "cnx" in getattr(item, "fixturenames", ())


def _switched_off(item: pytest.Item) -> Iterator[str]:
    """Yield what other plugins would do with this test, and a sweep does not let them do."""
    config = item.config
    flaky = config.pluginmanager.hasplugin("rerunfailures") and item.get_closest_marker("flaky") is not None
    if config.getoption("reruns", None) or flaky:
        yield "it is not rerun after a failure (pytest-rerunfailures): a sweep runs it once for each fault"
    if config.getoption("forked", None):
        yield "it does not run in a process of its own (--forked): a sweep runs it in this one"


def _note(text: str) -> dict[str, Any]:
    """Return the results of a test that is not swept."""
    return {"notes": [text], "matrix": [], "counts": {}, "found": []}


def _allowed(item: pytest.Item) -> bool:
    """Return whether what the test raised is a clean failure. Every exception is, unless the marker names them."""
    marker = item.get_closest_marker("cnx_sweep")
    if marker is None or "allow" not in marker.kwargs:
        return True
    return all(isinstance(each, marker.kwargs["allow"]) for each in item.stash[_RAISED])
