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
from cnx_mock.world.clock import SECOND, wall_now

LEGEND = "+ created   . read   - deleted   x refused   ! no answer"
"""What the marks mean."""
_BADNESS = " ?.-+x!"
"""All marks, and nothing, and an attempt under way, from the least to the most worth showing."""
_LEAST_SPAN = 5 * SECOND
"""The time that a time axis shows at least."""
_WIDTH = 100
"""The width of the paragraph at the end."""
_SAID = 3
"""How many lines of a program's output are shown if it has failed."""
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


def mark(method: str, status: int | None) -> str:
    """Return one character for what came of an attempt; `status` is None if it got no answer."""
    if status is None:
        return "!"
    return "x" if status >= 400 else {"POST": "+", "DELETE": "-"}.get(method, ".")


def marks(entries: Sequence[Entry]) -> str:
    """Return a mark for each attempt, in order."""
    return "".join(mark(each["method"], each["status"]) for each in entries)


def timeline(lane: Lane, now: int, width: int) -> str:
    """Return the marks of a lane's attempts on a time axis of so many characters, from its start until now; `now` is in
    real time. Attempts that are too close for the axis share a place: the one that went worst is shown."""
    if lane.started is None:
        return " " * width
    span = max(now - lane.started, _LEAST_SPAN)
    places = [" "] * width
    for record in lane.tenant.journal:
        place = min(width - 1, (record.request.wall - lane.started) * width // span)
        found = mark(record.request.method, record.status) if record.duration is not None else "?"
        places[place] = max(places[place], found, key=_BADNESS.index)
    return "".join(places)


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


def live_lines(show: Show, width: int) -> list[str]:
    """Return the lines of a show that goes on, at most so wide: a time axis for each lane."""
    widest = max(len(lane.label) for lane in show.lanes)
    axis = max(10, width - widest - 16)
    now = wall_now()
    lines = [
        f"{lane.label:{widest}} |{timeline(lane, lane.ended or now, axis)}| {len(lane.tenant.journal):3} calls"
        for lane in show.lanes
    ]
    return [*lines, LEGEND[: width - 1]]


def show_lines(show: Show) -> list[str]:
    """Return the lines of a show that is over."""
    lanes = [line for lane in show.lanes for line in [*lane_lines(lane), ""]]
    summary = textwrap.wrap(show.summary or "", _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [LEGEND, "", *lanes, *summary, "", "Try next:", f"  {show.next_line}"]


def lane_lines(lane: Lane) -> Iterator[str]:
    """Yield the lines of a lane that has been judged."""
    entries = lane.entries()
    yield f"{lane.label}: {lane.program.line}"
    yield from (f"  {each}" for each in [marks(entries), *step_lines(entries)] if each)
    yield from (f"  said: {each}" for each in _last_words(lane))
    if (outcome := lane.outcome) is not None:
        yield f"  {outcome.verdict}: {outcome.sentence}"
        yield f"  {', '.join(_facts(lane, entries))}"


def _last_words(lane: Lane) -> list[str]:
    """Return the last lines that a program wrote which has failed."""
    if lane.result is None or lane.result.status == 0:
        return []
    return lane.result.output.rstrip().splitlines()[-_SAID:]


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
