"""Surfaces: how much of the API is served. Only the documented operations, also those that the reference names or
implies, or all."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # `settings` needs the names alone, and every command reads the settings when it starts
    from cnx_mock.api.operation import Operation

Surface = Literal["documented", "named", "all"]

_SERVED: dict[Surface, tuple[str, ...]] = {
    "documented": ("documented",),
    "named": ("documented", "named", "implied"),
    "all": ("documented", "named", "implied", "added"),
}

ADDED_HEADERS = frozenset({b"x-request-id", b"location", b"link", b"cache-control", b"x-total-count"})
"""Headers that neither the reference names nor HTTP requires. Only the surface `all` sends them."""


def is_added(name: bytes, value: bytes) -> bool:
    """Return whether a header is an addition of cnx-mock. The legacy path's link to its successor is not one."""
    return name in ADDED_HEADERS and b"successor-version" not in value


def served(operations: "Iterable[Operation]", surface: Surface) -> "list[Operation]":
    """Return the operations of a surface."""
    return [operation for operation in operations if operation.provenance.kind in _SERVED[surface]]
