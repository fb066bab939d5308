"""What a benchmark finds: one result a row, a table of them for people, and JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal

OURS = "cnx-mock"


@dataclass(frozen=True)
class Goal:
    """What a row is to reach."""

    of: Literal["ratio", "value"]
    sign: Literal["≥", "≤"]
    limit: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:g}{' ' * bool(self.unit)}{self.unit}"

    def met_by(self, result: "Result") -> bool | None:
        """Whether a result reaches it, None if the result lacks what it is about."""
        found = result.ratio if self.of == "ratio" else result.value
        if found is None:
            return None
        return found >= self.limit if self.sign == "≥" else found <= self.limit


@dataclass(kw_only=True)
class Result:
    """One figure, beside what it is compared to."""

    row: str
    """The name that `--only` takes."""
    work: str
    """What was done."""
    value: float
    """The median."""
    unit: str
    by: str = OURS
    """Who did it: the mock, or a peer."""
    base: float | None = None
    """The same of what it is compared to."""
    beside: str = ""
    """What it is compared to."""
    ratio: float | None = None
    """The median of the rounds' own ratios to the base."""
    spread: tuple[float, float] | None = None
    """The least and the greatest of the ratios, or of the values if there is no base."""
    more_is_better: bool = False
    goal: Goal | None = None
    curve: list[tuple[int, float]] = field(default_factory=list)
    """The value at each size."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        return None if self.goal is None else self.goal.met_by(self)

    def written(self) -> dict[str, Any]:
        """The result as plain data."""
        goal = (None, None) if self.goal is None else (str(self.goal), self.goal.of)
        return {**asdict(self), "goal": goal[0], "goal_of": goal[1], "met": self.met}


def compared(values: Sequence[float], bases: Sequence[float]) -> dict[str, Any]:
    """The fields of a result that has been measured in rounds, each beside its base."""
    ratios = [value / base for value, base in zip(values, bases, strict=True)]
    spread = min(ratios), max(ratios)
    return {"value": median(values), "base": median(bases), "ratio": median(ratios), "spread": spread}


def alone(values: Sequence[float]) -> dict[str, Any]:
    """The fields of a result that has been measured in rounds, and stands for itself."""
    return {"value": median(values), "spread": (min(values), max(values))}


def figure(value: float) -> str:
    """A number with three digits that mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


HEADS = ("row", "work", "by", "value", "beside", "ratio", "spread", "to reach", "")


def table(results: Sequence[Result]) -> str:
    """All results in one table, and the curves below it."""
    lines = [HEADS, *map(_cells, results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    text = "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    curves = [f"{each.work}: {_curve(each)}" for each in results if each.curve]
    return "\n".join([text, *([""] if curves else []), *curves])


def _cells(result: Result) -> tuple[str, ...]:
    beside = "" if result.base is None else f"{result.beside} {figure(result.base)}"
    return (
        result.row,
        result.work,
        result.by,
        f"{figure(result.value)} {result.unit}",
        beside or result.beside,
        "" if result.ratio is None else f"{result.ratio:.2f}",
        "" if result.spread is None else f"{figure(result.spread[0])}–{figure(result.spread[1])}",
        "" if result.goal is None else str(result.goal),
        {None: "", True: "yes", False: "NO"}[result.met],
    )


def _curve(result: Result) -> str:
    return ", ".join(f"{figure(value)} {result.unit} at {size:,}" for size, value in result.curve)


def document(run: dict[str, Any], results: Sequence[Result], failures: dict[str, str]) -> str:
    """A run as JSON: when, where and with what it was measured, then every result."""
    rows = [each.written() for each in results]
    return json.dumps({**run, "results": rows, "failed": failures}, indent=2, ensure_ascii=False) + "\n"
