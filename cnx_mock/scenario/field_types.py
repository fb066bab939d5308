"""The types of a scenario's values: how each is read, and how the JSON Schema describes it."""

from collections.abc import Mapping
from typing import Annotated, Any

from cnx_mock.api.declarations import BeforeValidator, ConfigDict, Field, WithJsonSchema
from cnx_mock.scenario.own_text import text_of
from cnx_mock.text.regex import regex
from cnx_mock.text.units import parse_bandwidth, parse_duration, parse_instant, parse_money, parse_rate, parse_size

MOST = 1_000_000_000
"""The largest number of anything that is counted."""

DURATION = {
    "type": "string",
    "pattern": r"^([0-9]+(\.[0-9]+)?(d|h|m|s|ms|us))+$",
    "examples": ["250ms", "2s", "1m30s"],
}
_TOKEN = regex(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SIZE = r"[0-9]+(\.[0-9]+)?(B|KB|MB|GB|KiB|MiB|GiB)"


_LONGEST_OUTAGE = 60_000_000
"""Microseconds that the whole server may be out of reach because of a fault."""


def short_while(value: object) -> int:
    """Return the microseconds of a duration for which a server may be out of reach. Raises ValueError."""
    lasts = parse_duration(value)
    if not 0 < lasts <= _LONGEST_OUTAGE:
        raise ValueError("must be longer than 0s, and at most 1m: nobody can reach the server in that time")
    return lasts


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: object) -> object:
    items = _listed(value)
    if not items or not all(isinstance(item, str) and item.strip("!") for item in items):
        raise ValueError("must be a string or a list of strings")
    return value


def _single_values(value: object) -> list[Any]:
    """Return one or several single values as a list. Raises ValueError for anything else."""
    items = _listed(value)
    if not items or any(map(_is_nested, items)):
        absent = isinstance(value, Mapping) and "absent" in value
        hint = "; null means that it is absent" if absent else ""
        raise ValueError(f"must be a single value, or a list of them{hint}")
    return items


def _scalars(value: object) -> object:
    if any(isinstance(item, int | float) and not -(1 << 63) <= item < 1 << 63 for item in _single_values(value)):
        raise ValueError("must be a number of at most 64 bits")
    return value


def _own_texts(value: object) -> object:
    return [text_of(item) for item in _single_values(value)]


def _ids(value: object) -> object:
    items = [text_of(item) for item in _single_values(value)]
    if any(item is not None and not item.strip("!") for item in items):
        raise ValueError("must be a string or a list of strings, or null")
    return items


def _paths(value: object) -> object:
    items = _listed(value)
    return _texts(value if None in items or any(map(_is_nested, items)) else _own_texts(value))


def _is_nested(value: object) -> bool:
    return isinstance(value, list | Mapping)


def header_name(name: object) -> str:
    """Return the name of a header as it is written. Raises ValueError for anything else (RFC 9110 section 5.6.2)."""
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise ValueError("must be a header's name, such as X-RateLimit-Reset")
    return name


def example(**keys: Any) -> ConfigDict:
    """Return the `model_config` of a model whose example, in the schema and in error messages, has these keys."""
    return ConfigDict(json_schema_extra={"examples": [keys]})


def one_or_many(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of what `schema` describes, or of a list of such values."""
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]}


Count = Annotated[int, Field(ge=1, le=MOST)]
Texts = Annotated[Any, BeforeValidator(_texts), WithJsonSchema(one_or_many({"type": "string", "pattern": "[^!]"}))]
_ANY_SCALAR = one_or_many({"type": ["string", "number", "boolean", "null"]})
Scalars = Annotated[Any, BeforeValidator(_scalars), WithJsonSchema(_ANY_SCALAR)]
OwnTexts = Annotated[Any, BeforeValidator(_own_texts), WithJsonSchema(_ANY_SCALAR)]
"""A list of what one or several values are as texts on the wire; None is "not there"."""
Ids = Annotated[Any, BeforeValidator(_ids), WithJsonSchema(_ANY_SCALAR)]
HeaderName = Annotated[str, BeforeValidator(header_name)]
PathTexts = Annotated[Any, BeforeValidator(_paths), WithJsonSchema(one_or_many({"type": "string", "pattern": "[^!]"}))]
Duration = Annotated[Any, BeforeValidator(parse_duration), WithJsonSchema(DURATION)]
RANGE = {"anyOf": [DURATION, {"type": "array", "items": DURATION, "minItems": 2, "maxItems": 2}]}
"""The JSON Schema of `200ms` or `[100ms, 300ms]`."""
Instant = Annotated[
    Any,
    BeforeValidator(parse_instant),
    WithJsonSchema(
        {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]", "examples": ["2026-01-01T00:00:00Z"]}
    ),
]
Money = Annotated[
    Any,
    BeforeValidator(parse_money),
    WithJsonSchema({"type": "string", "pattern": r"^-?\$[0-9]+(\.[0-9]{2})?$", "examples": ["$5.07"]}),
]
Rate = Annotated[
    Any,
    BeforeValidator(parse_rate),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,12}/(min|minute)$", "examples": ["60/min"]}),
]
Size = Annotated[
    Any, BeforeValidator(parse_size), WithJsonSchema({"type": "string", "pattern": f"^{_SIZE}$", "examples": ["8B"]})
]
Bandwidth = Annotated[
    Any,
    BeforeValidator(parse_bandwidth),
    WithJsonSchema({"type": "string", "pattern": f"^{_SIZE}/s$", "examples": ["20KB/s"]}),
]
