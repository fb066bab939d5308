"""The ledger of an account: its lines are checked, and fill the ledger of a sandbox."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from cnx_mock.services.compute import METERED_NAME
from cnx_mock.services.network import REGION_HOURLY_CENTS
from cnx_mock.services.worlds.document import AccountEntry, ChargeEntry, CreditEntry
from cnx_mock.services.worlds.fleet import INDEXED_FROM
from cnx_mock.services.worlds.generate import PORTION
from cnx_mock.services.worlds.lazy_fleet import LazyFleet
from cnx_mock.world.account import DEFAULT_BALANCE
from cnx_mock.world.clock import HOUR
from cnx_mock.world.ledger import OPENING
from cnx_mock.world.records import LoadBalancerRecord, ProvisionedRecord
from cnx_mock.world.sandbox import SandboxState

DAY = 24 * HOUR

T = TypeVar("T")

_AFTER_ALL = 1 << 62
"""Sorts lines without a number after all lines that have one."""


def in_portions(
    add: Callable[[T, int], None], entries: Sequence[T], sum_up: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Call a function with each entry and its index. It yields after each portion. Of many entries, `sum_up` is called
    then, to make what others would have to wait for if it were made for all of them at once."""
    for index, entry in enumerate(entries):
        add(entry, index)
        if index % PORTION == PORTION - 1:
            if index >= INDEXED_FROM:
                sum_up()
            yield


class LedgerBuilder:
    """Checks the lines of one account, and fills the ledger of its sandbox, in short steps."""

    def __init__(self, sandbox: SandboxState, entry: AccountEntry, now: int, problem: Callable[..., None]) -> None:
        """`now` is when the account is built. `problem` is called with the place in the account, and the message, of
        everything that is wrong."""
        self._sandbox, self._entry, self._problem = sandbox, entry, problem
        self._now = self._first_created = now
        self._open: set[str] = set()

    def check(self) -> Iterator[None]:
        """Check all lines. The account's resources are in the sandbox."""
        yield from in_portions(self._charge, self._entry.history)
        yield from in_portions(self._credit, self._entry.credits)

    def _charge(self, charge: ChargeEntry, index: int) -> None:
        """Check a line of the history: its times are in order, and no resource has two open charges."""
        opened, closed = _span(charge, self._now)
        if closed is not None and closed < opened:
            self._problem("history", index, "closed", message="is before it started")
        if charge.resource_id in self._open:
            self._problem("history", index, "resource_id", message=f"{charge.resource_id} is already being charged")
        if closed is None:
            sandbox = self._sandbox
            runs = charge.resource_id in sandbox.instances or charge.resource_id in sandbox.load_balancers
            if runs and self._entry.ledger != "complete":
                self._problem("history", index, "resource_id", message=f"{charge.resource_id} is charged anyway")
            self._open.add(charge.resource_id)
        ahead = HOUR if self._entry.ledger == "complete" else 0  # a price that changes starts with the next hour
        if opened > self._now + ahead:
            self._problem("history", index, "opened", message="is in the future")
        if closed is not None and closed > self._now:
            self._problem("history", index, "closed", message="is in the future")

    def _credit(self, credit: CreditEntry, index: int) -> None:
        """Check a credit."""
        if _at(credit, self._now) > self._now:
            self._problem("credits", index, "at", message="is in the future")

    def fill(self, fleet: LazyFleet | None) -> Iterator[None]:
        """Fill the ledger: with exactly the lines of an export, or so that the entry's balance results."""
        entry, ledger, now = self._entry, self._sandbox.ledger, self._now
        lines: list[CreditEntry | ChargeEntry] = [*entry.credits, *entry.history]
        for index, line in enumerate(sorted(lines, key=lambda each: each.number or _AFTER_ALL)):
            if isinstance(line, CreditEntry):
                ledger.credit(_at(line, now), line.amount, line.description)
            else:
                ledger.restore(line.resource_id, line.description, line.hourly, *_span(line, now))
            if index % PORTION == PORTION - 1:
                self._sum_up(index)
                yield
        if entry.ledger == "complete":
            yield from in_portions(self._charged, (*self._sandbox.instances, *self._sandbox.load_balancers))
            return
        yield from self._meters(fleet)
        wanted = DEFAULT_BALANCE if entry.balance is None else entry.balance
        ledger.credit(self._first_created, wanted - ledger.balance(now), OPENING)

    def _charged(self, record: ProvisionedRecord, _: int) -> None:
        """Check that a complete ledger charges for a resource."""
        if not self._sandbox.ledger.charges(record.id):
            self._problem("history", message=f"is complete, but has no open charge for {record.id}")

    def _sum_up(self, number: int) -> None:
        """Make the ledger's sums with its meters, if there are many, so that the first report need not."""
        if number >= INDEXED_FROM:
            _ = self._sandbox.ledger.sums

    def _meters(self, fleet: LazyFleet | None) -> Iterator[None]:
        """Charge for every instance and every load balancer from its creation on."""
        sandbox = self._sandbox
        forms = {plan.id: METERED_NAME.format(name="{}", plan=plan.id) for plan in sandbox.catalogue.plans}
        for number, each in enumerate(sandbox.instances.own()):
            plan = each.plan
            form = forms[plan.id]
            sandbox.ledger.restore(each.id, each.name, plan.hourly_cents, each.created, None, form, each.number)
            if number % PORTION == 0:
                self._sum_up(number)
                yield
            self._first_created = min(self._first_created, each.created)
        if fleet is not None:
            sandbox.ledger.fill(fleet.meters())
            self._first_created = min(self._first_created, fleet.first_created)
        yield from in_portions(self._balancer_meter, list(sandbox.load_balancers))

    def _balancer_meter(self, balancer: LoadBalancerRecord, _: int) -> None:
        price = REGION_HOURLY_CENTS * len(balancer.regions)
        self._sandbox.ledger.restore(balancer.id, balancer.name, price, balancer.created, None, "Load balancer {}")
        self._first_created = min(self._first_created, balancer.created)


def _at(credit: CreditEntry, now: int) -> int:
    """Return the instant of a credit."""
    at = credit.at if credit.at is not None else now - (credit.age or 0)
    return int(at)


def _span(charge: ChargeEntry, now: int) -> tuple[int, int | None]:
    """Return the instants at which a charge starts and ends; None for the end if it goes on."""
    opened = charge.opened if charge.opened is not None else now - (DAY if charge.age is None else charge.age)
    closed = charge.closed if charge.lasted is None else opened + charge.lasted
    return opened, closed
