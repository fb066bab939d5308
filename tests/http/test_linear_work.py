"""The same as `tests/scenario/test_linear_work.py`, for requests and sandboxes."""

from collections.abc import Callable
from typing import Any

from cnx_mock.api.validation import attempt
from cnx_mock.asgi import create_app
from cnx_mock.services.compute.instance_body import InstanceCreate
from cnx_mock.services.compute.instances import provision
from cnx_mock.services.network import firewalls, load_balancers
from cnx_mock.services.network.firewalls import FirewallBody, FirewallQuery, create
from cnx_mock.services.network.load_balancer_body import LoadBalancerBody
from cnx_mock.world.clock import MINUTE
from cnx_mock.world.sandbox import SandboxState
from tests.cases import cases
from tests.scenario.test_linear_work import MOST, growth

CONSTANT = 1.1
"""How much more work twice as many records may be for what hardly depends on them."""


def sandbox_with(instances: int) -> SandboxState:
    sandbox = create_app().tenants.make().sandbox
    body = InstanceCreate.model_construct(name="web", plan="pro", region="us-east-1", image="debian-12", tags=["web"])
    for _ in range(instances):
        provision(sandbox, body, sandbox.now)
    return sandbox


def test_giving_sandboxes_back() -> None:
    def prepare(size: int) -> Callable[[], object]:
        tenants = create_app().tenants
        made = [tenants.make() for _ in range(size)]

        def work() -> None:
            for tenant in made:
                tenants.remove(tenant)

        return work

    assert growth(prepare) < MOST


def test_attaching_many_instances() -> None:
    def prepare(size: int) -> Callable[[], object]:
        sandbox = sandbox_with(size)
        body = FirewallBody.model_construct(name="wall", rules=[], instance_ids=sandbox.instances.ids())
        return lambda: create(sandbox, body)

    assert growth(prepare) < MOST


FRONT = {
    "name": "front",
    "regions": ["us-east-1"],
    "forwarding_rules": [{"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80}],
}
CALLER: Any = None  # who calls: it is only asked if something counts polls


def balanced(size: int) -> SandboxState:
    """A sandbox with so many instances, load balancers and firewalls, whose indexes are made."""
    sandbox = sandbox_with(size)
    front, wrong = attempt(LoadBalancerBody, FRONT, context=sandbox)
    assert front is not None, wrong
    for instance_id in sandbox.instances.ids():
        load_balancers.create(sandbox, front)
        create(sandbox, FirewallBody(name="wall", instance_ids=[]).model_copy(update={"instance_ids": [instance_id]}))
    sandbox.clock.advance(10 * MINUTE)
    for each in (sandbox.instances, sandbox.load_balancers, sandbox.firewalls):
        each.moved(sandbox.now, sandbox.now - MINUTE)
    return sandbox


def of_region(sandbox: SandboxState) -> object:
    query = load_balancers.LoadBalancerQuery.model_validate({"region": "us-east-1", "status": "active", "limit": "5"})
    return load_balancers.list_(sandbox, CALLER, query)


def of_instance(sandbox: SandboxState) -> object:
    query = FirewallQuery.model_validate({"instance_id": sandbox.instances.page(1, 1)[0].id})
    return firewalls.list_(sandbox, query)


def of_the_past(sandbox: SandboxState) -> object:
    return sandbox.as_of(sandbox.now - MINUTE).instances.matching(sandbox.now, [("region", "us-east-1")]).page(7, 5)


def a_name(sandbox: SandboxState) -> object:
    return sandbox.instances.has_name("db")


@cases("look", [of_region, of_instance, of_the_past, a_name])
def test_what_a_read_finds_is_not_looked_for_among_all_records(look: Callable[[SandboxState], object]) -> None:
    def prepare(size: int) -> Callable[[], object]:
        sandbox = balanced(size)
        look(sandbox)
        return lambda: look(sandbox)

    assert growth(prepare) < CONSTANT
