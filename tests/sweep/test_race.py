"""Two programs at once: the corpus, the turns, the conflicts, and schedules as text.

The programs of the corpus are real processes; their sweeps run in this process, a few at a time."""

import asyncio
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cnx_mock.audit.audit import hammering
from cnx_mock.errors import InvalidInputError
from cnx_mock.settings import Settings
from cnx_mock.sweep.explanation import sentence
from cnx_mock.sweep.race.conflicts import access, switch_points
from cnx_mock.sweep.race.schedule import RACERS, Part, Racer, Schedule, Switch, other, schedule_of
from cnx_mock.sweep.race.sweep import RaceSweep
from cnx_mock.sweep.race.turns import Pace, Turns
from cnx_mock.sweep.results import SweepOptions
from cnx_mock.sweep.trial import RunConfig, private
from tests.cases import cases
from tests.sweep.builders import Silence
from tests.sweep.test_clients import environment
from tests.sweep.test_second_run import INTERPRETERS

FOLDER = Path(__file__).parent / "clients" / "race"

AT_ONCE = 2
PROGRAMS = sorted(each.name for each in FOLDER.iterdir() if each.suffix in INTERPRETERS and each.stem != "shared")
DEFECTIVE = [name for name in PROGRAMS if not name.startswith("careful")]
CAREFUL = [name for name in PROGRAMS if name.startswith("careful")]


# ---- the corpus


@pytest.fixture(scope="module")
def raced() -> dict[str, RaceSweep]:
    """The races of two copies of each program."""

    async def swept(name: str, turn: asyncio.Semaphore) -> RaceSweep:
        program = FOLDER / name
        config = RunConfig(
            command=[INTERPRETERS[program.suffix], str(program)], settings=private(Settings()), environment=environment
        )
        options = SweepOptions(faults=(), most=12)
        sweep = RaceSweep(options=options, check_hammering=hammering, config=config, progress=Silence())
        async with turn:
            await sweep.run()
        return sweep

    async def everything() -> list[RaceSweep]:
        turn = asyncio.Semaphore(AT_ONCE)
        return await asyncio.gather(*(swept(name, turn) for name in PROGRAMS))

    return dict(zip(PROGRAMS, asyncio.run(everything()), strict=True))


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize("name", DEFECTIVE)
def test_every_defect_is_found_and_said(raced: dict[str, RaceSweep], name: str) -> None:
    assert "DEFECT raced: " in (FOLDER / name).read_text()
    bad = [each for each in raced[name].results.values() if each.verdict == "raced" and not each.why_not]
    assert bad
    assert all(re.match("[AB]'s `.*` .*came (between|before) [AB]'s `", sentence(each)) for each in bad)
    assert {each.verdict for each in raced[name].results.values()} <= {"raced", "serial"}


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize("name", CAREFUL)
def test_a_careful_program_is_serial_under_every_schedule(raced: dict[str, RaceSweep], name: str) -> None:
    sweep = raced[name]
    assert {each.verdict for each in sweep.results.values()} <= {"serial"}, [*map(sentence, sweep.results.values())]
    if name != "careful_reads.py":
        assert any(not each.why_not for each in sweep.results.values())


# ---- turns


class Programs:
    """Two programs that are not processes: each makes so many calls."""

    def __init__(self, schedule: Schedule, calls: dict[Racer, int], pause: float = 0.0) -> None:
        self.log: list[str] = []
        self._held: list[Racer] = []
        paces = {racer: Pace(calls[racer], pause) for racer in RACERS}
        self.turns = Turns(schedule, paces, self._held.append, self._held.append)
        self._calls = calls

    async def _run(self, racer: Racer) -> None:
        self.turns.started(racer)
        await asyncio.sleep(0)
        for number in range(1, self._calls[racer] + 1):
            await self.turns.enter(racer)
            self.log.append(f"{racer}{number}")
            self.turns.answered(racer)
            await asyncio.sleep(0)
        self.turns.ended(racer)

    def run(self) -> str:
        async def both() -> None:
            await asyncio.wait_for(asyncio.gather(self._run("A"), self._run("B")), 10)

        asyncio.run(both())
        self.turns.close()
        return " ".join(self.log)


