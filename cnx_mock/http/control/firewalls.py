"""Firewalls, looked at from outside."""

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing
from cnx_mock.services.network.firewalls import Firewall, show
from cnx_mock.world.sandbox import SandboxState

resource = Resource("_mock.firewalls", "Firewalls, from outside.", is_control=True)


@resource.operation("GET", "/_mock/firewalls", provenance=added("tests look at what a program has left"))
def list_(sandbox: SandboxState) -> Listing[Firewall]:
    """List every firewall, oldest first."""
    return Listing(data=[show(each) for each in sandbox.firewalls])
