"""Snapshots, read without calls to the API."""

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing
from cnx_mock.http.control.listings import resources
from cnx_mock.http.control.plane import ControlTarget
from cnx_mock.services.compute.snapshots import Snapshot, show

resource = Resource("_mock.snapshots", "Snapshots, from outside.", is_control=True)


@resource.operation("GET", "/_mock/snapshots", provenance=added("tests look at what a program has left"))
def list_(target: ControlTarget) -> Listing[Snapshot]:
    """List every snapshot, oldest first. This does not count as a poll: nothing becomes ready by it."""
    return resources(target, lambda sandbox: sandbox.snapshots, lambda _, each, now: show(each, now))
