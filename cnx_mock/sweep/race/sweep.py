"""Sweep a race: run two programs one after the other, and then at once under every schedule that may matter."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from cnx_mock.errors import SweepError
from cnx_mock.services import operations
from cnx_mock.sweep.compare import changed_state
from cnx_mock.sweep.journal import shown_calls
from cnx_mock.sweep.plan import Cell, SweepFault
from cnx_mock.sweep.race.conflicts import Access, access, switch_points
from cnx_mock.sweep.race.outcome import RaceOutcome, consequence, nearest, sentence
from cnx_mock.sweep.race.schedule import (
    RACERS,
    SERIAL,
    Racer,
    Schedule,
    Switch,
    order_of,
    other,
    schedule_of,
)
from cnx_mock.sweep.race.trial import ANY_PACE, RaceRun, race_once
from cnx_mock.sweep.race.turns import Pace
from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.runner import BASELINE_SECONDS, EXTRA_SECONDS, Sweep, last_lines
from cnx_mock.sweep.state import varying_values
from cnx_mock.sweep.swept_call import SweptCall
from cnx_mock.sweep.trial import RunConfig
from cnx_mock.sweep.verdict import Judgement, Verdict

Title = tuple[str, int]
"""A call of a program: its operation, and its number among the calls of that operation."""


@dataclass(kw_only=True)
class RaceSweep(Sweep):
    """A sweep of two programs. Its cells are the schedules."""

    other: RunConfig | None = None
    """The second program; None for a second copy of the first one."""
    switches: int = 2
    """How often the turn may change."""
    programs: ClassVar[int] = 2
    schedules: dict[str, Schedule] = field(default_factory=dict)
    """The schedule of each cell that was run, by the cells' names, as its calls were really made."""
    _plans: dict[str, "_Plan"] = field(default_factory=dict)
    _serial: list[RaceOutcome] = field(default_factory=list)
    _paces: dict[Racer, Pace] = field(default_factory=dict)
    _known: dict[Racer, list[Access]] = field(default_factory=dict)
    """What each program reads and writes if it is first."""

    @property
    def configs(self) -> Mapping[Racer, RunConfig]:
        """The two programs."""
        return {"A": self.config, "B": self.other or self.config}

    async def begin(self, executor: ThreadPoolExecutor) -> None:
        """Run the programs one after the other in both orders, each twice, and plan the schedules."""
        runs = [await self._serial_run(order, executor) for order in (*SERIAL, *SERIAL)]
        forward, backward, forward_again, backward_again = runs
        one, two = (
            varying_values(each.run.states, again.run.states)
            for each, again in ((forward, forward_again), (backward, backward_again))
        )
        self._chance = one.and_also(two)
        outcomes = [RaceOutcome.of(each, self._chance) for each in runs]
        for first, second in ((0, 2), (1, 3)):
            if outcomes[first] != outcomes[second]:
                differing = list(changed_state(runs[first].run.states, runs[second].run.states))
                lines = differing or [consequence(outcomes[second], outcomes[first])]
                message = "the two programs, one after the other, are never the same twice: nothing can be compared"
                raise SweepError("\n  ".join([message, *lines]))
        self._serial = _distinct(outcomes)
        self._paces = _longest(runs)
        self.baseline_seconds = max(each.ended[racer].seconds for each in runs for racer in RACERS)
        longest = sum(max(each.ended[racer].seconds for each in runs) for racer in RACERS)
        self.limit = self.options.seconds or 3 * longest + EXTRA_SECONDS
        self.usual_journal = shown_calls(forward.run.entries)
        self.usual_resources = outcomes[0].resources
        self._known = {"A": _accesses(forward, "A"), "B": _accesses(backward, "B")}
        self._grow(forward, _Plan("A"))
        if self.other is not None:  # two copies of one program are the same the other way round
            self._grow(backward, _Plan("B"))
        if not self.cells:
            who = "CMD makes" if self.other is None else "the two programs make"
            self.progress.message(f"nothing to race: {who} no calls that conflict")

    async def _serial_run(self, schedule: Schedule, executor: ThreadPoolExecutor) -> RaceRun:
        limit = self.options.seconds or BASELINE_SECONDS
        paces = dict.fromkeys(RACERS, ANY_PACE)
        race = await race_once(self.configs, schedule, paces, limit, executor, together=False)
        first = schedule.parts[0].racer
        status = race.ended[first].status
        if status != 0:
            why = f"is still running after {limit:g} s" if status is None else f"fails (exit status {status})"
            raise SweepError(
                f"{self._name(first)} {why} without a race: it must succeed{last_lines(race.ended[first])}"
            )
        return race

    def _name(self, racer: Racer) -> str:
        return "CMD" if self.other is None or racer == "A" else "the program of --with"

    def _grow(self, race: RaceRun, plan: "_Plan") -> None:
        """Plan what a run shows: the schedules with one more change of turn, in what the program makes of its last turn
        there."""
        if len(plan.switches) < self.switches:
            calls = _titles(race)
            for entry in switch_points(
                race.run.entries, plan.turn, plan.made(plan.turn), self._known[other(plan.turn)]
            ):
                number = int(entry["number"])
                longer = _Plan(
                    plan.first,
                    (*plan.switches, Switch(plan.turn, number)),
                    (*plan.titles, calls[plan.turn, number]),
                )
                cell = self._cell(longer)
                if self.options.most is not None and len(self.cells) >= self.options.most:
                    self.left_out += 1
                elif cell.name not in self._plans:
                    self._plans[cell.name] = longer
                    self.cells.append(cell)
        self.calls = list(dict.fromkeys(cell.call for cell in self.cells))
        self.options = replace(self.options, faults=list({c.fault.name: c.fault for c in self.cells}.values()))

    def _cell(self, plan: "_Plan") -> Cell:
        """Return the cell of a schedule: the first call that waits, and what comes before it."""
        begin, (name, ordinal) = plan.switches[0], plan.titles[0]
        known = {operation.name: operation for operation in operations()}
        call = SweptCall(
            operation=name,
            ordinal=ordinal,
            method=known[name].method,
            path=known[name].path,
            program=begin.racer if self.other is not None else "",
        )
        stops = plan.titles[1:]
        column = "-".join(f"{operation}-{number}" for operation, number in stops)
        until = f"up to its {' and '.join(f'{operation} #{number}' for operation, number in stops)}"
        its = other(begin.racer)
        fault = SweepFault(
            f"{its.lower()}-until-{column}" if stops else f"{its.lower()}-to-its-end",
            f"{its} runs {until if stops else 'to its end'} before it",
            _always,
            {},
        )
        return Cell(((call, fault),))

    async def run_cell(self, cell: Cell, executor: ThreadPoolExecutor) -> CellResult:
        """Run a schedule; if its outcome is none of the serial ones, run it once more to confirm that."""
        plan = self._plans[cell.name]
        race, outcome = await self._raced(plan, executor)
        why_not = self._why_not(race, plan)
        if not why_not:
            if outcome not in self._serial:
                again, second = await self._raced(plan, executor)
                if self._why_not(again, plan) or second in self._serial:
                    why_not = "not confirmed: the same order did not lead to the same outcome again"
            self._grow(race, plan)
        return self._kept(cell, race, outcome, why_not=why_not)

    async def _raced(self, plan: "_Plan", executor: ThreadPoolExecutor) -> tuple[RaceRun, RaceOutcome]:
        race = await race_once(self.configs, schedule_of(plan.switches), self._paces, self.limit, executor)
        return race, RaceOutcome.of(race, self._chance)

    @staticmethod
    def _why_not(race: RaceRun, plan: "_Plan") -> str:
        """Return why a run says nothing of its schedule; an empty text if it does."""
        if None in race.statuses:
            return ""
        if race.gave_up:
            return "not reachable: a program gave up a call while it waited for its turn"
        for switch, (operation, _) in zip(plan.switches, plan.titles, strict=True):
            if race.operation(switch.racer, switch.call) != operation:
                return "diverged: a program made other calls than planned"
        return ""

    def _kept(self, cell: Cell, race: RaceRun, outcome: RaceOutcome, *, why_not: str) -> CellResult:
        verdict: Verdict = "hung" if None in race.statuses else "serial"
        if verdict == "serial" and not why_not and outcome not in self._serial:
            verdict = "raced"
        expected = nearest(outcome, self._serial)
        words = ""
        if verdict == "raced":
            words = sentence(race, outcome, self._serial, self._plans[cell.name].switches)
        difference = outcome.difference(expected)
        result = CellResult(
            cell=cell,
            judgement=Judgement(verdict=verdict, difference=difference, left=difference.extra),
            status=next((status for status in race.statuses if status != 0), 0),
            seconds=max(each.seconds for each in race.ended.values()),
            fired=not why_not,
            resources=outcome.resources,
            calls=dict(Counter(each["operation"] for each in race.run.entries if each["operation"])),
            hammering=(),
            words=words,
            why_not=why_not,
            journal=shown_calls(race.run.entries),
            output="".join(f"{racer}: {race.ended[racer].output}" for racer in RACERS if race.ended[racer].output),
        )
        self.schedules[cell.name] = Schedule(order_of(race.order))
        self.results[cell.name] = result
        return result


