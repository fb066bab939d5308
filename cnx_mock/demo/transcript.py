"""A show as text: a mark for each attempt, the attempts in order, and what they came to. It has no times in it, so that
a show with the same seed has the same text."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from cnx_mock.api.router import Router
from cnx_mock.demo.lane import Lane
from cnx_mock.demo.outcome import Entry, succeeded
from cnx_mock.demo.show import Show
from cnx_mock.services import operations
from cnx_mock.text.plural import counted
from cnx_mock.text.units import format_money

LEGEND = "+ created   . read   - deleted   x refused   ! no answer"
"""What the marks mean."""
_WIDTH = 100
"""The width of the paragraph at the end."""
_MOST = 40
"""How many lines of attempts a lane has; the middle of more is left out."""


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt, without what differs from run to run."""

    method: str
    path: str
    status: str
    name: str
    """The name in the body of the request; empty if there is none."""
    fault: str
    """The faults that it met, and whether it had its effect all the same; empty for none."""


def mark(entry: Entry) -> str:
    """Return one character for what came of an attempt."""
    if entry["status"] is None:
        return "!"
    if entry["status"] >= 400:
        return "x"
    return {"POST": "+", "DELETE": "-"}.get(entry["method"], ".")


def marks(entries: Sequence[Entry]) -> str:
    """Return a mark for each attempt, in order."""
    return "".join(map(mark, entries))


def step_lines(entries: Sequence[Entry]) -> list[str]:
    """Return a line for each attempt; equal ones in a row share a line."""
    router = Router(operations())
    groups = [(step, len(list(group))) for step, group in groupby(_step(each, router) for each in entries)]
    widest = max((len(step.path) for step, _ in groups), default=0)
    lines = [_line(step, count, widest) for step, count in groups]
    if len(lines) <= _MOST:
        return lines
    half = _MOST // 2
    return [*lines[:half], f"… {len(lines) - 2 * half} more", *lines[-half:]]


def title_lines(show: Show) -> list[str]:
    """Return the lines at the beginning of a show."""
    description = f": {show.story.description}" if show.story.description else ""
    return [f"{show.story.name}{description}"]


def show_lines(show: Show) -> list[str]:
    """Return the lines of a show that is over."""
    lanes = [line for lane in show.lanes for line in [*lane_lines(lane), ""]]
    summary = textwrap.wrap(show.summary or "", _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [LEGEND, "", *lanes, *summary, "", "Try next:", f"  {show.next_line}"]


def lane_lines(lane: Lane) -> Iterator[str]:
    """Yield the lines of a lane that has been judged."""
    entries = lane.entries()
    yield f"{lane.label}: {lane.program.line}"
    yield f"  {marks(entries)}" if entries else "  it made no calls with CLOUDNEXUS_API_KEY"
    yield from (f"  {each}" for each in step_lines(entries))
    if (outcome := lane.outcome) is not None:
        yield f"  {outcome.verdict}: {outcome.sentence}"
        yield f"  {', '.join(_facts(lane, entries))}"


def _facts(lane: Lane, entries: Sequence[Entry]) -> Iterator[str]:
    outcome = lane.outcome
    assert outcome is not None, "it has been judged"
    yield counted(len(entries), "attempt")
    yield f"{succeeded(entries)} succeeded"
    for number, word in ((outcome.duplicated, "duplicated"), (outcome.leaked, "leaked"), (outcome.lost, "lost")):
        if number:
            yield f"{number} {word}"
    yield f"costs {format_money(lane.monthly_cents)} a month"
    if outcome.waste_cents:
        yield f"{format_money(outcome.waste_cents)} of it for nothing"


def _line(step: Step, count: int, widest: int) -> str:
    times = f"× {count}" if count > 1 else ""
    more = "  ".join(filter(None, [times, step.name, step.fault]))
    return f"{step.method:6} {step.path:{widest}}  {step.status}  {more}".rstrip()


def _step(entry: Entry, router: Router) -> Step:
    known, _ = router.find(entry["path"]) or ({}, ())
    operation = known.get(entry["method"])
    return Step(
        method=entry["method"],
        path=operation.path if operation else entry["path"],
        status="cut" if entry["status"] is None else str(entry["status"]),
        name=_name(entry["request_body"]),
        fault=_fault(entry),
    )


def _fault(entry: Mapping[str, Any]) -> str:
    faults = ", ".join(each["fault"] for each in entry["faults"])
    refused = entry["status"] is None or entry["status"] >= 400
    return f"{faults}, but it has happened" if faults and refused and entry["committed"] else faults


def _name(body: str | None) -> str:
    """Return the name of what a body creates; empty if it has none."""
    try:
        found = json.loads(body or "")
    except ValueError:
        return ""
    return str(found.get("name") or "") if isinstance(found, dict) else ""
