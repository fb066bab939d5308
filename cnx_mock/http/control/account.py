"""A sandbox's account."""

from dataclasses import replace
from typing import Annotated, Any

from cnx_mock.api.declarations import BeforeValidator
from cnx_mock.api.fields import KnownScope
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Shape
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.text.units import format_money, parse_money, parse_rate
from cnx_mock.world.account import DEFAULT_BALANCE, SCOPES, AccountPlan

resource = Resource("_mock.account", "A sandbox's account.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class AccountState(Shape):
    """An account as it is now."""

    plan: str
    """Its plan."""
    balance: str
    """Its balance."""
    rate_limit: str
    """Its rate limit, such as 300/min."""
    scopes: list[str]
    """The scopes of the key of this call."""


class AccountChange(Declared):
    """What to change of an account."""

    plan: AccountPlan | None = None
    """Its plan, which gives the rate limit unless one is set."""
    balance: Annotated[Any, BeforeValidator(parse_money)] | None = None
    """The balance from now on, such as "$5.03"."""
    rate_limit: Annotated[Any, BeforeValidator(parse_rate)] | None = None
    """Requests a minute, such as 5/min."""
    scopes: list[KnownScope] | None = None
    """The scopes of its key."""


@resource.operation("GET", "/_mock/account", provenance=_PROVENANCE)
def get(server: Server, target: ControlTarget) -> AccountState:
    """Read the account; without a key, the one that a new sandbox would get."""
    return account_state(server, target)


@resource.operation("PATCH", "/_mock/account", provenance=_PROVENANCE)
def change(server: Server, target: ControlTarget, body: AccountChange) -> AccountState:
    """Change the account; without a key, that of new sandboxes."""
    scopes = None if body.scopes is None else tuple(body.scopes)
    given = {"plan": body.plan, "balance": body.balance, "rate_limit": body.rate_limit, "scopes": scopes}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if target.tenant is None:
        server.tenants.defaults = replace(server.tenants.defaults, **changes)
        return account_state(server, target)
    sandbox = target.tenant.sandbox
    if "balance" in changes:
        sandbox.balance = changes.pop("balance")
    if target.key is not None:
        target.key.scopes = changes.pop("scopes", target.key.scopes)
    for name, value in changes.items():
        setattr(sandbox.account, name, value)
    return account_state(server, target)


def account_state(server: Server, target: ControlTarget) -> AccountState:
    """Return a sandbox's account; without a sandbox, the one that a new one would get."""
    if target.tenant is not None:
        sandbox = target.tenant.sandbox
        plan, balance = sandbox.account.plan, sandbox.balance
        limit, scopes = sandbox.account.limit, target.key.scopes if target.key else SCOPES
    else:
        defaults, world = server.tenants.defaults, server.tenants.defaults.scenario.world
        plan = defaults.plan or world.plan or "professional"
        balance = next(b for b in (defaults.balance, world.balance, DEFAULT_BALANCE) if b is not None)
        limit = defaults.rate_limit or world.rate_limit or server.tenants.plan_limits[plan]
        scopes = defaults.scopes if defaults.scopes is not None else SCOPES
    return AccountState(plan=plan, balance=format_money(balance), rate_limit=f"{limit}/min", scopes=list(scopes))