@dataclass(frozen=True, slots=True)
class _Plan:
    """A schedule to run."""

    first: Racer
    """The program that begins."""
    switches: tuple[Switch, ...] = ()
    """The changes of turn."""
    titles: tuple[Title, ...] = ()
    """The calls that wait at them."""

    @property
    def turn(self) -> Racer:
        """Whose turn it is after the last change."""
        return other(self.switches[-1].racer) if self.switches else self.first

    def made(self, racer: Racer) -> int:
        """Return how many calls a program has made before its last turn."""
        return max((each.call - 1 for each in self.switches if each.racer == racer), default=0)


def _titles(race: RaceRun) -> dict[tuple[Racer, int], Title]:
    """Return the calls of each program by their numbers."""
    found: dict[tuple[Racer, int], Title] = {}
    counts: Counter[tuple[Racer, str]] = Counter()
    for each in race.run.entries:
        if each["operation"] is not None:
            counts[each["racer"], each["operation"]] += 1
            found[each["racer"], each["number"]] = (
                each["operation"],
                counts[each["racer"], each["operation"]],
            )
    return found


def _accesses(race: RaceRun, racer: Racer) -> list[Access]:
    """Return what a program's calls read and wrote."""
    return [access(each) for each in race.run.entries if each["racer"] == racer]


def _always(call: Any) -> bool:
    return True


def _longest(runs: Sequence[RaceRun]) -> dict[Racer, Pace]:
    """Return the longest paces of each program in runs without a race."""
    return {
        racer: Pace(
            max(each.paces[racer].calls for each in runs),
            max(each.paces[racer].pause for each in runs),
        )
        for racer in RACERS
    }


def _distinct(outcomes: Sequence[RaceOutcome]) -> list[RaceOutcome]:
    found: list[RaceOutcome] = []
    for each in outcomes:
        if each not in found:
            found.append(each)
    return found
