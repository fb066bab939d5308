"""The shape of a call: its structure without its values. Calls of another shape are another kind of call."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs


def shape_of(entry: Mapping[str, Any]) -> str:
    """Return the shape of a journal's entry: its status, the names in its query, and the types in its body."""
    query = ",".join(sorted(parse_qs(entry["query"], keep_blank_values=True)))
    return f"{entry['status']} {query} {_body(entry['request_body'])}"


def _body(text: str | None) -> str:
    if not text:
        return ""
    try:
        return _type(json.loads(text))
    except (ValueError, RecursionError):
        return "text"


def _type(value: Any) -> str:
    """Return the type of a JSON value, with the types of what is in it. The length of a list does not matter."""
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{_type(value[key])}' for key in sorted(value))}}}"
    if isinstance(value, list):
        return f"[{'|'.join(sorted({_type(each) for each in value}))}]"
    return "null" if value is None else type(value).__name__
