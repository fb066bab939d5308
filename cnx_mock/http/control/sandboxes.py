"""Sandboxes as a whole: the server's health, the list of them, a new one, and resets."""

from collections.abc import Mapping
from typing import Annotated, Any

from cnx_mock import __version__
from cnx_mock.api.declarations import AfterValidator, BeforeValidator, Field
from cnx_mock.api.errors import NotFound, SandboxLimit
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Deleted, Listing, Shape
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.http import docs
from cnx_mock.http.control.guard import EVENTS, PAGE
from cnx_mock.http.control.listings import listed
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.control.scenario import named_or_inline, warnings
from cnx_mock.http.control.state import fixture_of
from cnx_mock.http.long_call import LongCall
from cnx_mock.http.tenant import Tenant
from cnx_mock.text.control_characters import first_control
from cnx_mock.world.clock import SECOND, ticks
from cnx_mock.world.keys import TEST_KEY_PATTERN, digits_of, test_key

resource = Resource("_mock.sandboxes", "The mock's sandboxes.", is_control=True)
_PROVENANCE = added("the mock's own control plane")

_DEMO = "/_mock/demo"
"""A path that only `cnx-mock demo` adds to the control plane."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class BoundState(Shape):
    """One bound, and how full it is."""

    option: str
    """The option that sets it, such as --max-rules."""
    limit: int
    """How much there may be. Of connections there may be fewer than the option says, if the limit of open files is
    low."""
    used: int
    """How much there is now, in the fullest sandbox if each has the bound; of what each request has, the most so
    far."""
    refused: int
    """How often something was refused, dropped or closed because of it."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ControlIndex(Shape):
    """Where to go from here: paths of this server."""

    health: str
    """The server's state."""
    sandboxes: str
    """The list of the sandboxes."""
    rules: str
    """The active rules: of a key's sandbox, or of new sandboxes."""
    requests: str
    """The journal: of a key's sandbox, or of the requests that reached none."""
    scenarios: str
    """The gallery."""
    page: str
    """The live page, for a browser."""
    events: str
    """Everything that happens, as it happens: server-sent events."""
    docs: str
    """The page that describes the API."""
    demo: str | None
    """The show of `cnx-mock demo`; null for any other server."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Health(Shape):
    """The server's state."""

    status: str
    """Always ok."""
    version: str
    """The mock's version."""
    uptime_seconds: int
    """Seconds since it started."""
    sandboxes: int
    """How many sandboxes there are."""
    require_tls: bool
    """Whether API calls over plain HTTP are refused."""
    tls_url: str | None
    """The base URL over HTTPS; null without."""
    proxy_url: str | None
    """The proxy's URL; null without."""
    ca_path: str | None
    """The CA's certificate (PEM) on the server's machine; null without HTTPS."""
    refused_hosts: list[str]
    """Hosts that the proxy has refused, such as example.com:443; `--allow-host` lets them pass."""
    log_lines_dropped: int
    """Access lines and other lines on stderr that were dropped, because stderr was full or nobody read it."""
    bounds: list[BoundState]
    """Everything that is bounded."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class SandboxItem(Shape):
    """One sandbox in the list."""

    id: str
    """Its id, which the header X-CNX-Mock-Sandbox takes. It stays through a reset."""
    account_id: str
    """Its account's id in the API."""
    name: str | None
    """Its name, if it was created here; null for a key that a client used first."""
    last4: str
    """The end of its key."""
    instances: int
    """Instances in it."""
    requests: int
    """Requests that it has had."""
    dropped: int
    """Requests that its journal no longer has, because there were too many or too large ones."""
    rules: int
    """Active rules."""
    idle_seconds: int
    """Seconds of real time since its last request, or since it was created."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class FreshSandbox(Shape):
    """A new sandbox."""

    id: str
    """Its id, which the header X-CNX-Mock-Sandbox takes."""
    account_id: str
    """Its account's id in the API."""
    name: str
    """Its name."""
    api_key: str
    """Its key, shown this once."""
    warnings: list[str]
    """What in its scenario can never happen."""


def _one_or_many(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | Mapping) for item in items):
        raise ValueError("must be a name, a scenario, or a list of them")
    return items


def _nameable(name: str) -> str:
    if name.startswith("#"):
        raise ValueError("must not begin with #: only the server gives such names")
    if control := first_control(name):
        raise ValueError(f"must not contain control characters, and contains {control}")
    return name


