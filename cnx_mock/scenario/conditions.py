"""When a rule that matches comes to its turn: in which part of the story, at which of its requests, by what chance.

Each condition is a pure function of what it is told, so that two runs agree, and the journal can say why.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from cnx_mock.api.validation import Declared
from cnx_mock.scenario.field_types import MOST, Count, Duration, Texts, example
from cnx_mock.scenario.matching import Pattern
from cnx_mock.scenario.phases import Moment
from cnx_mock.text.units import format_duration

# ---- in which part of the story


class WhenSection(Declared):
    """In which part of the story a rule holds; all keys must hold."""

    model_config = example(phase="outage")

    phase: Texts | None = None
    """In this phase, or in one of these; `!` excludes, `*` stands for anything."""
    after: Duration | None = None
    """From this age of the sandbox on, such as 30s; its age starts at 0 with the scenario."""
    until: Duration | None = None
    """Before this age of the sandbox."""

    @model_validator(mode="after")
    def _in_order(self) -> "WhenSection":
        if self.after is not None and self.until is not None and self.after >= self.until:
            raise ValueError("needs after to be below until")
        return self


@dataclass(frozen=True, slots=True)
class When:
    """A part of the story."""

    phase: Pattern | None = None
    after: int = 0
    until: int | None = None

    def unmet(self, moment: Moment) -> str | None:
        """Why it is not now, or None where it is."""
        if self.phase is not None:
            name = moment.phase.name if moment.phase else None
            if name is None or not self.phase.matches(name):
                wanted = " or ".join(map(str, self.phase.words))
                return f"phase {name}, not {wanted}" if name else f"no phases, not {wanted}"
        if moment.age < self.after:
            return f"age {_seconds(moment.age)}, not yet {format_duration(self.after)}"
        if self.until is not None and moment.age >= self.until:
            return f"age {_seconds(moment.age)}, past {format_duration(self.until)}"
        return None


def _seconds(age: int) -> str:
    return format_duration(age - age % 1000)


# ---- at which of its requests


class TimesForm(Declared):
    """Which of the requests that match, by their number."""

    skip: Count | None = None
    """All but the first so many; with `take` only so many of them."""
    take: Count | None = None
    """Only so many, from the first that is not skipped."""
    every: Count | None = None
    """Every so many: 5 means the 5th, the 10th, …"""
    only: Annotated[list[Count], Field(min_length=1)] | None = None
    """Just these: [1, 4]."""


@dataclass(frozen=True, slots=True)
class Times:
    """Which requests of a rule come to their turn, by their ordinal."""

    skip: int = 0
    take: int | None = None
    every: int | None = None
    only: tuple[int, ...] = ()

    def turn(self, ordinal: int) -> int | None:
        """Which of the requests that come to their turn this one is, from 1; None for one that does not."""
        if self.every is not None:
            return ordinal // self.every if ordinal % self.every == 0 else None
        if self.only:
            place = bisect_left(self.only, ordinal)
            return place + 1 if ordinal in self.only[place : place + 1] else None
        turn = ordinal - self.skip
        return turn if turn > 0 and (self.take is None or turn <= self.take) else None

    def said(self, ordinal: int) -> str:
        """The ordinal in the journal's words: `times 3 of 2`, `times 3 of {every: 5}`, `match 3`."""
        return f"times {ordinal} of {self}" if self != Times() else f"match {ordinal}"

    def __str__(self) -> str:
        if self.every is not None:
            return f"{{every: {self.every}}}"
        if self.only:
            return f"{{only: {list(self.only)}}}"
        if not self.skip:
            return str(self.take)
        return f"{{skip: {self.skip}}}" if self.take is None else f"{{skip: {self.skip}, take: {self.take}}}"


def read_times(value: object) -> Times:
    """`2`, `{skip: 2, take: 1}`, `{every: 5}` or `{only: [1, 4]}`. ValueError says what is wrong."""
    if not isinstance(value, Mapping):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("must be an integer, or {skip, take}, {every} or {only}")
        if not 1 <= value <= MOST:
            raise ValueError(f"must be {'at least 1' if value < 1 else f'at most {MOST}'}")
        return Times(take=value)
    form = TimesForm.model_validate(value)
    spans = form.skip is not None or form.take is not None
    if [spans, form.every is not None, form.only is not None].count(True) != 1:
        raise ValueError("needs either skip and take, or every, or only")
    return Times(form.skip or 0, form.take, form.every, tuple(sorted(set(form.only or ()))))


# ---- by what chance


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return float(value)


_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_Share = Annotated[Any, BeforeValidator(_share), WithJsonSchema(_SHARE)]


class RampForm(Declared):
    """A chance that changes evenly across a phase."""

    start: Annotated[_Share, Field(alias="from")]
    """The chance at the phase's beginning."""
    end: Annotated[_Share, Field(alias="to")]
    """The chance at its end."""


@dataclass(frozen=True, slots=True)
class Probability:
    """The chance that a rule's turn is taken; from `start` to `end` across the phase."""

    start: float
    end: float

    @property
    def ramps(self) -> bool:
        """Whether it changes."""
        return self.start != self.end

    def at(self, moment: Moment) -> float:
        """The chance at this moment."""
        return self.start + (self.end - self.start) * moment.progress if self.ramps else self.start


def read_probability(value: object) -> Probability:
    """`0.3`, or `{from: 0.0, to: 0.4}`. ValueError says what is wrong."""
    if isinstance(value, Mapping):
        form = RampForm.model_validate(value)
        return Probability(form.start, form.end)
    share = _share(value)
    return Probability(share, share)


TIMES_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST}, TimesForm.model_json_schema()]}
PROBABILITY_SCHEMA = {"anyOf": [_SHARE, RampForm.model_json_schema()]}
