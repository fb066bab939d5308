"""Sweep a race: run two programs one after the other, and then at once under every schedule that may matter."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from typing import Any, ClassVar

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import SweepError
from cnx_mock.programs.start import ending
from cnx_mock.services import operations
from cnx_mock.sweep.journal import shown_calls
from cnx_mock.sweep.plan import Cell, SweepFault
from cnx_mock.sweep.race.outcome import RaceOutcome, clash, nearest, sentence
from cnx_mock.sweep.race.plan import SERIAL_ORDERS, RacePlan, SerialRuns
from cnx_mock.sweep.race.schedule import RACERS, Racer, Schedule, order_of, other, schedule_of
from cnx_mock.sweep.race.trial import race_once
from cnx_mock.sweep.race.world import ANY_PACE, RaceRun
from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.runner import EXTRA_SECONDS, FAULT_FREE_LIMIT, OWN_FILES, Judge, Sweep, last_lines
from cnx_mock.sweep.swept_call import SweptCall
from cnx_mock.sweep.trial import RunConfig
from cnx_mock.sweep.verdict import Judgement, Verdict


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
    _plans: dict[str, RacePlan] = field(default_factory=dict)
    _serial: SerialRuns = field(init=False)

    @property
    def configs(self) -> Mapping[Racer, RunConfig]:
        """The two programs."""
        return {"A": self.config, "B": self.other or self.config}

    async def begin(self, executor: ThreadPoolExecutor) -> None:
        """Run the programs one after the other in both orders, each twice, and plan the schedules."""
        runs = [await self._serial_run(order, executor) for order in SERIAL_ORDERS]
        forward, backward, *_ = runs
        serial = self._serial = SerialRuns.of(runs)
        if serial.differing:
            message = (
                "the two programs have different results each time, even one after the other: nothing can be compared"
            )
            raise SweepError("\n".join([message, *(f"  {each}" for each in serial.differing), OWN_FILES]))
        self.fault_free_seconds = max(each.ended[racer].seconds for each in runs for racer in RACERS)
        longest = sum(max(each.ended[racer].seconds for each in runs) for racer in RACERS)
        self.limit = self.options.seconds or 3 * longest + EXTRA_SECONDS
        self.fault_free_journal = shown_calls(forward.run.entries)
        self.fault_free_resources = serial.outcomes[0].resources
        self._grow(forward, RacePlan("A"))
        if self.other is not None:  # two copies of one program are the same the other way round
            self._grow(backward, RacePlan("B"))
        if not self.cells:
            self.progress.message("nothing to race: in every order, the result is that of one program after the other")

    async def _serial_run(self, schedule: Schedule, executor: ThreadPoolExecutor) -> RaceRun:
        limit = self.options.seconds or FAULT_FREE_LIMIT
        paces = dict.fromkeys(RACERS, ANY_PACE)
        race = await race_once(self.configs, schedule, paces, limit, executor, together=False)
        first = schedule.parts[0].racer
        status = race.ended[first].status
        if status != 0:
            why = f"is still running after {limit:g} s" if status is None else f"fails ({ending(status)})"
            raise SweepError(
                f"{self._name(first)} {why} without a race: it must succeed{last_lines(race.ended[first])}"
            )
        return race

    def _name(self, racer: Racer) -> str:
        return "CMD" if self.other is None or racer == "A" else "the program of --with"

    def _grow(self, race: RaceRun, plan: RacePlan) -> None:
        """RacePlan what a run shows: the schedules with one more change of turn."""
        if len(plan.switches) < self.switches:
            for longer in self._serial.longer(race, plan):
                cell = self._cell(longer)
                if self.options.most is not None and len(self.cells) >= self.options.most:
                    self.left_out += 1
                elif cell.name not in self._plans:
                    self._plans[cell.name] = longer
                    self.cells.append(cell)
        self.calls = list(dict.fromkeys(cell.call for cell in self.cells))
        self.options = replace(self.options, faults=list({c.fault.name: c.fault for c in self.cells}.values()))

    def _cell(self, plan: RacePlan) -> Cell:
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

    async def run_cell(self, cell: Cell, executor: ThreadPoolExecutor, meanwhile: Callable[[], None]) -> Judge:
        """Run a schedule; if its outcome is none of the serial ones, run it once more to confirm that. It is judged at
        once: it may add others."""
        meanwhile()
        plan = self._plans[cell.name]
        race, outcome = await self._raced(plan, executor)
        why_not = plan.why_not(race)
        if not why_not:
            if outcome not in self._serial.outcomes:
                again, second = await self._raced(plan, executor)
                if plan.why_not(again) or second in self._serial.outcomes:
                    why_not = "not confirmed: the same order did not lead to the same outcome again"
            self._grow(race, plan)
        result = self._kept(cell, race, outcome, why_not=why_not)
        return lambda: result

    async def _raced(self, plan: RacePlan, executor: ThreadPoolExecutor) -> tuple[RaceRun, RaceOutcome]:
        race = await race_once(self.configs, schedule_of(plan.switches), self._serial.paces, self.limit, executor)
        return race, RaceOutcome.of(race, self._serial.chance)

    def _kept(self, cell: Cell, race: RaceRun, outcome: RaceOutcome, *, why_not: str) -> CellResult:
        verdict: Verdict = "hung" if None in race.statuses else "serial"
        if verdict == "serial" and not why_not and outcome not in self._serial.outcomes:
            verdict = "raced"
        expected = nearest(outcome, self._serial.outcomes)
        words = cause = ""
        if verdict == "raced":
            found = clash(race, self._plans[cell.name].switches)
            words, cause = sentence(found, outcome, self._serial.outcomes), found.cause
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
            cause=cause,
            why_not=why_not,
            journal=shown_calls(race.run.entries),
            output="".join(f"{racer}: {race.ended[racer].output}" for racer in RACERS if race.ended[racer].output),
        )
        self.schedules[cell.name] = Schedule(order_of(race.order))
        self.results[cell.name] = result
        return result


def _always(call: Any) -> bool:
    return True
