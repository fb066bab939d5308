"""Race two functions: one after the other, and then at once under every schedule that may matter."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import InvalidInputError, RaceError
from cnx_mock.python_api.race import explanation
from cnx_mock.python_api.race.loop import run_in_thread
from cnx_mock.python_api.race.origin import RaceOrigin
from cnx_mock.python_api.race.result import RaceResult
from cnx_mock.python_api.race.trial import FunctionPair, FunctionRun, race_functions
from cnx_mock.sweep.race.outcome import RaceOutcome
from cnx_mock.sweep.race.plan import SERIAL_ORDERS, RacePlan, SerialRuns
from cnx_mock.sweep.race.schedule import RACERS, Racer, Schedule, other, schedule_of
from cnx_mock.sweep.race.turns import Pace
from cnx_mock.sweep.race.world import ANY_PACE, RaceRun
from cnx_mock.sweep.runner import EXTRA_SECONDS

_ALONE_SECONDS = 60
"""The time limit of a function without a race, unless a limit is given."""


_IDLED = "not reachable: a function made no call at its turn, as if it waited for the other one"

Function = Callable[[Any], Any]


def race(
    origin: RaceOrigin,
    handle: Callable[[str, str], tuple[Any, Callable[[], None]]],
    functions: tuple[Function, Function],
    switches: int,
    schedule: str | None,
    timeout: float | None,
    fired: set[str],
) -> list[RaceResult] | BaseException:
    """Race two functions, and return the result of each order; or the error to raise: a RaceError, or what a function
    raises without a race. `fired` is filled with the ids of the rules that injected a fault.

    Raises InvalidInputError for a schedule that cannot be used.
    """
    order = None if schedule is None else Schedule.parsed(schedule)
    pair = FunctionPair(
        functions=dict(zip(RACERS, functions, strict=True)),
        names={racer: _name(each, racer) for racer, each in zip(RACERS, functions, strict=True)},
        origin=origin,
        handle=handle,
    )
    races = FunctionRaces(pair=pair, switches=switches, timeout=timeout, fired=fired)
    try:
        return run_in_thread(races.every_schedule() if order is None else races.one_schedule(order), "cnx-mock race")
    except RaisedAlone as found:
        return found.error
    except (RaceError, InvalidInputError) as error:
        return error.with_traceback(None)  # our threads and loops are of no interest


def _name(function: Function, racer: Racer) -> str:
    name = str(getattr(function, "__name__", ""))
    return name if name.isidentifier() else "the first function" if racer == "A" else "the second function"


class RaisedAlone(Exception):
    """A function raises `error` without a race."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__(error)


