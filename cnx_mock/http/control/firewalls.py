"""Firewalls, read without calls to the API."""

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing
from cnx_mock.http.control.listings import resources
from cnx_mock.http.control.plane import ControlTarget
from cnx_mock.services.network.firewalls import Firewall, show

resource = Resource("_mock.firewalls", "Firewalls, from outside.", is_control=True)


@resource.operation("GET", "/_mock/firewalls", provenance=added("tests look at what a program has left"))
def list_(target: ControlTarget) -> Listing[Firewall]:
    """List every firewall, oldest first."""
    return resources(target, lambda sandbox: sandbox.firewalls, lambda _, each, now: show(each))
