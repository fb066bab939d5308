"""The account of a sandbox: its plan, its scopes and its quotas; and the magic keys, whose digits choose an account."""

from dataclasses import field
from typing import Literal

from cnx_mock.dataclass import dataclass
from cnx_mock.world import kinds
from cnx_mock.world.keys import EXAMPLE_DIGITS, KEY_DIGITS, magic_digits

AccountPlan = Literal["starter", "professional", "enterprise"]
Fate = Literal["revoked", "limited", "broken"]

PLAN_LIMITS: dict[AccountPlan, int] = {"starter": 60, "professional": 300, "enterprise": 1000}
"""Requests per minute. The reference: "Starter: 60", "Professional: 300", "Enterprise: 1,000+ (custom)"."""

MINIMUM_BALANCE = 500
"""The cents that a billable create needs: the `"required": "$5.00"` of the documented error."""

DEFAULT_BALANCE = 100_00
"""The opening balance in cents."""

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


QUOTAS = tuple(kind.plural for kind in kinds.MADE)
"""The resources whose number can be limited."""


@dataclass(frozen=True, slots=True)
class AccountTraits:
    """What a key's digits decide about its account."""

    plan: AccountPlan = "professional"
    balance: int = DEFAULT_BALANCE
    """The opening balance in cents."""
    scopes: tuple[str, ...] = SCOPES
    fate: Fate | None = None
    """What happens to every request: it is answered with 401, 429 or 500. None for nothing special."""


_READ_ONLY = tuple(scope for scope in SCOPES if scope.endswith(":read"))

MAGIC_KEYS = {
    EXAMPLE_DIGITS: AccountTraits(),
    "1" * KEY_DIGITS: AccountTraits(plan="starter"),
    "2" * KEY_DIGITS: AccountTraits(plan="professional"),
    "3" * KEY_DIGITS: AccountTraits(plan="enterprise"),
    magic_digits("245"): AccountTraits(balance=245),
    magic_digits("401"): AccountTraits(fate="revoked"),
    magic_digits("403"): AccountTraits(scopes=_READ_ONLY),
    magic_digits("429"): AccountTraits(fate="limited"),
    magic_digits("500"): AccountTraits(fate="broken"),
}
"""The digits of test keys with a meaning. Any other test key has an ordinary account."""


@dataclass(slots=True)
class SandboxAccount:
    """The account of a sandbox. Its money is in the sandbox's ledger."""

    id: str
    name: str
    plan: AccountPlan
    plan_limits: dict[AccountPlan, int]
    fate: Fate | None
    created: int
    rate_limit: int | None = None
    """Requests per minute, in place of the plan's; None for the plan's."""
    quotas: dict[str, int] = field(default_factory=dict)
    """The greatest number of each resource, by its plural. A resource that is not in it is unlimited."""

    @property
    def limit(self) -> int:
        """Requests per minute."""
        return self.rate_limit if self.rate_limit is not None else self.plan_limits[self.plan]