@dataclass(kw_only=True)
class FunctionRaces:
    """The runs of one call of `Sandbox.race`."""

    pair: FunctionPair
    switches: int
    """How often the turn may change."""
    timeout: float | None
    """The time limit of each run of a function, in seconds; None for one that depends on how long it takes alone."""
    fired: set[str] = field(default_factory=set)
    """The ids of the rules that injected a fault in any run."""
    _results: list[RaceResult] = field(default_factory=list)
    _limit: float = _ALONE_SECONDS

    async def every_schedule(self) -> list[RaceResult]:
        """Run every schedule that may make a difference, and return the result of each. Raises RaceError, and
        RaisedAlone."""
        forward, backward, serial = await self._serial_runs()
        plans: deque[RacePlan] = deque()
        seen: set[RacePlan] = set()

        def grow(run: FunctionRun, plan: RacePlan) -> None:
            if len(plan.switches) < self.switches:
                found = [each for each in serial.longer(run.race, plan) if each not in seen]
                seen.update(found)
                plans.extend(found)

        grow(forward, RacePlan("A"))
        if not self.pair.is_one_function:  # otherwise it is the same the other way round
            grow(backward, RacePlan("B"))
        while plans:
            plan = plans.popleft()
            run, why_not = await self._judged(serial, schedule_of(plan.switches), plan.why_not)
            self._keep(run, why_not)
            if not why_not:
                grow(run, plan)
        return self._results

    async def one_schedule(self, schedule: Schedule) -> list[RaceResult]:
        """Run one schedule, and return its result after the results of the serial orders. Raises RaceError,
        RaisedAlone, and InvalidInputError if it does not come to this schedule."""
        _, _, serial = await self._serial_runs()
        run, why_not = await self._judged(serial, schedule, lambda race: "")
        wanted, actual = schedule.text(), explanation.schedule_text(run)
        if not f"{actual} ".startswith(f"{wanted} "):
            raise InvalidInputError(f"schedule {wanted!r}: the calls came in another order, {actual!r}")
        self._keep(run, why_not)
        return self._results

    async def _serial_runs(self) -> tuple[FunctionRun, FunctionRun, SerialRuns]:
        """Run the functions one after the other, in both orders, each twice."""
        self._limit = self.timeout or _ALONE_SECONDS
        runs = [await self._serial_run(order) for order in SERIAL_ORDERS]
        races = [each.race for each in runs]
        if not any(each.run.entries for each in races):
            one, two = (self.pair.names[racer] for racer in RACERS)
            who = f"{one} made no calls" if self.pair.is_one_function else f"{one} and {two} made no calls"
            raise RaceError(f"nothing to race: {who}. A function must call the API at the url of its handle")
        serial = SerialRuns.of(races)
        if serial.differing:
            message = (
                "the two functions have different results each time, even one after the other: nothing can be compared"
            )
            raise RaceError("\n  ".join([message, *serial.differing]))
        longest = sum(max(each.ended[racer].seconds for each in races) for racer in RACERS)
        self._limit = self.timeout or 3 * longest + EXTRA_SECONDS
        for run in runs[:2]:
            self._keep(run, "")
        return runs[0], runs[1], serial

    async def _serial_run(self, order: Schedule) -> FunctionRun:
        before = self.pair.origin.requests()
        run = await self._run(order, dict.fromkeys(RACERS, ANY_PACE), together=False)
        first = order.parts[0].racer
        for racer, when in ((first, "alone, without a race"), (other(first), "after the other function has ended")):
            if run.race.ended[racer].status is None:
                raise RaceError(f"{self.pair.names[racer]} is still running after {self._limit:g} s, {when}")
        if self.pair.origin.requests() > before:
            raise RaceError(
                f"{self.pair.names['A']} or {self.pair.names['B']} calls the sandbox itself: in a race, each must "
                "use the url of its own handle"
            )
        error = run.answers[first].error
        if error is not None:
            error.add_note(f"{self.pair.names[first]} raised this alone, without a race")
            raise RaisedAlone(error)
        return run

    async def _judged(
        self, serial: SerialRuns, schedule: Schedule, why_not: Callable[[RaceRun], str]
    ) -> tuple[FunctionRun, str]:
        """Run a schedule; if its outcome is none of the serial ones, run it once more to confirm that. Return the first
        run, and why it says nothing of the schedule, if it does not. Raises RaceError."""
        run = await self._run(schedule, serial.paces)
        if run.race.idled and None not in run.race.statuses:  # perhaps the machine was busy for a moment
            run = await self._run(schedule, serial.paces)
        if None in run.race.statuses:
            raise explanation.hung(self.pair, run, self._limit)
        reason = why_not(run.race)
        outcome = RaceOutcome.of(run.race, serial.chance)
        if reason or outcome in serial.outcomes:
            return run, reason or (_IDLED if run.race.idled else "")
        again = await self._run(schedule, serial.paces)
        if why_not(again.race) or RaceOutcome.of(again.race, serial.chance) in serial.outcomes:
            return run, "not confirmed: the same order did not lead to the same outcome again"
        raise explanation.raced(self.pair, run, outcome, serial.outcomes)

    async def _run(self, schedule: Schedule, paces: Mapping[Racer, Pace], *, together: bool = True) -> FunctionRun:
        run = await race_functions(self.pair, schedule, paces, self._limit, together=together)
        self.fired.update(fault["rule"] for entry in run.race.run.entries for fault in entry["faults"])
        return run

    def _keep(self, run: FunctionRun, why_not: str) -> None:
        one, two = (run.answers[racer] for racer in RACERS)
        result = RaceResult(
            schedule=explanation.schedule_text(run),
            returned=(one.value, two.value),
            raised=(one.error, two.error),
            state=run.race.run.states[0],
            why_not=why_not,
        )
        self._results.append(result)
