"""Instances behind a firewall or a load balancer: kept on both sides."""

from collections.abc import Sequence

from cnx_mock.world.records import FirewallRecord, LoadBalancerRecord
from cnx_mock.world.sandbox import SandboxState


def attach(
    sandbox: SandboxState, holder: FirewallRecord | LoadBalancerRecord, wanted: Sequence[str], held_by: str, now: int
) -> None:
    """Let exactly these instances be attached from now on; `held_by` is the field in which an instance lists its
    holders."""
    holder.changing(now)
    for instance_id in dict.fromkeys((*holder.instance_ids, *wanted)):
        instance = sandbox.instances.get(instance_id)
        if instance is not None and (instance_id in wanted) != (instance_id in holder.instance_ids):
            instance.changing(now)
            _turn_round(getattr(instance, held_by), holder.id)
    holder.instance_ids = list(wanted)


def _turn_round(holders: list[str], holder_id: str) -> None:
    """Attach what is not attached, and the other way round, on the instance's side."""
    if holder_id in holders:
        holders.remove(holder_id)
    else:
        holders.append(holder_id)
