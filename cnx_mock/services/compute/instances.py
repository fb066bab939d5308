"""Instances: the four documented operations."""

from functools import partial
from typing import Annotated, Literal

from cnx_mock.api.caller import Caller
from cnx_mock.api.declarations import Field
from cnx_mock.api.errors import InsufficientCredits, InvalidState, QuotaExceeded
from cnx_mock.api.operation import Resource, documented
from cnx_mock.api.paging import Page, page_of
from cnx_mock.api.purchase import check_balance, check_quota
from cnx_mock.api.readings import LIST_ENVELOPE
from cnx_mock.api.shapes import Deleted, Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.services.compute.fast_create import FAST_CREATE
from cnx_mock.services.compute.instance_body import InstanceCreate, InstanceQuery, InstanceStatus
from cnx_mock.services.compute.instance_fields import fields_of, metered_form
from cnx_mock.services.compute.metrics import InstanceMetrics, sample
from cnx_mock.text.tight_json import tight_json
from cnx_mock.text.units import format_money
from cnx_mock.world import kinds
from cnx_mock.world.clock import MINUTE, NEVER
from cnx_mock.world.records import InstanceRecord
from cnx_mock.world.sandbox import SandboxState

instances = Resource.of(kinds.INSTANCE, "Virtual machines.")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class InstanceSpecs(Shape):
    """The hardware of an instance."""

    vcpus: Annotated[int, Field(examples=[4])]
    """Virtual processors."""
    memory_mb: Annotated[int, Field(examples=[8192])]
    """Memory, in MiB."""
    disk_gb: Annotated[int, Field(examples=[160])]
    """Disk, in GB."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Instance(Shape):
    """A virtual machine."""

    id: Annotated[str, Field(pattern=kinds.INSTANCE.id_pattern, examples=["inst_8f7e6d5c4b3a2f1e"])]
    """Its id."""
    name: Annotated[str, Field(examples=["prod-api-01"])]
    """Instance identifier, as given."""
    plan: Annotated[str, Field(examples=["pro"])]
    """Compute tier."""
    region: Annotated[str, Field(examples=["us-east-1"])]
    """Deployment region."""
    image: Annotated[str, Field(examples=["ubuntu-22.04-lts"])]
    """OS image ID or snapshot it was made from."""
    tags: Annotated[list[str], Field(examples=[["web", "production"]])]
    """Metadata tags."""
    status: Annotated[
        InstanceStatus, Field(examples=["running"]), documented("Returns detailed configuration, metrics, and status")
    ]
    """Its status."""
    ipv4: Annotated[str | None, Field(examples=["198.18.0.1"])]
    """Public IPv4 address (198.18.0.0/15, the benchmark range of RFC 2544); null while provisioning."""
    ipv6: Annotated[str, Field(examples=["2001:db8:8f7e:6d5c:4b3a:2f1e:0:1"])]
    """Public IPv6 address (2001:db8::/32, the documentation range of RFC 3849)."""
    specs: InstanceSpecs
    """The hardware, as given by the plan."""
    firewall_ids: Annotated[list[str], Field(examples=[[]])]
    """Firewalls attached to it."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it was created, RFC 3339 UTC."""
    updated_at: Annotated[str, Field(examples=["2026-01-01T00:00:45Z"])]
    """When it last changed, RFC 3339 UTC."""
    provisioned_at: Annotated[str | None, Field(examples=["2026-01-01T00:00:45Z"])]
    """When provisioning was complete, RFC 3339 UTC; null while provisioning."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class InstanceStorage(Shape):
    """The disk of an instance."""

    type: Literal["ephemeral"]
    """Deleted with the instance."""
    size_gb: Annotated[int, Field(examples=[160])]
    """Size, in GB."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class InstanceDetail(Instance):
    """A virtual machine with all details: "detailed configuration, metrics, and status"."""

    storage: InstanceStorage
    """Its disk."""
    snapshot_ids: Annotated[list[str], Field(examples=[[]])]
    """Snapshots taken of it."""
    price_hourly: Annotated[str, Field(examples=["$0.04"])]
    """The price of each started hour, in US dollars."""
    price_hourly_cents: Annotated[int, Field(examples=[4])]
    """The same in cents."""
    metrics: Annotated[InstanceMetrics | None, documented("Returns detailed configuration, metrics, and status")]
    """Its load and traffic; null while provisioning."""


def show(record: InstanceRecord, now: int) -> Instance:
    """Return the answer for an instance in lists: its id and its JSON, which are all that is needed. It is cached until
    the record or its status changes."""
    if now >= record.shown_until:
        record.shown = Instance.of_json(tight_json(fields_of(record, record.status(now), now)), record.id)
        record.shown_until = record.changes(now)
    shown: Instance = record.shown
    return shown


def detail(sandbox: SandboxState, record: InstanceRecord, now: int) -> InstanceDetail:
    """Return the answer with all details. It is cached until the record changes, one minute at most (metrics)."""
    if now >= record.detailed_until:
        record.detailed = _detailed(sandbox, record, now)
        record.detailed_until = min(record.changes(now), now - now % MINUTE + MINUTE)
    detailed: InstanceDetail = record.detailed
    return detailed


