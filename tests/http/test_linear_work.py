"""The same as `tests/scenario/test_linear_work.py`, for requests and sandboxes."""

from collections.abc import Callable

from cnx_mock.asgi import create_app
from cnx_mock.services.compute.instance_body import InstanceCreate
from cnx_mock.services.compute.instances import provision
from cnx_mock.services.network.firewalls import FirewallBody, create
from cnx_mock.world.sandbox import SandboxState
from tests.scenario.test_linear_work import MOST, growth


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
