"""Snapshots. The reference: "Snapshots are preserved unless explicitly removed"; an image is an "OS image ID or
snapshot"."""

from functools import partial
from typing import Annotated, Literal

from cnx_mock.api.caller import Caller
from cnx_mock.api.declarations import ConfigDict, Field, WithJsonSchema
from cnx_mock.api.errors import InvalidState, QuotaExceeded
from cnx_mock.api.fields import ExistingInstance, Name
from cnx_mock.api.operation import Resource, implied
from cnx_mock.api.paging import Page, PageQuery, page_of
from cnx_mock.api.portable import Component
from cnx_mock.api.purchase import check_quota
from cnx_mock.api.shapes import Deleted, Shape
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import format_instant
from cnx_mock.world import kinds
from cnx_mock.world.records import IndexKey, SnapshotRecord
from cnx_mock.world.sandbox import SandboxState

snapshots = Resource.of(kinds.SNAPSHOT, "Copies of the disks of instances.")

_IMPLIED = implied("Snapshots are preserved unless explicitly removed.")

SnapshotStatus = Annotated[
    Literal["creating", "available"], Component("SnapshotStatus", "Whether a snapshot can be used.")
]


class SnapshotCreate(Declared):
    """The snapshot to take."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"instance_id": "inst_8f7e6d5c4b3a2f1e", "name": "before-upgrade"}]}
    )

    instance_id: ExistingInstance
    """The instance. Its provisioning must be complete."""
    name: Annotated[Name | None, Field(examples=["before-upgrade"])] = None
    """A name for the snapshot, or null."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Snapshot(Shape):
    """A copy of the disk of an instance."""

    id: Annotated[str, Field(pattern=kinds.SNAPSHOT.id_pattern, examples=["snap_8f7e6d5c4b3a2f1e"])]
    """Its id. It can be the image of a new instance."""
    name: Annotated[str | None, Field(examples=["before-upgrade"])]
    """Its name, or null."""
    status: SnapshotStatus
    """Its status. An instance can be created only from an available snapshot."""
    source_instance_id: Annotated[str, Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
    """The instance it was taken of, which may be deleted by now."""
    source_instance_name: Annotated[str, Field(examples=["prod-api-01"])]
    """The name of that instance."""
    region: Annotated[str, Field(examples=["us-east-1"])]
    """The region of that instance."""
    image: Annotated[str, Field(examples=["ubuntu-22.04-lts"])]
    """The image of that instance."""
    size_gb: Annotated[int, Field(examples=[160])]
    """Size, in GB."""
    min_disk_gb: Annotated[int, Field(examples=[160])]
    """The smallest disk for an instance made from it, in GB."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it was created, RFC 3339 UTC."""
    available_at: Annotated[str | None, Field(examples=["2026-01-01T00:00:10Z"])]
    """When it became available, RFC 3339 UTC; null before that."""


class SnapshotQuery(PageQuery):
    """The filters of the list."""

    instance_id: Annotated[
        str | None, WithJsonSchema({"type": "string"}), Field(examples=["inst_8f7e6d5c4b3a2f1e"])
    ] = None
    """Only snapshots of this instance, which may be deleted by now."""
    region: Annotated[str | None, WithJsonSchema({"type": "string"}), Field(examples=["us-east-1"])] = None
    """Only snapshots in this region."""
    status: SnapshotStatus | None = None
    """Only snapshots with this status."""

    def index_keys(self) -> list[IndexKey]:
        """Return what a snapshot must have to match the filters by instance and region."""
        given = {"instance_id": self.instance_id, "region": self.region}
        return [(name, value) for name, value in given.items() if value is not None]


def show(record: SnapshotRecord, now: int) -> Snapshot:
    """Return the answer for a snapshot."""
    available = record.provisioned(now)
    return Snapshot(
        id=record.id,
        name=record.label,
        status="creating" if available is None else "available",
        source_instance_id=record.source_instance_id,
        source_instance_name=record.source_instance_name,
        region=record.region,
        image=record.image,
        size_gb=record.size_gb,
        min_disk_gb=record.min_disk_gb,
        created_at=format_instant(record.created),
        available_at=None if available is None else format_instant(available),
    )


@snapshots.operation("GET", "/v1/snapshots", scope="snapshots:read", provenance=_IMPLIED)
def list_(sandbox: SandboxState, caller: Caller, query: SnapshotQuery) -> Page[Snapshot]:
    """List all snapshots."""
    now, wanted = sandbox.now, query.status
    keys = query.index_keys()
    if sandbox.polling:
        caller.polled += sandbox.polled(sandbox.snapshots.matching(now, keys))
    return page_of(sandbox.snapshots.matching(now, keys, status=wanted), query, partial(show, now=now))


@snapshots.operation(
    "POST",
    "/v1/snapshots",
    status=201,
    scope="snapshots:write",
    provenance=_IMPLIED,
    raises=(InvalidState, QuotaExceeded),
)
def create(sandbox: SandboxState, body: SnapshotCreate) -> Snapshot:
    """Take a snapshot of an instance.

    It takes a few seconds to become available. It is kept if the instance is destroyed."""
    now = sandbox.now
    source = sandbox.instances.get(body.instance_id)
    assert source is not None, "validated before"
    if source.status(now) == "provisioning":
        raise InvalidState(resource="instance", state="provisioning", required="running or stopped")
    check_quota(sandbox, SnapshotRecord)
    new_id, number = sandbox.next_id(kinds.SNAPSHOT)
    record = SnapshotRecord(
        id=new_id,
        number=number,
        name=body.name or new_id,
        label=body.name,
        source_instance_id=source.id,
        source_instance_name=source.name,
        region=source.region,
        image=source.image,
        size_gb=source.plan.disk_gb,
        min_disk_gb=source.plan.disk_gb,
        created=now,
        updated=now,
        lifecycle=sandbox.begin(kinds.SNAPSHOT, new_id, now, then="available", first="creating"),
    )
    source.changing(now)
    source.snapshot_ids += (new_id,)
    sandbox.added(sandbox.snapshots, record)
    return show(record, now)


@snapshots.operation("GET", "/v1/snapshots/{id}", scope="snapshots:read", provenance=_IMPLIED)
def get(sandbox: SandboxState, caller: Caller, snapshot: SnapshotRecord) -> Snapshot:
    """Get a snapshot."""
    if snapshot.id in sandbox.polling:
        caller.polled.append(snapshot)
    return show(snapshot, sandbox.now)


@snapshots.operation("DELETE", "/v1/snapshots/{id}", scope="snapshots:write", provenance=_IMPLIED)
def delete(sandbox: SandboxState, snapshot: SnapshotRecord) -> Deleted:
    """Delete a snapshot.

    Instances that were created from it are kept."""
    now, source = sandbox.now, sandbox.instances.get(snapshot.source_instance_id)
    if source is not None:
        source.changing(now)
        source.snapshot_ids = tuple(each for each in source.snapshot_ids if each != snapshot.id)
    sandbox.removed(sandbox.snapshots, snapshot, now)
    return Deleted(id=snapshot.id)
