"""The app: pages, the control plane and the API, put together.

Pages (`/`, `/openapi.json`, `/docs`) are ordinary Starlette routes in `site`; `/_mock` belongs to the control plane; a
request for any other path is a call to the API, and goes through `pipeline`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from cnx_mock import __version__
from cnx_mock.api import errors
from cnx_mock.api.operation import Resource
from cnx_mock.api.readings import in_force, parsed
from cnx_mock.api.router import Router, is_control_path
from cnx_mock.api.surface import Surface, served
from cnx_mock.http import auth, control, docs, messages
from cnx_mock.http.client_head import ClientHead
from cnx_mock.http.control.guard import Guard
from cnx_mock.http.control.plane import ControlPlane, ExpectationChecker
from cnx_mock.http.delivery import Api
from cnx_mock.http.direct_path import DirectPath
from cnx_mock.http.events.hub import EventHub
from cnx_mock.http.hosts import host_of
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.loading import WorldLoading
from cnx_mock.http.observers import Observers
from cnx_mock.http.pages import PageAnswer, Pages, is_preflight
from cnx_mock.http.pipeline import Pipeline
from cnx_mock.http.recipe import Recipe
from cnx_mock.http.rehearsal import rehearse
from cnx_mock.http.static_files import StaticFile
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants
from cnx_mock.http.unread import UnreadRequests
from cnx_mock.net.addresses import API_HOST, Addresses
from cnx_mock.net.bounds import Bounds
from cnx_mock.net.direct import Begin
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.scenario.scenario import Scenario, stacked
from cnx_mock.services import operations
from cnx_mock.services.worlds import Fixture, load
from cnx_mock.settings import Settings, networks
from cnx_mock.text.live_keys import masked
from cnx_mock.world.chance import random_seed, random_token
from cnx_mock.world.clock import ticks, wall_now
from cnx_mock.world.lifecycle import ProvisioningRule

if TYPE_CHECKING:
    from starlette.requests import Request

_MOST_HOSTS = 1000
"""How many good Host headers are remembered."""


def load_scenarios(names: Iterable[str]) -> Scenario:
    """Return the scenarios with these names or paths, stacked. Raises UnknownScenario, SourceError or ScenarioError."""
    from cnx_mock.scenario import gallery  # lazy: it reads and checks files, and most servers have no scenario

    known = operations()
    return stacked([gallery.load(name, known) for name in names] or [Scenario(name="none")], known)


@cache
def _router(surface: Surface) -> Router:
    """Return the operations of a surface, by path. A router never changes: the servers of a sweep share it."""
    return Router(served(operations(), surface))


class App:
    """The ASGI application of one server; `create_app` makes it."""

    def __init__(
        self,
        settings: Settings,
        scenario: Scenario,
        fixture: Fixture | None,
        more_control: Callable[[str | None], Iterable[Resource]] = lambda word: (),
        checkers: Sequence[ExpectationChecker] = (),
        control_pages: Callable[[], Mapping[str, StaticFile]] = dict,
    ) -> None:
        self.settings = settings
        self.seed = random_seed() if settings.seed == "random" else int(settings.seed)
        self.control_token = random_token() if settings.control_token == "random" else settings.control_token
        """What opens the control plane to other machines; empty for nothing."""
        self.observers = Observers()
        self.addresses = Addresses()
        """Where else the app is served; the server sets it."""
        self.refused_hosts: set[str] = set()
        """Hosts, with their ports, that the proxy has refused; it adds them."""
        self.dropped_lines: Callable[[], int] = lambda: 0
        """How many lines for people were dropped, because nobody read them; the command sets it."""
        recipe = Recipe(
            seed=self.seed,
            speed=settings.speed,
            readings=parsed(settings.reading),
            default_provisioning=ProvisioningRule.parsed(settings.provisioning) if settings.provisioning else None,
            own_fixture=fixture or (load(settings.fixture) if settings.fixture else None),
        )
        self.bounds = Bounds(settings)
        self.tenants = Tenants(settings, recipe.using(scenario), self.bounds)
        self._pipeline = Pipeline(self.tenants, _router(settings.surface), self.seed)
        self._api = Api(self._pipeline, self.observers)
        self.begin: Begin = DirectPath(
            self._pipeline, self.observers, lambda headers: self._bad_host(headers) is None
        ).begin
        """Begins a call that has arrived as a whole."""
        self.events = EventHub(self.tenants, self.observers)
        self._control = ControlPlane(
            self.tenants,
            lambda word: (*control.resources(word), *more_control(word)),
            self.seed,
            lambda: self.addresses,
            self._dropped,
            self.refused_hosts,
            checkers,
            Guard(settings.control_host, networks(settings.control_from), self.control_token),
            self.events,
            control_pages,
        )
        self._good_hosts: set[bytes] = set()
        self._documents: dict[str, dict[str, Any]] = {}
        self.pages = Pages(self.seed, settings.surface)
        self.refuse_unread = UnreadRequests(self._pipeline, self.observers, self.pages).refuse
        self._endpoints = {"/": self._welcome, "/openapi.json": self._openapi}
        self._page_paths = {*self._endpoints, *docs.PATHS}

    @cached_property
    def _site(self) -> ASGIApp:
        """The pages, and what is not a request."""
        from cnx_mock.http import site  # lazy: it loads Starlette, and most servers are asked for no page

        return site.Site(self.pages, self._endpoints)

    @cached_property
    def _cors(self) -> ASGIApp:
        """The pages and preflights for browsers of any origin."""
        from cnx_mock.http import site  # lazy: as above

        return site.Cors(self._dispatch, self.pages)

    @property
    def allowed_hosts(self) -> Sequence[str]:
        """Hosts that the proxy may open tunnels to."""
        return self.settings.allow_host

    def _dropped(self) -> int:
        return self.dropped_lines()

    def cancel_delays(self) -> None:
        """End every deliberate wait and every stream of events, for good, because the server stops."""
        self.tenants.cancel_delays()
        self.events.close()

    async def rehearse(
        self, tenant: Tenant, method: str, target: str, headers: RawHeaders, body: bytes
    ) -> JournalRecord:
        """Return the record of a call with this tenant's key, for which nothing waits and nothing is sent."""
        return await rehearse(self._pipeline, tenant, method, target, headers, body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. CORS never applies to the control plane: no page of another origin may reach it."""
        if scope["type"] == "http" and is_control_path(scope["path"]):
            await self._control(scope, receive, send)
        elif scope["type"] == "http" and (refusal := self._bad_host(scope["headers"])):
            await self._refused(scope, refusal)(scope, receive, send)
        elif self.settings.cors and scope["type"] == "http" and (not self._is_call(scope) or is_preflight(scope)):
            await self._cors(scope, receive, send)
        else:
            await self._dispatch(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_call(scope):
            await self._api(scope, receive, send)
        elif scope["type"] != "http" or scope["path"] in self._page_paths:
            await self._site(scope, receive, send)
        else:
            refusal = errors.HttpsRequired(url=self.addresses.tls_url or f"https://{API_HOST}")
            await self._refused(scope, refusal)(scope, receive, send)

    def _is_call(self, scope: Scope) -> bool:
        """Return whether a request is a call to the API, over a connection that calls may use."""
        allowed = not self.settings.require_tls or scope.get("scheme") == "https"
        return allowed and scope["path"] not in self._page_paths

    def _bad_host(self, headers: RawHeaders) -> errors.ApiError | None:
        """Return what is wrong with the request's Host header, None if nothing is. Good ones are remembered."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) == 1 and hosts[0] in self._good_hosts:
            return None
        try:
            host_of(messages.safe_headers(headers))
        except errors.BadRequest as refusal:
            return refusal
        if len(self._good_hosts) < _MOST_HOSTS:
            self._good_hosts.add(hosts[0])
        return None

    def _refused(self, scope: Scope, refusal: errors.ApiError) -> PageAnswer:
        """Return the answer to a call that asks no rule and is not counted. What is wrong with its form is in the
        journal of its key's sandbox, if the key is known; all else is in the server's own."""
        target = self._pipeline.targets.find(
            scope["method"], messages.raw_path(scope), masked(scope["query_string"]).decode("latin-1")
        )
        context = self._pipeline.context(
            target,
            ClientHead(scope["headers"]),
            b"",
            arrived=ticks(),
            wall=wall_now(),
            connection=(scope.get("client") or (None, None))[1],
            secure=scope.get("scheme") == "https",
        )
        if isinstance(refusal, errors.BadRequest):
            context.refuse_unread(refusal)
        else:
            context.refuse(refusal)
        assert context.answer is not None, "a refusal leaves one"
        response = self.pages.answered(context.answer, context.request_id)
        context.response_headers = response.raw_headers
        self.observers.complete(context, response.status_code, context.tenant if context.sandbox else None)
        return response

    async def _welcome(self, request: "Request") -> PageAnswer:
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

    async def _openapi(self, request: "Request") -> PageAnswer:
        """Return the OpenAPI document under the readings of the key's sandbox; without a key, of the server."""
        from cnx_mock.http import reference  # lazy: most servers are never asked for it, and it needs every model

        readings = self._readings(request)
        known = orjson.dumps(readings, option=orjson.OPT_SORT_KEYS).decode()
        if known not in self._documents:
            self._documents[known] = reference.document(self.settings.surface, readings, ())
        servers = reference.servers(request.url.scheme, request.headers.get("host"))
        return self.pages.page({**self._documents[known], "servers": servers})

    def _readings(self, request: "Request") -> dict[str, str]:
        try:
            digits = auth.digits(auth.authorization(request.headers.raw))
            return in_force(self.tenants.find(digits).sandbox.readings)
        except (errors.ApiError, WorldLoading):
            return in_force(self.tenants.defaults.chosen)


def create_app(
    settings: Settings | None = None,
    *,
    scenario: Scenario | None = None,
    fixture: Fixture | None = None,
    control: Callable[[str | None], Iterable[Resource]] = lambda word: (),
    checkers: Sequence[ExpectationChecker] = (),
    pages: Callable[[], Mapping[str, StaticFile]] = dict,
) -> App:
    """Return the mock as an ASGI application, for any ASGI server. Faults that break the connection need cnx-mock's own
    server.

    `scenario` and `fixture` are what new sandboxes get, in place of those that the settings name. Layers above this one
    hand in what they add: `control` returns resources of the control plane, `checkers` judge expectations, `pages`
    returns files for browsers by their paths under `/_mock/`. Raises UnknownScenario, UnknownFixture, SourceError or
    ScenarioError for what cannot be used.
    """
    settings = settings or Settings()
    named = load_scenarios(settings.scenario) if settings.scenario else Scenario(name="none")
    return App(settings, scenario or named, fixture, control, checkers, pages)