@pytest.mark.parametrize(
    ("switches", "calls", "order"),
    [
        ([Switch("A", 2)], {"A": 2, "B": 2}, "A1 B1 B2 A2"),
        ([Switch("A", 3), Switch("B", 2)], {"A": 3, "B": 2}, "A1 A2 B1 A3 B2"),
        ([Switch("B", 2), Switch("A", 2)], {"A": 2, "B": 2}, "B1 A1 B2 A2"),
        ([Switch("A", 2), Switch("B", 2), Switch("A", 3)], {"A": 4, "B": 3}, "A1 B1 A2 B2 B3 A3 A4"),
    ],
)
def test_calls_are_made_in_the_order_of_the_schedule(
    switches: Sequence[Switch], calls: dict[Racer, int], order: str
) -> None:
    assert Programs(schedule_of(switches), calls).run() == order


@cases("seed", range(20))
def test_a_schedule_is_kept_whatever_it_is(seed: int) -> None:
    choice = random.Random(seed)
    for _ in range(20):
        calls: dict[Racer, int] = {"A": choice.randint(1, 6), "B": choice.randint(1, 6)}
        racers = [racer for racer in RACERS for _ in range(calls[racer])]
        choice.shuffle(racers)
        made: dict[Racer, int] = {"A": 0, "B": 0}
        text: list[str] = []
        for racer in racers:
            made[racer] += 1
            text.append(f"{racer}{made[racer]}")
        assert Programs(Schedule.parsed(" ".join(text)), calls).run() == " ".join(text)


def test_two_programs_of_which_each_waits_for_the_other_one_alternate() -> None:
    """A program that has made as many calls as it makes alone lets the other one make a call."""

    async def spins() -> tuple[int, list[Racer]]:
        done = False
        turns = Turns(Schedule((Part("A", None),)), {"A": Pace(2, 0), "B": Pace(1, 0)}, lambda _: None, lambda _: None)

        async def waits() -> int:
            turns.started("A")
            for number in range(1, 1000):
                await turns.enter("A")
                turns.answered("A")
                if done:
                    turns.ended("A")
                    return number
                await asyncio.sleep(0)
            raise AssertionError("it waits for ever")

        async def other_one() -> None:
            nonlocal done
            turns.started("B")
            await turns.enter("B")
            done = True
            turns.answered("B")
            turns.ended("B")

        number, _ = await asyncio.gather(waits(), other_one())
        turns.close()
        return number, turns.order

    number, order = asyncio.run(spins())
    assert order[:3] == ["A", "A", "B"]
    assert number <= 4


def test_a_turn_without_a_call_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnx_mock.sweep.race.turns.SHORTEST_IDLE_SECONDS", 0.01)

    async def sleeps() -> list[Racer]:
        turns = Turns(Schedule((Part("A", None),)), {"A": Pace(9, 0), "B": Pace(9, 0)}, lambda _: None, lambda _: None)
        over = asyncio.Event()

        async def first() -> None:
            turns.started("A")
            await turns.enter("A")
            turns.answered("A")
            await over.wait()
            turns.ended("A")

        async def second() -> None:
            turns.started("B")
            await turns.enter("B")
            turns.answered("B")
            over.set()
            turns.ended("B")

        await asyncio.wait_for(asyncio.gather(first(), second()), 10)
        turns.close()
        return turns.order

    assert asyncio.run(sleeps()) == ["A", "B"]


# ---- conflicts


def entry(
    racer: Racer, number: int, operation: str, path: str = "/v1/x", *, created: str | None = None, body: str = ""
) -> dict[str, Any]:
    """A call of a journal."""
    committed = operation.rpartition(".")[2] in ("create", "delete", "replace")
    return {
        "racer": racer,
        "number": number,
        "operation": operation,
        "path": path,
        "committed": committed,
        "created_id": created,
        "request_body": body,
    }


