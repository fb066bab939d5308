"""The text of a demo: the paragraph at its end, and the command to try next."""

from collections.abc import Iterator, Sequence

from cnx_mock.demo.lane import Lane, LaneProgram
from cnx_mock.demo.stories import Story
from cnx_mock.text.units import format_money


def summary(story: Story, lanes: Sequence[Lane]) -> str:
    """Return what was seen, in one paragraph. Each lane has been judged."""
    return " ".join([*filter(None, [story.description]), *map(_seen, lanes), *filter(None, [story.lesson])])


def next_line(story: Story, programs: Sequence[LaneProgram]) -> str:
    """Return the command line that sweeps the first of these programs."""
    faults = f" --faults {story.faults}" if story.faults else ""
    return f"cnx-mock sweep{faults} -- {programs[0].line}"


def _seen(lane: Lane) -> str:
    assert lane.outcome is not None, "it has been judged"
    sentence = lane.outcome.sentence
    return "".join([sentence[0].upper(), sentence[1:], *_price(lane), "."])


def _price(lane: Lane) -> Iterator[str]:
    outcome = lane.outcome
    if outcome is not None and outcome.waste_cents:
        yield f", which wastes {format_money(outcome.waste_cents)} a month"
