"""The JSON report of a sweep as it is read back: the fields that it must have, and their types.

A report may come from another version, another machine or an editor. It is checked as a whole before any of it is used,
so that what is wrong with it is one sentence with its place.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cnx_mock import __version__
from cnx_mock.api.validation import attempt
from cnx_mock.errors import BaselineError, Problem, problem_line
from cnx_mock.sweep.state import KINDS
from cnx_mock.sweep.verdict import Verdict


class _Stored(BaseModel):
    """Part of a report. What it has beyond these fields is not read."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Injection(_Stored):
    operation: str
    ordinal: int
    fault: str


class _Fault(_Stored):
    name: str
    description: str


class _Call(_Stored):
    operation: str
    ordinal: int
    method: str
    path: str
    shape: str
    program: str = ""
    name: str = ""


class _ShownCall(_Stored):
    model_config = ConfigDict(extra="forbid")

    number: int
    method: str
    path: str
    status: int | None
    began: float
    took: float
    delayed: float
    faults: list[str]
    committed: bool
    created: str | None
    second_run: bool = False


class _Left(_Stored):
    kind: Literal[tuple(KINDS)]  # type: ignore[valid-type]  # the kinds are known only when it runs
    name: str


class _Cell(_Injection):
    others: list[_Injection] = Field(default=[], alias="and")
    verdict: Verdict
    reproduce: str | None
    message: str | None
    accepted: bool
    struck: bool
    no_verdict: str | None
    exit_status: int | None
    seconds: float
    name: str
    title: str
    cause: str | None
    left: list[_Left]
    calls: list[_ShownCall]
    output: str


class _Options(_Stored):
    way: str
    operations: list[str]
    pairs: bool
    max_runs: int | None
    all_calls: bool
    allow_partial: bool
    run: list[str]


class _WithoutFaults(_Stored):
    calls: list[_ShownCall]
    left: list[_Left]


class _Report(_Stored):
    command: list[str]
    seed: int
    fail_on: list[Verdict]
    baseline_seconds: float
    timeout_seconds: float
    options: _Options
    shard: str | None = Field(pattern=r"^[1-9]\d{0,5}/[1-9]\d{0,5}$")
    left_out: int
    alike_left_out: int
    unchanged_left_out: int
    calls: list[_Call]
    faults: list[_Fault]
    without_faults: _WithoutFaults
    cells: list[_Cell]


def check_report(file: str, document: Any) -> None:
    """Raise BaselineError, with the file's name, unless a document is a whole report of this version, whose parts go
    together."""
    _, wrong = attempt(_Report, document)
    if problem := next(chain(wrong, () if wrong else _apart(document)), None):
        raise BaselineError(f"{file} is not a JSON report of `cnx-mock sweep` {__version__}: {problem_line(problem)}")


def _apart(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each cell that is of a call or a fault which the report does not have."""
    calls = {(each["operation"], each["ordinal"]) for each in document["calls"]}
    faults = {each["name"] for each in document["faults"]}
    for number, cell in enumerate(document["cells"]):
        for each in (cell, *cell.get("and", [])):
            if (each["operation"], each["ordinal"]) not in calls:
                yield Problem(("cells", number), "has a call that is not in the report")
            if each["fault"] not in faults:
                yield Problem(("cells", number), "has a fault that is not in the report")
