"""Load balancers, read without calls to the API."""

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing
from cnx_mock.http.control.listings import resources
from cnx_mock.http.control.plane import ControlTarget
from cnx_mock.services.network.load_balancers import LoadBalancer, show

resource = Resource("_mock.load_balancers", "Load balancers, from outside.", is_control=True)


@resource.operation("GET", "/_mock/load-balancers", provenance=added("tests look at what a program has left"))
def list_(target: ControlTarget) -> Listing[LoadBalancer]:
    """List every load balancer, oldest first. This does not count as a poll: nothing becomes ready by it."""
    return resources(target, lambda sandbox: sandbox.load_balancers, show)
