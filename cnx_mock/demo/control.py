"""`GET /_mock/demo`: the show, for the page."""

from collections.abc import Callable, Sequence
from typing import Literal

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.demo.lane import Lane
from cnx_mock.demo.outcome import succeeded
from cnx_mock.demo.stories import Story
from cnx_mock.text.units import format_instant_ms, format_money


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class LaneItem(Shape):
    """One client of the show."""

    sandbox: str
    """The id of its sandbox."""
    label: str
    """What people call the client."""
    command: str
    """Its command line."""
    started_at: str | None
    """When it was started, in real time; null before that."""
    ended_at: str | None
    """When it ended, in real time; null before that."""
    status: int | None
    """Its exit status, negative for the signal that ended it; null while it runs, and if it took too long."""
    verdict: str | None
    """The sweep's verdict on it; null until there is one; `not judged` if it does not do its work without faults
    either."""
    attempts: int
    """How many requests it has made so far."""
    succeeded: int
    """How many of these had an answer without an error."""
    duplicated: int
    """How many resources it has left twice."""
    leaked: int
    """How many other resources it should not have left."""
    lost: int
    """How many resources are missing or different although it reported success."""
    monthly_cost: str
    """What all that it has created, and that is still there, costs in a month."""
    monthly_waste: str
    """What of that is for nothing."""
    words: str
    """What it did, in one sentence; empty until there is a verdict."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class DemoItem(Shape):
    """The show."""

    story: str
    """Its story: a name, or the path of a scenario file."""
    title: str
    """The story's name for people."""
    description: str
    """What goes wrong in it."""
    state: Literal["running", "done"]
    """Whether clients still run, or wait for their verdict."""
    summary: str | None
    """What was seen; null while it runs."""
    next: str
    """The command to try next."""
    lanes: list[LaneItem]
    """The clients, side by side."""


def demo_resource(read: Callable[[], DemoItem]) -> Resource:
    """Return the resource of the control plane that shows a demo; `read` returns it as it is now."""
    resource = Resource("_mock.demo", "The show of `cnx-mock demo`.", is_control=True)

    @resource.operation("GET", "/_mock/demo", provenance=added("the mock's own control plane"))
    def get() -> DemoItem:
        """Show the demo: its story, and each client with what it has done so far. Only under `cnx-mock demo`."""
        return read()

    return resource


def demo_item(story: Story, lanes: Sequence[Lane], summary: str | None, next_line: str) -> DemoItem:
    """Return a show as the page gets it."""
    return DemoItem(
        story=story.name,
        title=story.title,
        description=story.description,
        state="running" if summary is None else "done",
        summary=summary,
        next=next_line,
        lanes=list(map(lane_item, lanes)),
    )


def lane_item(lane: Lane) -> LaneItem:
    """Return a lane as the page gets it."""
    outcome = lane.outcome
    entries = lane.entries()
    return LaneItem(
        sandbox=lane.sandbox_id,
        label=lane.label,
        command=lane.program.line,
        started_at=_instant(lane.started),
        ended_at=_instant(lane.ended),
        status=lane.result.status if lane.result else None,
        verdict=outcome.verdict if outcome else None,
        attempts=len(entries),
        succeeded=succeeded(entries),
        duplicated=outcome.duplicated if outcome else 0,
        leaked=outcome.leaked if outcome else 0,
        lost=outcome.lost if outcome else 0,
        monthly_cost=format_money(lane.monthly_cents),
        monthly_waste=format_money(outcome.waste_cents if outcome else 0),
        words=outcome.sentence if outcome else "",
    )


def _instant(at: int | None) -> str | None:
    return None if at is None else format_instant_ms(at)
