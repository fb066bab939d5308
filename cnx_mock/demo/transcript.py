"""A demo as text: a mark for each attempt, the attempts in order, and their outcome. It has no times in it, so that a
show with the same seed has the same text."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from cnx_mock.api.router import Router
from cnx_mock.dataclass import dataclass
from cnx_mock.demo.lane import Lane
from cnx_mock.demo.marks import LEGEND, mark, painted_marks
from cnx_mock.demo.outcome import NOT_JUDGED, Entry, succeeded
from cnx_mock.demo.show import Show
from cnx_mock.services import operations
from cnx_mock.sweep.report.terminal import colour_of, painted
from cnx_mock.text.control_characters import visible_line
from cnx_mock.text.live_keys import masked_text
from cnx_mock.text.plural import counted
from cnx_mock.text.units import format_money

_WIDTH = 96
"""The width of the paragraph at the end."""
_LAST_LINES = 3
"""How many lines of a program's output are shown if it has failed."""
_MOST = 40
"""How many lines of attempts a lane has; the middle of more is left out."""
_BOLD = "1"


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt, without what differs from run to run."""

    method: str
    path: str
    status: str
    name: str
    """The name in the body of the request; empty if there is none."""
    fault: str
    """The faults that it met, and whether it still had its effect; empty for no faults."""


def title_line(show: Show, colour: bool) -> str:
    """Return the line at the beginning of a show."""
    description = f": {_safe(show.story.description)}" if show.story.description else ""
    return f"{painted(_safe(show.story.name), _BOLD, colour)}{description}"


def show_lines(show: Show, colour: bool) -> list[str]:
    """Return the lines of a show that is over. They are safe to print, and coloured if that is wanted."""
    lanes = [line for lane in show.lanes for line in [*lane_lines(lane, colour), ""]]
    summary = textwrap.wrap(_safe(show.summary or ""), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return ["", LEGEND, "", *lanes, *summary, "", "Try next:", f"  {_safe(show.next_line)}"]


def lane_lines(lane: Lane, colour: bool) -> Iterator[str]:
    """Yield the lines of a lane that has been judged."""
    entries, outcome = lane.entries(), lane.outcome
    assert outcome is not None, "it has been judged"
    yield f"{painted(_safe(lane.label), _BOLD, colour)}: {_safe(lane.program.line)}"
    if entries:
        yield f"  {painted_marks([mark(each['method'], each['status']) for each in entries], colour)}"
    yield from (f"  {_safe(each)}" for each in step_lines(entries))
    yield from (f"  said: {_safe(each)}" for each in _last_words(lane))
    code = "" if outcome.verdict == NOT_JUDGED else colour_of(outcome.verdict)
    yield f"  {painted(outcome.verdict, code, colour)}: {_safe(outcome.sentence)}"
    yield f"  {', '.join(_facts(lane, entries))}"


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


def _safe(text: str) -> str:
    """Return a text as one line that is safe to show: it may come from a program or from a file."""
    return visible_line(masked_text(text))


def _last_words(lane: Lane) -> list[str]:
    """Return the last lines that a program wrote which has failed."""
    if lane.result is None or lane.result.status == 0:
        return []
    return lane.result.output.rstrip().splitlines()[-_LAST_LINES:]


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
        yield f"{format_money(outcome.waste_cents)} of it wasted"


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
