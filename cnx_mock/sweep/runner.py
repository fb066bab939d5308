"""Run a sweep: two runs without faults, then one run for every cell, several at a time if asked."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from cnx_mock.errors import SweepError
from cnx_mock.sweep.plan import NO_FAULTS, Cell, SweptCall
from cnx_mock.sweep.results import CellResult, SweepResults
from cnx_mock.sweep.trial import RunConfig, RunResult, run_once

BASELINE_SECONDS = 600
"""The time limit of a run without faults, unless a limit is given."""
EXTRA_SECONDS = 15
"""The time limit of a run with a fault is three times the run without faults, and this. It is extended for a client
that backs off."""
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


@dataclass(kw_only=True)
class Sweep(SweepResults):
    """One sweep of a program. Its results so far can be read at any time."""

    config: RunConfig
    progress: ProgressReporter
    baseline_seconds: float = 0
    """How long the slower run without faults took."""
    limit: float = BASELINE_SECONDS
    """The time limit of a run, in seconds."""

    async def run(self) -> None:
        """Make all runs. When this is cancelled, it ends the programs that still run.

        Raises SweepError if the program cannot be swept, ProgramError if it cannot be started.
        """
        executor = ThreadPoolExecutor(self.options.jobs, "cnx-mock sweep")
        try:
            await self._begin(executor)
            self.progress.planned(self)
            waiting = iter(self.cells)
            await _all(self._work(waiting, executor) for _ in range(self.options.jobs))
        finally:
            executor.shutdown(wait=False)

    async def _work(self, waiting: Iterator[Cell], executor: ThreadPoolExecutor) -> None:
        """Run one cell after the other; all workers take their cells from the same iterator."""
        for cell in waiting:
            patient = self.options.seconds is None
            limit = self.limit + (cell.seconds if patient else 0)
            run = await run_once(self.config, cell.document(), limit, executor, patient=patient)
            self.progress.judged(self.judge_cell(cell, run))

    async def _begin(self, executor: ThreadPoolExecutor) -> None:
        """Run the program twice without faults, compare the two runs, and plan the cells."""
        first = await self._without_faults(executor)
        self.plan(first)
        if not self.calls:
            raise SweepError(_no_calls(first))
        if first.unseen:
            self.progress.message(f"CMD makes more calls than the journal keeps: the first {first.unseen} are left out")
        second = await self._without_faults(executor)
        for line in self.compare(first, second):
            self.progress.message(line)
        self.baseline_seconds = max(first.ended.seconds, second.ended.seconds)
        self.limit = self.options.seconds or 3 * self.baseline_seconds + EXTRA_SECONDS
        if not self.cells:
            called = ", ".join(_operations(self.calls))
            raise SweepError(f"none of these faults applies to any of these calls; CMD calls {called}")

    async def _without_faults(self, executor: ThreadPoolExecutor) -> RunResult:
        limit = self.options.seconds or BASELINE_SECONDS
        run = await run_once(self.config, NO_FAULTS, limit, executor)
        status = run.ended.status
        if status is None:
            message = f"CMD is still running after {limit:g} s without any fault: give it more time (--timeout)"
            raise SweepError(message + _last_lines(run))
        if status != 0:
            message = f"CMD fails without any fault (exit status {status}): it must succeed against the mock"
            raise SweepError(message + _last_lines(run))
        return run


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
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
    return message + _last_lines(run)


def _last_lines(run: RunResult) -> str:
    """Return the last lines of the program's output, indented, each after a line break."""
    lines = run.ended.output.rstrip().splitlines()[-_LINES_SHOWN:]
    return "".join(f"\n  {line}" for line in lines)
