"""The current readings."""

from typing import Any

from cnx_mock.api.declarations import RootModel
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.readings import READINGS, wrong
from cnx_mock.api.shapes import Listing, Shape
from cnx_mock.api.validation import failed
from cnx_mock.dataclass import dataclass
from cnx_mock.http.control.plane import ControlTarget, Server

resource = Resource("_mock.readings", "What ambiguous sentences of the reference mean.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


class ReadingsChange(RootModel[dict[str, Any]]):
    """Options by reading, such as {"delete-answer": "204"}."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ReadingState(Shape):
    """A reading and the current option."""

    name: str
    """Its name."""
    value: str
    """The current option."""
    default: str
    """The default option."""
    options: list[str]
    """Every option."""
    words: str
    """The words that leave it open."""
    why: str
    """Why this option is the default."""


@resource.operation("GET", "/_mock/readings", provenance=_PROVENANCE)
def list_(server: Server, target: ControlTarget) -> Listing[ReadingState]:
    """List the current readings; without a key, those of new sandboxes."""
    return _state(server, target)


@resource.operation("PATCH", "/_mock/readings", provenance=_PROVENANCE)
def change(server: Server, target: ControlTarget, body: ReadingsChange) -> Listing[ReadingState]:
    """Choose readings; without a key, those of new sandboxes."""
    found = wrong(body.root)
    if found:
        raise failed(found)
    if target.tenant is None:
        server.tenants.defaults = server.tenants.defaults.patched(body.root, {})
    else:
        target.tenant.sandbox.readings.update(body.root)
    return _state(server, target)


def _state(server: Server, target: ControlTarget) -> Listing[ReadingState]:
    chosen = target.tenant.sandbox.readings if target.tenant else server.tenants.defaults.chosen
    return Listing(
        data=[
            ReadingState(
                name=each.name,
                value=each.of(chosen),
                default=each.default,
                options=list(each.options),
                words=each.words,
                why=each.why,
            )
            for each in READINGS
        ]
    )
