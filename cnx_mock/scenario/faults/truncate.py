"""A body whose end does not arrive."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from cnx_mock.api.declarations import BeforeValidator, WithJsonSchema
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.exchange import Answer
from cnx_mock.scenario.fault import BodyOutcome


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError("must be a number from 0 to below 1: 0.5 sends half of the body")
    return float(value)


class Truncation(Declared):
    """How much of the body arrives."""

    truncate: Annotated[
        Any, BeforeValidator(_share), WithJsonSchema({"type": "number", "minimum": 0, "exclusiveMaximum": 1})
    ]
    """The share of the body that is sent, rounded down; never all of it."""


class Truncate(BodyOutcome):
    """`body: {truncate: 0.5}`."""

    key: ClassVar[str] = "body"
    body: Truncation
    """Fewer bytes than the declared length, then a FIN."""

    def label(self) -> str:
        return f"body={{truncate: {self.body.truncate:g}}}"

    def spoilt(self, answer: Answer, draw: Callable[[str], float]) -> Answer:
        """Return the answer with the declared length of the whole body, and only its beginning."""
        length = len(answer.body)
        sent = answer.body[: int(length * self.body.truncate)]
        return Answer(answer.status, answer.headers, sent, (b"content-length", str(length).encode()))
