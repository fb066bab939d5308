"""The complete mock as an ASGI application: the app of `http`, with what the audit and the live page add to it."""

from collections.abc import Callable, Iterable, Mapping

from cnx_mock.api.operation import Resource
from cnx_mock.http import app
from cnx_mock.http.static_files import StaticFile
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services.worlds import Fixture
from cnx_mock.settings import Settings


def create_app(
    settings: Settings | None = None, *, scenario: Scenario | None = None, fixture: Fixture | None = None
) -> app.App:
    """Return the mock as an ASGI application, for any ASGI server. Faults of the connection need cnx-mock's own server.

    `scenario` and `fixture` are what new sandboxes get, in place of those that the settings name. Raises
    UnknownScenario, UnknownFixture, SourceError or ScenarioError for a scenario or a fixture that cannot be used.
    """
    return extended_app(settings, scenario=scenario, fixture=fixture)


def extended_app(
    settings: Settings | None = None,
    *,
    scenario: Scenario | None = None,
    fixture: Fixture | None = None,
    control: Callable[[], Iterable[Resource]] = tuple,
) -> app.App:
    """Return what `create_app` returns, with further resources of the control plane: `control` returns them when it
    gets its first call."""
    return app.create_app(
        settings,
        scenario=scenario,
        fixture=fixture,
        control=lambda: (*_resources(), *control()),
        checkers=[_unmet],
        pages=_pages,
    )


def _resources() -> Iterable[Resource]:
    from cnx_mock.audit import control  # lazy: only a call of the control plane needs the audit

    return [control.resource]


def _pages() -> Mapping[str, StaticFile]:
    from cnx_mock import dashboard  # lazy: as above

    return dashboard.files()


def _unmet(tenant: Tenant, scenario: Scenario) -> Iterable[str]:
    from cnx_mock.audit import control  # lazy: as above

    return control.unmet(tenant, scenario)
