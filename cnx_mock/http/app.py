"""The app: pages, the control plane and the API, put together.

Pages (`/`, `/openapi.json`, `/docs`) are ordinary Starlette routes; `/_mock` is the control plane's; every other path
is a call to the API and travels as `calls` says.
"""

from collections.abc import Iterable, Sequence

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cnx_mock import __version__
from cnx_mock.api import errors, openapi
from cnx_mock.api.operation import Resource
from cnx_mock.api.parsing import masked
from cnx_mock.api.readings import in_force, parsed
from cnx_mock.api.router import Router
from cnx_mock.api.surface import served
from cnx_mock.http import auth, control, docs, messages
from cnx_mock.http.control.plane import ControlPlane, ExpectationChecker
from cnx_mock.http.pages import Cors, Pages
from cnx_mock.http.pipeline import Calls, Listener
from cnx_mock.http.tenants import Recipe, Tenant, Tenants, with_fixture
from cnx_mock.net.addresses import API_HOST, Addresses
from cnx_mock.scenario import gallery
from cnx_mock.scenario.exchange import Exchange, RawHeaders
from cnx_mock.scenario.scenario import Scenario, stacked
from cnx_mock.services import operations
from cnx_mock.services.worlds import Fixture, load
from cnx_mock.settings import Settings
from cnx_mock.world.chance import random_seed
from cnx_mock.world.clock import ticks, wall_now


def load_scenarios(names: Iterable[str]) -> Scenario:
    """The scenarios with these names or paths, stacked. Raises UnknownScenario, SourceError or ScenarioError."""
    known = operations()
    return stacked([gallery.load(name, known) for name in names] or [Scenario(name="none")], known)


class App(Starlette):
    """The ASGI application of one server; `create_app` makes it."""

    def __init__(
        self,
        settings: Settings,
        scenario: Scenario,
        fixture: Fixture | None,
        more_control: Sequence[Resource] = (),
        checkers: Sequence[ExpectationChecker] = (),
    ) -> None:
        self.settings = settings
        self.seed = random_seed() if settings.seed == "random" else int(settings.seed)
        self.listeners: list[Listener] = []
        """Called with every completed exchange; none by default, so that nothing is formatted that nobody reads."""
        self.addresses = Addresses()
        """Where else the app is served; whoever serves it says so."""
        recipe = Recipe(
            seed=self.seed,
            scenario=scenario,
            speed=settings.speed,
            readings=parsed(settings.reading),
            fixture=fixture or (load(settings.fixture) if settings.fixture else None),
        )
        self.tenants = Tenants(settings, with_fixture(recipe))
        self._operations = served(operations(), settings.surface)
        self._calls = Calls(self.tenants, Router(self._operations), self.seed, self.listeners)
        resources = (*control.RESOURCES, *more_control)
        self._control = ControlPlane(
            self.tenants,
            Router(op for each in resources for op in each.operations),
            self.seed,
            lambda: self.addresses,
            checkers,
        )
        self._documents: dict[str, bytes] = {}
        self.pages = Pages(self.seed, settings.surface)
        routes = [Route("/", self._welcome), Route("/openapi.json", self._openapi), *docs.routes()]
        super().__init__(routes=routes, exception_handlers={HTTPException: self.pages.wrong_method})
        self._page_paths = {route.path for route in routes}
        self._entry: ASGIApp = self._dispatch
        if settings.cors:
            self._entry = Cors(self._dispatch, self.pages)

    @property
    def allowed_hosts(self) -> Sequence[str]:
        """Hosts that the proxy may open tunnels to."""
        return self.settings.allow_host

    def cancel_delays(self) -> None:
        """End every deliberate wait, for good: the server stops."""
        self.tenants.cut()

    async def rehearse(self, tenant: Tenant, method: str, target: str, headers: RawHeaders, body: bytes) -> Exchange:
        """What would become of a call to this tenant: all but the waiting and the wire."""
        return await self._calls.rehearse(tenant, method, target, headers, body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The control plane stays out of the reach of other origins, CORS or not: a page must not steer the mock."""
        entry = self._dispatch if scope.get("path", "").startswith("/_mock") else self._entry
        await entry(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path in self._page_paths:
            await super().__call__(scope, receive, send)
        elif path.startswith("/_mock"):
            await self._control(scope, receive, send)
        elif self.settings.require_tls and scope.get("scheme") != "https":
            await self._refuse_plain(scope)(scope, receive, send)
        else:
            await self._calls(scope, receive, send)

    def _refuse_plain(self, scope: Scope) -> Response:
        """The answer to a call over plain HTTP where that is not enough. It reaches no sandbox, whatever its key: it is
        in the server's own journal."""
        query = masked(scope["query_string"]).decode("latin-1")
        headers = messages.safe_headers(scope["headers"])
        exchange = Exchange(scope["method"], messages.raw_path(scope), query, headers, ticks(), wall_now())
        exchange.request_id = self.pages.request_id()
        refusal = errors.HttpsRequired(url=self.addresses.tls_url or f"https://{API_HOST}")
        exchange.answer = messages.refused(refusal, exchange.request_id, {})
        response = self.pages.answered(exchange.answer, exchange.request_id)
        exchange.response_headers, exchange.status = response.raw_headers, response.status_code
        self.tenants.journal.open(exchange)
        exchange.duration = ticks() - exchange.arrived
        for listener in self.listeners:
            listener(exchange, "-")
        return response

    async def _welcome(self, request: Request) -> Response:
        return self.pages.page(
            {
                "name": "cnx-mock",
                "version": __version__,
                "about": "A local sandbox of the CloudNexus API. Nothing here is the real cloud.",
                "api": "/v1",
                "openapi": "/openapi.json",
                "docs": docs.PATH,
                "control": "/_mock",
            }
        )

    async def _openapi(self, request: Request) -> Response:
        """The document under the readings of the key's sandbox, or without a key of the server."""
        readings = self._readings(request)
        known = orjson.dumps(readings, option=orjson.OPT_SORT_KEYS).decode()
        if known not in self._documents:
            self._documents[known] = orjson.dumps(openapi.document(self._operations, readings, self.settings.surface))
        return self.pages.page(self._documents[known])

    def _readings(self, request: Request) -> dict[str, str]:
        try:
            digits = auth.digits(auth.authorization(request.headers.raw))
            return in_force(self.tenants.find(digits).sandbox.readings)
        except errors.ApiError:
            return in_force(self.tenants.defaults.chosen)


def create_app(
    settings: Settings | None = None,
    *,
    scenario: Scenario | None = None,
    fixture: Fixture | None = None,
    control: Sequence[Resource] = (),
    checkers: Sequence[ExpectationChecker] = (),
) -> App:
    """The mock as an ASGI application, for any ASGI server; faults of the connection need cnx-mock's own.

    `scenario` and `fixture` are what new sandboxes get, in place of those that the settings name. What lies above hands
    itself in: `control` are resources of the control plane, `checkers` know expectations of their own. Raises
    UnknownScenario, UnknownFixture, SourceError or ScenarioError for what cannot be used.
    """
    settings = settings or Settings()
    return App(settings, scenario or load_scenarios(settings.scenario), fixture, control, checkers)
