"""The balance of the account."""

from typing import Annotated

from cnx_mock.api.declarations import Field
from cnx_mock.api.operation import Resource
from cnx_mock.api.provenance import implied
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import format_instant, format_money
from cnx_mock.world.account import MINIMUM_BALANCE
from cnx_mock.world.sandbox import SandboxState

billing = Resource("billing", "Balance, transactions and reports.")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Balance(Shape):
    """The balance of the account."""

    balance: Annotated[str, Field(examples=["$99.96"])]
    """Credits minus charges, in US dollars; below zero if running resources have cost more than there was."""
    balance_cents: Annotated[int, Field(examples=[9996])]
    """The same in cents."""
    minimum_balance: Annotated[str, Field(examples=["$5.00"])]
    """The balance that creating a billable resource needs, in US dollars. With less: INSUFFICIENT_CREDITS."""
    minimum_balance_cents: Annotated[int, Field(examples=[500])]
    """The same in cents."""
    currency: Annotated[str, Field(examples=["USD"])]
    """The currency of every amount, ISO 4217."""
    as_of: Annotated[str, Field(examples=["2026-01-01T00:00:45Z"])]
    """The time of this balance, RFC 3339 UTC."""


@billing.operation(
    "GET",
    "/v1/billing/balance",
    scope="billing:read",
    provenance=implied("Account balance is below minimum threshold."),
)
def balance(sandbox: SandboxState) -> Balance:
    """Get the account balance.

    A billable resource is charged by the hour, at the start of each hour."""
    now = sandbox.now
    cents = sandbox.ledger.balance(now)
    return Balance(
        balance=format_money(cents),
        balance_cents=cents,
        minimum_balance=format_money(MINIMUM_BALANCE),
        minimum_balance_cents=MINIMUM_BALANCE,
        currency="USD",
        as_of=format_instant(now),
    )
