"""Attaching instances to a firewall or a load balancer. Both sides keep the other's ids."""

from collections.abc import Sequence

from cnx_mock.world.records import FirewallRecord, LoadBalancerRecord
from cnx_mock.world.sandbox import SandboxState


def attach(sandbox: SandboxState, holder: FirewallRecord | LoadBalancerRecord, wanted: Sequence[str], now: int) -> None:
    """Attach exactly these instances to a firewall or a load balancer, and detach all others."""
    holder.changing(now)
    before, after = set(holder.instance_ids), set(wanted)
    for instance_id in dict.fromkeys((*holder.instance_ids, *wanted)):
        instance = sandbox.instances.get(instance_id)
        if instance is not None and (instance_id in after) != (instance_id in before):
            instance.changing(now)
            holder.toggle(instance)
    holder.instance_ids = list(wanted)
