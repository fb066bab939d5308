"""The sweep: the runs without faults, then one run for every cell, several at once if so wished."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from cnx_mock.audit.sweep.compare import changed_calls, changed_state
from cnx_mock.audit.sweep.hammering import Hammers
from cnx_mock.audit.sweep.plan import CALM, Call, Cell, Fault, planned, recorded, sampled
from cnx_mock.audit.sweep.state import Things, things, unsteady
from cnx_mock.audit.sweep.trial import Stage, Trial, attempt
from cnx_mock.audit.sweep.verdict import Judgement, Run, Verdict, judge, milder

BASELINE_SECONDS = 600
"""How long a run without faults may take unless a limit is given."""
EXTRA_SECONDS = 15
"""What a run with a fault may take beyond three times the run without."""
_LINES_SHOWN = 8


class Unfit(ValueError):
    """The program cannot be swept; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be swept, and how."""

    faults: Sequence[Fault]
    operations: Sequence[str] = ()
    pairs: bool = False
    most: int | None = None
    """At most so many runs with faults."""
    seconds: float | None = None
    """The time limit of a run."""
    jobs: int = 1
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a cell."""

    cell: Cell
    judgement: Judgement
    status: int | None
    """The exit status; None where the run was ended at the limit."""
    seconds: float
    fired: bool
    """Whether the fault struck at all."""
    things: Things
    """What the run left."""
    calls: dict[str, int]
    """How often each operation was called."""
    hammering: Sequence[str]
    words: str
    """The end of what the program said."""

    @property
    def verdict(self) -> Verdict:
        """Its verdict."""
        return self.judgement.verdict


class Audience(Protocol):
    """Who wants to know how it goes."""

    def said(self, line: str) -> None:
        """Something worth knowing."""

    def planned(self, sweep: "Sweep") -> None:
        """The runs without faults are over, and the cells are known."""

    def judged(self, result: Result) -> None:
        """A cell is done."""


@dataclass(kw_only=True)
class Sweep:
    """One sweep; what is known of it so far is there at every time."""

    stage: Stage
    wish: Wish
    hammers: Hammers
    audience: Audience
    calls: list[Call] = field(default_factory=list)
    """The calls of the run without faults."""
    cells: list[Cell] = field(default_factory=list)
    """The runs to be made."""
    left_out: int = 0
    """How many more there would be."""
    results: dict[str, Result] = field(default_factory=dict)
    """What came of the cells, by their names."""
    baseline_seconds: float = 0
    limit: float = BASELINE_SECONDS
    """The time limit of a run, in seconds."""
    judge: Callable[[Run], Judgement] = field(init=False)

    async def run(self) -> None:
        """Make every run. Raises Unfit for a program that cannot be swept, CannotStart for one that does not start.
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
            result = self._result(cell, trial)
            self.results[cell.name] = result
            self.audience.judged(result)

    async def _begin(self, executor: ThreadPoolExecutor) -> None:
        """Run it twice without faults, see whether the two agree, and make the plan."""
        first = await self._calm(executor)
        self.calls = recorded(first.exchanges)
        if not self.calls:
            raise Unfit(_no_calls(first))
        if first.unseen:
            self.audience.said(f"CMD makes more calls than the journal keeps: the first {first.unseen} are left out")
        second = await self._calm(executor)
        self._compare(first, second)
        self.baseline_seconds = max(first.ended.seconds, second.ended.seconds)
        self.limit = self.wish.seconds or 3 * self.baseline_seconds + EXTRA_SECONDS
        wish = self.wish
        cells = planned(self.calls, wish.faults, wish.operations, pairs=wish.pairs)
        if not cells:
            raise Unfit(f"none of these faults can strike these calls; CMD calls {', '.join(_names(self.calls))}")
        self.cells = sampled(cells, wish.most, wish.seed)
        self.left_out = len(cells) - len(self.cells)

    async def _calm(self, executor: ThreadPoolExecutor) -> Trial:
        limit = self.wish.seconds or BASELINE_SECONDS
        trial = await attempt(self.stage, CALM, limit, executor)
        if trial.ended.status is None:
            raise Unfit(f"CMD goes on after {limit:g} s without any fault: give it more time (--timeout){_last(trial)}")
        if trial.ended.status != 0:
            message = (
                f"CMD fails without any fault (exit status {trial.ended.status}): it must succeed against the mock"
            )
            raise Unfit(message + _last(trial))
        return trial

    def _compare(self, first: Trial, second: Trial) -> None:
        """Say where the two differ, and leave aside what does."""
        aside = unsteady(first.states, second.states)
        differing = [*changed_calls(first.exchanges, second.exchanges), *changed_state(first.states, second.states)]
        if differing:
            self.audience.said("two runs without faults differ: calls are told apart by operation and number")
            for each in differing:
                self.audience.said(f"  {each}")
            self.audience.said(
                "  what differs by chance is left aside; a seed or fixed names in CMD would be judged too"
            )
        start = things([*first.start], aside)
        expected = [
            Run(things=things(each.states, aside), creates=each.creates, hammering=self.hammers(each.entries))
            for each in (first, second)
        ]
        for line in dict.fromkeys(line for run in expected for line in run.hammering):
            self.audience.said(f"without any fault: {line}")
        self.judge = lambda run: milder(*(judge(each, run, start) for each in expected))
        self._aside = aside

    def _result(self, cell: Cell, trial: Trial) -> Result:
        hammering = self.hammers(trial.entries)
        found = things(trial.states, self._aside)
        run = Run(status=trial.ended.status, things=found, creates=trial.creates, hammering=hammering)
        counts: dict[str, int] = {}
        for each in trial.exchanges:
            if each.operation is not None:
                counts[each.operation.name] = counts.get(each.operation.name, 0) + 1
        return Result(
            cell=cell,
            judgement=self.judge(run),
            status=trial.ended.status,
            seconds=trial.ended.seconds,
            fired=trial.fired(cell.rules),
            things=found,
            calls=counts,
            hammering=hammering,
            words=trial.ended.words,
        )


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
    lines = trial.ended.words.rstrip().splitlines()[-_LINES_SHOWN:]
    return "".join(f"\n  {line}" for line in lines)
