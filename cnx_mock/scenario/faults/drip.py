"""A body that arrives in small pieces."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from cnx_mock.api.declarations import Field
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.fault import Pacing
from cnx_mock.scenario.field_types import Duration, example
from cnx_mock.text.units import format_duration

MILLISECOND = 1_000


class Drops(Declared):
    """How many pieces, and in what time."""

    model_config = example(chunks=5, over="2s")

    chunks: Annotated[int, Field(ge=1, le=100_000)]
    """In how many pieces the body is sent; at most one for each byte, and one in a millisecond."""
    over: Duration
    """How long it takes from the headers to the last piece; the time before each piece is the same."""


class Drip(Pacing):
    """`drip: {chunks: 5, over: 2s}`."""

    key: ClassVar[str] = "drip"
    drip: Drops
    """The headers are sent at once, the body in pieces."""

    def label(self) -> str:
        return f"drip={{chunks: {self.drip.chunks}, over: {format_duration(self.drip.over)}}}"

    def pieces(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        """Return pieces and pauses of equal size, as far as possible. All pauses but the last are whole ms."""
        over = self.drip.over
        count = max(1, min(self.drip.chunks, len(body), over // MILLISECOND))
        passed = 0
        for n in range(1, count + 1):
            due = over if n == count else over * n // count // MILLISECOND * MILLISECOND
            yield due - passed, body[len(body) * (n - 1) // count : len(body) * n // count]
            passed = due
