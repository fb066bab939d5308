"""How far resources are that are not ready yet."""

from collections.abc import Iterator

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing, Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import format_instant_ms
from cnx_mock.world.clock import NEVER
from cnx_mock.world.records import ProvisionedRecord
from cnx_mock.world.sandbox import SandboxState

resource = Resource("_mock.provisioning", "What is not ready yet.", is_control=True)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ProvisioningItem(Shape):
    """A resource that is not ready yet."""

    kind: str
    """instance, load_balancer or snapshot."""
    id: str
    """Its id."""
    status: str
    """Its status until it is ready."""
    began: str
    """When it was created, by the sandbox's clock."""
    ready_at: str | None
    """When it becomes ready, on the sandbox's clock; null for never."""
    polls_left: int | None
    """How many more reads it takes; null if reads do not count."""


@resource.operation("GET", "/_mock/provisioning", provenance=added("the mock's own control plane"))
def list_(sandbox: SandboxState) -> Listing[ProvisioningItem]:
    """List the resources that are not ready yet, and when they will be. This does not count as a poll."""
    now = sandbox.now
    return Listing(data=[_item(each, now) for each in _provisioned(sandbox) if each.provisioned(now) is None])


def _provisioned(sandbox: SandboxState) -> Iterator[ProvisionedRecord]:
    yield from sandbox.instances
    yield from sandbox.load_balancers
    yield from sandbox.snapshots


def _item(record: ProvisionedRecord, now: int) -> ProvisioningItem:
    ends = record.changes(now)
    return ProvisioningItem(
        kind=record.kind.noun,
        id=record.id,
        status=record.status(now),
        began=format_instant_ms(record.created),
        ready_at=None if ends == NEVER else format_instant_ms(ends),
        polls_left=record.lifecycle.polls_left,
    )