@cases(
    ("one", "two", "conflict"),
    [
        (("instances.list", "/v1/instances"), ("instances.create", "/v1/instances"), True),
        (("instances.list", "/v1/instances"), ("instances.list", "/v1/instances"), False),
        (("instances.list", "/v1/instances"), ("firewalls.create", "/v1/network/firewall"), False),
        (("instances.create", "/v1/instances"), ("instances.create", "/v1/instances"), True),
        (("instances.get", "/v1/instances/inst_1"), ("instances.delete", "/v1/instances/inst_1"), True),
        (("instances.get", "/v1/instances/inst_1"), ("instances.delete", "/v1/instances/inst_2"), False),
        (("billing.balance", "/v1/billing/balance"), ("instances.create", "/v1/instances"), True),
        (("billing.reports", "/v1/billing/reports"), ("snapshots.delete", "/v1/snapshots/snap_1"), True),
        (("billing.balance", "/v1/billing/balance"), ("firewalls.replace", "/v1/network/firewall/fw_1"), False),
        (("load_balancers.list", "/v1/network/load-balancers"), ("instances.delete", "/v1/instances/inst_1"), True),
        (("plans.list", "/v1/plans"), ("instances.create", "/v1/instances"), False),
    ],
)
def test_which_calls_conflict(one: tuple[str, str], two: tuple[str, str], conflict: bool) -> None:
    first, second = access(entry("A", 1, *one)), access(entry("B", 1, *two))
    assert first.conflicts(second) == second.conflicts(first) == conflict


@pytest.mark.parametrize("body", ['{"instance_ids": ["inst_1"]}', '{"instance": "inst_1"}', '{"image": "inst_1"}'])
def test_an_attachment_conflicts_with_reading_what_is_attached(body: str) -> None:
    reads = access(entry("A", 1, "instances.get", "/v1/instances/inst_1"))
    for operation in ("load_balancers.create", "firewalls.replace", "snapshots.create"):
        assert reads.conflicts(access(entry("B", 1, operation, body=body)))
    assert not access(entry("A", 1, "instances.get", "/v1/instances/inst_2")).conflicts(
        access(entry("B", 1, "firewalls.replace", "/v1/network/firewall/fw_1", body=body))
    )


def test_the_name_of_an_image_is_no_resource_that_others_change() -> None:
    made = access(entry("A", 1, "instances.create", body='{"image": "debian-12"}', created="inst_1"))
    assert not made.reads


def test_a_turn_may_end_between_a_list_and_a_create_and_not_before_what_nobody_sees() -> None:
    mine = [
        entry("A", 1, "plans.list"),
        entry("A", 2, "instances.list"),
        entry("A", 3, "plans.list"),
        entry("A", 4, "instances.create", created="inst_1"),
    ]
    its = [entry("B", 1, "instances.list"), entry("B", 2, "instances.create", created="inst_2")]
    known = [access(each) for each in its]
    assert [each["number"] for each in switch_points([*mine, *its], "A", 0, known)] == [4]
    assert switch_points([mine[0], mine[2]], "A", 0, known) == []


# ---- schedules as text


def test_a_schedule_is_read_as_it_is_written() -> None:
    for text in ("A1", "B1 A1", "A1 B1 B2 A2", "A1 A2 A3 B1"):
        assert Schedule.parsed(text).text() == text
    assert Schedule.parsed("A1 A2 B1").parts == (Part("A", 2), Part("B", 1))
    assert [other(each) for each in RACERS] == ["B", "A"]


@cases(
    ("text", "words"),
    [
        ("", "the schedule is empty"),
        ("A1 C1", "'C1' is not a call"),
        ("A0", "'A0' is not a call"),
        ("A1 B2", "the next call of B is B1"),
        ("A1 A1", "the next call of A is A2"),
    ],
)
def test_a_wrong_schedule_is_said(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(words)):
        Schedule.parsed(text)
