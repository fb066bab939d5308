"""Building: the entries of an account become records in a sandbox.

The builder collects problems instead of raising. `read_fixture` builds every account once as a check, so a fixture that
has been read builds without problems.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from cnx_mock.errors import Path, Problem
from cnx_mock.services.network import attach, health_check
from cnx_mock.services.worlds.document import (
    AccountEntry,
    Entry,
    FirewallEntry,
    InstanceEntry,
    LifeEntry,
    LoadBalancerEntry,
    SnapshotEntry,
)
from cnx_mock.services.worlds.fleet import PROVISIONING_TIME, add_fleet
from cnx_mock.services.worlds.generate import FleetInstance
from cnx_mock.services.worlds.lazy_fleet import DrawnFleet, LazyFleet
from cnx_mock.services.worlds.ledger_lines import DAY, LedgerBuilder, in_portions
from cnx_mock.world import kinds
from cnx_mock.world.index import IndexedTable
from cnx_mock.world.kinds import Kind
from cnx_mock.world.lifecycle import Lifecycle
from cnx_mock.world.records import FirewallRecord, InstanceRecord, LoadBalancerRecord, SnapshotRecord
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.table import Table

Place = tuple[str, int]
"""The place of an entry in its account: the key of its list, and its index."""


class WorldBuilder:
    """Builds one account in a sandbox. Afterwards `problems` has everything that is wrong with it."""

    def __init__(
        self,
        sandbox: SandboxState,
        entry: AccountEntry,
        path: Path,
        fleet: DrawnFleet | Iterable[FleetInstance | None] = (),
    ) -> None:
        """`path` is the place of the account's entry in its document; it is put before the path of each problem.
        `fleet` is what `drawn_fleet` or `generated` returns, for an account with generated instances."""
        self.problems: list[Problem] = []
        self._sandbox, self._entry, self._path, self._fleet = sandbox, entry, path, fleet
        self._now = sandbox.now
        self._lazy: LazyFleet | None = None
        self._by_name: dict[str, InstanceRecord] = {}

    def build(self) -> None:
        """Add everything that the account has."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[None]:
        """Add everything that the account has: referenced resources first, the ledger last.

        It yields after each portion of work, so that something else can be done between the steps."""
        entry = self._entry
        add = partial(self._instance, snapshot_ids={each.id for each in entry.snapshots})
        yield from self._added(add, entry.instances, self._sandbox.instances)
        if isinstance(self._fleet, DrawnFleet):
            self._lazy = LazyFleet(self._sandbox, self._fleet, self._now)
        else:
            yield from add_fleet(self._sandbox, self._fleet, self._now)
        yield from self._others()
        ledger = LedgerBuilder(self._sandbox, entry, self._now, self._problem)
        yield from ledger.check()
        if not self.problems:
            yield from ledger.fill(self._lazy)

    def _others(self) -> Iterator[None]:
        """Add all resources that are not instances."""
        entry, sandbox = self._entry, self._sandbox
        yield from self._added(self._snapshot, entry.snapshots, sandbox.snapshots)
        yield from self._added(self._firewall, entry.firewalls, sandbox.firewalls)
        yield from self._added(self._load_balancer, entry.load_balancers, sandbox.load_balancers)

    def _added(
        self, add: Callable[[Any, int], None], entries: Sequence[Any], table: IndexedTable[Any]
    ) -> Iterator[None]:
        """Add entries to a table. Its index is made with them, so that the first filtered list need not."""
        return in_portions(add, entries, partial(table.index, self._now))

    def _problem(self, *place: str | int, message: str) -> None:
        self.problems.append(Problem((*self._path, *place), message))

    def _identity(self, kind: Kind, entry: Any, table: Table[Any], place: Place) -> tuple[str, int]:
        """Return the id and the number of an entry's record: those that it gives, or the next ones."""
        chance = self._sandbox.chance
        number: int = entry.number or chance.count(kind.prefix)
        chance.resume({kind.prefix: number})
        record_id: str = entry.id or chance.new_id(kind.prefix, number)
        if record_id in table:
            self._problem(*place, "id", message=f"{record_id} is already used")
        return record_id, number

    def _times(self, entry: Entry, place: Place) -> tuple[int, int]:
        """Return the instants at which an entry's record was created and last changed."""
        if entry.created_at is not None:
            created = int(entry.created_at)
        else:
            created = self._now - (DAY if entry.age is None else entry.age)
        if created > self._now:
            self._problem(*place, "created_at", message="is in the future")
        return created, created if entry.updated_at is None else int(entry.updated_at)

    def _life(
        self, kind: Kind, life: LifeEntry | None, record_id: str, created: int, up: bool, then: str, first: str
    ) -> Lifecycle:
        """Return a record's lifecycle: exactly as `life` has it; otherwise complete if `up`, or starting now."""
        if life is not None:
            return Lifecycle(ends=life.ends, polls_left=life.polls_left, then=life.then, first=first)
        if up:
            ends = min(created + PROVISIONING_TIME, self._now)
            return Lifecycle(ends=ends, polls_left=None, then=then, first=first)
        return self._sandbox.begin(kind, record_id, self._now, then=then, first=first)

    def _instance(self, entry: InstanceEntry, index: int, snapshot_ids: set[str | None]) -> None:
        place = (kinds.INSTANCE.plural, index)
        sandbox = self._sandbox
        if entry.image not in sandbox.catalogue.images and entry.image not in snapshot_ids:
            self._problem(*place, "image", message="is neither an image id nor the id of a snapshot in this account")
        record_id, number = self._identity(kinds.INSTANCE, entry, sandbox.instances, place)
        created, updated = self._times(entry, place)
        plan = sandbox.catalogue.plans.get(entry.plan)
        assert plan is not None, "the declaration and the catalogue name the same plans"
        forced: tuple[str, int] | None = None
        if entry.set_at is not None:
            forced = (entry.status, entry.set_at)
        elif entry.status == "stopped" and entry.life is None:
            forced = ("stopped", updated)
        record = InstanceRecord(
            id=record_id,
            number=number,
            name=entry.name,
            plan=plan,
            region=entry.region,
            image=entry.image,
            tags=tuple(dict.fromkeys(entry.tags)),
            created=created,
            updated=updated,
            lifecycle=self._life(
                kinds.INSTANCE,
                entry.life,
                record_id,
                created,
                entry.status != "provisioning",
                then="running",
                first="provisioning",
            ),
            forced=forced,
        )
        sandbox.added(sandbox.instances, record)
        self._by_name.setdefault(entry.name, record)

    def _find(self, reference: str) -> InstanceRecord | None:
        """Return the account's instance with this id, or the first one with this name."""
        return self._sandbox.instances.get(reference) or self._by_name.get(reference)

    def _snapshot(self, entry: SnapshotEntry, index: int) -> None:
        place = (kinds.SNAPSHOT.plural, index)
        sandbox, source = self._sandbox, self._find(entry.instance)
        record_id, number = self._identity(kinds.SNAPSHOT, entry, sandbox.snapshots, place)
        created, updated = self._times(entry, place)
        known = entry.source_name, entry.region, entry.image, entry.disk_gb
        if source is None and None in known:
            self._problem(*place, "instance", message=f"no instance of this account is called '{entry.instance}'")
            return
        disk = entry.disk_gb or (source.plan.disk_gb if source else 0)
        record = SnapshotRecord(
            id=record_id,
            number=number,
            name=entry.name or record_id,
            label=entry.name,
            source_instance_id=source.id if source else entry.instance,
            source_instance_name=entry.source_name or (source.name if source else ""),
            region=entry.region or (source.region if source else ""),
            image=entry.image or (source.image if source else ""),
            size_gb=disk,
            min_disk_gb=disk,
            created=created,
            updated=updated,
            lifecycle=self._life(
                kinds.SNAPSHOT,
                entry.life,
                record_id,
                created,
                entry.status == "available",
                then="available",
                first="creating",
            ),
        )
        sandbox.added(sandbox.snapshots, record)
        if source is not None:
            source.snapshot_ids += (record_id,)

    def _attached(self, references: Sequence[str], place: Place, regions: Sequence[str] | None = None) -> list[str]:
        """Return the ids of the instances that are referenced by name or id, each once. They must be in the regions."""
        found = []
        for index, word in enumerate(references):
            instance = self._find(word)
            if instance is None:
                self._problem(*place, "instance_ids", index, message=f"no instance of this account is called '{word}'")
            elif regions is not None and instance.region not in regions:
                message = f"is in {instance.region}, which is not one of the regions"
                self._problem(*place, "instance_ids", index, message=message)
            else:
                found.append(instance.id)
        return list(dict.fromkeys(found))

    def _firewall(self, entry: FirewallEntry, index: int) -> None:
        place = (kinds.FIREWALL.plural, index)
        record_id, number = self._identity(kinds.FIREWALL, entry, self._sandbox.firewalls, place)
        created, updated = self._times(entry, place)
        settings = entry.model_dump(include={"name", "default_inbound", "default_outbound", "rules"})
        record = FirewallRecord(
            id=record_id, number=number, settings=settings, instance_ids=[], created=created, updated=updated
        )
        self._sandbox.firewalls.add(record)
        attach(self._sandbox, record, self._attached(entry.instance_ids, place), created)

    def _load_balancer(self, entry: LoadBalancerEntry, index: int) -> None:
        place = (kinds.LOAD_BALANCER.plural, index)
        sandbox = self._sandbox
        record_id, number = self._identity(kinds.LOAD_BALANCER, entry, sandbox.load_balancers, place)
        created, updated = self._times(entry, place)
        settings = entry.model_dump(include={"algorithm", "forwarding_rules"})
        record = LoadBalancerRecord(
            id=record_id,
            number=number,
            name=entry.name,
            settings={**settings, "health_check": health_check(entry)},
            regions=list(entry.regions),
            instance_ids=[],
            created=created,
            updated=updated,
            lifecycle=self._life(
                kinds.LOAD_BALANCER,
                entry.life,
                record_id,
                created,
                entry.status == "active",
                then="active",
                first="provisioning",
            ),
        )
        sandbox.added(sandbox.load_balancers, record)
        attach(sandbox, record, self._attached(entry.instance_ids, place, entry.regions), created)
