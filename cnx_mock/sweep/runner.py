"""Run a sweep: two runs without faults, then one run for every cell, several at a time if asked."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from functools import partial
from typing import Any, ClassVar, Protocol

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import SweepError
from cnx_mock.programs.start import ProgramResult, ending
from cnx_mock.sweep.explanation import after_second_run
from cnx_mock.sweep.plan import NO_FAULTS, Cell
from cnx_mock.sweep.results import CellResult, SweepResults
from cnx_mock.sweep.swept_call import SweptCall
from cnx_mock.sweep.trial import RunConfig, RunResult, SecondRun, run_once, run_program

FAULT_FREE_LIMIT = 600
"""The time limit of a run without faults, unless a limit is given."""
EXTRA_SECONDS = 15
"""The time limit of a run with a fault is three times the run without faults, and this. It is extended for a client
that backs off."""
_KILLED = 9
"""The number of SIGKILL."""
OWN_FILES = "  if CMD keeps files: they are new for each run in the folder CNX_MOCK_SCRATCH, and with --workdir"
"""A line for a program that is never the same twice."""
_LINES_SHOWN = 8
"""How many lines of the program's output an error message shows."""


class ProgressReporter(Protocol):
    """Shows the progress of a sweep to a person."""

    def message(self, line: str) -> None:
        """Show a line that the person should know."""

    def planned(self, sweep: "Sweep") -> None:
        """The runs without faults are over, and the cells are known."""

    def judged(self, result: CellResult) -> None:
        """A cell has its verdict."""


Judge = Callable[[], CellResult]
"""Judges a run, once, and returns the result."""


class _Unjudged:
    """A run that is over, and not judged yet."""

    def __init__(self, judge: Callable[[], None] | None = None) -> None:
        """`judge` judges it; None if there is no such run."""
        self._judge = judge

    def judge(self) -> None:
        """Judge it, if that is not done."""
        judge, self._judge = self._judge, None
        if judge is not None:
            judge()


