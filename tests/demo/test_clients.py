"""The two programs of the demo, swept: what they show is true of every create, and not only of the first one."""

import asyncio
import sys
from collections.abc import Mapping, Sequence

import pytest

from cnx_mock.audit.audit import hammering
from cnx_mock.net.sockets import ListeningSockets
from cnx_mock.settings import Settings
from cnx_mock.sweep.plan import select_faults
from cnx_mock.sweep.results import SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.trial import RunConfig, private
from cnx_mock.sweep.verdict import Verdict
from tests.sweep.builders import Silence

pytestmark = [pytest.mark.slow, pytest.mark.clients]


def environment(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
    return {"CLOUDNEXUS_BASE_URL": sockets.url, "CLOUDNEXUS_API_KEY": key, "BASE": "0.01"}


def swept(client: str, faults: Sequence[str]) -> dict[str, Verdict]:
    """The verdict on each cell of a sweep of one of the programs."""
    command = [sys.executable, "-m", f"cnx_mock.demo.clients.{client}"]
    config = RunConfig(command=command, settings=private(Settings()), environment=environment)
    options = SweepOptions(faults=select_faults(faults), operations=["*.create"], seconds=60, jobs=3)
    sweep = Sweep(options=options, check_hammering=hammering, config=config, progress=Silence())
    asyncio.run(sweep.run())
    return {name: each.verdict for name, each in sweep.results.items()}


CREATES = ("firewalls.create-1", *(f"instances.create-{number}" for number in (1, 2, 3)), "load_balancers.create-1")


def test_the_naive_client_duplicates_whatever_it_creates() -> None:
    assert swept("naive", ["reset-after"]) == {f"{each}-reset-after": "duplicated" for each in CREATES}


def test_the_careful_client_duplicates_nothing_and_leaves_nothing_without_money() -> None:
    found = swept("careful", ["reset-after", "no-credits"])
    lost = {f"{each}-reset-after": "survived" for each in CREATES}
    assert found == lost | {f"{each}-no-credits": "failed cleanly" for each in CREATES[1:]}
