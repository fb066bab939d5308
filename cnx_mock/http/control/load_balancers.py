"""Load balancers, looked at from outside."""

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing
from cnx_mock.services.network.load_balancers import LoadBalancer, show
from cnx_mock.world.sandbox import SandboxState

resource = Resource("_mock.load_balancers", "Load balancers, from outside.", is_control=True)


@resource.operation("GET", "/_mock/load-balancers", provenance=added("tests look at what a program has left"))
def list_(sandbox: SandboxState) -> Listing[LoadBalancer]:
    """List every load balancer, oldest first. This does not count as a poll: nothing becomes ready by it."""
    now = sandbox.now
    return Listing(data=[show(sandbox, each, now) for each in sandbox.load_balancers])
