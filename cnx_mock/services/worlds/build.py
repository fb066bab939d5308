"""An account's entries → records in a sandbox. Nothing is checked here: `read_fixture` has built it once before."""

from collections.abc import Sequence
from typing import Any, TypeVar

from cnx_mock.errors import Path, Problem
from cnx_mock.services.compute import METERED_NAME
from cnx_mock.services.network import REGION_HOURLY_CENTS, attach, health_check
from cnx_mock.services.worlds.document import (
    AccountEntry,
    ChargeEntry,
    CreditEntry,
    Entry,
    FirewallEntry,
    InstanceEntry,
    LifeEntry,
    LoadBalancerEntry,
    SnapshotEntry,
)
from cnx_mock.world.account import DEFAULT_BALANCE
from cnx_mock.world.clock import HOUR
from cnx_mock.world.ledger import OPENING
from cnx_mock.world.lifecycle import Lifecycle
from cnx_mock.world.records import FirewallRecord, InstanceRecord, LoadBalancerRecord, SnapshotRecord
from cnx_mock.world.sandbox import SandboxState

DAY = 24 * HOUR

_LAST = 1 << 62

T = TypeVar("T", bound=Entry)


class Builder:
    """One account's way into a sandbox; what is wrong with it is left in `problems`."""

    def __init__(self, sandbox: SandboxState, entry: AccountEntry, path: Path) -> None:
        self.problems: list[Problem] = []
        self._sandbox, self._entry, self._path = sandbox, entry, path
        self._now = sandbox.now
        self._metered: list[tuple[str, str, int, int]] = []
        self._open: set[str] = set()
        self._named: dict[str, InstanceRecord] = {}

    def build(self) -> None:
        """Everything that the account has, in an order in which each thing finds what it speaks of."""
        entry = self._entry
        known = {each.id for each in entry.snapshots}
        for index, instance in enumerate(entry.instances):
            self._instance(instance, index, known)
        for index, snapshot in enumerate(entry.snapshots):
            self._snapshot(snapshot, index)
        for index, firewall in enumerate(entry.firewalls):
            self._firewall(firewall, index)
        for index, balancer in enumerate(entry.load_balancers):
            self._load_balancer(balancer, index)
        for index, charge in enumerate(entry.history):
            self._charge(charge, index)
        for index, credit in enumerate(entry.credits):
            if _at(credit, self._now) > self._now:
                self._wrong("credits", index, "at", message="lies in the future")
        if not self.problems:
            self._ledger()

    def _wrong(self, *where: str | int, message: str) -> None:
        self.problems.append(Problem((*self._path, *where), message))

    def _identity(self, kind: str, entry: Any, table: Any, where: tuple[str, int]) -> tuple[str, int]:
        chance = self._sandbox.chance
        number: int = entry.number or chance.count(kind)
        chance.resume({kind: number})
        record_id: str = entry.id or chance.new_id(kind, number)
        if record_id in table:
            self._wrong(*where, "id", message=f"{record_id} is there already")
        return record_id, number

    def _times(self, entry: Entry, where: tuple[str, int]) -> tuple[int, int]:
        if entry.created_at is not None:
            created = int(entry.created_at)
        else:
            created = self._now - (DAY if entry.age is None else entry.age)
        if created > self._now:
            self._wrong(*where, "created_at", message="lies in the future")
        return created, created if entry.updated_at is None else int(entry.updated_at)

    def _life(
        self, kind: str, life: LifeEntry | None, record_id: str, created: int, up: bool, then: str, first: str
    ) -> Lifecycle:
        """As the entry says exactly; else come up in its time, or only begun now."""
        if life is not None:
            return Lifecycle(began=created, ends=life.ends, polls_left=life.polls_left, then=life.then, first=first)
        if up:
            ends = min(created + 45_000_000, self._now)
            return Lifecycle(began=created, ends=ends, polls_left=None, then=then, first=first)
        return self._sandbox.begin(kind, record_id, self._now, then=then, first=first)

    def _instance(self, entry: InstanceEntry, index: int, snapshots: set[str | None]) -> None:
        where = ("instances", index)
        sandbox = self._sandbox
        if entry.image not in sandbox.catalogue.images and entry.image not in snapshots:
            self._wrong(*where, "image", message="is neither an image id nor the id of a snapshot in this account")
        record_id, number = self._identity("inst", entry, sandbox.instances, where)
        created, updated = self._times(entry, where)
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
            tags=list(dict.fromkeys(entry.tags)),
            created=created,
            updated=updated,
            lifecycle=self._life(
                "instance", entry.life, record_id, created, entry.status != "provisioning", "running", "provisioning"
            ),
            forced=forced,
        )
        sandbox.added(sandbox.instances, record)
        self._named.setdefault(entry.name, record)
        self._metered.append(
            (record_id, METERED_NAME.format(name=entry.name, plan=plan.id), plan.hourly_cents, created)
        )

    def _find(self, word: str) -> InstanceRecord | None:
        return self._sandbox.instances.get(word) or self._named.get(word)

    def _snapshot(self, entry: SnapshotEntry, index: int) -> None:
        where = ("snapshots", index)
        sandbox, source = self._sandbox, self._find(entry.instance)
        record_id, number = self._identity("snap", entry, sandbox.snapshots, where)
        created, updated = self._times(entry, where)
        exact = entry.source_name, entry.region, entry.image, entry.disk_gb
        if source is None and None in exact:
            self._wrong(*where, "instance", message=f"no instance of this account is called '{entry.instance}'")
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
                "snapshot", entry.life, record_id, created, entry.status == "available", "available", "creating"
            ),
        )
        sandbox.added(sandbox.snapshots, record)
        if source is not None:
            source.snapshot_ids.append(record_id)

    def _behind(self, ids: Sequence[str], where: tuple[str, int], regions: Sequence[str] | None = None) -> list[str]:
        found = []
        for index, word in enumerate(ids):
            instance = self._find(word)
            if instance is None:
                self._wrong(*where, "instance_ids", index, message=f"no instance of this account is called '{word}'")
            elif regions is not None and instance.region not in regions:
                self._wrong(*where, "instance_ids", index, message=f"is in {instance.region}, none of the regions")
            else:
                found.append(instance.id)
        return list(dict.fromkeys(found))

    def _firewall(self, entry: FirewallEntry, index: int) -> None:
        where = ("firewalls", index)
        record_id, number = self._identity("fw", entry, self._sandbox.firewalls, where)
        created, updated = self._times(entry, where)
        settings = entry.model_dump(include={"name", "default_inbound", "default_outbound", "rules"})
        record = FirewallRecord(
            id=record_id, number=number, settings=settings, instance_ids=[], created=created, updated=updated
        )
        self._sandbox.firewalls.add(record)
        attach(self._sandbox, record, self._behind(entry.instance_ids, where), "firewall_ids", created)

    def _load_balancer(self, entry: LoadBalancerEntry, index: int) -> None:
        where = ("load_balancers", index)
        sandbox = self._sandbox
        record_id, number = self._identity("lb", entry, sandbox.load_balancers, where)
        created, updated = self._times(entry, where)
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
                "load_balancer", entry.life, record_id, created, entry.status == "active", "active", "provisioning"
            ),
        )
        sandbox.added(sandbox.load_balancers, record)
        attach(sandbox, record, self._behind(entry.instance_ids, where, entry.regions), "load_balancer_ids", created)
        price = REGION_HOURLY_CENTS * len(entry.regions)
        self._metered.append((record_id, f"Load balancer {entry.name}", price, created))

    def _charge(self, charge: ChargeEntry, index: int) -> None:
        """Time runs forward, and a resource is charged once at a time."""
        opened, closed = _span(charge, self._now)
        if closed is not None and closed < opened:
            self._wrong("history", index, "closed", message="lies before it began")
        if charge.resource_id in self._open:
            self._wrong("history", index, "resource_id", message=f"{charge.resource_id} is charged for already")
        if closed is None:
            running = {record_id for record_id, *_ in self._metered} if self._entry.ledger != "complete" else set()
            if charge.resource_id in running:
                self._wrong("history", index, "resource_id", message=f"{charge.resource_id} is charged for anyhow")
            self._open.add(charge.resource_id)
        ahead = HOUR if self._entry.ledger == "complete" else 0  # a price that changes starts with the next hour
        if opened > self._now + ahead:
            self._wrong("history", index, "opened", message="lies in the future")
        if closed is not None and closed > self._now:
            self._wrong("history", index, "closed", message="lies in the future")

    def _ledger(self) -> None:
        """Money: exactly as an export has it, or so that what is left at the start is what the entry says."""
        entry, ledger, now = self._entry, self._sandbox.ledger, self._now
        lines: list[CreditEntry | ChargeEntry] = [*entry.credits, *entry.history]
        for line in sorted(lines, key=lambda each: each.number or _LAST):
            if isinstance(line, CreditEntry):
                ledger.credit(_at(line, now), line.amount, line.description)
            else:
                ledger.restore(line.resource_id, line.description, line.hourly, *_span(line, now))
        if entry.ledger == "complete":
            for record_id, *_ in self._metered:
                if not ledger.charges(record_id):
                    self._wrong("history", message=f"has no running charge for {record_id}, and is to be complete")
            return
        for record_id, description, cents, created in self._metered:
            ledger.restore(record_id, description, cents, created, None)
        wanted = DEFAULT_BALANCE if entry.balance is None else entry.balance
        opened = min((created for *_, created in self._metered), default=now)
        ledger.credit(min(opened, now), wanted - ledger.balance(now), OPENING)


def _at(credit: CreditEntry, now: int) -> int:
    at = credit.at if credit.at is not None else now - (credit.age or 0)
    return int(at)


def _span(charge: ChargeEntry, now: int) -> tuple[int, int | None]:
    opened = charge.opened if charge.opened is not None else now - (DAY if charge.age is None else charge.age)
    closed = charge.closed if charge.lasted is None else opened + charge.lasted
    return opened, closed
