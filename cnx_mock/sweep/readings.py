"""Sweep the readings: run the program once under each other meaning of the documentation that its calls can meet.

A client that depends on one meaning works against this mock, and may fail against the real cloud. So every run that is
unlike the run under the current readings is bad, also one that fails cleanly.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from typing import Any
from urllib.parse import parse_qs

from cnx_mock.api.readings import (
    CREDITS_STATUS,
    DELETE_ANSWER,
    INSTANCE_NAMES,
    LIMIT_ABOVE_MAX,
    LIST_ENVELOPE,
    LIVE_KEY_STATUS,
    RATE_WINDOW,
    READINGS,
    TAGS_MATCH,
    UNKNOWN_BODY_FIELD,
    VALIDATION_STATUS,
    Reading,
    parsed,
)
from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.explanation import exited, left_over
from cnx_mock.sweep.journal import shown_calls
from cnx_mock.sweep.plan import NO_FAULTS, Cell, SweepFault, in_shard, sample_cells
from cnx_mock.sweep.results import CellResult, SweepResults
from cnx_mock.sweep.runner import Judge, Sweep
from cnx_mock.sweep.state import ResourceCounts, StateDifference, count_resources, state_difference
from cnx_mock.sweep.swept_call import SweptCall, swept_calls
from cnx_mock.sweep.trial import RunResult, run_program
from cnx_mock.sweep.verdict import Judgement, Verdict

Entry = Mapping[str, Any]
"""A request as `GET /_mock/requests` answers it."""


def _operation(name: str) -> Callable[[Entry], bool]:
    return lambda entry: str(entry["operation"] or "").endswith(name)


def _parameter(name: str) -> Callable[[Entry], bool]:
    return lambda entry: name in parse_qs(entry["query"])


def _code(name: str) -> Callable[[Entry], bool]:
    return lambda entry: (entry["status"] or 0) >= 400 and _error(entry) == name


def _error(entry: Entry) -> str | None:
    """Return the code of an answer that is an error."""
    try:
        code = json.loads(entry["response_body"] or "")["error"]["code"]
    except (LookupError, TypeError, ValueError):
        return None
    return str(code)


MEETS: Mapping[Reading, Callable[[Entry], bool]] = {
    CREDITS_STATUS: _code("INSUFFICIENT_CREDITS"),
    DELETE_ANSWER: _operation(".delete"),
    LIST_ENVELOPE: _operation(".list"),
    LIMIT_ABOVE_MAX: _parameter("limit"),
    TAGS_MATCH: _parameter("tags"),
    RATE_WINDOW: lambda entry: True,  # each answer says when the window ends
    VALIDATION_STATUS: _code("VALIDATION_ERROR"),
    INSTANCE_NAMES: _operation("instances.create"),
    LIVE_KEY_STATUS: _code("LIVE_KEY_REJECTED"),
    UNKNOWN_BODY_FIELD: _code("VALIDATION_ERROR"),
}
"""Whether a call can meet a reading: whether its answer, or what it does, depends on it."""


@dataclass(kw_only=True)
class ReadingResults(SweepResults):
    """The results of a sweep whose cells are the other options of the readings. In the matrix, each reading is a
    column."""

    chosen: dict[str, str] = field(default_factory=dict)
    """The reading of each cell, as NAME=VALUE, by the cells' names."""

    def plan_readings(self, entries: Sequence[Entry], in_force: Mapping[str, str]) -> None:
        """Plan the cells from the calls of a run under the current readings."""
        cells = []
        numbers: Counter[str] = Counter()
        for chosen in other_options(entries, in_force):
            name, _, option = chosen.partition("=")
            numbers[name] += 1
            cells.append(_cell(name, option, numbers[name]))
            self.chosen[cells[-1].name] = chosen
        self.cells = sample_cells(cells, self.options.most, self.options.seed)
        self.left_out = len(cells) - len(self.cells)
        if self.options.shard is not None:
            self.cells = in_shard(self.cells, self.options.shard)
        self.calls = list(dict.fromkeys(cell.call for cell in self.cells)) or swept_calls(entries)
        self.options = replace(self.options, faults=list({c.fault.name: c.fault for c in self.cells}.values()))

    def judge_reading(
        self, cell: Cell, run: RunResult, *, failure: str | None = None, fired: bool = True
    ) -> CellResult:
        """Judge a run under a reading, and keep the result. `failure` says who failed and how, unless it is the program
        by its exit status. `fired` says whether the reading was active in the run. Call this after `compare`."""
        status = run.ended.status
        found, difference = self._difference(run)
        verdict: Verdict = "hung" if status is None else "misread" if status or not difference.is_empty else "survived"
        parts = [failure or f"your client {exited(status)}"] if status != 0 else []
        if not difference.is_empty:
            parts.append(left_over(difference, found))
        words = f"under the reading {self.chosen[cell.name]}: {'; '.join(parts)}" if verdict == "misread" else ""
        result = CellResult(
            cell=cell,
            judgement=Judgement(verdict=verdict, difference=difference, left=difference.extra),
            status=status,
            seconds=run.ended.seconds,
            fired=fired,
            resources=found,
            calls=dict(Counter(each["operation"] for each in run.entries if each["operation"])),
            hammering=(),
            words=words,
            journal=shown_calls(run.entries),
            output=run.ended.output,
        )
        self.results[cell.name] = result
        return result

    def _difference(self, run: RunResult) -> tuple[ResourceCounts, StateDifference]:
        """Return the resources that a run left, and how they differ from those of the runs under the current readings.
        If they are the same as those of one of these runs, there is no difference."""
        found = count_resources(run.states, self._chance)
        differences = [state_difference(each, found) for each in self._single]
        return found, next((each for each in differences if each.is_empty), differences[0])


@dataclass(kw_only=True)
class ReadingSweep(ReadingResults, Sweep):
    """A sweep of the readings of a program."""

    def plan(self, first: RunResult) -> None:
        """Take the calls of a run without faults, and plan the cells."""
        self.plan_readings(first.entries, parsed(self.config.settings.reading))

    async def run_cell(self, cell: Cell, executor: ThreadPoolExecutor, meanwhile: Callable[[], None]) -> Judge:
        """Run the program under a reading, and return what judges the run."""
        given = tuple(each for each in self.config.settings.reading if each.partition("=")[0] != cell.fault.name)
        settings = replace(self.config.settings, reading=(*given, self.chosen[cell.name]))
        patient = self.options.seconds is None
        config = replace(self.config, settings=settings)
        collect = await run_program(config, NO_FAULTS, self.limit, executor, patient=patient, meanwhile=meanwhile)
        return lambda: self.judge_reading(cell, collect())


def _cell(name: str, option: str, number: int) -> Cell:
    """Return the cell of a reading's option; `number` is its place among the others, from 1."""
    row = SweptCall(operation="reading", ordinal=number, method="", path="", name=f"other meaning {number}")
    chosen = f"{name}={option}"
    return Cell(((row, SweepFault(name, chosen, lambda call: True, {}, title=f"under the reading {chosen}")),))


def other_options(entries: Sequence[Entry], in_force: Mapping[str, str]) -> list[str]:
    """Return each other option, as NAME=VALUE, of each reading that these calls can meet."""
    return [
        f"{reading.name}={option}"
        for reading in READINGS
        if any(map(MEETS[reading], entries))
        for option in reading.options
        if option != reading.of(in_force)
    ]
