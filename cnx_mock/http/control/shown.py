"""What events show of a sandbox: the same as the control plane's GET."""

from cnx_mock.api.shapes import Shape
from cnx_mock.http.control.account import account_state
from cnx_mock.http.control.clock import clock_state
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.control.rules import rule_state, rule_warnings
from cnx_mock.http.control.sandboxes import sandbox_item
from cnx_mock.http.control.scenario import scenario_state
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.services.compute import instances, snapshots
from cnx_mock.services.network import firewalls, load_balancers
from cnx_mock.world.records import FirewallRecord, InstanceRecord, LoadBalancerRecord, MadeRecord, SnapshotRecord
from cnx_mock.world.sandbox import SandboxState


class ControlRenderer:
    """Shows things as the control plane does."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._warnings: dict[Tenant, tuple[object, dict[ActiveRule, list[str]]]] = {}
        """What is wrong with a sandbox's rules, and the version of the rules; to find it out takes time."""

    def item(self, tenant: Tenant) -> Shape:
        """Return a sandbox in the list."""
        return sandbox_item(tenant)

    def scenario(self, tenant: Tenant) -> Shape:
        """Return the current scenario."""
        return scenario_state(self._server, tenant)

    def error(self) -> str | None:
        """Return why the scenario's file cannot be used."""
        return self._server.tenants.watch_error

    def clock(self, tenant: Tenant) -> Shape:
        """Return the clock."""
        return clock_state(self._server, _target(tenant))

    def account(self, tenant: Tenant) -> Shape:
        """Return the account, with the scopes of the key that the sandbox is known by."""
        return account_state(self._server, _target(tenant))

    def resource(self, sandbox: SandboxState, record: MadeRecord) -> Shape:
        """Return a resource. This is not a poll: nothing becomes ready by it."""
        match record:
            case InstanceRecord():
                return instances.detail(sandbox, record, sandbox.now)
            case SnapshotRecord():
                return snapshots.show(record, sandbox.now)
            case FirewallRecord():
                return firewalls.show(record)
            case LoadBalancerRecord():
                return load_balancers.show(sandbox, record, sandbox.now)
        raise TypeError(f"no client makes a {type(record).__name__}")

    def rule(self, tenant: Tenant, active: ActiveRule) -> Shape:
        """Return a rule that has fired."""
        version, found = self._warnings.get(tenant, (None, {}))
        if version is not tenant.engine.version():
            version, found = tenant.engine.version(), rule_warnings(tenant.engine, list(tenant.engine))
            self._warnings[tenant] = version, found
        ended = tenant.engine.find_ended(active.rule.id) is active
        return rule_state(active, None, found.get(active, []), ended=ended)


def _target(tenant: Tenant) -> ControlTarget:
    """Return the target of a call with the tenant's own key."""
    return ControlTarget(tenant, tenant.sandbox_so_far.key_with(tenant.key))
