"""The outcome of a race, and what it means: equal to the outcome of one program after the other, or not."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.explanation import left_over
from cnx_mock.sweep.race.conflicts import access
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


def sentence(race: RaceRun, actual: RaceOutcome, serial: Sequence[RaceOutcome], switches: Sequence[Switch]) -> str:
    """Return what happened, and how it differs from every serial order: "B's `GET /v1/instances` #1 came between A's …
    and A's …: 2 instances named web-1"."""
    return f"{_between(race, switches[0])}: {consequence(actual, nearest(actual, serial))}"


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
    return "succeeds" if end == 0 else f"fails (exit status {end})"


def _between(race: RaceRun, switch: Switch) -> str:
    """Return which calls of the other program came between two of this one: those that conflict with them."""
    mine, its = switch.racer, other(switch.racer)
    entries = race.run.entries
    waiting = next(index for index, each in enumerate(entries) if _is(each, mine, switch.call))
    before = [each for each in entries[:waiting] if each["racer"] == mine]
    last = max((index for index, each in enumerate(entries[:waiting]) if each["racer"] == mine), default=-1)
    inside = [each for each in entries[last + 1 : waiting] if each["racer"] == its]
    ends = [access(before[-1]), access(entries[waiting])] if before else [access(entries[waiting])]
    meant = [each for each in inside if any(access(each).conflicts(end) for end in ends)] or inside
    names = " and ".join(_call(each) for each in (meant if len(meant) < 3 else [meant[0], meant[-1]]))
    partner = next(
        (each for each in reversed(before) if any(access(one).conflicts(access(each)) for one in meant)), None
    )
    start = f"between {mine}'s {_call(partner)} and" if partner is not None else "before"
    return f"{its}'s {names} came {start} {mine}'s {_call(entries[waiting])}"


def _is(entry: Mapping[str, Any], racer: Racer, number: int) -> bool:
    return bool(entry["racer"] == racer and entry["number"] == number)


def _call(entry: Mapping[str, Any]) -> str:
    """Return a call for a person, with its number among the program's calls."""
    return f"`{entry['method']} {entry['path']}` ({entry['racer']}{entry['number']})"
