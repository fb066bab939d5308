"""Transactions: every credit and every charge, each with the balance after it."""

from typing import Annotated, Literal

from cnx_mock.api.declarations import Field
from cnx_mock.api.paging import Page, PageQuery, Pagination
from cnx_mock.api.portable import Component
from cnx_mock.api.provenance import added
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.services.billing.balance import billing
from cnx_mock.text.units import format_instant, format_money
from cnx_mock.world import kinds
from cnx_mock.world.chance import Chance
from cnx_mock.world.meter import Meter
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.statement import Event, Statement

TransactionType = Annotated[Literal["credit", "charge"], Component("TransactionType", "Which way money goes.")]


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Transaction(Shape):
    """A credit or a charge."""

    id: Annotated[str, Field(pattern=kinds.TRANSACTION.id_pattern, examples=["txn_8f7e6d5c4b3a2f1e"])]
    """Its id."""
    type: Annotated[TransactionType, Field(examples=["charge"])]
    """A charge is for one started hour of a resource. Everything else is a credit; its amount can be below zero."""
    amount: Annotated[str, Field(examples=["-$0.04"])]
    """The change of the balance, in US dollars; a charge is negative."""
    amount_cents: Annotated[int, Field(examples=[-4])]
    """The same in cents."""
    balance_after: Annotated[str, Field(examples=["$99.96"])]
    """The balance after it, in US dollars."""
    balance_after_cents: Annotated[int, Field(examples=[9996])]
    """The same in cents."""
    description: Annotated[str, Field(examples=["Instance prod-api-01 (pro)"])]
    """What it was for."""
    resource_id: Annotated[str | None, Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
    """The resource that a charge is for, which may be deleted by now; null for a credit."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it happened, RFC 3339 UTC. For a charge: the start of the charged hour."""


def show(event: Event, balance: int, chance: Chance) -> Transaction:
    """Return the answer for an event. Its id depends only on the entry and the hour, so it is always the same."""
    meter = event.entry if isinstance(event.entry, Meter) else None
    return Transaction(
        id=chance.new_id(kinds.TRANSACTION.prefix, event.number << 32 | event.hour),
        type="charge" if meter else "credit",
        amount=format_money(event.cents),
        amount_cents=event.cents,
        balance_after=format_money(balance),
        balance_after_cents=balance,
        description=event.entry.description,
        resource_id=meter.resource_id if meter else None,
        created_at=format_instant(event.at),
    )


@billing.operation(
    "GET",
    "/v1/billing/transactions",
    scope="billing:read",
    provenance=added("tests need to see why the balance is what it is"),
)
def transactions(sandbox: SandboxState, query: PageQuery) -> Page[Transaction]:
    """List all transactions.

    Every credit and every charge, the oldest first. Transactions of the same second are in order of creation. The last
    one's `balance_after` is the balance."""
    statement = Statement(sandbox.ledger, sandbox.now)
    events = statement.page((query.page - 1) * query.limit, query.limit)
    data = [show(event, balance, sandbox.chance) for event, balance in events]
    return Page(data=data, pagination=Pagination.of(query, statement.count))
