"""Transactions: every credit and every charge, each with the balance after it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from cnx_mock.api.paging import Page, PageQuery, Pagination
from cnx_mock.api.provenance import added
from cnx_mock.api.shapes import Shape
from cnx_mock.services.billing.balance import billing
from cnx_mock.text.units import format_instant, format_money
from cnx_mock.world import kinds
from cnx_mock.world.chance import Chance
from cnx_mock.world.ledger import Meter
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.statement import Event, Statement


@dataclass(slots=True, kw_only=True, eq=False)
class Transaction(Shape):
    """Money that came or went at one instant."""

    id: Annotated[str, Field(pattern=kinds.TRANSACTION.id_pattern, examples=["txn_8f7e6d5c4b3a2f1e"])]
    """Its id."""
    type: Annotated[Literal["credit", "charge"], Field(examples=["charge"])]
    """A charge is one started hour of a resource; everything else is a credit, and below zero if it takes money."""
    amount: Annotated[str, Field(examples=["-$0.04"])]
    """What the balance changed by, in US dollars; a charge is negative."""
    amount_cents: Annotated[int, Field(examples=[-4])]
    """The same in cents."""
    balance_after: Annotated[str, Field(examples=["$99.96"])]
    """The balance right after it, in US dollars."""
    balance_after_cents: Annotated[int, Field(examples=[9996])]
    """The same in cents."""
    description: Annotated[str, Field(examples=["Instance prod-api-01 (pro)"])]
    """What it was for, in words."""
    resource_id: Annotated[str | None, Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
    """The resource that a charge is for, which may be gone by now; null for a credit."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it happened, RFC 3339 UTC: for a charge, the start of the hour that it pays for."""


def show(event: Event, balance: int, chance: Chance) -> Transaction:
    """An event as the API shows it. Its id follows from which event it is, whatever else there is and whenever one
    asks."""
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
    provenance=added("a balance that nobody can account for cannot be tested against"),
)
def transactions(sandbox: SandboxState, query: PageQuery) -> Page[Transaction]:
    """List all transactions.

    Every credit and every charge, oldest first; what happens in the same second is in order of creation. The last
    one's `balance_after` is the balance."""
    statement = Statement(sandbox.ledger, sandbox.now)
    events = statement.page((query.page - 1) * query.limit, query.limit)
    data = [show(event, balance, sandbox.chance) for event, balance in events]
    return Page(data=data, pagination=Pagination.of(query, statement.count))
