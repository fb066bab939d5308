"""Large worlds are written as JSON in slices of a few milliseconds, and other calls are served between them.

What is written is the world of one moment: calls that need it wait until it is written, as they do while it loads.
"""

from collections.abc import Iterator

from cnx_mock.http.loading import WorldLoad, WorldLoading
from cnx_mock.services.worlds import exported_json
from cnx_mock.text.live_keys import masked, may_have_live_key
from cnx_mock.world.sandbox import SandboxState

_FEW = 2_000
"""Worlds with fewer entries than this are written at once."""


def entries_of(sandbox: SandboxState) -> int:
    """Return about how many entries a sandbox's state has."""
    resources = (sandbox.instances, sandbox.snapshots, sandbox.firewalls, sandbox.load_balancers)
    return sum(len(each) for each in resources) + len(sandbox.ledger.meters) + len(sandbox.ledger.credits)


def is_large(sandbox: SandboxState) -> bool:
    """Return whether a sandbox is to be written in slices."""
    return entries_of(sandbox) >= _FEW


class WorldExport(WorldLoad):
    """One large world that is being written."""

    def __init__(self, sandbox: SandboxState, label: str) -> None:
        """`label` is what people call the sandbox."""
        super().__init__(self._write(sandbox), entries_of(sandbox), label, [])
        self.is_complete = False
        """Whether all of it is written. Otherwise the world was replaced before that."""
        self.pieces: list[bytes] = []
        """What is written, without any live key."""

    def _write(self, sandbox: SandboxState) -> Iterator[None]:
        for piece in exported_json(sandbox):
            self.pieces.append(masked(piece) if may_have_live_key(piece) else piece)
            yield
        self.is_complete = True


class WorldExporting(WorldLoading):
    """Raised by the call that began an export: wait for it. If it is complete then, it is the answer."""

    def __init__(self, export: WorldExport) -> None:
        super().__init__(export)
        self.export = export
