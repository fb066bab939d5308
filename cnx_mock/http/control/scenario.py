"""The current scenario, and the gallery."""

from collections.abc import Iterable, Mapping
from typing import Any

from cnx_mock.api.declarations import RootModel
from cnx_mock.api.errors import InvalidState, ValidationFailed
from cnx_mock.api.operation import Operation, Resource, added
from cnx_mock.api.shapes import Listing, Shape
from cnx_mock.api.validation import spelling
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import Problem, ScenarioError
from cnx_mock.http.control.expectations import unmet
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.long_call import LongCall
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.scenario import Scenario, read_scenario, stacked
from cnx_mock.services import operations
from cnx_mock.services.worlds import shipped_fixtures
from cnx_mock.text.suggestions import one_of
from cnx_mock.text.units import format_instant_ms

resource = Resource("_mock.scenario", "The current scenario.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


class ScenarioDocument(RootModel[dict[str, Any]]):
    """`{"name": "flaky-network"}` for one of the gallery, or a whole scenario."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class PhaseState(Shape):
    """The phase that a story is in."""

    name: str
    """The phase."""
    since: str
    """When it began, on the sandbox's clock."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ScenarioState(Shape):
    """The current scenario."""

    name: str
    """Its name."""
    description: str
    """What it is about."""
    phase: PhaseState | None
    """The phase that it is in, where it has phases."""
    unmet: list[str]
    """Which of its expectations are not met, and why."""
    warnings: list[str]
    """What in it can never happen."""
    error: str | None
    """With `--watch`: the error in the file, if it cannot be used now; then the last good version is used."""
    scenario: dict[str, Any]
    """The scenario as it was written."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class GalleryItem(Shape):
    """A scenario of the gallery."""

    name: str
    """Its name."""
    description: str
    """What it is about."""


def named_or_inline(items: Iterable[str | Mapping[str, Any]], field: str = "name") -> Scenario:
    """Return the combination of scenarios that are given by name or in full; `field` of the body has the name. Raises
    ValidationFailed or ScenarioError."""
    known = operations()
    return stacked([_one(item, known, field) for item in items] or [Scenario()], known)


def _one(item: str | Mapping[str, Any], operations: list[Operation], field: str) -> Scenario:
    name = item if isinstance(item, str) else item["name"] if set(item) == {"name"} else None
    if name is None:
        return _without_paths(read_scenario(item, operations))
    from cnx_mock.scenario import gallery  # lazy: reading files takes modules that most runs do not need

    known = gallery.gallery()
    if name not in known:
        raise ValidationFailed(**{field: f"must be one of: {one_of(known, name)}"})
    return gallery.load(name, operations)


def _without_paths(scenario: Scenario) -> Scenario:
    """Return a scenario that came over HTTP. Raises ScenarioError if it names a file: no request opens files of this
    machine."""
    name = scenario.world.fixture
    known = shipped_fixtures()
    if isinstance(name, str) and name not in known:
        message = (
            f"must be one of: {one_of(known, name)}; a request cannot name a file: send the content of the fixture"
        )
        raise ScenarioError([Problem(("world", "fixture"), message)])
    return scenario


@resource.operation("GET", "/_mock/scenario", provenance=_PROVENANCE)
def get(server: Server, target: ControlTarget) -> ScenarioState:
    """Read the current scenario; without a key, that of new sandboxes."""
    return scenario_state(server, target.tenant)


@resource.operation("PUT", "/_mock/scenario", provenance=_PROVENANCE, raises=(InvalidState,))
def put(server: Server, target: ControlTarget, call: LongCall, body: ScenarioDocument) -> ScenarioState:
    """Use a scenario instead of the current one; injected rules stay. Without a key, new sandboxes get it."""
    scenario = named_or_inline([body.root])
    if target.tenant is None:
        server.tenants.use(scenario, call.read_fixture)
    else:
        target.tenant.use(scenario, call.read_fixture)
    return scenario_state(server, target.tenant)


@resource.operation("DELETE", "/_mock/scenario", provenance=_PROVENANCE)
def delete(server: Server, target: ControlTarget) -> ScenarioState:
    """Remove the scenario; without a key, in every sandbox and for new ones."""
    nothing = Scenario(name="none")
    if target.tenant is None:
        server.tenants.defaults = server.tenants.defaults.using(nothing)
    for tenant in [target.tenant] if target.tenant else server.tenants:
        tenant.engine.use(nothing)
    return scenario_state(server, target.tenant)


def scenario_state(server: Server, tenant: Tenant | None) -> ScenarioState:
    """Return the current scenario in a sandbox; without a sandbox, that of new ones."""
    scenario = tenant.engine.scenario if tenant else server.tenants.defaults.scenario
    return ScenarioState(
        name=scenario.name,
        description=scenario.description,
        phase=_phase(tenant),
        unmet=list(unmet(server, tenant, scenario)) if tenant else [],
        warnings=warnings(scenario),
        error=server.tenants.watch_error,
        scenario=dict(scenario.document),
    )


def _phase(tenant: Tenant | None) -> PhaseState | None:
    moment, since = tenant.engine.moment() if tenant else (None, 0)
    if moment is None or moment.phase is None:
        return None
    return PhaseState(name=moment.phase.name, since=format_instant_ms(since))


def warnings(scenario: Scenario) -> list[str]:
    """Return a sentence for everything in a scenario that can never happen."""
    if not scenario.document:
        return []
    from cnx_mock.scenario.lint import lint  # lazy: without a scenario there is nothing to say

    return [f"{spelling(each.path)}: {each.message}" for each in lint(scenario, operations())]


@resource.operation("GET", "/_mock/scenarios", provenance=_PROVENANCE)
def list_() -> Listing[GalleryItem]:
    """List the gallery."""
    from cnx_mock.scenario import gallery  # lazy: as above

    known = operations()
    stories = [gallery.load(name, known) for name in gallery.gallery()]
    return Listing(data=[GalleryItem(name=story.name, description=story.description) for story in stories])
