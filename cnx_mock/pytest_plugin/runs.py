"""Runs of one test, several times, each in a fresh sandbox: with the faults of a sweep, or under other readings."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from cnx_mock.dataclass import dataclass
from cnx_mock.programs.start import ProgramResult
from cnx_mock.pytest_plugin.stash import FAULT, READINGS, SANDBOX
from cnx_mock.pytest_plugin.time_limit import TimeLimit
from cnx_mock.sweep.trial import RunResult
from cnx_mock.text.units import parse_duration
from cnx_mock.world.clock import SECOND, ticks

EXTRA_SECONDS = 15
"""Seconds that a run may take beyond three times the first one."""
_MOST_CHARACTERS = 200
"""How much of what a test raised is kept."""
_RAISED = pytest.StashKey[list[BaseException]]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of a test."""

    reports: Sequence[pytest.TestReport]
    """Its reports, which nobody has been shown."""
    outcome: str
    """How it ended: passed, failed, skipped."""
    ended: ProgramResult
    """The same, as if the test was a program: a status of 0 unless it failed."""


class Runs:
    """The plugin that runs a test and keeps the result. Raises UsageError for a limit that is not a duration."""

    def __init__(self, config: pytest.Config) -> None:
        self._time_limit = TimeLimit()
        limit = config.getoption("--cnx-sweep-timeout")
        try:
            self.limit = None if limit is None else parse_duration(limit) / SECOND
        except ValueError as error:
            raise pytest.UsageError(f"--cnx-sweep-timeout: {error}") from None

    def once(
        self,
        item: pytest.Item,
        *,
        rules: Sequence[Mapping[str, Any]] = (),
        readings: Mapping[str, str] | None = None,
        limit: float | None = None,
    ) -> Attempt:
        """Run a test once, with these rules and under these readings, for at most `limit` seconds. Fixtures of a wider
        scope than the test stay."""
        next_item: Any = item.parent  # pytest then tears down only the fixtures of the test itself
        return self._run(item, next_item, limit, rules, readings or {})

    def last(self, item: pytest.Item, next_item: pytest.Item | None) -> Sequence[pytest.TestReport]:
        """Run a test as pytest would have run it, and return the reports, which are still to be shown."""
        reports = self._run(item, next_item, None, (), {}).reports
        self._time_limit.at_most(None)
        return reports

    def _run(
        self,
        item: pytest.Item,
        next_item: pytest.Item | None,
        limit: float | None,
        rules: Sequence[Mapping[str, Any]],
        readings: Mapping[str, str],
    ) -> Attempt:
        raised: list[BaseException] = []
        item.stash[_RAISED] = raised
        item.stash[FAULT], item.stash[READINGS] = [dict(rule) for rule in rules], dict(readings)
        if SANDBOX in item.stash:
            del item.stash[SANDBOX]  # if this run gets none, that of the run before must not be taken for it
        item._report_sections.clear()
        properties = list(item.user_properties)
        began = ticks()
        with self._time_limit.limited(limit):
            reports = runtestprotocol(item, nextitem=next_item, log=False)
        seconds = (ticks() - began) / SECOND
        item.user_properties[:] = properties
        _drop_instance(item)
        outcome = next((report.outcome for report in reports if report.outcome != "passed"), "passed")
        status = None if self._time_limit.exceeded else int(outcome == "failed")
        output = f"{type(raised[0]).__name__}: {raised[0]}"[:_MOST_CHARACTERS] if raised else ""
        return Attempt(reports=reports, outcome=outcome, ended=ProgramResult(status, seconds, output))

    def collected(self, item: pytest.Item, attempt: Attempt, *, start: bool = False) -> RunResult:
        """Return what the run that has just been made did and left, with the state before it if `start`. Raises
        CnxMockError if the server does not answer."""
        sandbox = item.stash.get(SANDBOX, None)
        if sandbox is None:
            return RunResult(ended=attempt.ended, entries=[], states=[], start=[])
        entries = [{"sandbox": None, **entry} for entry in sandbox.call("GET", "/requests")["data"]]
        states = [sandbox.state()]
        sandbox.reset()  # ends requests that still wait, and puts the state back to the start
        before = [sandbox.state()] if start else []
        return RunResult(ended=attempt.ended, entries=entries, states=states, start=before)

    def limit_after(self, *runs: RunResult) -> float:
        """Return the time limit of a run, in seconds, by those before."""
        return self.limit or 3 * max(run.ended.seconds for run in runs) + EXTRA_SECONDS

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> bool | None:
        """Keep the limit of pytest-timeout for each run of a test, instead of its timer: that would end all runs
        together, or make a hang look like any other failure."""
        if not has_runs(item):
            return None
        self._time_limit.at_most(settings.timeout)
        return True

    def pytest_unconfigure(self) -> None:
        """Give back the signal of the time limit."""
        self._time_limit.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Let the time limit end the set-up."""
        __tracebackhide__ = True
        with self._time_limit.phase():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Let the time limit end the test."""
        __tracebackhide__ = True
        with self._time_limit.phase():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Let the time limit end the tear-down."""
        __tracebackhide__ = True
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


def _drop_instance(item: pytest.Item) -> None:
    """Let pytest make another instance of the test's class for the next run, as it does for each test."""
    instance = item.instance if isinstance(item, pytest.Function) else None
    if isinstance(item, pytest.Function) and instance is not None and getattr(item.obj, "__self__", None) is instance:
        vars(item).pop("_instance")
        item._obj = None


def raised_by(item: pytest.Item) -> Sequence[BaseException]:
    """Return what the last run of a test raised."""
    return item.stash.get(_RAISED, [])


def has_runs(item: pytest.Item) -> bool:
    """Return whether a test is run several times, which is so if it has its own sandbox."""
    return "cnx" in getattr(item, "fixturenames", ())


def switched_off(item: pytest.Item) -> Iterator[str]:
    """Yield what other plugins would do with this test, and these runs do not let them do."""
    config = item.config
    flaky = config.pluginmanager.hasplugin("rerunfailures") and item.get_closest_marker("flaky") is not None
    if config.getoption("reruns", None) or flaky:
        yield "pytest-rerunfailures does not run it again: each of its runs is made once"
    if config.getoption("forked", None):
        yield "--forked has no effect on it: all of its runs are made in this process"
