"""Schemas that client generators understand: what they would spell badly, or not compile, is spelt in another way.

Both spellings mean the same to a validator. Generators that were tried: openapi-generator (Go, Java, TypeScript),
openapi-python-client, datamodel-code-generator and openapi-typescript.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from cnx_mock.api.declarations import GetJsonSchemaHandler
from cnx_mock.dataclass import dataclass
from cnx_mock.text.regex import regex

REF = "#/components/schemas/{model}"

_COMPONENT = "x-component"
"""The schema keyword that carries a `Component` until `portable` removes it."""
_REFERENCE = regex(r'"#/components/schemas/(\w+)"')
_INT32_MAX = 2**31 - 1
_DATA = ("default", "enum", "const", "examples", "example", "required")
"""Keywords whose values are not schemas."""


@dataclass(frozen=True, slots=True)
class Component:
    """Gives a type its own name in the document. Used in `Annotated`.

    Without it, generators make up a name for each place where the type is used: `Status1`, `Status2`.
    """

    name: str
    description: str
    prefix: str = ""
    """What the constants of its values begin with: `FIREWALL` for `FIREWALL_TCP`. Go has one name space for the
    constants of all types, so a value that two types share needs it. Empty for the value alone: `RUNNING`."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), _COMPONENT: asdict(self)}


def portable(schema: Any, components: dict[str, Any]) -> Any:
    """Return the schema in a spelling that generators understand. Adds the types with a name to `components`."""
    if isinstance(schema, list):
        return [portable(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {word: value if word in _DATA else _inner(word, value, components) for word, value in schema.items()}
    return _hoisted(_with_format(_nullable(_without_default(found))), components)


def used(schemas: Mapping[str, Any], outside: Any) -> dict[str, Any]:
    """Return the schemas that something outside of them refers to, directly or by other schemas."""
    found: set[str] = set()
    new = _references(outside)
    while new:
        found |= new
        new = set().union(*(_references(schemas[name]) for name in new)) - found
    return {name: schema for name, schema in schemas.items() if name in found}


def _references(part: Any) -> set[str]:
    """Return the names of the schemas that a part of a document refers to, at any depth."""
    return set(_REFERENCE.findall(orjson.dumps(part).decode()))


def _inner(word: str, value: Any, components: dict[str, Any]) -> Any:
    if word == "properties":  # its keys are names of fields
        return {name: portable(each, components) for name, each in value.items()}
    return value if word.startswith("x-") else portable(value, components)


def _without_default(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out a default that is null, an object or an array: Go does not compile with an object, and all three mean
    that the field may be left out."""
    default = schema.get("default", "")
    return {k: v for k, v in schema.items() if k != "default"} if _is_compound(default) else schema


def _is_compound(default: Any) -> bool:
    return default is None or isinstance(default, dict | list)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Write a plain type or null as `type: [string, "null"]`. A reference or null stays a union."""
    branches = schema.get("anyOf", [])
    plain = [each for each in branches if each != {"type": "null"}]
    if len(plain) != 1 or len(plain) == len(branches) or not isinstance(plain[0].get("type"), str):
        return schema
    rest = {word: value for word, value in schema.items() if word != "anyOf"}
    return {**plain[0], **rest, "type": [plain[0]["type"], "null"]}


def _with_format(schema: dict[str, Any]) -> dict[str, Any]:
    """Give an integer its width. Without it, generators for Go and Java take 32 bits for every integer."""
    given = schema.get("type")
    if "integer" not in (given if isinstance(given, list) else [given]):
        return schema
    fits = schema.get("maximum", _INT32_MAX + 1) <= _INT32_MAX
    return {**schema, "format": "int32" if fits else "int64"}


def _hoisted(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """Move a type with a name to the components, and leave a reference with what belongs to the place."""
    named: Mapping[str, str] | None = schema.get(_COMPONENT)
    if named is None:
        return schema
    own = {word: schema[word] for word in ("type", "enum")}
    names = [f"{named['prefix']}_{value.upper()}" for value in own["enum"]] if named["prefix"] else []
    constants = {"x-enum-varnames": names} if names else {}
    components[named["name"]] = {**own, "description": named["description"], **constants}
    rest = {word: value for word, value in schema.items() if word not in (*own, _COMPONENT)}
    return {"$ref": REF.format(model=named["name"]), **rest}
