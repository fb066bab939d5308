"""Shrink a failing run: of the faults that were injected, find the few that make the program fail.

First, what chance decided is recorded as rules for the same calls. Then faults are left out, many at a time as long as
that works, by Zeller's delta debugging ("Simplifying and Isolating Failure-Inducing Input", 2002). It ends when leaving
out any single fault makes the program succeed.
"""

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import field
from itertools import pairwise
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import SweepError
from cnx_mock.programs.start import ending
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.sweep.recorded_faults import RecordedFault
from cnx_mock.sweep.runner import EXTRA_SECONDS, FAULT_FREE_LIMIT, last_lines
from cnx_mock.sweep.state import resources_left
from cnx_mock.sweep.trial import RunConfig, RunResult, run_once
from cnx_mock.text.plural import counted

_KEPT = ("seed", "world", "provisioning")
"""The keys of a scenario that are not faults: they stay."""


async def fewest(
    faults: Sequence[RecordedFault], fails: Callable[[Sequence[RecordedFault]], Awaitable[bool]]
) -> list[RecordedFault]:
    """Return some of these faults: the program fails with them, and succeeds without any single one of them.

    `fails` runs the program with the given faults. It must return True for all of them.
    """
    kept, parts = list(faults), 2
    while len(kept) > 1:
        parts = min(parts, len(kept))
        bounds = [len(kept) * number // parts for number in range(parts + 1)]
        for low, high in pairwise(bounds):
            fewer = kept[:low] + kept[high:]
            if await fails(fewer):
                kept, parts = fewer, max(2, parts - 1)
                break
        else:
            if parts == len(kept):
                break
            parts *= 2
    return kept


@dataclass(kw_only=True)
class Shrink:
    """One failing run to shrink. Its results so far can be read at any time."""

    config: RunConfig
    """How the program is run, without a scenario."""
    scenario: Scenario
    """The scenario under which it fails."""
    seconds: float | None
    """The time limit of a run; None for one that depends on the failing run."""
    clean: bool
    """Whether it is a failure too if the program leaves resources behind."""
    message: Callable[[str], None]
    """Shows a line about the progress."""
    failure: str = ""
    """How the program fails; empty until that is known."""
    injected: list[RecordedFault] = field(default_factory=list)
    """All faults of the failing run."""
    kept: list[RecordedFault] = field(default_factory=list)
    """The fewest faults so far with which it fails; empty until it has failed with all of them."""
    runs: int = 0
    """How many runs were made."""
    _limit: float = field(init=False, default=FAULT_FREE_LIMIT)

    async def run(self) -> None:
        """Find the faults. When this is cancelled, it ends the program that still runs.

        Raises SweepError if there is nothing to shrink, ProgramError if the program cannot be started.
        """
        executor = ThreadPoolExecutor(1, "cnx-mock shrink")
        try:
            await self._begin(executor)
            await self._check_faults_matter(executor)
            await fewest(self.injected, lambda faults: self._fails(faults, executor))
        finally:
            executor.shutdown(wait=False)

    async def _begin(self, executor: Executor) -> None:
        """Let the program fail once, and record the faults."""
        self._limit = self.seconds or FAULT_FREE_LIMIT
        first = await self._run(dict(self.scenario.document), executor)
        self.failure, self.injected = self._failure(first), list(first.faults)
        if not self.failure:
            raise SweepError("CMD does not fail: give the --scenario, --seed and --key of the run that failed")
        self.message(f"run 1: CMD fails ({self.failure}), {counted(len(self.injected), 'fault')} injected")
        self._limit = self.seconds or 3 * first.ended.seconds + EXTRA_SECONDS

    async def _check_faults_matter(self, executor: Executor) -> None:
        """Raise SweepError unless the program fails with the recorded faults, and only with faults."""
        run = await self._run(self.document(()), executor)
        if without_faults := self._failure(run):
            message = f"CMD fails without any fault as well ({without_faults}): the faults are not the cause"
            raise SweepError(message + last_lines(run.ended))
        if not await self._fails(self.injected, executor):
            raise SweepError(
                "CMD does not fail in this way with the same faults at the same calls. It behaves differently from run "
                "to run, or the time of a fault matters (a phase, a clock)"
            )

    async def _run(self, document: dict[str, Any], executor: Executor) -> RunResult:
        self.runs += 1
        return await run_once(self.config, document, self._limit, executor, patient=self.seconds is None)

    async def _fails(self, faults: Sequence[RecordedFault], executor: Executor) -> bool:
        """Return whether the program fails in the same way with these faults, and keep them if it does."""
        same = self._failure(await self._run(self.document(faults), executor)) == self.failure
        ending = "still fails" if same else "does not fail in this way"
        self.message(f"run {self.runs}: {counted(len(faults), 'fault')}: {ending}")
        if same:
            self.kept = list(faults)
        return same

    def document(self, faults: Sequence[RecordedFault]) -> dict[str, Any]:
        """Return the scenario that injects exactly these faults, as plain data."""
        given = self.scenario.document
        rest = {key: given[key] for key in _KEPT if given.get(key)}
        return {"name": f"{self.scenario.name} shrunk"[:100], **rest, "rules": [dict(each.rule) for each in faults]}

    def _failure(self, run: RunResult) -> str:
        """Return how a run failed; an empty text if it did not."""
        status = run.ended.status
        if status is None:
            return "still running at the time limit"
        if status:
            return ending(status)
        left = self.clean and resources_left(run.start, run.states)
        return "exit status 0, and something is left" if left else ""
