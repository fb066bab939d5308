"""The scenario in force, and the gallery."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import RootModel

from cnx_mock.api.errors import InvalidState, ValidationFailed
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Listing, Shape
from cnx_mock.api.validation import failed
from cnx_mock.http.control.plane import Addressee, Server
from cnx_mock.http.tenants import Tenant
from cnx_mock.scenario import gallery
from cnx_mock.scenario.document import DocumentError, Scenario, read_scenario, stacked
from cnx_mock.services import operation_names
from cnx_mock.text.suggestions import did_you_mean, one_of

resource = Resource("_mock.scenario", "The scenario in force.")
_OURS = added("the mock's own control plane")


class ScenarioDocument(RootModel[dict[str, Any]]):
    """`{"name": "flaky-network"}` for one of the gallery, or a whole scenario."""


@dataclass(slots=True, kw_only=True, eq=False)
class ScenarioState(Shape):
    """The scenario in force."""

    name: str
    """Its name."""
    description: str
    """What it shows."""
    phase: dict[str, str] | None
    """The phase that it is in, where it has phases."""
    scenario: dict[str, Any]
    """The scenario as it was written."""


@dataclass(slots=True, kw_only=True, eq=False)
class GalleryItem(Shape):
    """A scenario of the gallery."""

    name: str
    """Its name."""
    description: str
    """What it shows."""


def named_or_inline(items: Iterable[str | Mapping[str, Any]]) -> Scenario:
    """Scenarios given by name or in full, stacked. Raises ValidationFailed for what cannot be used."""
    names = operation_names()
    try:
        return stacked([_one(item, names) for item in items] or [Scenario()])
    except DocumentError as error:
        raise failed(error.problems) from None


def _one(item: str | Mapping[str, Any], names: set[str]) -> Scenario:
    name = item if isinstance(item, str) else item["name"] if set(item) == {"name"} else None
    if name is None:
        return read_scenario(item, names)
    known = gallery.gallery()
    if name not in known:
        hint = did_you_mean(name, known) if isinstance(name, str) else ""
        raise ValidationFailed(name=f"must be one of: {one_of(known)}{hint}")
    return gallery.load(name, names)


@resource.operation("GET", "/_mock/scenario", provenance=_OURS)
def get(server: Server, addressee: Addressee) -> ScenarioState:
    """Read the scenario in force; without a key, that of new sandboxes."""
    tenant = addressee.tenant
    return _state(tenant.engine.scenario if tenant else server.tenants.defaults.scenario)


@resource.operation("PUT", "/_mock/scenario", provenance=_OURS, raises=(InvalidState,))
def put(server: Server, addressee: Addressee, body: ScenarioDocument) -> ScenarioState:
    """Use a scenario in place of the former one; injected rules stay. Without a key, new sandboxes get it."""
    scenario = named_or_inline([body.root])
    if addressee.tenant is None:
        server.tenants.defaults = replace(server.tenants.defaults, scenario=scenario)
    else:
        _use(addressee.tenant, scenario)
    return _state(scenario)


@resource.operation("DELETE", "/_mock/scenario", provenance=_OURS)
def delete(server: Server, addressee: Addressee) -> ScenarioState:
    """Use no scenario; without a key, in every sandbox and for new ones."""
    calm = Scenario(name="none")
    if addressee.tenant is None:
        server.tenants.defaults = replace(server.tenants.defaults, scenario=calm)
    for tenant in [addressee.tenant] if addressee.tenant else server.tenants:
        tenant.engine.use(calm)
    return _state(calm)


def _use(tenant: Tenant, scenario: Scenario) -> None:
    try:
        tenant.use(scenario)
    except DocumentError as error:
        raise failed(error.problems) from None


def _state(scenario: Scenario) -> ScenarioState:
    return ScenarioState(
        name=scenario.name, description=scenario.description, phase=None, scenario=dict(scenario.document)
    )


@resource.operation("GET", "/_mock/scenarios", provenance=_OURS)
def list_() -> Listing[GalleryItem]:
    """List the gallery."""
    names = operation_names()
    stories = [gallery.load(name, names) for name in gallery.gallery()]
    return Listing(data=[GalleryItem(name=story.name, description=story.description) for story in stories])
