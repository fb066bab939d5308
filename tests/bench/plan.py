"""How a run of the benchmark measures: how often, how long, how large, on which cores, beside which peers."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.peers import Peer


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to measure."""

    rounds: int
    seconds: int
    """Of each measurement of the wire."""
    connections: int
    sizes: tuple[int, ...]
    """How many instances the large worlds have, the smallest first."""
    sandboxes: int
    """How many there are at once."""
    server_core: int | None
    load_core: int | None
    peers: "tuple[Peer, ...]"

    def say(self, progress: str) -> None:
        """Write a line of progress to stderr."""
        print(progress, file=sys.stderr, flush=True)
