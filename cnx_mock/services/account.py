"""The account and its keys. They are read-only, because the reference says: "You can generate and manage your keys in
the Dashboard"."""

from typing import Annotated, Literal

from cnx_mock.api.caller import Caller
from cnx_mock.api.declarations import Field
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Page, PageQuery, page_of
from cnx_mock.api.portable import Component
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import format_instant, format_money
from cnx_mock.world import kinds
from cnx_mock.world.account import MINIMUM_BALANCE, QUOTAS, AccountPlan
from cnx_mock.world.keys import TEST_PREFIX, TestPrefix
from cnx_mock.world.records import KeyRecord
from cnx_mock.world.sandbox import SandboxState

account = Resource("account", "The account and its keys.")

RESOURCES = (account,)

AccountPlanName = Annotated[
    AccountPlan, Component("AccountPlan", "The plan of an account, which sets its rate limit.", prefix="ACCOUNT")
]
ApiKeyStatus = Annotated[
    Literal["active", "revoked"], Component("ApiKeyStatus", "Whether a key is accepted.", prefix="API_KEY")
]

_WHY = added("a client that shows limits, balance and scopes has to read them somewhere")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class AccountQuotas(Shape):
    """The greatest number of each resource that the account can have; null is unlimited."""

    instances: Annotated[int | None, Field(examples=[None])]
    """Instances."""
    snapshots: Annotated[int | None, Field(examples=[None])]
    """Snapshots."""
    firewalls: Annotated[int | None, Field(examples=[None])]
    """Firewalls."""
    load_balancers: Annotated[int | None, Field(examples=[None])]
    """Load balancers."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Account(Shape):
    """The account that the key belongs to."""

    id: Annotated[str, Field(pattern=kinds.ACCOUNT.id_pattern, examples=["acct_8f7e6d5c4b3a2f1e"])]
    """Its id."""
    name: Annotated[str, Field(examples=["Sandbox"])]
    """Its name."""
    plan: Annotated[AccountPlanName, Field(examples=["professional"])]
    """Its plan, which sets the rate limit. It has nothing to do with the plans of instances."""
    environment: Literal["sandbox"]
    """Always sandbox."""
    rate_limit: Annotated[int, Field(examples=[300])]
    """Requests per minute."""
    balance: Annotated[str, Field(examples=["$100.00"])]
    """Money left, in US dollars."""
    balance_cents: Annotated[int, Field(examples=[10000])]
    """The same in cents."""
    minimum_balance: Annotated[str, Field(examples=["$5.00"])]
    """The balance that creating a billable resource needs, in US dollars."""
    minimum_balance_cents: Annotated[int, Field(examples=[500])]
    """The same in cents."""
    quotas: AccountQuotas
    """The greatest number of each resource."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it was created, RFC 3339 UTC."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ApiKey(Shape):
    """An API key, without its secret digits."""

    id: Annotated[str, Field(pattern=kinds.API_KEY.id_pattern, examples=["key_8f7e6d5c4b3a2f1e"])]
    """Its id."""
    name: Annotated[str, Field(examples=["Default key"])]
    """Its name."""
    prefix: TestPrefix
    """Its first characters."""
    last4: Annotated[str, Field(examples=["0d9c"])]
    """Its last four characters."""
    scopes: Annotated[list[str], Field(examples=[["instances:read", "instances:write"]])]
    """What it is allowed to do."""
    status: ApiKeyStatus
    """A revoked key is refused."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it was created, RFC 3339 UTC."""


def _show_key(record: KeyRecord) -> ApiKey:
    return ApiKey(
        id=record.id,
        name=record.name,
        prefix=TEST_PREFIX,
        last4=record.digits[-4:],
        scopes=list(record.scopes),
        status="revoked" if record.revoked else "active",
        created_at=format_instant(record.created),
    )


@account.operation("GET", "/v1/account", scope="account:read", provenance=_WHY)
def get(sandbox: SandboxState) -> Account:
    """Get the account."""
    record, balance = sandbox.account, sandbox.balance
    return Account(
        id=record.id,
        name=record.name,
        plan=record.plan,
        environment="sandbox",
        rate_limit=record.limit,
        balance=format_money(balance),
        balance_cents=balance,
        minimum_balance=format_money(MINIMUM_BALANCE),
        minimum_balance_cents=MINIMUM_BALANCE,
        quotas=AccountQuotas(**{name: record.quotas.get(name) for name in QUOTAS}),
        created_at=format_instant(record.created),
    )


@account.operation("GET", "/v1/account/api-keys", scope="account:read", provenance=_WHY)
def api_keys(sandbox: SandboxState, query: PageQuery) -> Page[ApiKey]:
    """List the account's keys."""
    return page_of(sandbox.keys, query, _show_key)


@account.operation("GET", "/v1/account/api-keys/current", scope="account:read", provenance=_WHY)
def current_api_key(caller: Caller) -> ApiKey:
    """Get the API key of this request."""
    return _show_key(caller.key)
