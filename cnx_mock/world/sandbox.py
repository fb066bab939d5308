"""A sandbox: what the cloud remembers for one key. Its clock, its random draws, an account, a ledger and tables."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import field, replace
from itertools import chain
from typing import Any, TypeVar

from cnx_mock.dataclass import dataclass
from cnx_mock.world import kinds
from cnx_mock.world.account import PLAN_LIMITS, AccountPlan, AccountTraits, SandboxAccount
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import Clock
from cnx_mock.world.index import IndexedTable, Selection
from cnx_mock.world.kinds import Kind
from cnx_mock.world.lazy_table import LazyTable
from cnx_mock.world.ledger import OPENING, Ledger
from cnx_mock.world.lifecycle import INSTANCE, SNAPSHOT, Lifecycle, ProvisioningRule
from cnx_mock.world.past import ledger_as_of, table_as_of
from cnx_mock.world.recent import Recent
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
from cnx_mock.world.release import Holder
from cnx_mock.world.table import Table

R = TypeVar("R", bound=Record)
P = TypeVar("P", bound=ProvisionedRecord)

PROVISIONING = {
    kinds.INSTANCE.noun: INSTANCE,
    kinds.LOAD_BALANCER.noun: INSTANCE,
    kinds.SNAPSHOT.noun: SNAPSHOT,
}
"""How long each kind takes to become ready if no scenario changes it. A load balancer takes as long as an instance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How a sandbox starts. Every option has a default."""

    traits: AccountTraits = AccountTraits()
    plan: AccountPlan | None = None
    """The account's plan, in place of the one in `traits`."""
    balance: int | None = None
    """The opening balance in cents, in place of the one in `traits`."""
    rate_limit: int | None = None
    """Requests per minute, in place of the plan's."""
    quotas: Mapping[str, int] = field(default_factory=dict)
    plan_limits: Mapping[AccountPlan, int] = field(default_factory=lambda: PLAN_LIMITS)
    provisioning: Mapping[str, ProvisioningRule] = field(default_factory=dict)
    """By the noun of the kind: `instance`."""
    default_provisioning: ProvisioningRule | None = None
    """How long every other kind takes; None for the reference's times."""
    readings: Mapping[str, str] = field(default_factory=dict)
    start: int | None = None
    """The instant at which the clock starts; None for real time."""
    speed: float = 1.0
    frozen: bool = False
    magic: bool = True
    """Whether magic names have a meaning."""


