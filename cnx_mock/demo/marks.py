"""One character for each attempt, in order or on a time axis."""

from collections.abc import Iterable

from cnx_mock.demo.lane import Lane
from cnx_mock.demo.show import Show
from cnx_mock.sweep.report.terminal import painted
from cnx_mock.text.control_characters import visible_line
from cnx_mock.world.clock import SECOND, wall_now

LEGEND = "+ created   . read   - deleted   x refused   ! no answer"
"""What the marks mean."""
_COLOURS = {"+": "32", "-": "36", "x": "31", "!": "1;31"}
"""SGR parameters by the mark."""
_BADNESS = " ?.-+x!"
"""Nothing, an attempt under way, and the marks, from the least to the most worth showing."""
_LEAST_SPAN = 5 * SECOND
"""The time that a time axis shows at least."""


def mark(method: str, status: int | None) -> str:
    """Return one character for the result of an attempt; `status` is None if it got no answer."""
    if status is None:
        return "!"
    return "x" if status >= 400 else {"POST": "+", "DELETE": "-"}.get(method, ".")


def painted_marks(marks: Iterable[str], colour: bool) -> str:
    """Return the marks as one text, coloured if that is wanted."""
    return "".join(painted(each, _COLOURS.get(each, ""), colour) for each in marks)


def live_lines(show: Show, width: int, colour: bool) -> list[str]:
    """Return the lines of a running demo, at most this wide: one line for each lane, all on the same time axis."""
    widest = max(len(lane.label) for lane in show.lanes)
    axis = max(10, width - widest - 16)
    began = min((lane.started for lane in show.lanes if lane.started is not None), default=0)
    now = max(lane.ended or wall_now() for lane in show.lanes)
    lines = [
        f"{visible_line(lane.label):{widest}} |{painted_marks(timeline(lane, began, now, axis), colour)}|"
        f" {len(lane.tenant.journal):3} calls"
        for lane in show.lanes
    ]
    return [*lines, LEGEND[: width - 1]]


def timeline(lane: Lane, began: int, now: int, width: int) -> list[str]:
    """Return the marks of a lane's attempts on a time axis with this many characters, between two instants of real
    time.

    Attempts that are too close for the axis share a place: the one that went worst is shown.
    """
    span = max(now - began, _LEAST_SPAN)
    places = [" "] * width
    for record in lane.tenant.journal:
        place = min(width - 1, (record.request.wall - began) * width // span)
        found = "?" if record.duration is None else mark(record.request.method, record.status)
        places[place] = max(places[place], found, key=_BADNESS.index)
    return places
