"""A sandbox: one key's world, made of a clock, chance, an account, a ledger and tables."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from cnx_mock.world.account import PLAN_LIMITS, AccountPlan, AccountTraits, SandboxAccount
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import Clock
from cnx_mock.world.ledger import OPENING, Ledger
from cnx_mock.world.lifecycle import INSTANCE, SNAPSHOT, Lifecycle, ProvisioningRule
from cnx_mock.world.past import ledger_as_of, table_as_of
from cnx_mock.world.records import (
    FirewallRecord,
    ImageRecord,
    InstanceRecord,
    KeyRecord,
    LoadBalancerRecord,
    PlanRecord,
    ProvisionedRecord,
    Record,
    RegionRecord,
    SnapshotRecord,
)
from cnx_mock.world.table import Table

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=ProvisionedRecord)

PROVISIONING = {"instance": INSTANCE, "load_balancer": INSTANCE, "snapshot": SNAPSHOT}
"""How long each kind takes unless a scenario says; a load balancer takes as long as an instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How a sandbox begins; everything has a default."""

    traits: AccountTraits = AccountTraits()
    plan: AccountPlan | None = None
    balance: int | None = None
    rate_limit: int | None = None
    quotas: Mapping[str, int] = field(default_factory=dict)
    plan_limits: Mapping[AccountPlan, int] = field(default_factory=lambda: PLAN_LIMITS)
    provisioning: Mapping[str, ProvisioningRule] = field(default_factory=dict)
    readings: Mapping[str, str] = field(default_factory=dict)
    start: int | None = None
    speed: float = 1.0
    frozen: bool = False
    magic: bool = True


class SandboxState:
    """What the cloud remembers for one key."""

    def __init__(self, name: str, seed: int, catalogue: Catalogue, plan: SandboxOptions, opening: bool = True) -> None:
        self.chance = Chance(seed, name)
        self.clock = Clock(plan.start, plan.speed, plan.frozen)
        self.ledger = Ledger()
        self.account = SandboxAccount(
            id=self.chance.new_id("acct"),
            name="SandboxState",
            plan=plan.plan or plan.traits.plan,
            plan_limits=dict(plan.plan_limits),
            fate=plan.traits.fate,
            created=self.clock.now(),
            rate_limit=plan.rate_limit,
            quotas=dict(plan.quotas),
        )
        self.provisioning: dict[str, ProvisioningRule] = {**PROVISIONING, **plan.provisioning}
        self.next_provisioning: ProvisioningRule | None = None
        """How long the next thing takes that is made, whatever its kind usually takes; then it is None again."""
        self.readings: dict[str, str] = dict(plan.readings)
        """The readings that differ from the defaults; `api.readings` knows what they mean."""
        self.magic = plan.magic
        """Whether magic names mean something."""
        self.keys: Table[KeyRecord] = Table()
        self._by_digits: dict[str, KeyRecord] = {}
        self.instances: Table[InstanceRecord] = Table()
        self.snapshots: Table[SnapshotRecord] = Table()
        self.firewalls: Table[FirewallRecord] = Table()
        self.load_balancers: Table[LoadBalancerRecord] = Table()
        self.polling: dict[str, ProvisionedRecord] = {}
        """What comes up by being polled and has not yet: little, so that a list need not look at all."""
        self.catalogue = catalogue
        self._tables: dict[str, Table[Any]] = {
            KeyRecord.table: self.keys,
            InstanceRecord.table: self.instances,
            SnapshotRecord.table: self.snapshots,
            FirewallRecord.table: self.firewalls,
            LoadBalancerRecord.table: self.load_balancers,
            PlanRecord.table: catalogue.plans,
            RegionRecord.table: catalogue.regions,
            ImageRecord.table: catalogue.images,
        }
        if opening:
            balance = plan.balance if plan.balance is not None else plan.traits.balance
            self.ledger.credit(self.clock.now(), balance, OPENING)

    @property
    def now(self) -> int:
        """The sandbox's time, as an instant."""
        return self.clock.now()

    @property
    def balance(self) -> int:
        """Cents left on the account, now."""
        return self.ledger.balance(self.clock.now())

    @balance.setter
    def balance(self, cents: int) -> None:
        now = self.clock.now()
        self.ledger.credit(now, cents - self.ledger.balance(now), "Balance set")

    def table(self, kind: type[R]) -> Table[R]:
        """The table that holds records of this kind."""
        return self._tables[kind.table]

    def add_key(
        self, digits: str, name: str, scopes: tuple[str, ...], revoked: bool = False, key_id: str | None = None
    ) -> KeyRecord:
        """A key to this account."""
        record = KeyRecord(
            id=key_id or self.chance.new_id("key"),
            name=name,
            digits=digits,
            scopes=scopes,
            revoked=revoked,
            created=self.clock.now(),
        )
        self._by_digits[digits] = self.keys.add(record)
        return record

    def opens(self, digits: str) -> bool:
        """Whether these are the digits of one of its keys."""
        return digits in self._by_digits

    def key_with(self, digits: str) -> KeyRecord:
        """The key with these digits, which is one of this account's."""
        return self._by_digits[digits]

    def begin(self, kind: str, record_id: str, now: int, *, then: str, first: str = "provisioning") -> Lifecycle:
        """The life of a resource of this kind that is made now."""
        rule = self.provisioning[kind].over(PROVISIONING[kind])
        if self.next_provisioning is not None:
            rule, self.next_provisioning = self.next_provisioning.over(rule), None
        if rule.then is not None and kind != "instance":  # nothing else can be stopped
            rule = replace(rule, then=None)
        return Lifecycle.begin(rule, self.chance, now, record_id, then, first)

    def added(self, table: Table[P], record: P) -> P:
        """Keep a new record that takes time to come up."""
        if record.lifecycle.polls_left:
            self.polling[record.id] = record
        return table.add(record)

    def removed(self, table: Table[P], record: P, now: int) -> None:
        """Have a record no longer that took time to come up."""
        self.polling.pop(record.id, None)
        table.remove(record, now)

    def detach(self, instance: InstanceRecord, now: int) -> None:
        """Take an instance out of every firewall and load balancer."""
        holders = [self.firewalls.get(each) for each in instance.firewall_ids]
        for holder in holders + [self.load_balancers.get(each) for each in instance.load_balancer_ids]:
            if holder is not None:
                holder.changing(now)
                holder.instance_ids.remove(instance.id)
                holder.updated = now

    def count_polls(self, polled: Iterable[ProvisionedRecord]) -> None:
        """Count one read of each of these."""
        now = self.clock.now()
        for record in polled:
            record.lifecycle.seen(now)
            if record.lifecycle.ready(now):
                self.polling.pop(record.id, None)
                record.touch()

    def as_of(self, instant: int) -> "SandboxState":
        """The sandbox as it was at an instant, to be read once and thrown away.

        Its clock stands there, and its tables hold copies: without what was made later, with what was removed later,
        and with the former version of what changed later, of which one is kept. The account, its keys and the catalogue
        are those of now, and so is `polling`: a read of the past counts in the present.
        """
        instant = max(0, instant)
        view = copy(self)
        view.clock = Clock(instant, frozen=True)
        view.ledger = ledger_as_of(self.ledger, instant)
        view.instances = table_as_of(self.instances, instant)
        view.snapshots = table_as_of(self.snapshots, instant)
        view.firewalls = table_as_of(self.firewalls, instant)
        view.load_balancers = table_as_of(self.load_balancers, instant)
        view._tables = {
            **self._tables,
            InstanceRecord.table: view.instances,
            SnapshotRecord.table: view.snapshots,
            FirewallRecord.table: view.firewalls,
            LoadBalancerRecord.table: view.load_balancers,
        }
        return view

    @property
    def untouched(self) -> bool:
        """Whether nothing has ever been made in it."""
        return not any(len(table) for table in (self.instances, self.snapshots, self.firewalls, self.load_balancers))