class SandboxState:
    """Everything that the cloud remembers for one key."""

    def __init__(
        self,
        name: str,
        seed: int,
        catalogue: Catalogue,
        options: SandboxOptions,
        opening: bool = True,
        recent: Recent | None = None,
    ) -> None:
        """Make an empty sandbox. `name` and `seed` are the key of its random draws; `opening` credits the balance.
        `recent` is shared with other sandboxes of the server."""
        self.chance = Chance(seed, name)
        self.clock = Clock(options.start, options.speed, options.frozen)
        self.ledger = Ledger()
        self.account = SandboxAccount(
            id=self.chance.new_id(kinds.ACCOUNT.prefix),
            name="Sandbox",
            plan=options.plan or options.traits.plan,
            plan_limits=dict(options.plan_limits),
            fate=options.traits.fate,
            created=self.clock.now(),
            rate_limit=options.rate_limit,
            quotas=dict(options.quotas),
        )
        self.default_provisioning = (
            PROVISIONING
            if options.default_provisioning is None
            else dict.fromkeys(PROVISIONING, options.default_provisioning)
        )
        """How long each kind takes by default, by its noun."""
        self.provisioning: dict[str, ProvisioningRule] = {**self.default_provisioning, **options.provisioning}
        """How long each kind takes to become ready, by its noun."""
        self.next_provisioning: ProvisioningRule | None = None
        """How long the next resource takes that is made, of whatever kind. It is used once."""
        self.readings: dict[str, str] = dict(options.readings)
        """The readings that differ from their defaults, by name; see `api.readings`."""
        self.magic = options.magic
        """Whether magic names have a meaning."""
        self.recent = Recent() if recent is None else recent
        """What was read last, here or in other sandboxes of the server."""
        self.keys: Table[KeyRecord] = Table()
        self.by_digits: dict[str, KeyRecord] = {}
        """Every key of the account, by its digits."""
        self.instances: LazyTable[InstanceRecord] = LazyTable(self.recent)
        self.snapshots: IndexedTable[SnapshotRecord] = IndexedTable()
        self.firewalls: IndexedTable[FirewallRecord] = IndexedTable()
        self.load_balancers: IndexedTable[LoadBalancerRecord] = IndexedTable()
        self.polling: dict[str, ProvisionedRecord] = {}
        """The records that count polls and are not ready yet, by id. Usually none: lists then need not look."""
        self.shown_to: str | None = None
        """The caller whose polls decide what is ready, if callers are told apart; None between their calls."""
        self.catalogue = catalogue
        self._tables: dict[Kind, Table[Any]] = {
            KeyRecord.kind: self.keys,
            InstanceRecord.kind: self.instances,
            SnapshotRecord.kind: self.snapshots,
            FirewallRecord.kind: self.firewalls,
            LoadBalancerRecord.kind: self.load_balancers,
            PlanRecord.kind: catalogue.plans,
            RegionRecord.kind: catalogue.regions,
            ImageRecord.kind: catalogue.images,
        }
        if opening:
            balance = options.balance if options.balance is not None else options.traits.balance
            self.ledger.credit(self.clock.now(), balance, OPENING)

    @property
    def now(self) -> int:
        """The sandbox's time, as an instant."""
        return self.clock.now()

    @property
    def balance(self) -> int:
        """The cents that are left on the account now. Setting it adds the difference as a credit."""
        return self.ledger.balance(self.clock.now())

    @balance.setter
    def balance(self, cents: int) -> None:
        now = self.clock.now()
        self.ledger.credit(now, cents - self.ledger.balance(now), "Balance set")

    def table(self, record_class: type[R]) -> Table[R]:
        """Return the table that holds the records of a class."""
        return self._tables[record_class.kind]

    def add_key(
        self, digits: str, name: str, scopes: tuple[str, ...], revoked: bool = False, key_id: str | None = None
    ) -> KeyRecord:
        """Add a key to the account, and return its record. Without `key_id` it gets a fresh id."""
        record = KeyRecord(
            id=key_id or self.chance.new_id(kinds.API_KEY.prefix),
            name=name,
            digits=digits,
            scopes=scopes,
            revoked=revoked,
            created=self.clock.now(),
        )
        self.by_digits[digits] = self.keys.add(record)
        return record

    def opens(self, digits: str) -> bool:
        """Return whether the key with these digits belongs to this account."""
        return digits in self.by_digits

    def key_with(self, digits: str) -> KeyRecord:
        """Return the account's key with these digits. Raises KeyError if it has none."""
        return self.by_digits[digits]

    def next_id(self, kind: Kind) -> tuple[str, int]:
        """Return the id and the number of the next resource of a kind."""
        number = self.chance.count(kind.prefix)
        return self.chance.new_id(kind.prefix, number), number

    def rule(self, kind: Kind) -> ProvisioningRule:
        """Return how long resources of a kind take to become ready."""
        rule = self.provisioning[kind.noun]
        return rule.over(self.default_provisioning[kind.noun]) if rule.is_status_only else rule

    def begin(self, kind: Kind, record_id: str, now: int, *, then: str, first: str = "provisioning") -> Lifecycle:
        """Return the lifecycle of a resource that is made now: `first` is its status until it is ready, `then` its
        status after that."""
        rule = self.rule(kind)
        if self.next_provisioning is not None:
            rule, self.next_provisioning = self.next_provisioning.over(rule), None
        if rule.then is not None and kind is not kinds.INSTANCE:  # only an instance can be stopped
            rule = replace(rule, then=None)
        return Lifecycle.begin(rule, self.chance, now, record_id, then, first)

    def added(self, table: Table[P], record: P) -> P:
        """Add a new record that takes time to become ready, and return it."""
        if record.lifecycle.polls_left:
            self.polling[record.id] = record
        return table.add(record)

    def removed(self, table: Table[P], record: P, now: int) -> None:
        """Remove a record that took time to become ready."""
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

    def polled(self, among: Table[Any] | Selection[Any]) -> list[ProvisionedRecord]:
        """Return those of the records that count polls and are not ready yet. Each of these is looked at: a poll of the
        list is one of everything that is on it."""
        return [record for record in map(among.get, self.polling) if record is not None]

    def count_polls(self, polled: Iterable[ProvisionedRecord], caller: str | None = None) -> None:
        """Count one read of each of these records; `caller` is who made it, if callers are told apart."""
        now = self.clock.now()
        for record in polled:
            life = record.lifecycle
            was_ready = life.ready(now)
            life.count_poll(now, caller)
            if life.ready_for_all(now):
                self.polling.pop(record.id, None)
            if life.ready(now) and not was_ready:
                record.touch()

    def show_to(self, caller: str | None) -> None:
        """Let a caller see what counts polls as it has polled it itself, until the end of its call. None ends that."""
        self.shown_to = caller
        for record in self.polling.values():
            if record.lifecycle.show_to(caller):
                record.touch()

    def bring_up(self) -> None:
        """Let everything that would never become ready be ready now. It looks at every record: people seldom ask for
        it, and 100,000 take 13 ms."""
        now = self.clock.now()
        for record in (*self.instances, *self.snapshots, *self.load_balancers):
            if record.lifecycle.ends is None:
                record.changing(now)
                record.lifecycle.ends = now

    def as_of(self, instant: int) -> "SandboxState":
        """Return the sandbox as it was at an instant, for one read.

        The clock is frozen at the instant. The tables return copies: without records that were made later, with records
        that were removed later, and with the former version of records that changed later (one such version is kept).
        The account, its keys, the catalogue and `polling` are the present ones: a stale read counts as a poll now.
        """
        instant, now = max(0, instant), self.clock.now()
        view = copy(self)
        view.clock = Clock(instant, frozen=True)
        view.ledger = ledger_as_of(self.ledger, instant)
        view.instances = table_as_of(self.instances, instant, now)
        view.snapshots = table_as_of(self.snapshots, instant, now)
        view.firewalls = table_as_of(self.firewalls, instant, now)
        view.load_balancers = table_as_of(self.load_balancers, instant, now)
        view._tables = {
            **self._tables,
            InstanceRecord.kind: view.instances,
            SnapshotRecord.kind: view.snapshots,
            FirewallRecord.kind: view.firewalls,
            LoadBalancerRecord.kind: view.load_balancers,
        }
        return view

    def holders(self) -> list[Holder]:
        """Return what holds all that a large world consists of: its records, and the entries of its ledger."""
        tables = self.instances, self.snapshots, self.firewalls, self.load_balancers
        return [*chain.from_iterable(table.holders() for table in tables), *self.ledger.holders()]

    @property
    def untouched(self) -> bool:
        """Whether the sandbox is empty: no instance, snapshot, firewall or load balancer."""
        return not any(len(table) for table in (self.instances, self.snapshots, self.firewalls, self.load_balancers))