class SandboxCreate(Declared):
    """What a new sandbox is to be like."""

    key: Annotated[str, Field(pattern=TEST_KEY_PATTERN)] | None = None
    """A key that is fixed in a client; its sandbox is created again. Default: a fresh key."""
    name: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_nameable)] | None = None
    """Its name, on which random choices depend: the same name gives the same ids. Default: `#n`, which cannot be
    given."""
    scenario: Annotated[Any, BeforeValidator(_one_or_many)] | None = None
    """A name from the gallery, a scenario, or a list of them to combine. Default: the server's."""
    fixture: str | dict[str, Any] | None = None
    """The name of a fixture, or a whole fixture. Default: the server's."""
    seed: Annotated[int, Field(ge=0)] | None = None
    """Its seed. Default: the server's."""


@resource.operation("GET", "/_mock", provenance=_PROVENANCE)
def index(server: Server) -> ControlIndex:
    """Show the most important paths of this server."""
    shows = any(each.path == _DEMO for each in server.operations())
    return ControlIndex(
        health="/_mock/health",
        sandboxes="/_mock/sandboxes",
        rules="/_mock/rules",
        requests="/_mock/requests",
        scenarios="/_mock/scenarios",
        page=PAGE,
        events=EVENTS,
        docs=docs.PATH,
        demo=_DEMO if shows else None,
    )


@resource.operation("GET", "/_mock/health", provenance=_PROVENANCE)
def health(server: Server) -> Health:
    """Show that the server is up."""
    uptime = (ticks() - server.started) // SECOND
    addresses = server.addresses()
    return Health(
        status="ok",
        version=__version__,
        uptime_seconds=uptime,
        sandboxes=len(server.tenants),
        require_tls=server.tenants.settings.require_tls,
        tls_url=addresses.tls_url,
        proxy_url=addresses.proxy_url,
        ca_path=None if addresses.ca_path is None else str(addresses.ca_path),
        refused_hosts=sorted(server.refused_hosts),
        log_lines_dropped=server.dropped_lines(),
        bounds=[
            BoundState(option=each.option, limit=each.limit, used=each.measure(), refused=each.refused)
            for each in server.tenants.bounds.all()
        ],
    )


@resource.operation("GET", "/_mock/sandboxes", provenance=_PROVENANCE)
def list_(server: Server) -> Listing[SandboxItem]:
    """List the sandboxes."""
    return listed(list(server.tenants), sandbox_item)


@resource.operation("POST", "/_mock/sandboxes", status=201, provenance=_PROVENANCE, raises=(SandboxLimit,))
def create(server: Server, call: LongCall, body: SandboxCreate) -> FreshSandbox:
    """Create a sandbox with a fresh key, or create the sandbox of a given key again."""
    changes: dict[str, Any] = {"read": call.read_fixture} | ({} if body.seed is None else {"seed": body.seed})
    if body.scenario is not None:
        changes["scenario"] = named_or_inline(body.scenario, "scenario")
    if body.fixture is not None:
        changes["own_fixture"] = fixture_of(body.fixture, call, "fixture")
    if body.key is None:
        tenant = server.tenants.make(body.name, **changes)
    else:
        tenant = server.tenants.take(digits_of(body.key), body.name, **changes)
    found = [] if body.scenario is None else warnings(tenant.recipe.scenario)
    return FreshSandbox(
        id=tenant.id,
        account_id=tenant.sandbox_so_far.account.id,
        name=tenant.label,
        api_key=test_key(tenant.key),
        warnings=found,
    )


@resource.operation("DELETE", "/_mock/sandboxes/{id}", provenance=_PROVENANCE, raises=(NotFound,))
def delete(server: Server, id: str) -> Deleted:
    """Delete a sandbox, with everything in it. Its key gets a new sandbox on its next request."""
    server.tenants.remove(server.tenants.with_id(id))
    return Deleted(id=id)


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ResetDone(Shape):
    """What was reset."""

    reset: int
    """How many sandboxes."""


@resource.operation("POST", "/_mock/reset", provenance=_PROVENANCE)
def reset(server: Server, target: ControlTarget) -> ResetDone:
    """Reset a sandbox to its initial state; without a key, every sandbox."""
    tenants = [target.tenant] if target.tenant else list(server.tenants)
    for tenant in tenants:
        tenant.reset()
    return ResetDone(reset=len(tenants))


def sandbox_item(tenant: Tenant) -> SandboxItem:
    """Return a sandbox as the list shows it."""
    return SandboxItem(
        id=tenant.id,
        account_id=tenant.sandbox_so_far.account.id,
        name=tenant.given_name,
        last4=tenant.last4,
        instances=len(tenant.sandbox_so_far.instances),
        requests=tenant.journal.seen,
        dropped=tenant.journal.dropped,
        rules=sum(1 for _ in tenant.engine),
        idle_seconds=tenant.idle // SECOND,
    )
