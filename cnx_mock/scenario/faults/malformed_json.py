"""A body that arrives completely and is not JSON."""

from collections.abc import Callable
from typing import ClassVar, Literal

from cnx_mock.scenario.exchange import Answer
from cnx_mock.scenario.fault import BodyOutcome


class MalformedJson(BodyOutcome):
    """`body: malformed_json`."""

    key: ClassVar[str] = "body"
    body: Literal["malformed_json"]
    """The body has the right length, but its last brace is replaced by a comma."""

    def spoilt(self, answer: Answer, draw: Callable[[str], float]) -> Answer:
        """Replace the last brace by a comma."""
        return Answer(answer.status, answer.headers, answer.body[:-1] + b",")
