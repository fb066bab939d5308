"""The types of a scenario's values: how each is read, and how the JSON Schema describes it."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from cnx_mock.text.units import parse_bandwidth, parse_duration, parse_instant, parse_money, parse_rate, parse_size

MOST = 1_000_000_000
"""The largest number of anything that is counted."""

DURATION = {
    "type": "string",
    "pattern": r"^([0-9]+(\.[0-9]+)?(d|h|m|s|ms|us))+$",
    "examples": ["250ms", "2s", "1m30s"],
}
_SIZE = r"[0-9]+(\.[0-9]+)?(B|KB|MB|GB|KiB|MiB|GiB)"


def _texts(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) and item.strip("!") for item in items):
        raise ValueError("must be a text or a list of texts")
    return value


def _scalars(value: object) -> object:
    items = value if isinstance(value, list) else [value]
    if not items or any(isinstance(item, list | dict) for item in items):
        raise ValueError("must be a single value, or a list of them")
    if any(isinstance(item, int | float) and not -(1 << 63) <= item < 1 << 63 for item in items):
        raise ValueError("must be a number of at most 64 bits")
    return value


def example(**keys: Any) -> ConfigDict:
    """Return the `model_config` of a model whose example, in the schema and in error messages, has these keys."""
    return ConfigDict(json_schema_extra={"examples": [keys]})


def one_or_many(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of what `schema` describes, or of a list of such values."""
    return {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]}


Count = Annotated[int, Field(ge=1, le=MOST)]
Texts = Annotated[Any, BeforeValidator(_texts), WithJsonSchema(one_or_many({"type": "string", "pattern": "[^!]"}))]
Scalars = Annotated[
    Any, BeforeValidator(_scalars), WithJsonSchema(one_or_many({"type": ["string", "number", "boolean", "null"]}))
]
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
