"""The complete mock as an ASGI application: the app of `http`, with what the audit and the live page add to it."""

from collections.abc import Callable, Iterable, Mapping

from cnx_mock.api.operation import Resource
from cnx_mock.errors import SettingsError
from cnx_mock.http import app
from cnx_mock.http.static_files import StaticFile
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services.worlds import Fixture
from cnx_mock.settings import Settings


def create_app(
    settings: Settings | None = None, *, scenario: Scenario | None = None, fixture: Fixture | None = None
) -> app.App:
    """Return the mock as an ASGI application, for any ASGI server. Faults that break the connection need cnx-mock's own
    server.

    New sandboxes get `scenario` and `fixture`, instead of those in the settings. Raises UnknownScenario,
    UnknownFixture, SourceError or ScenarioError for a scenario or a fixture that cannot be used, and SettingsError for
    an argument of another type.
    """
    _check("settings", settings, Settings, "")
    _check("scenario", scenario, Scenario, "; a name or a path is given as Settings(scenario=('calm',))")
    _check("fixture", fixture, Fixture, "; a name or a path is given as Settings(fixture='empty')")
    return extended_app(settings, scenario=scenario, fixture=fixture)


def _check(name: str, given: object, kind: type, hint: str) -> None:
    """Raise SettingsError unless an argument is of this type, or not given."""
    if given is not None and not isinstance(given, kind):
        raise SettingsError(f"{name} must be a {kind.__name__}, not {type(given).__name__}{hint}")


def extended_app(
    settings: Settings | None = None,
    *,
    scenario: Scenario | None = None,
    fixture: Fixture | None = None,
    control: Callable[[str | None], Iterable[Resource]] = lambda word: (),
) -> app.App:
    """Return what `create_app` returns, with further resources of the control plane: `control` returns them for the
    first word of a path after `/_mock/`, all of them for None."""
    return app.create_app(
        settings,
        scenario=scenario,
        fixture=fixture,
        control=lambda word: (*_resources(word), *control(word)),
        checkers=[_unmet],
        pages=_pages,
    )


_WORDS = ("audit", "journals")
"""With what the paths of the audit's resource begin, after `/_mock/`."""


def _resources(word: str | None) -> Iterable[Resource]:
    if word is not None and word not in _WORDS:
        return ()
    from cnx_mock.audit import control  # lazy: only a call of the control plane needs the audit

    return [control.resource]


def _pages() -> Mapping[str, StaticFile]:
    from cnx_mock import dashboard  # lazy: as above

    return dashboard.files()


def _unmet(tenant: Tenant, scenario: Scenario) -> Iterable[str]:
    if not scenario.expects_clean_audit:
        return ()
    from cnx_mock.audit import control  # lazy: as above

    return control.unmet(tenant, scenario)
