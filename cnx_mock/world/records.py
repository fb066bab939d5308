"""The records that a sandbox keeps: slotted, mutable, and known to every service that needs them.

All instants are microseconds since the Unix epoch.
"""

from collections.abc import Callable, Iterator
from dataclasses import field, fields, replace
from typing import Any, ClassVar, Self

from cnx_mock.dataclass import dataclass
from cnx_mock.world import kinds
from cnx_mock.world.clock import NEVER
from cnx_mock.world.kinds import Kind
from cnx_mock.world.lifecycle import Lifecycle

IndexKey = tuple[str, str]
"""A field that lists are filtered by, and one value that a record has there: `("region", "us-east-1")`."""


@dataclass(slots=True, eq=False)
class TableChanges:
    """What the records of one table share, so that a record can tell its table that it has changed."""

    version: object = field(default_factory=object)
    """Stands for the table as it is. Every change sets another object."""
    places: set[int] | None = None
    """The places of the records that changed since the table's index last looked; None if it has no index."""
    lazy: range = range(0)
    """The places whose records a source makes, as long as they have not changed."""
    kept: dict[int, "Record"] = field(default_factory=dict)
    """The records at these places that have changed."""
    observer: Callable[[Any], None] | None = None
    """Called with every record that changes; None if nobody follows the table."""

    def note(self, record: "Record") -> None:
        """Note that a record is new, changes, or was removed."""
        self.version = object()
        if self.places is not None:
            self.places.add(record.place)
        if record.place in self.lazy:
            self.kept[record.place] = record
        if self.observer is not None:
            self.observer(record)


