"""Snapshots, looked at from outside."""

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing
from cnx_mock.services.compute.snapshots import Snapshot, show
from cnx_mock.world.sandbox import SandboxState

resource = Resource("_mock.snapshots", "Snapshots, from outside.", is_control=True)


@resource.operation("GET", "/_mock/snapshots", provenance=added("tests look at what a program has left"))
def list_(sandbox: SandboxState) -> Listing[Snapshot]:
    """List every snapshot, oldest first. This does not count as a poll: nothing becomes ready by it."""
    now = sandbox.now
    return Listing(data=[show(each, now) for each in sandbox.snapshots])
