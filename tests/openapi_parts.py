"""Reading an OpenAPI document: following its references."""

from typing import Any


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return the part itself, or what it refers to."""
    if "$ref" not in part:
        return part
    found: Any = document
    for word in part["$ref"].removeprefix("#/").split("/"):
        found = found[word]
    assert isinstance(found, dict)
    return found
