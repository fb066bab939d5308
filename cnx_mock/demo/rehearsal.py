"""The verdict on a client: its run with faults, compared as a sweep does with two runs of the same client without."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from cnx_mock.audit.audit import hammering
from cnx_mock.demo.outcome import LaneOutcome, outcome_of
from cnx_mock.sweep.plan import NO_FAULTS
from cnx_mock.sweep.results import SweepOptions, SweepResults
from cnx_mock.sweep.trial import RunConfig, RunResult, run_once


async def rehearse(config: RunConfig, seconds: float, executor: Executor, *, at_once: bool) -> Sequence[RunResult]:
    """Run a program twice without faults, both `at_once` or one after the other, and return the results. Each may take
    this many seconds. Raises ProgramError."""
    runs = [run_once(config, NO_FAULTS, seconds, executor) for _ in range(2)]
    return await asyncio.gather(*runs) if at_once else [await each for each in runs]


def judge_show(run: RunResult, fault_free: Sequence[RunResult], rules: Sequence[str], client: str) -> LaneOutcome:
    """Return what a run with faults came to. `fault_free` are two runs without faults, `rules` the ids of the
    scenario's rules, `client` is what the sentence calls the client."""
    results = SweepResults(options=SweepOptions(faults=()), check_hammering=hammering)
    list(results.compare(*fault_free))
    return outcome_of(results.judge_run(run, rules), run, fault_free, client)


def can_be_swept(fault_free: Sequence[RunResult]) -> bool:
    """Return whether a sweep takes a program with these runs without faults: it succeeds, and makes calls."""
    return all(each.ended.status == 0 and each.entries for each in fault_free)