@dataclass(slots=True, weakref_slot=True, kw_only=True, eq=False, repr=False)
class Record:
    """Anything with an id that a table holds."""

    kind: ClassVar[Kind]
    """What records of this class are called."""

    id: str
    shown: Any = field(default=None, init=False, repr=False)
    """The answer that lists show for it, cached by its service until `shown_until`."""
    shown_until: int = field(default=0, init=False, repr=False)
    detailed: Any = field(default=None, init=False, repr=False)
    """The answer with every detail, cached until `detailed_until`."""
    detailed_until: int = field(default=0, init=False, repr=False)

    changes_of_table: TableChanges | None = field(default=None, init=False, repr=False)
    """Gets its changes for its table; None if it is in no table."""
    place: int = field(default=0, init=False, repr=False)
    """Its place in its table, in order of creation; from 0."""

    def __repr__(self) -> str:
        """Return its class and its fields. (One for all: a `__repr__` for each dataclass takes a start's time.)"""
        given = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
        return f"{type(self).__name__}({', '.join(given)})"

    def forget(self) -> None:
        """Forget the cached answers."""
        self.shown = self.detailed = None
        self.shown_until = self.detailed_until = 0

    def touch(self) -> None:
        """Forget the cached answers, because the record has changed."""
        self.forget()
        if self.changes_of_table is not None:
            self.changes_of_table.note(self)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class MadeRecord(Record):
    """A record that a client makes, and that a stale read can show as it was."""

    keys_change: ClassVar[bool] = False
    """Whether what lists are filtered by can change."""

    number: int
    """Its number among all records of its kind that the sandbox ever made; from 1."""
    created: int
    updated: int
    changed: int = field(default=0, init=False, repr=False)
    """The instant of its last change; 0 if it has not changed since it was made."""
    former: Self | None = field(default=None, init=False, repr=False)
    """A copy of it from just before that change."""

    def changing(self: Self, now: int) -> None:
        """Keep a copy for stale reads and forget the cached answers. Call it before every change.

        Only one former version is kept. Several changes at the same instant count as one, and a change at the instant
        of creation belongs to the creation.
        """
        self.touch()
        if now not in (self.changed, self.created):
            given = ((each.name, getattr(self, each.name)) for each in fields(self) if each.init)
            own: dict[str, Any] = {name: list(value) for name, value in given if isinstance(value, list)}
            self.former = replace(self, **own)
            self.changed = now

    def status(self, now: int) -> str:
        """Return its status at this instant: a kind that takes no time to become ready is always active."""
        return "active"

    def changes(self, now: int) -> int:
        """Return the next instant at which its status changes by itself, or NEVER."""
        return NEVER

    def moved(self, now: int) -> int:
        """Return when it was last made, changed, or changed its status, up to this instant."""
        return max(self.created, self.changed)

    def index_keys(self) -> Iterator[IndexKey]:
        """Return what lists of its kind are filtered by, other than the status. They change only if `keys_change`."""
        yield from ()

    def as_of(self, instant: int) -> Self | None:
        """Return a copy of the record as it was at an instant, or None if it did not exist yet.

        Only one former version is known, so an earlier state than that cannot be returned. The copy is only to be
        read: it shares its lists and its lifecycle with the record. Sharing the lifecycle is safe, because a lifecycle
        only ever changes by ending now, which does not alter its status at an earlier instant.
        """
        if self.created > instant:
            return None
        then = self.former if self.former is not None and self.changed > instant else self
        return replace(then)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class PlanRecord(Record):
    """A compute tier."""

    kind = kinds.PLAN

    name: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    hourly_cents: int


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class RegionRecord(Record):
    """A place that resources can be deployed to."""

    kind = kinds.REGION

    name: str


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ImageRecord(Record):
    """An operating system that an instance can boot."""

    kind = kinds.IMAGE

    name: str
    distribution: str
    version: str
    min_disk_gb: int


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ProvisionedRecord(MadeRecord):
    """A record that takes time to become ready."""

    name: str
    lifecycle: Lifecycle

    def status(self, now: int) -> str:
        """Return its status at this instant."""
        return self.lifecycle.status(now)

    def changes(self, now: int) -> int:
        """Return the next instant at which its status changes by itself, or NEVER."""
        ends = self.lifecycle.ends
        return NEVER if ends is None or ends <= now else ends

    def moved(self, now: int) -> int:
        """Return when it was last made, changed, or changed its status, up to this instant."""
        ends = self.lifecycle.ends
        return MadeRecord.moved(self, now) if ends is None or ends > now else max(MadeRecord.moved(self, now), ends)

    def provisioned(self, now: int) -> int | None:
        """Return the instant at which it became ready, or None if it has not yet."""
        return self.lifecycle.ends if self.lifecycle.ready(now) else None


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class InstanceRecord(ProvisionedRecord):
    """A virtual machine."""

    kind = kinds.INSTANCE

    plan: PlanRecord
    region: str
    image: str
    tags: tuple[str, ...] = ()
    firewall_ids: tuple[str, ...] = ()
    load_balancer_ids: tuple[str, ...] = ()
    snapshot_ids: tuple[str, ...] = ()
    forced: tuple[str, int] | None = None
    """A status that the control plane or a fixture has set, and the instant since which it holds. No documented call
    stops an instance."""

    @classmethod
    def begun(
        cls,
        id: str,
        number: int,
        name: str,
        plan: PlanRecord,
        region: str,
        image: str,
        tags: tuple[str, ...],
        now: int,
        lifecycle: Lifecycle,
    ) -> Self:
        """Return the record of an instance that is made now. (A class called with keywords takes four times as long;
        `tests/services/test_fast_create.py` holds that it makes the same.)"""
        record = object.__new__(cls)
        record.id, record.number, record.name, record.created, record.updated = id, number, name, now, now
        record.plan, record.region, record.image, record.tags = plan, region, image, tags
        record.lifecycle, record.forced, record.former, record.changed = lifecycle, None, None, 0
        record.firewall_ids = record.load_balancer_ids = record.snapshot_ids = ()
        record.shown = record.detailed = record.changes_of_table = None
        record.shown_until = record.detailed_until = record.place = 0
        return record

    def changes(self, now: int) -> int:
        """Return the next instant at which its status changes by itself, or NEVER."""
        return NEVER if self.forced else ProvisionedRecord.changes(self, now)

    def index_keys(self) -> Iterator[IndexKey]:
        """Return its region and its tags."""
        yield "region", self.region
        for tag in self.tags:
            yield "tags", tag

    def status(self, now: int) -> str:
        """Return `provisioning`, `running` or `stopped`."""
        if self.forced:
            return self.forced[0]
        return self.lifecycle.status(now)

    def provisioned(self, now: int) -> int | None:
        """Return the instant at which it became ready, or None if it has not yet."""
        if self.lifecycle.ready(now):
            return self.lifecycle.ends
        return self.forced[1] if self.forced else None

    def stopped(self, now: int) -> int | None:
        """Return the instant since which it has been stopped, or None if it is not stopped."""
        if self.status(now) != "stopped":
            return None
        return self.forced[1] if self.forced else self.lifecycle.ends


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class SnapshotRecord(ProvisionedRecord):
    """A copy of an instance's disk."""

    kind = kinds.SNAPSHOT

    label: str | None
    """The name that the client gave it; None if it gave none."""
    source_instance_id: str
    source_instance_name: str
    region: str
    image: str
    size_gb: int
    min_disk_gb: int

    def index_keys(self) -> Iterator[IndexKey]:
        """Return its region and the instance that it was taken of."""
        yield "region", self.region
        yield "instance_id", self.source_instance_id


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class FirewallRecord(MadeRecord):
    """A firewall: rules for the traffic of the instances attached to it."""

    kind = kinds.FIREWALL
    keys_change = True

    settings: dict[str, Any]
    """The fields that the client declared, except for the instances."""
    instance_ids: list[str]

    def index_keys(self) -> Iterator[IndexKey]:
        """Return the instances that it protects."""
        for each in self.instance_ids:
            yield "instance_id", each

    def toggle(self, instance: InstanceRecord) -> None:
        """Add itself to the firewalls that an instance keeps, or take itself out."""
        instance.firewall_ids = _toggled(instance.firewall_ids, self.id)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class LoadBalancerRecord(ProvisionedRecord):
    """A load balancer: it spreads traffic over the instances attached to it."""

    kind = kinds.LOAD_BALANCER
    keys_change = True

    settings: dict[str, Any]
    """The fields that the client declared, except for the name, the regions and the instances."""
    regions: list[str]
    instance_ids: list[str]

    def index_keys(self) -> Iterator[IndexKey]:
        """Return the regions that it serves."""
        for each in self.regions:
            yield "region", each

    def toggle(self, instance: InstanceRecord) -> None:
        """Add itself to the load balancers that an instance keeps, or take itself out."""
        instance.load_balancer_ids = _toggled(instance.load_balancer_ids, self.id)


def _toggled(ids: tuple[str, ...], own: str) -> tuple[str, ...]:
    """Return the ids with this one at the end, or without it if it is one of them."""
    return tuple(each for each in ids if each != own) if own in ids else (*ids, own)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class KeyRecord(Record):
    """An API key. Its digits are a secret: the API shows only the last four."""

    kind = kinds.API_KEY

    name: str
    digits: str
    scopes: tuple[str, ...]
    revoked: bool
    created: int
