"""How much is served: the documented four, what the reference names or implies beside them, or everything."""

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
"""Headers that no sentence of the reference names and HTTP itself does not ask for: only `all` sends them."""


def is_added(name: bytes, value: bytes) -> bool:
    """Whether a header is ours alone. The legacy path's pointer to its successor goes with what the reference names."""
    return name in ADDED_HEADERS and b"successor-version" not in value


def served(operations: "Iterable[Operation]", surface: Surface) -> "list[Operation]":
    """The operations that belong to a surface."""
    return [operation for operation in operations if operation.provenance.kind in _SERVED[surface]]
