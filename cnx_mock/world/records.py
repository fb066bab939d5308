"""The records that a sandbox keeps: slotted, mutable, and known to every service that must see them."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnx_mock.world.lifecycle import Lifecycle


@dataclass(slots=True, kw_only=True, eq=False)
class Record:
    """Anything with an id that a table holds."""

    table: ClassVar[str]
    """Its table's name, which is also the first word of its operations: `instances`."""
    noun: ClassVar[str]
    """What one of them is called in an error: `instance`."""

    id: str
    shown: Any = field(default=None, init=False, repr=False)
    """What was last shown of it, kept by its service for as long as it is true; `touch` forgets it."""

    def touch(self) -> None:
        """Forget what was shown: the record has changed."""
        self.shown = None


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
class InstanceRecord(Record):
    """A virtual machine."""

    table = "instances"
    noun = "instance"

    number: int
    name: str
    plan: PlanRecord
    region: str
    image: str
    tags: list[str]
    created: int
    updated: int
    lifecycle: Lifecycle
    forced: tuple[str, int] | None = None
    """A status set from outside (the control plane, a fixture), and since when: no documented call stops an
    instance."""

    def status(self, now: int) -> str:
        """`provisioning`, `running` or `stopped`."""
        if self.forced:
            return self.forced[0]
        return self.lifecycle.then if self.lifecycle.ready(now) else "provisioning"

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