def _detailed(sandbox: SandboxState, record: InstanceRecord, now: int) -> InstanceDetail:
    status, plan = record.status(now), record.plan
    fields = fields_of(record, status, now)
    fields["storage"] = {"type": "ephemeral", "size_gb": plan.disk_gb}
    fields["snapshot_ids"] = record.snapshot_ids
    fields["price_hourly"] = format_money(plan.hourly_cents)
    fields["price_hourly_cents"] = plan.hourly_cents
    fields["metrics"] = None if status == "provisioning" else sample(sandbox.chance, record, now)
    return InstanceDetail.of_json(tight_json(fields), record.id)


@instances.operation(
    "GET", "/v1/instances", scope="instances:read", provenance=documented("List all compute instances")
)
def list_(sandbox: SandboxState, caller: Caller, query: InstanceQuery) -> Page[Instance]:
    """List all compute instances.

    Returns a paginated list of all instances in your account. Supports filtering by region, status, and tags."""
    now, instances = sandbox.clock.now(), sandbox.instances
    keys, any_of = query.index_keys(sandbox.readings)
    if sandbox.polling:
        caller.polled += sandbox.polled(instances.matching(now, keys, any_of))
    if keys or any_of or query.status is not None:
        return page_of(instances.matching(now, keys, any_of, query.status), query, partial(show, now=now))
    return _whole_list(sandbox, caller, query, now)


def _whole_list(sandbox: SandboxState, caller: Caller, query: InstanceQuery, now: int) -> Page[Instance]:
    """Return a page of the list without filters. It is cached until something on it changes."""
    if sandbox.readings and LIST_ENVELOPE.of(sandbox.readings) != "nested":
        return page_of(sandbox.instances, query, partial(show, now=now))
    place = (sandbox.instances.changes.version, query.page, query.limit)
    kept: tuple[Page[Instance], int] | None = sandbox.recent.get(place)
    if kept is not None and now < kept[1]:
        caller.same_until = kept[1]
        return kept[0]
    until = [NEVER]
    page = page_of(sandbox.instances, query, partial(_shown_until, until, now=now)).encoded()
    caller.same_until = min(until)
    sandbox.recent.put(place, (page, caller.same_until), kilobytes=1 + len(page.json()) // 1024)
    return page


def _shown_until(until: list[int], record: InstanceRecord, now: int) -> Instance:
    """Return the answer for an instance in lists, and add to a list the instant at which it changes by itself."""
    until.append(record.changes(now))
    return show(record, now)


@instances.operation(
    "POST",
    "/v1/instances",
    status=201,
    scope="instances:write",
    provenance=documented("Create a new instance"),
    raises=(InvalidState, QuotaExceeded, InsufficientCredits),
    fast_create=FAST_CREATE,
)
def create(sandbox: SandboxState, body: InstanceCreate) -> Instance:
    """Create a new instance.

    Provisions a new virtual machine with the specified configuration. Deployment typically completes within 30-60
    seconds."""
    now = sandbox.now
    snapshot = sandbox.snapshots.get(body.image)
    if snapshot is not None and snapshot.status(now) != "available":
        raise InvalidState(resource="snapshot", state=snapshot.status(now), required="available")
    check_quota(sandbox, InstanceRecord)
    check_balance(sandbox, now)
    return show(provision(sandbox, body, now), now)


def provision(sandbox: SandboxState, body: InstanceCreate, now: int) -> InstanceRecord:
    """Add a new instance to the sandbox and start charging for it. Return its record."""
    plan = sandbox.catalogue.plans.get(body.plan)
    assert plan is not None, "the declaration and the catalogue name the same plans"
    new_id, number = sandbox.next_id(kinds.INSTANCE)
    lifecycle = sandbox.begin(kinds.INSTANCE, new_id, now, then="running")
    record = InstanceRecord.begun(
        new_id, number, body.name, plan, body.region, body.image, tuple(body.tags), now, lifecycle
    )
    sandbox.added(sandbox.instances, record)
    sandbox.ledger.open(new_id, body.name, plan.hourly_cents, now, metered_form(plan.id))
    return record


@instances.operation("GET", "/v1/instances/{id}", scope="instances:read", provenance=documented("Get instance details"))
def get(sandbox: SandboxState, caller: Caller, instance: InstanceRecord) -> InstanceDetail:
    """Get instance details.

    Returns detailed configuration, metrics, and status for a specific instance."""
    if instance.id in sandbox.polling:
        caller.polled.append(instance)
    answer = detail(sandbox, instance, sandbox.clock.now())
    caller.same_until = instance.detailed_until
    return answer


@instances.operation(
    "DELETE", "/v1/instances/{id}", scope="instances:write", provenance=documented("Destroy an instance")
)
def delete(sandbox: SandboxState, instance: InstanceRecord) -> Deleted:
    """Destroy an instance.

    Permanently deletes an instance and all associated ephemeral storage. Snapshots are preserved unless explicitly
    removed."""
    now = sandbox.now
    # its snapshots stay, as documented: each has its own copy of the data
    sandbox.removed(sandbox.instances, instance, now)
    sandbox.detach(instance, now)
    sandbox.ledger.close(instance.id, now)
    return Deleted(id=instance.id)
