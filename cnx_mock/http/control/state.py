"""A sandbox's whole world as a fixture document: exported, and replaced."""

from typing import Any

from cnx_mock.api.declarations import RootModel
from cnx_mock.api.errors import ValidationFailed
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.http.control.plane import ControlTarget
from cnx_mock.http.export import WorldExporting, entries_of, is_large
from cnx_mock.http.loading import WorldLoading
from cnx_mock.http.long_call import LongCall
from cnx_mock.http.tenant import Tenant
from cnx_mock.services.worlds import Fixture, exported, exported_json, load, shipped_fixtures
from cnx_mock.text.suggestions import one_of

resource = Resource("_mock.state", "A sandbox's whole world.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


class StateDocument(RootModel[dict[str, Any]]):
    """`{"name": "small-team"}` for one that comes with the package, or a whole fixture."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class State(Shape):
    """A fixture document."""

    clock: dict[str, Any]
    """The clock as it is now."""
    chance: dict[str, Any]
    """The name on which its random choices depend, and how many ids of each kind were made."""
    accounts: list[dict[str, Any]]
    """The account, and everything in it."""


def fixture_of(given: str | dict[str, Any], call: LongCall, field: str = "name") -> Fixture:
    """Return a fixture given by name or in full; `field` of the body has the name. Raises ValidationFailed,
    FixtureError or WorldLoading."""
    name = given if isinstance(given, str) else given["name"] if set(given) == {"name"} else None
    if name is None:
        return call.read_fixture(given)
    known = shipped_fixtures()
    if name not in known:
        raise ValidationFailed(**{field: f"must be one of: {one_of(known, name)}"})
    return load(name)


@resource.operation("GET", "/_mock/state", provenance=_PROVENANCE)
def get(target: ControlTarget) -> State:
    """Export the whole sandbox, including its clock."""
    return _exported(target.must())


@resource.operation("PUT", "/_mock/state", provenance=_PROVENANCE)
def put(target: ControlTarget, call: LongCall, body: StateDocument) -> State:
    """Replace the whole world with the first account of a fixture. This is the only way to set the clock back."""
    tenant = target.must()
    tenant.load(fixture_of(body.root, call))
    if tenant.loading is not None:
        raise WorldLoading(tenant.loading, again_as="GET")
    return _exported(tenant)


def _exported(tenant: Tenant) -> State:
    """Return the whole sandbox. Raises WorldExporting for a large one."""
    sandbox = tenant.sandbox
    if is_large(sandbox):
        raise WorldExporting(tenant.write(exported_json(sandbox), entries_of(sandbox)))
    return State(**exported(sandbox))
