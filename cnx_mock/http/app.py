"""The app: pages, the control plane and the API, put together.

Pages (`/`, `/openapi.json`) are ordinary Starlette routes; `/_mock` is the control plane's; every other path is a call
to the API and travels as `calls` says.
"""

from collections.abc import Iterable

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cnx_mock import __version__
from cnx_mock.api import errors, openapi
from cnx_mock.api.router import Router
from cnx_mock.http import control
from cnx_mock.http.calls import Calls, Listener
from cnx_mock.http.control.plane import ControlPlane
from cnx_mock.http.pages import Cors, Pages
from cnx_mock.http.tenants import Recipe, Tenants
from cnx_mock.scenario import gallery
from cnx_mock.scenario.document import Scenario, stacked
from cnx_mock.services import operation_names, operations
from cnx_mock.settings import Settings
from cnx_mock.world.chance import random_seed


def load_scenarios(names: Iterable[str]) -> Scenario:
    """The scenarios with these names or paths, stacked. Raises UnknownScenario, SourceError or DocumentError."""
    known = operation_names()
    return stacked([gallery.load(name, known) for name in names] or [Scenario()])


class App(Starlette):
    """The ASGI application of one server; `create_app` makes it."""

    def __init__(self, settings: Settings, scenario: Scenario) -> None:
        self.settings = settings
        self.seed = random_seed() if settings.seed == "random" else int(settings.seed)
        self.listeners: list[Listener] = []
        """Called with every completed exchange; none by default, so that nothing is formatted that nobody reads."""
        self.tenants = Tenants(settings, Recipe(seed=self.seed, scenario=scenario, speed=settings.speed))
        api = operations()
        self._calls = Calls(self.tenants, Router(api), self.seed, self.listeners)
        self._control = ControlPlane(
            self.tenants, Router(op for each in control.RESOURCES for op in each.operations), self.seed
        )
        self._document = orjson.dumps(openapi.document(api))
        self.pages = Pages(self.seed, settings.surface)
        routes = [Route("/", self._welcome), Route("/openapi.json", self._openapi)]
        super().__init__(routes=routes, exception_handlers={HTTPException: self.pages.wrong_method})
        self._page_paths = {route.path for route in routes}
        self._entry: ASGIApp = self._dispatch
        if settings.cors:
            self._entry = Cors(self._dispatch, self.pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._entry(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path in self._page_paths:
            await super().__call__(scope, receive, send)
        elif path.startswith("/_mock"):
            await self._control(scope, receive, send)
        else:
            await self._calls(scope, receive, send)

    async def _welcome(self, request: Request) -> Response:
        return self.pages.page(
            {
                "name": "cnx-mock",
                "version": __version__,
                "about": "A local sandbox of the CloudNexus API. Nothing here is the real cloud.",
                "api": "/v1",
                "openapi": "/openapi.json",
                "control": "/_mock",
            }
        )

    async def _openapi(self, request: Request) -> Response:
        return self.pages.page(self._document)


def create_app(settings: Settings | None = None, *, scenario: Scenario | None = None) -> App:
    """The mock as an ASGI application, for any ASGI server; faults of the connection need cnx-mock's own.

    `scenario` is what new sandboxes get, in place of those that the settings name. Raises UnknownScenario, SourceError
    or DocumentError for scenarios that cannot be used.
    """
    settings = settings or Settings()
    return App(settings, scenario or load_scenarios(settings.scenario))
