"""The corpus of the sweep: programs with one known defect each, and a careful one. Each defect has its verdict, and no
other is given. The programs are real processes; their sweeps run in this process, a few at a time."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cnx_mock.audit.audit import hammering
from cnx_mock.net.sockets import ListeningSockets
from cnx_mock.settings import Settings
from cnx_mock.sweep.plan import Cell, select_faults
from cnx_mock.sweep.results import CellResult, SweepOptions, SweepResults
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.trial import RunConfig, RunResult, private
from cnx_mock.sweep.verdict import GOOD, Verdict
from tests.sweep.builders import Silence

pytestmark = [pytest.mark.slow, pytest.mark.clients]

Verdicts = tuple[set[Verdict], set[Verdict]]

FOLDER = Path(__file__).parent / "clients"
CAREFUL = FOLDER.parents[1] / "audit" / "clients" / "careful.py"
AT_ONCE = 3
JOBS = 8  # of careful clients, which wait for most of their time
LIMIT = 30.0  # seconds; only a client that hangs needs them

MEETS = {
    "leaves": "error,reset,truncate",
    "polls": "error,never-ready,rate-limit",
    "recreates": "error,error-after,reset-after,hang-after",
    "storms": "error,outage,rate-limit,no-credits",
    "swallows": "error,reset,reset-after,no-credits",
}
"""Among these faults is what brings a client's defect to light."""
LEAVE = {"polls", "recreates"}
"""Clients that leave behind what they created if a later call fails."""
LIMITS = {"polls": 3.0}
"""Clients that hang need not be waited for so long."""


def environment(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
    return {"CLOUDNEXUS_BASE_URL": sockets.url, "CLOUDNEXUS_API_KEY": key}


class BothReadings(Sweep):
    """A sweep that judges each run a second time, with what `--allow-partial` allows."""

    def compare(self, first: RunResult, second: RunResult) -> Iterator[str]:
        self.partial = SweepResults(
            options=replace(self.options, allow_partial=True), check_hammering=self.check_hammering
        )
        self.partial.plan(first)
        list(self.partial.compare(first, second))
        return super().compare(first, second)

    def judge_cell(self, cell: Cell, run: RunResult, *, allowed: bool = True) -> CellResult:
        self.partial.judge_cell(cell, run)
        return super().judge_cell(cell, run)


async def swept(client: str, faults: Sequence[str], turn: asyncio.Semaphore, jobs: int = 1) -> Verdicts:
    """Everything that a sweep says of a client, survival and clean failures aside: with what a failed run may leave,
    and without."""
    config = RunConfig(
        command=[sys.executable, str(FOLDER / f"{client}.py")], settings=private(Settings()), environment=environment
    )
    options = SweepOptions(faults=select_faults(faults), seconds=LIMITS.get(client, LIMIT), jobs=jobs)
    sweep = BothReadings(options=options, check_hammering=hammering, config=config, progress=Silence())
    async with turn:
        await sweep.run()
    strict, partial = (
        {result.verdict for result in results.values()} - {*GOOD} for results in (sweep.results, sweep.partial.results)
    )
    return strict, partial


async def swept_documentation() -> Sweep:
    """The sweep of the client of the documentation, without the faults that make each of its sixty polls, or all of its
    waits, necessary."""

    def scaled(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
        return {**environment(sockets, key), "BASE": "0.05"}  # a busy machine must not make its waits look alike

    faults = ["error", "error-after", "down", "reset-after", "truncate", "bad-json", "no-credits", "stale"]
    config = RunConfig(command=[sys.executable, str(CAREFUL)], settings=private(Settings()), environment=scaled)
    options = SweepOptions(faults=select_faults(faults), seconds=LIMIT, jobs=JOBS)
    sweep = Sweep(options=options, check_hammering=hammering, config=config, progress=Silence())
    await sweep.run()
    return sweep


@pytest.fixture(scope="module")
def sweeps() -> tuple[Sweep, dict[str, Verdicts]]:
    """The sweep of the documentation's client, and what the sweeps of all others say."""

    async def everything() -> tuple[Sweep, list[Verdicts]]:
        turn = asyncio.Semaphore(AT_ONCE)
        careful = swept("careful", [], turn, JOBS)  # the longest one first
        others = (swept(name, faults.split(","), turn) for name, faults in MEETS.items())
        return await asyncio.gather(swept_documentation(), asyncio.gather(careful, *others))

    documentation, verdicts = asyncio.run(everything())
    return documentation, dict(zip(("careful", *MEETS), verdicts, strict=True))


@pytest.fixture(scope="module")
def found(sweeps: tuple[Sweep, dict[str, Verdicts]]) -> dict[str, Verdicts]:
    return sweeps[1]


@pytest.mark.parametrize("client", MEETS)
def test_every_defect_has_its_verdict_and_no_other(found: dict[str, Verdicts], client: str) -> None:
    head = (FOLDER / f"{client}.py").read_text().splitlines()[0]
    expected = head.removeprefix('"""DEFECT ').partition(":")[0]
    strict, partial = found[client]
    assert partial == {expected}
    assert strict == ({expected, "leaked"} if client in LEAVE else {expected})


def test_a_careful_client_is_clean_whatever_happens(found: dict[str, Verdicts]) -> None:
    assert found["careful"] == (set(), set())


def test_the_client_of_the_documentation_is_clean_whatever_happens_and_looks_again_after_a_stale_read(
    sweeps: tuple[Sweep, dict[str, Verdicts]],
) -> None:
    results = sweeps[0].results
    assert {name: each.verdict for name, each in results.items() if each.verdict not in GOOD} == {}
    assert {each.verdict for each in results.values() if each.cell.fault.name == "stale"} == {"survived"}
