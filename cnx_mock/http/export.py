"""Large worlds and long lists are written as JSON in slices of a few milliseconds, between which others are served.

What is written is the world of one moment: calls that need it wait until it is written, as they do while it loads.
"""

from collections.abc import Iterator
from itertools import islice

from cnx_mock.api.shapes import Shape
from cnx_mock.http.loading import WorldLoad, WorldLoading
from cnx_mock.text.live_keys import masked, may_have_live_key
from cnx_mock.world.sandbox import SandboxState

_FEW = 2_000
"""Worlds with fewer entries than this are written at once."""

FEW_SHOWN = 200
"""Lists with fewer items than this are written at once."""

_TOGETHER = 10
"""How many items of a list are shown in one go."""


def entries_of(sandbox: SandboxState) -> int:
    """Return about how many entries a sandbox's state has."""
    resources = (sandbox.instances, sandbox.snapshots, sandbox.firewalls, sandbox.load_balancers)
    return sum(len(each) for each in resources) + len(sandbox.ledger.meters) + len(sandbox.ledger.credits)


def is_large(sandbox: SandboxState) -> bool:
    """Return whether a sandbox is to be written in slices."""
    return entries_of(sandbox) >= _FEW


class WorldExport(WorldLoad):
    """One large world, or a long list, that is being written."""

    def __init__(self, pieces: Iterator[bytes], expected: int, label: str) -> None:
        """`expected` is about how many pieces there are; `label` is what people call the sandbox."""
        super().__init__(self._write(pieces), expected, label, [])
        self.is_complete = False
        """Whether all of it is written. Otherwise the world was replaced before that."""
        self.pieces: list[bytes] = []
        """What is written, without any live key."""

    def _write(self, pieces: Iterator[bytes]) -> Iterator[None]:
        for piece in pieces:
            self.pieces.append(masked(piece) if may_have_live_key(piece) else piece)
            yield
        self.is_complete = True


def list_json(shapes: Iterator[Shape]) -> Iterator[bytes]:
    """Yield the JSON of a `Listing` of these shapes, in pieces that take about a millisecond each."""
    yield b'{"data":['
    comma = b""
    while items := [each.json() for each in islice(shapes, _TOGETHER)]:
        yield comma + b",".join(items)
        comma = b","
    yield b"]}"


class WorldExporting(WorldLoading):
    """Raised by the call that began an export: wait for it. If it is complete then, it is the answer."""

    def __init__(self, export: WorldExport) -> None:
        super().__init__(export)
        self.export = export
