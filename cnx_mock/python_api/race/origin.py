"""The sandbox from which a race takes its worlds."""

from collections.abc import Callable
from dataclasses import replace

from cnx_mock.asgi import create_app
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import InvalidInputError
from cnx_mock.http.app import App
from cnx_mock.http.recipe import Recipe
from cnx_mock.http.tenant_copy import TenantCopy
from cnx_mock.net.sockets import Security
from cnx_mock.settings import Settings
from cnx_mock.sweep.trial import private


@dataclass(frozen=True, kw_only=True)
class RaceOrigin:
    """A sandbox as it is now, and the server that it is of."""

    copy: TenantCopy
    server_settings: Settings
    defaults: Recipe
    """What new sandboxes of the server get."""
    security: Security | None
    """The certificate of the server."""
    requests: Callable[[], int]
    """Returns how many requests the sandbox itself has had."""

    @classmethod
    def of(cls, app: App, sandbox_id: str, security: Security | None) -> "RaceOrigin":
        """Return the sandbox with this id. It must not change meanwhile. Raises InvalidInputError if there is none any
        more."""
        tenant = next((each for each in app.tenants if each.id == sandbox_id), None)
        if tenant is None:
            raise InvalidInputError("this sandbox does not exist any more: create a new one")
        return cls(
            copy=TenantCopy.of(tenant),
            server_settings=app.settings,
            defaults=app.tenants.defaults,
            security=security,
            requests=lambda: tenant.journal.seen,
        )

    @property
    def settings(self) -> Settings:
        """The settings of the server of a world: any free ports."""
        return private(replace(self.server_settings, tls_port=0, proxy_port=0, tls=self.server_settings.serves_tls))

    def new_world(self) -> tuple[App, str]:
        """Return an app in which the sandbox is as it is now, and its id there."""
        app = create_app(self.settings, scenario=self.defaults.scenario, fixture=self.defaults.own_fixture)
        app.tenants.defaults = self.defaults
        return app, self.copy.make(app.tenants).id
