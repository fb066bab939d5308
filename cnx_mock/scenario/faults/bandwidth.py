"""A slow connection."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.scenario import field_types as values
from cnx_mock.scenario.fault import Pacing
from cnx_mock.text.units import format_size
from cnx_mock.world.clock import SECOND

_PIECES_A_SECOND = 20


class Bandwidth(Pacing):
    """`bandwidth: 20KB/s`."""

    key: ClassVar[str] = "bandwidth"
    bandwidth: values.Bandwidth
    """The bytes of the body that are sent in a second."""

    def label(self) -> str:
        return f"bandwidth={format_size(self.bandwidth)}/s"

    def pieces(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        """Return pieces that are small enough to arrive steadily, each with its time on such a connection."""
        size = max(1, self.bandwidth // _PIECES_A_SECOND)
        for start in range(0, len(body), size):
            end = min(start + size, len(body))
            yield end * SECOND // self.bandwidth - start * SECOND // self.bandwidth, body[start:end]