@dataclass(kw_only=True)
class Sweep(SweepResults):
    """One sweep of a program. Its results so far can be read at any time."""

    config: RunConfig
    progress: ProgressReporter
    fault_free_seconds: float = 0
    """How long the slower run without faults took."""
    limit: float = FAULT_FREE_LIMIT
    """The time limit of a run, in seconds."""
    programs: ClassVar[int] = 1
    """How many programs run at a time in a cell."""
    _taken: int = 0
    """How many of the cells were begun."""
    _judged: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a cell has its verdict."""

    async def run(self) -> None:
        """Make all runs. When this is cancelled, it ends the programs that still run.

        Raises SweepError if the program cannot be swept, ProgramError if it cannot be started.
        """
        executor = ThreadPoolExecutor(self.options.jobs * self.programs, "cnx-mock sweep")
        try:
            await self.begin(executor)
            self.progress.planned(self)
            await run_all(self._work(executor) for _ in range(self.options.jobs))
        finally:
            executor.shutdown(wait=False)

    async def _work(self, executor: ThreadPoolExecutor) -> None:
        """Run one cell after the other, until all are done. A cell that runs may add others."""
        last = _Unjudged()
        try:
            while True:
                if self._taken < len(self.cells):
                    cell = self.cells[self._taken]
                    self._taken += 1
                    judge = await self.run_cell(cell, executor, last.judge)
                    last.judge()
                    last = _Unjudged(partial(self._tell, judge))
                    continue
                last.judge()
                if len(self.results) == self._taken:
                    return
                self._judged.clear()  # others run, and may add cells
                await self._judged.wait()
        finally:
            last.judge()

    def _tell(self, judge: Judge) -> None:
        self.progress.judged(judge())
        self._judged.set()

    async def run_cell(self, cell: Cell, executor: ThreadPoolExecutor, meanwhile: Callable[[], None]) -> Judge:
        """Run the program in a cell, and return what judges the run: that is done while the next program starts, as
        `meanwhile` is now."""
        patient = self.options.seconds is None
        second = self._second_run(cell)
        limit = self.limit + (cell.seconds if patient else 0)
        collect = await run_program(
            self.config, cell.document(), limit, executor, patient=patient, second=second, meanwhile=meanwhile
        )
        return lambda: self.judge_cell(cell, collect())

    def _second_run(self, cell: Cell) -> SecondRun | None:
        """Return when the program is run a second time in a cell's world; None for never."""
        rules = [rule["id"] for rule in cell.rules]
        match self.options.again:
            case "after a crash":
                return SecondRun(after=lambda ended: ended.status == -_KILLED, rules=rules, kill_at=rules[0])
            case "after a failure":
                return SecondRun(after=lambda ended: ended.status != 0, rules=rules)
        return None

    async def begin(self, executor: ThreadPoolExecutor) -> None:
        """Run the program twice without faults, compare the two runs, and plan the cells."""
        first = await self._without_faults(executor)
        self.plan(first)
        if not self.calls:
            raise SweepError(_no_calls(first))
        if first.unseen:
            self.progress.message(f"CMD makes more calls than the journal keeps: the first {first.unseen} are left out")
        second = await self._without_faults(executor)
        lines = list(self.compare(first, second))
        if self._compares_ends and not self.is_repeatable:
            message = "CMD leaves something different in every run, so nothing can be compared"
            raise SweepError("\n".join([message, *lines, OWN_FILES]))
        for line in lines:
            self.progress.message(line)
        self.fault_free_seconds = max(first.ended.seconds, second.ended.seconds)
        self.limit = self.options.seconds or 3 * self.fault_free_seconds + EXTRA_SECONDS
        if self.options.again != "never":
            await self._run_twice(executor)
        if not self.cells and not self.unchanged and self.options.shard is None:
            called = ", ".join(_operations(self.calls))
            raise SweepError(f"none of the chosen faults applies to the calls of CMD: {called}")

    @property
    def _compares_ends(self) -> bool:
        """Whether a run is bad if it is unlike the run without faults, whatever the reason."""
        return self.options.again != "never" or self.options.way == "readings"

    async def _run_twice(self, executor: ThreadPoolExecutor) -> None:
        """Run the program twice in one world without faults, and say what it does if it is not meant for that."""
        always = SecondRun(after=lambda ended: True)
        twice = await run_once(self.config, NO_FAULTS, self.limit, executor, second=always)
        if twice.ended.status is None:
            message = f"CMD, run a second time in the same world, is still running after {self.limit:g} s"
            raise SweepError(f"{message}: give it more time (--timeout){last_lines(twice.ended)}")
        judgement, end = self.compare_again(twice)
        if judgement.verdict != "recovered":
            self.progress.message("without any fault, run twice in one world: " + after_second_run(judgement, end))
            what = "crash" if self.options.again == "after a crash" else "failure"
            self.progress.message(f"  CMD cannot be run twice, so this is not counted as a result of the {what}")

    async def _without_faults(self, executor: ThreadPoolExecutor) -> RunResult:
        limit = self.options.seconds or FAULT_FREE_LIMIT
        run = await run_once(self.config, NO_FAULTS, limit, executor)
        status = run.ended.status
        if status is None:
            message = f"CMD is still running after {limit:g} s without any fault: give it more time (--timeout)"
            raise SweepError(message + last_lines(run.ended))
        if status != 0:
            message = f"CMD fails without any fault ({ending(status)}): it must succeed against the mock"
            raise SweepError(message + last_lines(run.ended))
        return run


async def run_all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all coroutines at the same time. If one fails, or this is cancelled, cancel the others and wait for them."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _operations(calls: Sequence[SweptCall]) -> list[str]:
    return list(dict.fromkeys(call.operation for call in calls))


def _no_calls(run: RunResult) -> str:
    if run.nowhere:
        return "CMD's requests have no key that the mock knows: it must send CLOUDNEXUS_API_KEY, or any cnx_test_ key"
    message = "CMD makes no calls to the mock: it must take its base URL from CLOUDNEXUS_BASE_URL"
    return message + last_lines(run.ended)


def last_lines(ended: ProgramResult) -> str:
    """Return the last lines of a program's output, indented, each after a line break."""
    lines = ended.output.rstrip().splitlines()[-_LINES_SHOWN:]
    return "".join(f"\n  {line}" for line in lines)
