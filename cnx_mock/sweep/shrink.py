"""Shrinking: of the faults that struck in a failing run, those without which it does not fail.

What chance had decided is first written down as rules that strike the same calls. Then faults are left out, many at
once while that works, by Zeller's delta debugging ("Simplifying and Isolating Failure-Inducing Input", 2002), until
none of those that are left can be spared alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from cnx_mock.errors import SweepError
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.sweep.recorded_faults import Strike
from cnx_mock.sweep.runner import BASELINE_SECONDS, EXTRA_SECONDS
from cnx_mock.sweep.state import resources_left
from cnx_mock.sweep.trial import Stage, Trial, attempt

_KEPT = ("seed", "world", "provisioning")
"""What of a scenario is no fault, and stays."""


async def fewest(strikes: Sequence[Strike], fails: Callable[[Sequence[Strike]], Awaitable[bool]]) -> list[Strike]:
    """So few of these that it fails with them, and does not without any one of them. It must fail with all."""
    kept, parts = list(strikes), 2
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
    """One failing run to be shrunk; what is known of it so far is there at every time."""

    stage: Stage
    """How the program is run; the stage has no scenario of its own."""
    scenario: Scenario
    """The one in which it fails."""
    seconds: float | None
    """The time limit of a run; None for three times the failing one's and a while."""
    clean: bool
    """Whether what the program leaves behind is a failure too."""
    said: Callable[[str], None]
    """Where to say how it goes."""
    failure: str = ""
    """How it fails; empty until that is known."""
    struck: list[Strike] = field(default_factory=list)
    """All that struck in the failing run."""
    kept: list[Strike] = field(default_factory=list)
    """The fewest of these so far with which it fails; empty until it has failed with all."""
    runs: int = 0

    async def run(self) -> None:
        """Do it. Raises SweepError where there is nothing to shrink, ProgramError for a program that cannot be run.
        Cancelled, it ends what runs."""
        executor = ThreadPoolExecutor(1, "cnx-mock shrink")
        limit = self.seconds or BASELINE_SECONDS

        async def ran(document: dict[str, Any]) -> Trial:
            self.runs += 1
            return await attempt(self.stage, document, limit, executor)

        async def fails(strikes: Sequence[Strike]) -> bool:
            same = self._failure(await ran(self.document(strikes))) == self.failure
            self.said(f"run {self.runs}: {_counted(len(strikes))}: {'still fails' if same else 'does not fail so'}")
            if same:
                self.kept = list(strikes)
            return same

        try:
            first = await ran(dict(self.scenario.document))
            self.failure, self.struck = self._failure(first), list(first.strikes)
            if not self.failure:
                raise SweepError("CMD does not fail: give the --scenario, --seed and --key of the run that did")
            self.said(f"run 1: CMD fails ({self.failure}), {_counted(len(self.struck))} struck")
            limit = self.seconds or 3 * first.ended.seconds + EXTRA_SECONDS
            calm = self._failure(await ran(self.document(())))
            if calm:
                raise SweepError(f"CMD fails without any fault as well ({calm}): no fault is the reason")
            if not await fails(self.struck):
                raise SweepError(
                    "with the same faults at the same calls CMD does not fail so: it differs from run to run, or the "
                    "moment of a fault matters (a phase, a clock)"
                )
            await fewest(self.struck, fails)
        finally:
            executor.shutdown(wait=False)

    def document(self, strikes: Sequence[Strike]) -> dict[str, Any]:
        """The scenario in which just these strike."""
        given = self.scenario.document
        rest = {key: given[key] for key in _KEPT if given.get(key)}
        return {"name": f"{self.scenario.name} shrunk"[:100], **rest, "rules": [dict(each.rule) for each in strikes]}

    def _failure(self, trial: Trial) -> str:
        """How a run failed, empty where it did not."""
        status = trial.ended.status
        if status is None:
            return "it goes on beyond the time limit"
        if status:
            return f"signal {-status}" if status < 0 else f"exit status {status}"
        return "exit status 0, and something is left" if self.clean and _left(trial) else ""


def _left(trial: Trial) -> bool:
    return bool(resources_left(trial.start, trial.states))


def _counted(number: int) -> str:
    return f"{number} fault{'' if number == 1 else 's'}"
