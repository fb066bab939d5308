"""A body in which some bytes were changed on the way."""

from collections.abc import Callable
from typing import ClassVar

from cnx_mock.api.validation import Declared
from cnx_mock.scenario.exchange import Answer
from cnx_mock.scenario.fault import BodyOutcome
from cnx_mock.scenario.field_types import Size
from cnx_mock.text.units import format_size


class Corruption(Declared):
    """How much of the body is changed."""

    corrupt: Size
    """How many bytes are flipped; all of them if the body has fewer."""


class Corrupt(BodyOutcome):
    """`body: {corrupt: 8B}`."""

    key: ClassVar[str] = "body"
    body: Corruption
    """The framing is right, but all bits of this many bytes are inverted, at random positions."""

    def label(self) -> str:
        return f"body={{corrupt: {format_size(self.body.corrupt)}}}"

    def spoilt(self, answer: Answer, draw: Callable[[str], float]) -> Answer:
        """Return the answer with that many bytes inverted, in different places."""
        body = bytearray(answer.body)
        places = list(range(len(body)))
        for number in range(min(self.body.corrupt, len(body))):
            chosen = number + int(draw(f"corrupt {number}") * (len(places) - number))
            places[number], places[chosen] = places[chosen], places[number]
            body[places[number]] ^= 0xFF
        return Answer(answer.status, answer.headers, bytes(body))
