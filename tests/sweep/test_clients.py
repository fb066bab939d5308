"""The corpus of the sweep: programs with one known defect each, and a careful one. Each defect has its verdict, and no
other is given. The programs are real processes; their sweeps run in this process, a few at a time."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cnx_mock.audit.audit import hammering
from cnx_mock.net.sockets import ListeningSockets
from cnx_mock.settings import Settings
from cnx_mock.sweep.plan import select_faults
from cnx_mock.sweep.results import SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.trial import RunConfig, private
from cnx_mock.sweep.verdict import GOOD, Verdict
from tests.sweep.builders import Silence

pytestmark = [pytest.mark.slow, pytest.mark.clients]

FOLDER = Path(__file__).parent / "clients"
AT_ONCE = 3
LIMIT = 30.0  # seconds; only a client that hangs needs them

MEETS = {
    "leaves": "error,reset,truncate",
    "polls": "error,never-ready,rate-limit",
    "recreates": "error,error-after,reset-after,hang-after",
    "storms": "error,outage,rate-limit,no-credits",
    "swallows": "error,reset,reset-after,no-credits",
}
"""Among these faults is what brings a client's defect to light."""
LIMITS = {"polls": 3.0}
"""Clients that hang need not be waited for so long."""


def environment(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
    return {"CLOUDNEXUS_BASE_URL": sockets.url, "CLOUDNEXUS_API_KEY": key}


async def swept(client: str, faults: Sequence[str], turn: asyncio.Semaphore) -> set[Verdict]:
    """Everything that a sweep says of a client, survival and clean failures aside."""
    config = RunConfig(
        command=[sys.executable, str(FOLDER / f"{client}.py")], settings=private(Settings()), environment=environment
    )
    options = SweepOptions(faults=select_faults(faults), seconds=LIMITS.get(client, LIMIT))
    sweep = Sweep(options=options, check_hammering=hammering, config=config, progress=Silence())
    async with turn:
        await sweep.run()
    return {result.verdict for result in sweep.results.values()} - {*GOOD}


@pytest.fixture(scope="module")
def found() -> dict[str, set[Verdict]]:
    """What the sweeps of all clients say."""

    async def everything() -> list[set[Verdict]]:
        turn = asyncio.Semaphore(AT_ONCE)
        careful = swept("careful", [], turn)  # the longest one first
        return await asyncio.gather(careful, *(swept(name, faults.split(","), turn) for name, faults in MEETS.items()))

    return dict(zip(("careful", *MEETS), asyncio.run(everything()), strict=True))


@pytest.mark.parametrize("client", MEETS)
def test_every_defect_has_its_verdict_and_no_other(found: dict[str, set[Verdict]], client: str) -> None:
    head = (FOLDER / f"{client}.py").read_text().splitlines()[0]
    expected = head.removeprefix('"""DEFECT ').partition(":")[0]
    assert found[client] == {expected}


def test_a_careful_client_is_clean_whatever_happens(found: dict[str, set[Verdict]]) -> None:
    assert found["careful"] == set()
