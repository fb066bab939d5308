"""What a sandbox's account uses: its money, and its rate window."""

from cnx_mock.api.operation import Resource, added
from cnx_mock.api.readings import RATE_WINDOW
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.http.control.plane import ControlTarget
from cnx_mock.http.tenant import Tenant
from cnx_mock.text.units import format_instant_ms, format_money
from cnx_mock.world.clock import wall_now
from cnx_mock.world.ledger import HOURS_A_MONTH

resource = Resource("_mock.usage", "What the account uses.", is_control=True)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class RateWindowState(Shape):
    """The rate window as it is now."""

    limit: int
    """Requests that a window allows."""
    used: int
    """Requests that it has counted."""
    remaining: int
    """Requests that it still allows."""
    resets_in_ms: float
    """Milliseconds of real time until it resets; 0 if no window is open."""
    resets_at: str | None
    """When it resets, in real time; null if no window is open."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Usage(Shape):
    """What an account uses."""

    as_of: str
    """The sandbox's time of this answer."""
    balance: str
    """Credits minus charges."""
    charged: str
    """What resources have cost so far."""
    hourly: str
    """What everything that is charged costs in an hour."""
    monthly: str
    """The same for 730 hours, as cloud bills count a month."""
    rate_window: RateWindowState
    """The rate window."""


@resource.operation("GET", "/_mock/usage", provenance=added("the mock's own control plane"))
def get(target: ControlTarget) -> Usage:
    """Read what the account costs, and how full its rate window is. This does not count as a request."""
    tenant = target.must()
    sandbox = tenant.sandbox
    now, ledger = sandbox.now, sandbox.ledger
    return Usage(
        as_of=format_instant_ms(now),
        balance=format_money(ledger.balance(now)),
        charged=format_money(ledger.charged(now)),
        hourly=format_money(ledger.hourly_cents(now)),
        monthly=format_money(ledger.hourly_cents(now) * HOURS_A_MONTH),
        rate_window=_window(tenant),
    )


def _window(tenant: Tenant) -> RateWindowState:
    sandbox = tenant.sandbox
    limit = sandbox.account.limit
    used, left = tenant.window.look(sandbox.account, sandbox.clock, RATE_WINDOW.of(sandbox.readings))
    return RateWindowState(
        limit=limit,
        used=used,
        remaining=max(0, limit - used),
        resets_in_ms=round(left / 1000, 3),
        resets_at=format_instant_ms(wall_now() + left) if left else None,
    )
