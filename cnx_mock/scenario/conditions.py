"""The conditions of a rule that matches a request: `when`, `times` and `probability`.

Each condition is a pure function of its arguments. So two runs agree, and the journal can show the reason.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import Annotated, Any

from cnx_mock.api.declarations import BeforeValidator, Field, WithJsonSchema, later, model_validator
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.scenario.field_types import MOST, Count, Duration, Texts, example
from cnx_mock.scenario.matching import Pattern
from cnx_mock.scenario.phases import Moment
from cnx_mock.text.units import format_duration

# ---- in which part of the story


class WhenModel(Declared):
    """In which part of the scenario a rule is active. All given keys must be true."""

    model_config = example(phase="outage")

    phase: Texts | None = None
    """In this phase, or in one of these; `!` excludes, `*` stands for any text."""
    after: Duration | None = None
    """From this age of the sandbox on, such as 30s. The age is 0 when the scenario starts."""
    until: Duration | None = None
    """Before this age of the sandbox."""

    @model_validator(mode="after")
    def _in_order(self) -> "WhenModel":
        if self.after is not None and self.until is not None and self.after >= self.until:
            raise ValueError("must have an after that is before its until")
        return self


@dataclass(frozen=True, slots=True)
class When:
    """A part of the story, in which a rule is active. `after` and `until` are ages of the sandbox, in microseconds."""

    phase: Pattern | None = None
    after: int = 0
    until: int | None = None

    def unmet(self, moment: Moment) -> str | None:
        """Return why `moment` is not in this part, in the journal's words; None if it is."""
        if self.phase is not None:
            name = moment.phase.name if moment.phase else None
            if name is None or not self.phase.matches(name):
                wanted = " or ".join(map(str, self.phase.words))
                return f"phase {name}, not {wanted}" if name else f"no phases, not {wanted}"
        if moment.age < self.after:
            return f"age {_to_the_millisecond(moment.age)}, not yet {format_duration(self.after)}"
        if self.until is not None and moment.age >= self.until:
            return f"age {_to_the_millisecond(moment.age)}, past {format_duration(self.until)}"
        return None


def _to_the_millisecond(age: int) -> str:
    return format_duration(age - age % 1000)


# ---- at which of its requests


class TimesModel(Declared):
    """Which of the matching requests, by their number."""

    skip: Count | None = None
    """Skip this number of requests at the start."""
    take: Count | None = None
    """Apply the fault to this number of requests, after the skipped ones."""
    every: Count | None = None
    """Apply the fault to every Nth request: 5 means the 5th, the 10th, …"""
    only: Annotated[list[Count], Field(min_length=1)] | None = None
    """Apply the fault to exactly these requests: [1, 4]."""


@dataclass(frozen=True, slots=True)
class Times:
    """Which of the requests that a rule matches it takes, by their ordinal (from 1)."""

    skip: int = 0
    take: int | None = None
    every: int | None = None
    only: tuple[int, ...] = ()

    def turn(self, ordinal: int) -> int | None:
        """Return the place of a request, from 1, among those that the rule takes; None if the rule does not take it."""
        if self.every is not None:
            return ordinal // self.every if ordinal % self.every == 0 else None
        if self.only:
            place = bisect_left(self.only, ordinal)
            return place + 1 if ordinal in self.only[place : place + 1] else None
        turn = ordinal - self.skip
        return turn if turn > 0 and (self.take is None or turn <= self.take) else None

    def describe(self, ordinal: int) -> str:
        """Return the ordinal as the journal shows it: `times 1 of 2`, `match 3, beyond times 2`, `match 3, not in times
        {every: 5}`; `match 3` if all are taken."""
        if self == Times():
            return f"match {ordinal}"
        if self.turn(ordinal) is not None:
            return f"times {ordinal} of {self}"
        last = self.only[-1] if self.only else None if self.take is None else self.skip + self.take
        return f"match {ordinal}, {'beyond' if last is not None and ordinal > last else 'not in'} times {self}"

    def __str__(self) -> str:
        if self.every is not None:
            return f"{{every: {self.every}}}"
        if self.only:
            return f"{{only: {list(self.only)}}}"
        if not self.skip:
            return str(self.take)
        return f"{{skip: {self.skip}}}" if self.take is None else f"{{skip: {self.skip}, take: {self.take}}}"


def read_times(value: object) -> Times:
    """Return the times that `2`, `{skip: 2, take: 1}`, `{every: 5}` or `{only: [1, 4]}` means.

    Raises ValueError, or pydantic's ValidationError, for anything else.
    """
    if not isinstance(value, Mapping):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("must be an integer, or {skip, take}, {every} or {only}")
        if not 1 <= value <= MOST:
            raise ValueError(f"must be {'at least 1' if value < 1 else f'at most {MOST}'}")
        return Times(take=value)
    model = TimesModel.model_validate(value)
    spans = model.skip is not None or model.take is not None
    if [spans, model.every is not None, model.only is not None].count(True) != 1:
        raise ValueError("must have skip and take, or every, or only")
    return Times(model.skip or 0, model.take, model.every, tuple(sorted(set(model.only or ()))))


# ---- with which probability


def _fraction(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return float(value)


_FRACTION_SCHEMA = {"type": "number", "minimum": 0, "maximum": 1}
_Fraction = Annotated[Any, BeforeValidator(_fraction), WithJsonSchema(_FRACTION_SCHEMA)]


class RampModel(Declared):
    """A probability that changes evenly during a phase."""

    start: Annotated[_Fraction, Field(alias="from")]
    """The probability when the phase begins."""
    end: Annotated[_Fraction, Field(alias="to")]
    """The probability when the phase ends."""


@dataclass(frozen=True, slots=True)
class Probability:
    """The probability that a rule fires when it takes a request: from `start` to `end` during the phase."""

    start: float
    end: float

    @property
    def ramps(self) -> bool:
        """Whether the probability changes."""
        return self.start != self.end

    def at(self, moment: Moment) -> float:
        """Return the probability at this moment."""
        return self.start + (self.end - self.start) * moment.progress if self.ramps else self.start


def read_probability(value: object) -> Probability:
    """Return the probability that `0.3`, or `{from: 0.0, to: 0.4}`, means.

    Raises ValueError, or pydantic's ValidationError, for anything else.
    """
    if isinstance(value, Mapping):
        model = RampModel.model_validate(value)
        return Probability(model.start, model.end)
    fraction = _fraction(value)
    return Probability(fraction, fraction)


TIMES_SCHEMA = later(
    lambda: {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST}, TimesModel.model_json_schema()]}
)
PROBABILITY_SCHEMA = later(lambda: {"anyOf": [_FRACTION_SCHEMA, RampModel.model_json_schema()]})
