"""A sandbox: one key's world, made of a clock, chance, an account, a ledger and tables."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cnx_mock.world.account import PLAN_LIMITS, Account, AccountPlan, AccountTraits
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import Clock
from cnx_mock.world.ledger import Ledger
from cnx_mock.world.lifecycle import INSTANCE, Provisioning
from cnx_mock.world.records import ImageRecord, InstanceRecord, PlanRecord, Record, RegionRecord
from cnx_mock.world.table import Table

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a sandbox begins; everything has a default."""

    traits: AccountTraits = AccountTraits()
    plan: AccountPlan | None = None
    balance: int | None = None
    rate_limit: int | None = None
    scopes: tuple[str, ...] | None = None
    quotas: Mapping[str, int] = field(default_factory=dict)
    plan_limits: Mapping[AccountPlan, int] = field(default_factory=lambda: PLAN_LIMITS)
    provisioning: Mapping[str, Provisioning] = field(default_factory=dict)
    start: int | None = None
    speed: float = 1.0
    frozen: bool = False


class Sandbox:
    """What the cloud remembers for one key."""

    def __init__(self, name: str, seed: int, catalogue: Catalogue, plan: Plan) -> None:
        self.chance = Chance(seed, name)
        self.clock = Clock(plan.start, plan.speed, plan.frozen)
        self.ledger = Ledger()
        self.account = Account(
            id=self.chance.new_id("acct"),
            plan=plan.plan or plan.traits.plan,
            plan_limits=dict(plan.plan_limits),
            scopes=plan.scopes if plan.scopes is not None else plan.traits.scopes,
            fate=plan.traits.fate,
            created=self.clock.now(),
            rate_limit=plan.rate_limit,
            quotas=dict(plan.quotas),
        )
        self.provisioning: dict[str, Provisioning] = {"instance": INSTANCE, **plan.provisioning}
        self.instances: Table[InstanceRecord] = Table()
        self.polling: dict[str, InstanceRecord] = {}
        """The instances that come up by being polled and have not yet: few, so that a list need not look at all."""
        self.catalogue = catalogue
        self._tables: dict[str, Table[Any]] = {
            InstanceRecord.table: self.instances,
            PlanRecord.table: catalogue.plans,
            RegionRecord.table: catalogue.regions,
            ImageRecord.table: catalogue.images,
        }
        self.ledger.credit(
            self.clock.now(), plan.balance if plan.balance is not None else plan.traits.balance, "Opening balance"
        )

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

    def count_polls(self, polled: Iterable[InstanceRecord]) -> None:
        """Count one read of each of these."""
        now = self.clock.now()
        for record in polled:
            record.lifecycle.seen(now)
            if record.lifecycle.ready(now):
                self.polling.pop(record.id, None)

    @property
    def untouched(self) -> bool:
        """Whether nothing has ever been made in it."""
        return not self.ledger.meters
