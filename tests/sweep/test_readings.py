"""Sweeps of the readings: a client that depends on one meaning of the documentation is found, and which one."""

import asyncio
import re
from pathlib import Path

import pytest

from cnx_mock.api.readings import READINGS
from cnx_mock.audit.audit import hammering
from cnx_mock.settings import Settings
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.readings import MEETS, ReadingSweep, other_options
from cnx_mock.sweep.results import SweepOptions
from cnx_mock.sweep.trial import RunConfig, private
from tests.cases import cases
from tests.sweep.builders import Silence
from tests.sweep.test_clients import environment
from tests.sweep.test_second_run import INTERPRETERS

FOLDER = Path(__file__).parent / "clients" / "readings"

AT_ONCE = 3
PROGRAMS = sorted(each.name for each in FOLDER.iterdir() if each.suffix in INTERPRETERS and each.stem != "plain")
DEFECTIVE = [name for name in PROGRAMS if not name.startswith("careful")]
CAREFUL = [name for name in PROGRAMS if name.startswith("careful")]


async def swept(name: str, turn: asyncio.Semaphore, settings: Settings) -> ReadingSweep:
    """The sweep of a program's readings."""
    program = FOLDER / name
    command = [INTERPRETERS[program.suffix], str(program)]
    config = RunConfig(command=command, settings=private(settings), environment=environment)
    options = SweepOptions(faults=())
    sweep = ReadingSweep(options=options, check_hammering=hammering, config=config, progress=Silence())
    async with turn:
        await sweep.run()
    return sweep


@pytest.fixture(scope="module")
def found() -> dict[str, ReadingSweep]:
    """The sweeps of all programs."""

    async def everything() -> list[ReadingSweep]:
        turn = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(swept(name, turn, Settings()) for name in PROGRAMS))

    return dict(zip(PROGRAMS, asyncio.run(everything()), strict=True))


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize("name", DEFECTIVE)
def test_a_reading_taken_for_granted_is_found_and_named(found: dict[str, ReadingSweep], name: str) -> None:
    head = re.search("DEFECT ([a-z-]+):", (FOLDER / name).read_text())
    assert head is not None
    bad = [each for each in found[name].results.values() if each.verdict == "misread"]
    assert {each.cell.fault.name for each in bad} == {head[1]}, [*map(sentence, bad)]
    assert all(sentence(each).startswith(f"under the reading {head[1]}=") for each in bad)
    assert {each.verdict for each in found[name].results.values()} == {"misread", "survived"}


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize("name", CAREFUL)
def test_a_careful_program_does_the_same_whatever_is_meant(found: dict[str, ReadingSweep], name: str) -> None:
    assert {sentence(each) for each in found[name].results.values() if each.verdict != "survived"} == set()
    assert len(found[name].results) >= 2


@pytest.mark.slow
@pytest.mark.clients
def test_the_others_are_those_that_are_not_in_force() -> None:
    settings = Settings(reading=("delete-answer=204",))
    sweep = asyncio.run(swept("delete_body.py", asyncio.Semaphore(), settings=Settings()))
    assert {each for each in sweep.chosen.values() if "delete" in each} == {
        "delete-answer=200-empty-object",
        "delete-answer=204",
    }
    other = asyncio.run(swept("careful_delete.py", asyncio.Semaphore(), settings))
    assert {each for each in other.chosen.values() if "delete" in each} == {
        "delete-answer=200-body",
        "delete-answer=200-empty-object",
    }


def test_it_is_known_of_every_reading_which_calls_meet_it() -> None:
    assert set(MEETS) == set(READINGS)


def entry(operation: str, query: str = "", status: int = 200, body: str = "{}") -> dict[str, object]:
    """A call of a journal."""
    return {"operation": operation, "query": query, "status": status, "response_body": body}


@cases(
    ("call", "readings"),
    [
        (entry("plans.get"), {"rate-window"}),
        (entry("plans.list"), {"rate-window", "list-envelope"}),
        (
            entry("instances.list", "limit=200&tags=a"),
            {"rate-window", "list-envelope", "limit-above-max", "tags-match"},
        ),
        (entry("firewalls.delete"), {"rate-window", "delete-answer"}),
        (
            entry("instances.create", status=400, body='{"error": {"code": "VALIDATION_ERROR"}}'),
            {"rate-window", "instance-names", "validation-status", "unknown-body-field"},
        ),
        (
            entry("instances.create", status=403, body='{"error": {"code": "INSUFFICIENT_CREDITS"}}'),
            {"rate-window", "instance-names", "insufficient-credits-status"},
        ),
        (entry("instances.get", status=500, body="not JSON"), {"rate-window"}),
    ],
)
def test_which_readings_a_call_can_meet(call: dict[str, object], readings: set[str]) -> None:
    assert {each.partition("=")[0] for each in other_options([call], {})} == readings
