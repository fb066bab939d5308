"""The outcome of a race, and what it means: equal to the outcome of one program after the other, or not."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.programs.start import ending
from cnx_mock.sweep.explanation import left_over
from cnx_mock.sweep.race.conflicts import BALANCE, access
from cnx_mock.sweep.race.schedule import Racer, Switch, other
from cnx_mock.sweep.race.world import RaceRun
from cnx_mock.sweep.state import ResourceCounts, StateDifference, count_resources, state_difference
from cnx_mock.sweep.varying import Varying

End = int | str | None
"""How a caller ended: its exit status, or what a function did, in words; None if it did not end in time."""
_LONGEST_END = 200
"""Characters of what a function did that a sentence shows."""


@dataclass(frozen=True, slots=True)
class RaceOutcome:
    """What two programs left, and how they ended."""

    resources: ResourceCounts
    ends: tuple[End, End]
    """How A and B ended."""

    @classmethod
    def of(cls, race: RaceRun, chance: Varying) -> "RaceOutcome":
        """Return the outcome of a race; what varies by `chance` is normalised."""
        ends = (_end(race, "A", chance), _end(race, "B", chance))
        return cls(count_resources(race.run.states, chance), ends)

    def difference(self, expected: "RaceOutcome") -> StateDifference:
        """Return how what is left differs from an expected outcome."""
        return state_difference(expected.resources, self.resources)


def nearest(actual: RaceOutcome, serial: Sequence[RaceOutcome]) -> RaceOutcome:
    """Return the serial outcome that differs least from the actual one."""

    def distance(expected: RaceOutcome) -> tuple[int, int]:
        found = actual.difference(expected)
        ends = sum(one != two for one, two in zip(actual.ends, expected.ends, strict=True))
        return len(found.extra) + len(found.missing) + len(found.changed), ends

    return min(serial, key=distance)


def sentence(clash: "Clash", actual: RaceOutcome, serial: Sequence[RaceOutcome]) -> str:
    """Return what happened, and how it differs from every serial order: "B's `GET /v1/instances` #1 came between A's …
    and A's …: 2 instances named web-1"."""
    return f"{clash}: {consequence(actual, nearest(actual, serial))}"


def consequence(actual: RaceOutcome, expected: RaceOutcome) -> str:
    """Return how an outcome differs from the expected one."""
    found = actual.difference(expected)
    parts = [left_over(found, actual.resources)] if found.extra or found.missing or found.changed else []
    for racer, one, two in zip("AB", actual.ends, expected.ends, strict=True):
        if one != two:
            parts.append(f"{racer} {_ended(one)}, and {_ended(two)} otherwise")
    return "; ".join(parts)


def _end(race: RaceRun, racer: Racer, chance: Varying) -> End:
    status, answer = race.ended[racer].status, race.answers.get(racer)
    if status is None or answer is None:
        return status
    fields = chance.normalised(racer, answer)
    return f"raises {fields['raises']}" if "raises" in fields else f"returns {fields['returns']!r}"


def _ended(end: End) -> str:
    if end is None:
        return "did not end in time"
    if isinstance(end, str):
        line = end.splitlines()[0]
        return line if len(line) <= _LONGEST_END else f"{line[:_LONGEST_END]}…"
    return "succeeds" if end == 0 else f"fails ({ending(end)})"


@dataclass(frozen=True, slots=True)
class Clash:
    """Calls of one caller that came between two of the other one, and conflict with them."""

    before: Mapping[str, Any] | None
    """The first of the two; None if they came before the second, and conflict with no earlier one."""
    between: Sequence[Mapping[str, Any]]
    after: Mapping[str, Any]
    """The second one: the call that waited, or a later one that matters."""

    def __str__(self) -> str:
        shown = self.between if len(self.between) < 3 else [self.between[0], self.between[-1]]
        names = " and ".join(_call(each) for each in shown)
        mine, its = self.after["racer"], self.between[0]["racer"]
        start = f"between {mine}'s {_call(self.before)} and" if self.before is not None else "before"
        return f"{its}'s {names} came {start} {mine}'s {_call(self.after)}"

    @property
    def cause(self) -> str:
        """What tells one clash from another: the operations that were torn apart."""
        return repr(("raced", self.before and self.before["operation"], self.after["operation"]))


def clash(race: RaceRun, switches: Sequence[Switch]) -> Clash:
    """Return the clash at one of the changes of turn: at the first one where a caller goes on from an answer that is no
    longer right; otherwise at the first one."""
    found = (_outdated(*_around(race, switch)) for switch in switches)
    return next(filter(None, found), None) or _clash(*_around(race, switches[0]))


Entries = Sequence[Mapping[str, Any]]


def _around(race: RaceRun, switch: Switch) -> tuple[Entries, Entries, Entries]:
    """Return the calls that a caller had made before it waited, those of the other one meanwhile, and those that it
    made then."""
    mine, its = switch.racer, other(switch.racer)
    entries = race.run.entries
    waiting = next(index for index, each in enumerate(entries) if _is(each, mine, switch.call))
    before = [each for each in entries[:waiting] if each["racer"] == mine]
    last = max((index for index, each in enumerate(entries[:waiting]) if each["racer"] == mine), default=-1)
    inside = [each for each in entries[last + 1 : waiting] if each["racer"] == its]
    return before, inside, [each for each in entries[waiting:] if each["racer"] == mine]


def _outdated(before: Entries, inside: Entries, after: Entries) -> Clash | None:
    """Return the clash of the last read whose answer was changed; the balance, which so much changes, comes last. None
    if there is none."""
    changed = frozenset(token for each in inside for token in access(each).writes)
    reads = [each for each in before if access(each).reads & changed]
    read = next((each for each in reversed(reads) if access(each).reads & changed - {BALANCE}), None)
    read = read or (reads[-1] if reads else None)
    if read is None:
        return None
    tokens = access(read).reads & changed
    last = max(index for index, each in enumerate(inside) if access(each).writes & tokens)
    meant = [each for each in inside[: last + 1] if (access(each).reads | access(each).writes) & tokens]
    uses = (each for each in after if each["committed"] and access(each).writes & tokens)
    return Clash(read, meant, next(uses, after[0]))


def _clash(before: Entries, inside: Entries, after: Entries) -> Clash:
    ends = [access(before[-1]), access(after[0])] if before else [access(after[0])]
    meant = [each for each in inside if any(access(each).conflicts(end) for end in ends)] or inside
    partner = next(
        (each for each in reversed(before) if any(access(one).conflicts(access(each)) for one in meant)), None
    )
    return Clash(partner, meant, after[0])


def _is(entry: Mapping[str, Any], racer: Racer, number: int) -> bool:
    return bool(entry["racer"] == racer and entry["number"] == number)


def _call(entry: Mapping[str, Any]) -> str:
    """Return a call for a person, with its number among the program's calls."""
    return f"`{entry['method']} {entry['path']}` ({entry['racer']}{entry['number']})"
