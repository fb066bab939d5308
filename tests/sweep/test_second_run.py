"""Programs that are killed, or fail, and are run again: what the sweep says of a corpus, and the rule of the verdict.

The programs are real processes; their sweeps run in this process, a few at a time."""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from cnx_mock.audit.audit import hammering
from cnx_mock.settings import Settings
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.plan import CRASHES, FAULTS, select_faults
from cnx_mock.sweep.results import Again, SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.second_run import EndOfTwo, LastCall, judge_two
from cnx_mock.sweep.state import ResourceState
from cnx_mock.sweep.trial import RunConfig, private
from cnx_mock.sweep.verdict import GOOD
from tests.cases import cases
from tests.sweep.builders import resource
from tests.sweep.test_clients import environment

FOLDER = Path(__file__).parent / "clients" / "crash"
INTERPRETERS = {".py": sys.executable, ".sh": "sh", ".mjs": "node"}

AT_ONCE = 3
PROGRAMS = sorted(each.name for each in FOLDER.iterdir() if each.suffix in INTERPRETERS and each.stem != "remember")
DEFECTIVE = [name for name in PROGRAMS if not name.startswith("careful")]
CAREFUL = [name for name in PROGRAMS if name.startswith("careful")]


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, line: str) -> None:
        self.lines.append(line)

    def planned(self, sweep: Sweep) -> None: ...

    def judged(self, result: object) -> None: ...


async def swept(
    program: Path,
    again: Again = "after a crash",
    faults: Sequence[str] = (),
    turn: asyncio.Semaphore | None = None,
    seconds: float = 30.0,
) -> tuple[Sweep, list[str]]:
    """The sweep of a program, and what it told."""
    config = RunConfig(
        command=[INTERPRETERS[program.suffix], str(program)], settings=private(Settings()), environment=environment
    )
    known = CRASHES if again == "after a crash" else FAULTS
    options = SweepOptions(faults=select_faults(faults, known), again=again, seconds=seconds)
    told = Told()
    sweep = Sweep(options=options, check_hammering=hammering, config=config, progress=told)
    async with turn or asyncio.Semaphore():
        await sweep.run()
    return sweep, told.lines


def bad(sweep: Sweep) -> dict[str, str]:
    """The bad cells, in words."""
    return {
        name: f"{each.verdict}: {sentence(each)}" for name, each in sweep.results.items() if each.verdict not in GOOD
    }


@pytest.fixture(scope="module")
def crashed() -> dict[str, tuple[Sweep, list[str]]]:
    """The sweeps with crashes of all programs."""

    async def everything() -> list[tuple[Sweep, list[str]]]:
        turn = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(swept(FOLDER / name, turn=turn) for name in PROGRAMS))

    return dict(zip(PROGRAMS, asyncio.run(everything()), strict=True))


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize("name", DEFECTIVE)
def test_every_defect_has_its_verdict_and_no_other(crashed: dict[str, tuple[Sweep, list[str]]], name: str) -> None:
    head = re.search("DEFECT ([a-z]+)", (FOLDER / name).read_text())
    assert head is not None
    sweep, _ = crashed[name]
    assert {line.partition(":")[0] for line in bad(sweep).values()} == {head[1]}, bad(sweep)


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize("name", CAREFUL)
def test_a_careful_program_recovers_from_every_crash(crashed: dict[str, tuple[Sweep, list[str]]], name: str) -> None:
    sweep, told = crashed[name]
    assert bad(sweep) == {}
    assert not any("run twice" in line for line in told)
    assert {each.verdict for each in sweep.results.values()} == {"recovered"}
    assert all(each.fired for each in sweep.results.values())


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize(
    ("name", "fault", "expected"),
    [
        ("state_after.py", "error-after", "duplicated"),
        ("state_before.py", "error", "lost"),
        ("lock.sh", "error", "stuck"),
        ("careful_by_name.py", "error-after", "recovered"),
        ("careful_checked_state.py", "down", "recovered"),
        ("careful_polls.py", "never-ready", "recovered"),
    ],
)
def test_a_program_that_failed_is_run_again_without_the_fault(name: str, fault: str, expected: str) -> None:
    seconds = 1.5 if fault == "never-ready" else 3.0  # so long it waits for what never comes
    sweep, _ = asyncio.run(swept(FOLDER / name, "after a failure", [fault], seconds=seconds))
    first = next(iter(sweep.results.values()))
    assert first.verdict == expected, sentence(first)
    assert ", then run again" in sentence(first)


WEB, OTHER, CHANGED = resource("web-1"), resource("tmp-1"), resource("web-1", size=2)
AT_A_CALL = LastCall(title="POST /v1/instances", status=409)


def end(*left: ResourceState, status: int | None = 0, last: LastCall | None = None) -> EndOfTwo:
    """What came of two runs."""
    return EndOfTwo(status=status, last=last, resources=Counter(left))


@cases(
    ("actual", "verdict"),
    [
        (end(WEB, WEB, status=None), "hung"),
        (end(WEB, WEB, status=1), "stuck"),
        (end(WEB, status=1, last=AT_A_CALL), "stuck"),
        (end(WEB, WEB), "duplicated"),
        (end(WEB, WEB, OTHER), "duplicated"),
        (end(WEB, OTHER), "leaked"),
        (end(OTHER), "leaked"),
        (end(), "lost"),
        (end(CHANGED), "lost"),
        (end(WEB), "recovered"),
    ],
)
def test_the_first_verdict_that_holds(actual: EndOfTwo, verdict: str) -> None:
    assert judge_two([Counter([WEB])], end(WEB), actual).verdict == verdict


@cases(
    ("twice", "actual", "verdict"),
    [
        # it creates one more each time
        (end(WEB, WEB), end(WEB, WEB), "recovered"),
        (end(WEB, WEB), end(WEB), "recovered"),
        (end(WEB, WEB), end(WEB, WEB, WEB), "duplicated"),
        (end(WEB, WEB), end(), "lost"),
        # two steps each time, and only the first one happened twice
        (end(WEB, WEB, OTHER, OTHER), end(WEB, WEB, OTHER), "recovered"),
        # the second run undoes the first one
        (end(), end(), "recovered"),
        # it refuses to run twice: the name is taken
        (end(WEB, status=1, last=AT_A_CALL), end(WEB, status=1, last=AT_A_CALL), "recovered"),
        (end(WEB, status=1, last=AT_A_CALL), end(status=1, last=AT_A_CALL), "recovered"),
        (end(WEB, status=1, last=AT_A_CALL), end(WEB, status=1), "stuck"),
        (end(WEB, status=1, last=AT_A_CALL), end(WEB, status=2, last=AT_A_CALL), "stuck"),
    ],
)
def test_what_running_it_twice_does_is_not_blamed_on_the_first_end(
    twice: EndOfTwo, actual: EndOfTwo, verdict: str
) -> None:
    expected = Counter([WEB, OTHER]) if OTHER in twice.resources else Counter([WEB])
    assert judge_two([expected], twice, actual).verdict == verdict
