"""The records that a sandbox keeps: slotted, mutable, and known to every service that must see them."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

from cnx_mock.world.lifecycle import Lifecycle

NEVER = 1 << 63
"""An instant that does not come."""


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """Anything with an id that a table holds."""

    table: ClassVar[str]
    """Its table's name, which is also the first word of its operations: `instances`."""
    noun: ClassVar[str]
    """What one of them is called in an error: `instance`."""

    id: str
    shown: Any = field(default=None, init=False, repr=False)
    """What was last shown of it in a list, kept by its service until `shown_until`."""
    shown_until: int = field(default=0, init=False, repr=False)
    detailed: Any = field(default=None, init=False, repr=False)
    """The same in every detail, until `detailed_until`."""
    detailed_until: int = field(default=0, init=False, repr=False)

    pages: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)
    """Its table's pages, which show it: shared by all records of the table."""
    place: int = field(default=0, init=False, repr=False)
    """How many its table had been given when it came."""

    def touch(self) -> None:
        """Forget what was shown: it is another one by now."""
        self.shown_until = self.detailed_until = 0
        self.pages.clear()


@dataclass(slots=True, kw_only=True, eq=False)
class MadeRecord(Record):
    """Anything that a client makes, and that reads may lag behind."""

    number: int
    """Which of its kind it is: 1 for the first that the sandbox ever made."""
    created: int
    updated: int
    changed: int = field(default=0, init=False, repr=False)
    """The instant of its last change; 0 while it is what it was made."""
    former: Self | None = field(default=None, init=False, repr=False)
    """What it was right before that."""

    def changing(self: Self, now: int) -> None:
        """To be called before every change: keep what it is until now, and forget what was shown.

        One former version is kept. What changes twice at one instant, or at that of its making, was never anything
        else in between.
        """
        self.touch()
        if now not in (self.changed, self.created):
            given = ((each.name, getattr(self, each.name)) for each in fields(self) if each.init)
            own: dict[str, Any] = {name: list(value) for name, value in given if isinstance(value, list)}
            self.former = replace(self, **own)
            self.changed = now

    def as_of(self, instant: int) -> Self | None:
        """A copy of what it was at an instant, as far as one former version tells; None before it was made. To be read
        only: nothing was shown of it yet, but its lists and its lifecycle are not its own.

        A lifecycle only ever learns that it ends now, which is no news to whoever looks at an earlier instant.
        """
        if self.created > instant:
            return None
        then = self.former if self.former is not None and self.changed > instant else self
        return replace(then)


@dataclass(slots=True, kw_only=True, eq=False)
class PlanRecord(Record):
    """A compute tier."""

    table = "plans"
    noun = "plan"

    name: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    hourly_cents: int


@dataclass(slots=True, kw_only=True, eq=False)
class RegionRecord(Record):
    """A place that resources can be deployed to."""

    table = "regions"
    noun = "region"

    name: str


@dataclass(slots=True, kw_only=True, eq=False)
class ImageRecord(Record):
    """An operating system that an instance can boot."""

    table = "images"
    noun = "image"

    name: str
    distribution: str
    version: str
    min_disk_gb: int


@dataclass(slots=True, kw_only=True, eq=False)
class ProvisionedRecord(MadeRecord):
    """Anything that takes time to come up."""

    name: str
    lifecycle: Lifecycle

    def status(self, now: int) -> str:
        """Where it is in its life."""
        return self.lifecycle.status(now)

    def provisioned(self, now: int) -> int | None:
        """The instant at which it came up, or None before that."""
        return self.lifecycle.ends if self.lifecycle.ready(now) else None


@dataclass(slots=True, kw_only=True, eq=False)
class InstanceRecord(ProvisionedRecord):
    """A virtual machine."""

    table = "instances"
    noun = "instance"

    plan: PlanRecord
    region: str
    image: str
    tags: list[str]
    firewall_ids: list[str] = field(default_factory=list)
    load_balancer_ids: list[str] = field(default_factory=list)
    snapshot_ids: list[str] = field(default_factory=list)
    forced: tuple[str, int] | None = None
    """A status set from outside (the control plane, a fixture), and since when: no documented call stops an
    instance."""

    def changes(self, now: int) -> int:
        """The instant from which its status may be another one without anybody's doing."""
        coming_up = self.forced is None and not self.lifecycle.ready(now)
        return self.lifecycle.ends if coming_up and self.lifecycle.ends is not None else NEVER

    def status(self, now: int) -> str:
        """`provisioning`, `running` or `stopped`."""
        if self.forced:
            return self.forced[0]
        return self.lifecycle.status(now)

    def provisioned(self, now: int) -> int | None:
        """The instant at which it came up, or None before that."""
        if self.lifecycle.ready(now):
            return self.lifecycle.ends
        return self.forced[1] if self.forced else None

    def stopped(self, now: int) -> int | None:
        """The instant since which it has been stopped, or None while it is not."""
        if self.status(now) != "stopped":
            return None
        return self.forced[1] if self.forced else self.lifecycle.ends


@dataclass(slots=True, kw_only=True, eq=False)
class SnapshotRecord(ProvisionedRecord):
    """An instance's disk as it was."""

    table = "snapshots"
    noun = "snapshot"

    label: str | None
    """The name that the client gave it, if any."""
    source_instance_id: str
    source_instance_name: str
    region: str
    image: str
    size_gb: int
    min_disk_gb: int


@dataclass(slots=True, kw_only=True, eq=False)
class FirewallRecord(MadeRecord):
    """Rules for what may reach some instances, and what these may reach."""

    table = "firewalls"
    noun = "firewall"

    settings: dict[str, Any]
    """What the client declared: the fields of the answer that it may set, but for the instances."""
    instance_ids: list[str]


@dataclass(slots=True, kw_only=True, eq=False)
class LoadBalancerRecord(ProvisionedRecord):
    """A way in to some instances, in one region or several."""

    table = "load_balancers"
    noun = "load_balancer"

    settings: dict[str, Any]
    """What the client declared, as for a firewall."""
    regions: list[str]
    instance_ids: list[str]


@dataclass(slots=True, kw_only=True, eq=False)
class KeyRecord(Record):
    """An API key. The digits are a secret even here: the API shows the last four."""

    table = "api_keys"
    noun = "api_key"

    name: str
    digits: str
    scopes: tuple[str, ...]
    revoked: bool
    created: int
