"""Shrinking, in this process: only the small program that is run again and again is a process of its own."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cnx_mock.errors import SweepError
from cnx_mock.net.sockets import ListeningSockets
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.settings import Settings
from cnx_mock.sweep.plan import select_faults
from cnx_mock.sweep.recorded_faults import RecordedFault
from cnx_mock.sweep.results import SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.shrink import Shrink, fewest
from cnx_mock.sweep.trial import RunConfig, private
from tests.sweep.builders import Silence

CALLS = """
import http.client, os, sys
address = os.environ["CLOUDNEXUS_BASE_URL"].removeprefix("http://")
headers = {"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"]}
def call(path):
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", path, headers=headers)
    return connection.getresponse().status
"""
FAILS_WITHOUT_REGIONS = (
    f"{CALLS}\nfound = [call('/v1/plans'), call('/v1/images'), call('/v1/regions')]\nsys.exit(found[2] != 200)"
)
EVERYTHING_FAILS = {"rules": [{"id": "down", "match": {"method": "GET"}, "fault": {"error": "INTERNAL_ERROR"}}]}
LIMIT = 30.0  # seconds; only a test that fails needs them


def environment(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
    return {"CLOUDNEXUS_BASE_URL": sockets.url, "CLOUDNEXUS_API_KEY": key}


def config(program: str) -> RunConfig:
    command = [sys.executable, "-c", program]
    return RunConfig(command=command, settings=private(Settings()), environment=environment)


def shrunk(program: str, scenario: dict[str, Any], *, clean: bool = False) -> tuple[Shrink, list[str]]:
    """A failing run after it was shrunk, and what was said meanwhile."""
    said: list[str] = []
    shrink = Shrink(
        config=config(program),
        scenario=read_scenario(scenario, operations()),
        seconds=LIMIT,
        clean=clean,
        message=said.append,
    )
    asyncio.run(shrink.run())
    return shrink, said


@pytest.mark.parametrize("needed", [{4}, {0, 9}, {2, 3, 7}, set(range(10))])
def test_none_of_the_fewest_can_be_spared(needed: set[int]) -> None:
    every = [RecordedFault({"id": number}, str(number)) for number in range(10)]
    tried = []

    async def fails(faults: Sequence[RecordedFault]) -> bool:
        tried.append(len(faults))
        return needed <= {each.rule["id"] for each in faults}

    assert {each.rule["id"] for each in asyncio.run(fewest(every, fails))} == needed
    assert len(tried) < 60


def test_of_three_faults_the_one_that_matters_is_kept() -> None:
    shrink, said = shrunk(FAILS_WITHOUT_REGIONS, EVERYTHING_FAILS)
    assert (shrink.failure, len(shrink.injected)) == ("exit status 1", 3)
    assert [each.title for each in shrink.kept] == ["`GET /v1/regions` #1: error=INTERNAL_ERROR (rule down)"]
    assert said[0] == "run 1: CMD fails (exit status 1), 3 faults injected"
    assert shrink.document(shrink.kept)["rules"][0]["match"] == {"operation": "regions.list"}


def test_what_the_scenario_says_of_the_world_stays() -> None:
    shrink, _ = shrunk(FAILS_WITHOUT_REGIONS, {**EVERYTHING_FAILS, "world": {"plan": "starter"}})
    assert shrink.document(shrink.kept)["world"] == {"plan": "starter"}


@pytest.mark.parametrize(
    ("program", "scenario", "reason"),
    [
        ("pass", EVERYTHING_FAILS, "CMD does not fail"),
        ("raise SystemExit(3)", EVERYTHING_FAILS, r"fails without any fault as well \(exit status 3\)"),
    ],
)
def test_what_cannot_be_shrunk_says_why(program: str, scenario: dict[str, Any], reason: str) -> None:
    with pytest.raises(SweepError, match=reason):
        shrunk(program, scenario)


def swept(program: str, **options: Any) -> Sweep:
    """The sweep of a program, after it has ended."""
    made = SweepOptions(faults=select_faults(["error", "reset"]), seconds=LIMIT, **options)
    sweep = Sweep(options=made, check_hammering=lambda *_: [], config=config(program), progress=Silence())
    asyncio.run(sweep.run())
    return sweep


def test_a_program_that_reports_its_failures_survives_or_fails_cleanly() -> None:
    found = swept(FAILS_WITHOUT_REGIONS)
    assert {name: result.verdict for name, result in found.results.items()} == {
        "plans.list-1-error": "survived",
        "plans.list-1-reset": "failed cleanly",  # it has no answer to a reset
        "images.list-1-error": "survived",
        "images.list-1-reset": "failed cleanly",
        "regions.list-1-error": "failed cleanly",
        "regions.list-1-reset": "failed cleanly",
    }


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise SystemExit(4)", "exit status 4"),
        ("pass", "no call"),
    ],
)
def test_what_cannot_be_swept_says_why(program: str, reason: str) -> None:
    with pytest.raises(SweepError, match=reason):
        swept(program)
