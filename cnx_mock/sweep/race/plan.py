"""Which schedules a race tries, and with what it compares their outcomes.

Two callers run one after the other, in both orders, each order twice. Their results are the correct ones. Each run
shows before which calls the turn may change, which gives the schedules with one more change.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.compare import changed_state
from cnx_mock.sweep.race.conflicts import Access, Token, access, switch_points
from cnx_mock.sweep.race.outcome import RaceOutcome, consequence
from cnx_mock.sweep.race.schedule import RACERS, SERIAL, Racer, Schedule, Switch, other
from cnx_mock.sweep.race.turns import Pace
from cnx_mock.sweep.race.world import RaceRun
from cnx_mock.sweep.state import varying_values
from cnx_mock.sweep.varying import Varying, varying

Title = tuple[str, int]
"""A call of a caller: its operation, and its number among the calls of that operation."""

SERIAL_ORDERS: Sequence[Schedule] = (*SERIAL, *SERIAL)
"""The schedules of the runs without a race, for `SerialRuns.of`."""


@dataclass(frozen=True, slots=True)
class RacePlan:
    """A schedule to run."""

    first: Racer
    """The caller that begins."""
    switches: tuple[Switch, ...] = ()
    """The changes of turn."""
    titles: tuple[Title, ...] = ()
    """The calls that wait at them."""

    @property
    def turn(self) -> Racer:
        """Whose turn it is after the last change."""
        return other(self.switches[-1].racer) if self.switches else self.first

    def made(self, racer: Racer) -> int:
        """Return how many calls a caller has made before its last turn."""
        return max((each.call - 1 for each in self.switches if each.racer == racer), default=0)

    def why_not(self, race: RaceRun) -> str:
        """Return why a run says nothing of this schedule; an empty text if it does."""
        if None in race.statuses:
            return ""
        if race.gave_up:
            return "not reachable: a call was given up while it waited for its turn"
        for switch, (operation, _) in zip(self.switches, self.titles, strict=True):
            if race.operation(switch.racer, switch.call) != operation:
                return "diverged: other calls were made than planned"
        return ""


@dataclass(frozen=True, kw_only=True)
class SerialRuns:
    """What two callers do one after the other."""

    outcomes: Sequence[RaceOutcome]
    """The outcomes of the two orders, A first and then B first; one if they are the same."""
    chance: Varying
    """What varies by chance."""
    paces: Mapping[Racer, Pace]
    """The longest pace of each caller."""
    known: Mapping[Racer, Sequence[Access]]
    """What each caller reads and writes if it is first."""
    differing: Sequence[str]
    """What is not the same in two runs of one order; nothing can be compared then."""

    @classmethod
    def of(cls, runs: Sequence[RaceRun]) -> "SerialRuns":
        """Return the results of the runs of SERIAL_ORDERS."""
        forward, backward, forward_again, backward_again = runs
        one, two = _chance(forward, forward_again), _chance(backward, backward_again)
        chance = one.and_also(two)
        outcomes = [RaceOutcome.of(each, chance) for each in runs]
        return cls(
            outcomes=_distinct(outcomes),
            chance=chance,
            paces=_longest(runs),
            known={"A": _accesses(forward, "A"), "B": _accesses(backward, "B")},
            differing=list(_differing(runs, outcomes)),
        )

    def longer(self, race: RaceRun, plan: RacePlan) -> Iterator[RacePlan]:
        """Yield what a run of a plan shows: the plans with one more change of turn, in what the caller makes of its
        last turn there."""
        calls = _titles(race)
        for entry in switch_points(race.run.entries, plan.turn, plan.made(plan.turn), self.known[other(plan.turn)]):
            number = int(entry["number"])
            switches = (*plan.switches, Switch(plan.turn, number))
            yield RacePlan(plan.first, switches, (*plan.titles, calls[plan.turn, number]))


def _chance(one: RaceRun, two: RaceRun) -> Varying:
    """Return what varies by chance between two runs of one order."""
    answers = ((racer, one.answers[racer], two.answers[racer]) for racer in RACERS if racer in one.answers)
    return varying_values(one.run.states, two.run.states).and_also(varying(answers))


def _differing(runs: Sequence[RaceRun], outcomes: Sequence[RaceOutcome]) -> Iterator[str]:
    """Yield a line for each difference between two runs of the first order that is not the same twice."""
    for first, second in ((0, 2), (1, 3)):
        if outcomes[first] != outcomes[second]:
            lines = list(changed_state(runs[first].run.states, runs[second].run.states))
            yield from lines or [consequence(outcomes[second], outcomes[first])]
            return


def _titles(race: RaceRun) -> dict[tuple[Racer, int], Title]:
    """Return the calls of each caller by their numbers."""
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
    """Return what a caller's calls read and wrote. What it has made itself is nobody else's: in a run where it is not
    first, the other one may have made what has the same id here."""
    entries = [each for each in race.run.entries if each["racer"] == racer]
    made: dict[Token, Token] = {("id", each["created_id"]): ("id", racer, each["created_id"]) for each in entries}

    def renamed(tokens: frozenset[Token]) -> frozenset[Token]:
        return frozenset(made.get(each, each) for each in tokens)

    return [Access(renamed(each.reads), renamed(each.writes)) for each in map(access, entries)]


def _longest(runs: Sequence[RaceRun]) -> dict[Racer, Pace]:
    """Return the longest paces of each caller in runs without a race."""
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
