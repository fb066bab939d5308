"""The sweep: the runs without faults, then one run for every cell, several at once if so wished."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from cnx_mock.errors import SweepError
from cnx_mock.sweep.plan import CALM, Call, Cell
from cnx_mock.sweep.results import Result, Swept
from cnx_mock.sweep.trial import Stage, Trial, attempt

BASELINE_SECONDS = 600
"""How long a run without faults may take unless a limit is given."""
EXTRA_SECONDS = 15
"""What a run with a fault may take beyond three times the run without."""
_LINES_SHOWN = 8


class Audience(Protocol):
    """Who wants to know how it goes."""

    def said(self, line: str) -> None:
        """Something worth knowing."""

    def planned(self, sweep: "Sweep") -> None:
        """The runs without faults are over, and the cells are known."""

    def judged(self, result: Result) -> None:
        """A cell is done."""


@dataclass(kw_only=True)
class Sweep(Swept):
    """One sweep of a program; what is known of it so far is there at every time."""

    stage: Stage
    audience: Audience
    baseline_seconds: float = 0
    limit: float = BASELINE_SECONDS
    """The time limit of a run, in seconds."""

    async def run(self) -> None:
        """Make every run. Raises SweepError for a program that cannot be swept, ProgramError for one that cannot run.
        Cancelled, it ends what runs."""
        executor = ThreadPoolExecutor(self.wish.jobs, "cnx-mock sweep")
        try:
            await self._begin(executor)
            self.audience.planned(self)
            waiting = iter(self.cells)
            await _all(self._work(waiting, executor) for _ in range(self.wish.jobs))
        finally:
            executor.shutdown(wait=False)

    async def _work(self, waiting: Iterator[Cell], executor: ThreadPoolExecutor) -> None:
        """Make one run after the other, taking each from what all workers have in common."""
        for cell in waiting:
            trial = await attempt(self.stage, cell.document(), self.limit, executor)
            self.audience.judged(self.judged(cell, trial))

    async def _begin(self, executor: ThreadPoolExecutor) -> None:
        """Run it twice without faults, see whether the two agree, and make the plan."""
        first = await self._calm(executor)
        self.plan(first)
        if not self.calls:
            raise SweepError(_no_calls(first))
        if first.unseen:
            self.audience.said(f"CMD makes more calls than the journal keeps: the first {first.unseen} are left out")
        second = await self._calm(executor)
        for line in self.compare(first, second):
            self.audience.said(line)
        self.baseline_seconds = max(first.ended.seconds, second.ended.seconds)
        self.limit = self.wish.seconds or 3 * self.baseline_seconds + EXTRA_SECONDS
        if not self.cells:
            raise SweepError(f"none of these faults can strike these calls; CMD calls {', '.join(_names(self.calls))}")

    async def _calm(self, executor: ThreadPoolExecutor) -> Trial:
        limit = self.wish.seconds or BASELINE_SECONDS
        trial = await attempt(self.stage, CALM, limit, executor)
        if trial.ended.status is None:
            raise SweepError(
                f"CMD goes on after {limit:g} s without any fault: give it more time (--timeout){_last(trial)}"
            )
        if trial.ended.status != 0:
            message = (
                f"CMD fails without any fault (exit status {trial.ended.status}): it must succeed against the mock"
            )
            raise SweepError(message + _last(trial))
        return trial


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it at once; where one fails, or this is cancelled, end the others first."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _names(calls: Sequence[Call]) -> list[str]:
    return list(dict.fromkeys(call.operation for call in calls))


def _no_calls(trial: Trial) -> str:
    if trial.nowhere:
        return "CMD's requests have no key that the mock knows: it must send CLOUDNEXUS_API_KEY, or any cnx_test_ key"
    message = "CMD makes no calls to the mock: it must take its base URL from CLOUDNEXUS_BASE_URL"
    return message + _last(trial)


def _last(trial: Trial) -> str:
    """The last lines that it said, indented."""
    lines = trial.ended.output.rstrip().splitlines()[-_LINES_SHOWN:]
    return "".join(f"\n  {line}" for line in lines)
