"""Schedules: in which order two programs, A and B, make their calls."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import InvalidInputError

Racer = Literal["A", "B"]
RACERS: tuple[Racer, Racer] = ("A", "B")


def other(racer: Racer) -> Racer:
    """Return the other program."""
    return "B" if racer == "A" else "A"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a schedule: calls of one program without a change of turn."""

    racer: Racer
    calls: int | None
    """How many calls it makes; None for all that it has left."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """An order. After its last part, the program that has the turn runs to its end, and then the other one."""

    parts: tuple[Part, ...]

    @classmethod
    def parsed(cls, text: str) -> "Schedule":
        """Return the schedule that a text means: `A1 B1 B2 A2`, each program's calls in order. Raises
        InvalidInputError."""
        words = text.split()
        made: dict[str, int] = {"A": 0, "B": 0}
        for word in words:
            found = re.fullmatch("([AB])([1-9][0-9]{0,5})", word)
            if found is None:
                raise InvalidInputError(f"schedule {text!r}: {word!r} is not a call: write A1, B1, A2 and so on")
            if int(found[2]) != made[found[1]] + 1:
                next_call = f"{found[1]}{made[found[1]] + 1}"
                raise InvalidInputError(f"schedule {text!r}: the next call of {found[1]} is {next_call}")
            made[found[1]] += 1
        if not words:
            raise InvalidInputError("the schedule is empty: write A1 B1 A2, for example")
        return cls(order_of([word[0] for word in words]))  # type: ignore[misc]  # they match [AB]

    def text(self) -> str:
        """Return it as `parsed` takes it, as far as its parts have a number of calls."""
        made: dict[str, int] = {"A": 0, "B": 0}
        words = []
        for part in self.parts:
            for _ in range(part.calls or 0):
                made[part.racer] += 1
                words.append(f"{part.racer}{made[part.racer]}")
        return " ".join(words)


def order_of(racers: Sequence[Racer]) -> tuple[Part, ...]:
    """Return the parts of an order of calls, given by the program of each call."""
    return tuple(Part(racer, len(list(group))) for racer, group in groupby(racers))


SERIAL: tuple[Schedule, Schedule] = (Schedule((Part("A", None),)), Schedule((Part("B", None),)))
"""One after the other, in both orders."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of turn: this program waits before this call."""

    racer: Racer
    call: int


def switches_of(racers: Sequence[Racer]) -> list[Switch]:
    """Return the changes of turn in an order of calls after which their program comes again."""
    found, made = [], {"A": 0, "B": 0}
    for index, racer in enumerate(racers):
        made[racer] += 1
        if racers[index + 1 : index + 2] == [other(racer)] and racer in racers[index + 1 :]:
            found.append(Switch(racer, made[racer] + 1))
    return found


def schedule_of(switches: Sequence[Switch]) -> Schedule:
    """Return the schedule with these changes of turn; the program that has the turn after the last change runs to its
    end."""
    made: dict[Racer, int] = {"A": 0, "B": 0}
    parts = []
    for each in switches:
        parts.append(Part(each.racer, each.call - 1 - made[each.racer]))
        made[each.racer] = each.call - 1
    return Schedule((*parts, Part(other(switches[-1].racer), None)))
