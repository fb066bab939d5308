"""Lists of the operations of the API, the faults, and the calls of the control plane itself."""

from typing import Any

import yaml

from cnx_mock.api.errors import catalogue
from cnx_mock.api.operation import Operation, Resource, added
from cnx_mock.api.shapes import Listing, Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.http.control.plane import Server
from cnx_mock.scenario import faults
from cnx_mock.scenario.fault import Fault
from cnx_mock.services import operations

resource = Resource("_mock.vocabulary", "What rules and calls can name.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class OperationItem(Shape):
    """An operation of the API, or of the control plane."""

    name: str
    """Its name."""
    method: str
    """Its method."""
    path: str
    """Its path, with parameters in braces."""
    summary: str
    """What it does."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class FaultItem(Shape):
    """A fault that a rule can have."""

    key: str
    """The key that names it."""
    example: dict[str, Any]
    """An example of the fault, which can be used as it is."""
    outcome: bool
    """Whether it replaces the answer. Otherwise it changes how the answer arrives."""
    choices: list[str]
    """Every value of its key, if it is one of a list."""
    about: str
    """What its key means."""


@resource.operation("GET", "/_mock/operations", provenance=_PROVENANCE)
def operation_list() -> Listing[OperationItem]:
    """List the operations that a rule can match."""
    return Listing(data=[_operation(each) for each in operations()])


@resource.operation("GET", "/_mock/calls", provenance=_PROVENANCE)
def call_list(server: Server) -> Listing[OperationItem]:
    """List the calls that this control plane answers."""
    return Listing(data=[_operation(each) for each in server.operations()])


@resource.operation("GET", "/_mock/faults", provenance=_PROVENANCE)
def fault_list() -> Listing[FaultItem]:
    """List the faults that a rule can have, each with an example."""
    return Listing(data=[_fault(kind) for kind in faults.kinds()])


def _operation(operation: Operation) -> OperationItem:
    name, summary = operation.name, operation.summary
    return OperationItem(name=name, method=operation.method, path=operation.path, summary=summary)


def _fault(kind: type[Fault]) -> FaultItem:
    return FaultItem(
        key=kind.key,
        example=yaml.safe_load(faults.example(kind)),
        outcome=kind.outcome,
        choices=sorted(catalogue()) if kind.key == "error" else [],
        about=kind.model_fields[kind.key].description or "",
    )
