"""Sentences about the expectations of a scenario, or of a call, that are not met."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import orjson

from cnx_mock.api.declarations import RootModel
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import Problem, ScenarioError
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.silence import Silence
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.scenario import Scenario, read_scenario
from cnx_mock.services import operations
from cnx_mock.services.compute import instances, snapshots
from cnx_mock.services.network import firewalls, load_balancers
from cnx_mock.world import kinds
from cnx_mock.world.kinds import Kind
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.table import Table

resource = Resource("_mock.expectations", "What must be true now.", is_control=True)


class ExpectDocument(RootModel[dict[str, Any]]):
    """The keys of a scenario's `expect`, without `fired`."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Unmet(Shape):
    """What is not as expected."""

    unmet: list[str]
    """One line for each; empty if everything is as expected."""


@resource.operation("POST", "/_mock/expect", provenance=added("the mock's own control plane"))
def check(server: Server, target: ControlTarget, body: ExpectDocument) -> Unmet:
    """Compare the sandbox as it is now with an expectation. Nothing changes, and nothing is stored."""
    if "fired" in body.root:
        raise ScenarioError([Problem(("expect", "fired"), "is about the rules of a scenario: write it there")])
    scenario = read_scenario({"expect": body.root}, operations())
    return Unmet(unmet=list(unmet(server, target.must(), scenario)))


def unmet(server: Server, tenant: Tenant, scenario: Scenario) -> Iterator[str]:
    """Yield a sentence for each expectation of a scenario that a sandbox does not meet."""
    rules = {active.rule.id: active for active in tenant.engine}
    silence = Silence(tenant.journal, len(scenario.expected))
    for rule_id, expected in scenario.expected.items():
        active = rules.get(rule_id)
        fired = active.fired if active else 0
        if fired != expected:
            why = f": {silence.reason(active)}" if active and not fired else ""
            yield f"{rule_id} fired {fired} times, not {expected}{why}"
    for kind in kinds.MADE:
        if kind.plural in scenario.expected_resources:
            sandbox = tenant.sandbox
            shown = partial(_shown, sandbox, kind)
            yield from scenario.expected_resources[kind.plural].unmet(kind, len(_table(sandbox, kind)), shown)
    for checker in server.checkers:
        yield from checker(tenant, scenario)


def _shown(sandbox: SandboxState, kind: Kind, most: int) -> list[dict[str, Any]]:
    """Return the first resources of a kind as the API shows them. This is not a poll: nothing becomes ready by it."""
    now = sandbox.now
    shows: dict[Kind, Callable[[Any], Shape]] = {
        kinds.INSTANCE: partial(instances.detail, sandbox, now=now),
        kinds.SNAPSHOT: partial(snapshots.show, now=now),
        kinds.FIREWALL: firewalls.show,
        kinds.LOAD_BALANCER: partial(load_balancers.show, sandbox, now=now),
    }
    return [orjson.loads(shows[kind](each).json()) for each in _table(sandbox, kind).page(0, most)]


def _table(sandbox: SandboxState, kind: Kind) -> Table[Any]:
    tables: dict[Kind, Table[Any]] = {
        kinds.INSTANCE: sandbox.instances,
        kinds.SNAPSHOT: sandbox.snapshots,
        kinds.FIREWALL: sandbox.firewalls,
        kinds.LOAD_BALANCER: sandbox.load_balancers,
    }
    return tables[kind]
