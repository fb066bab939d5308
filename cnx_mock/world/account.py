"""Whose sandbox it is: the account, its plan, its rights; and the keys whose digits choose an account."""

from dataclasses import dataclass, field
from typing import Literal

from cnx_mock.world.keys import EXAMPLE_DIGITS

AccountPlan = Literal["starter", "professional", "enterprise"]
Fate = Literal["revoked", "limited", "broken"]

PLAN_LIMITS: dict[AccountPlan, int] = {"starter": 60, "professional": 300, "enterprise": 1000}
"""Requests a minute, in the reference's words: "Starter: 60", "Professional: 300", "Enterprise: 1,000+ (custom)"."""

MINIMUM_BALANCE = 500
"""Cents that a billable create needs: the "required": "$5.00" of the documented error."""

DEFAULT_BALANCE = 100_00

SCOPES = (
    "instances:read",
    "instances:write",
    "snapshots:read",
    "snapshots:write",
    "network:read",
    "network:write",
    "billing:read",
    "account:read",
)


QUOTAS = ("instances", "snapshots", "firewalls", "load_balancers")
"""What an account can be limited in."""


@dataclass(frozen=True, slots=True)
class AccountTraits:
    """What a key's digits say of its account."""

    plan: AccountPlan = "professional"
    balance: int = DEFAULT_BALANCE
    scopes: tuple[str, ...] = SCOPES
    fate: Fate | None = None


_READ_ONLY = tuple(scope for scope in SCOPES if scope.endswith(":read"))

MAGIC_KEYS = {
    EXAMPLE_DIGITS: AccountTraits(),
    "1" * 32: AccountTraits(plan="starter"),
    "2" * 32: AccountTraits(plan="professional"),
    "3" * 32: AccountTraits(plan="enterprise"),
    "245" + "0" * 29: AccountTraits(balance=245),
    "401" + "0" * 29: AccountTraits(fate="revoked"),
    "403" + "0" * 29: AccountTraits(scopes=_READ_ONLY),
    "429" + "0" * 29: AccountTraits(fate="limited"),
    "500" + "0" * 29: AccountTraits(fate="broken"),
}
"""The digits behind `cnx_test_` that mean something; any other key has an ordinary account."""


@dataclass(slots=True)
class SandboxAccount:
    """The account that a sandbox belongs to. Its money is in the sandbox's ledger."""

    id: str
    name: str
    plan: AccountPlan
    plan_limits: dict[AccountPlan, int]
    fate: Fate | None
    created: int
    rate_limit: int | None = None
    """Requests a minute, where something other than the plan decides."""
    quotas: dict[str, int] = field(default_factory=dict)
    """The most of each resource; a missing one is unlimited."""

    @property
    def limit(self) -> int:
        """Requests a minute."""
        return self.rate_limit if self.rate_limit is not None else self.plan_limits[self.plan]
