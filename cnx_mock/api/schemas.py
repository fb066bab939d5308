"""The component schemas of the OpenAPI document: those of the declared shapes, under the current readings."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from cnx_mock.api.operation import Operation
from cnx_mock.api.paging import Page
from cnx_mock.api.portable import REF, portable
from cnx_mock.api.provenance import added, documented
from cnx_mock.api.readings import LIST_ENVELOPE, UNKNOWN_BODY_FIELD

_UNMARKED = added("the reference shows no such field").marks()
"""The provenance of a field that declares none."""
_DOCUMENTED = documented("Error responses include a structured JSON body").marks()


class Schemas(GenerateJsonSchema):
    """Pydantic's schemas without a title for every field, which only repeats the field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return False: no field gets a title."""
        return False


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what knows the schema of a declared type. To make it, pydantic reads the source of every class in it."""
    return TypeAdapter(kind)


class Components:
    """The schemas that the operations of a document refer to."""

    def __init__(self, operations: Sequence[Operation], readings: Mapping[str, str]) -> None:
        inputs: dict[tuple[Any, JsonSchemaMode], TypeAdapter[Any]] = {}
        for operation in operations:
            if operation.body is not None:
                inputs[operation.body, "validation"] = _adapter(operation.body)
            inputs[str(operation.answer), "serialization"] = _adapter(operation.answer)
        unique = [(*key, adapter) for key, adapter in inputs.items()]
        refs, defs = TypeAdapter.json_schemas(unique, ref_template=REF, schema_generator=Schemas)
        self._refs = {key: _renamed(schema) for key, schema in refs.items()}
        self.schemas: dict[str, Any] = {_page_name(name): _renamed(each) for name, each in defs["$defs"].items()}
        self._envelope = LIST_ENVELOPE.of(readings)
        for kind in dict.fromkeys(operation.answer_type for operation in operations):
            self._inherit(kind)
        self._describe()
        self._settle(readings)
        self._envelop(operation for operation in operations if operation.answer_type is Page)
        self.schemas |= _ERRORS
        for name, schema in list(self.schemas.items()):
            self.schemas[name] = portable(schema, self.schemas)
        self.schemas = dict(sorted(self.schemas.items()))

    def body(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return a reference to the schema of a declared body."""
        found: dict[str, Any] = self._refs[(model, "validation")]
        return found

    def answer(self, operation: Operation) -> dict[str, Any]:
        """Return a reference to the schema of an operation's answer."""
        found: dict[str, Any] = self._refs[(str(operation.answer), "serialization")]
        return found

    def named(self, operation: Operation) -> dict[str, Any]:
        """Return the schema of an operation's answer."""
        found: dict[str, Any] = self.schemas[self._name(operation)]
        return found

    def _name(self, operation: Operation) -> str:
        return str(self.answer(operation)["$ref"]).rpartition("/")[2]

    def _inherit(self, kind: type[Any]) -> None:
        """Copy the descriptions of inherited fields: pydantic reads only those in the class itself."""
        own = self.schemas.get(kind.__name__, {}).get("properties", {})
        for base in filter(is_dataclass, kind.__mro__[1:]):
            declared = _adapter(base).json_schema(ref_template=REF, schema_generator=Schemas)
            for name, field in declared["properties"].items():
                if name in own and "description" in field:
                    own[name].setdefault("description", field["description"])

    def _describe(self) -> None:
        """Give a field without a description that of its schema: pydantic omits a description that repeats it."""
        for schema in self.schemas.values():
            for field in schema.get("properties", {}).values():
                if "$ref" in field:
                    field.setdefault("description", self.schemas[field["$ref"].rpartition("/")[2]]["description"])

    def _settle(self, readings: Mapping[str, str]) -> None:
        for schema in self.schemas.values():
            schema.pop("title", None)  # client generators would call every list `Page`
            _mark(schema)
            if UNKNOWN_BODY_FIELD.of(readings) == "ignore" and schema.get("additionalProperties") is False:
                schema.pop("additionalProperties")

    def _envelop(self, lists: Iterable[Operation]) -> None:
        """Put the answers of these operations into the envelope of the current reading."""
        for name in {self._name(operation) for operation in lists}:
            schema = self.schemas[name]
            data = schema["properties"]["data"]
            if self._envelope == "bare":
                self.schemas[name] = {"type": "array", "items": data["items"], "description": schema["description"]}
            elif self._envelope == "flat":
                schema["required"] = ["data", "page", "pages", "results"]
                schema["properties"] = {
                    "data": data,
                    "page": _count(1, "This page's number.", 1),
                    "pages": _count(1, "Pages; 1 for an empty list.", 3),
                    "results": _count(0, "Items on all pages.", 42),
                }
                _mark(schema)


def _mark(schema: dict[str, Any]) -> None:
    """Mark the fields of a schema that declare no provenance."""
    for field in schema.get("properties", {}).values():
        for mark, value in _UNMARKED.items():
            field.setdefault(mark, value)


def _count(least: int, description: str, example: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "description": description, "examples": [example]}


_PAGE = re.compile(r"\bPage_(\w+?)_(?=\b|$)")


def _page_name(name: str) -> str:
    """Return the name that clients get for pydantic's name of a page: `InstanceList` for `Page_Instance_`."""
    return _PAGE.sub(r"\1List", name)


def _renamed(value: Any) -> Any:
    """Return the same schema with every reference to a page renamed."""
    if isinstance(value, dict):
        return {k: _page_name(v) if k == "$ref" else _renamed(v) for k, v in value.items()}
    return [_renamed(each) for each in value] if isinstance(value, list) else value


def _text(description: str, example: str) -> dict[str, Any]:
    return {"type": "string", "description": description, "examples": [example], **_DOCUMENTED}


_ERRORS: dict[str, Any] = {
    "ApiError": {
        "type": "object",
        "description": "Why a request was refused.",
        "required": ["error"],
        "additionalProperties": False,
        "properties": {
            "error": {
                "$ref": REF.format(model="ApiErrorInfo"),
                "description": "The refusal.",
                **_DOCUMENTED,
            }
        },
    },
    "ApiErrorInfo": {
        "type": "object",
        "description": "The refusal: a code for programs, and a message for people.",
        "required": ["code", "message", "details", "request_id"],
        "additionalProperties": False,
        "properties": {
            "code": _text("Machine-readable code.", "NOT_FOUND"),
            "message": _text("Human-readable message.", "The requested resource does not exist."),
            "details": {
                "type": "object",
                "description": "What the code does not say.",
                "additionalProperties": {"type": "string"},
                "examples": [{"current_balance": "$2.45", "required": "$5.00"}],
                **_DOCUMENTED,
            },
            "request_id": _text("As in X-Request-Id.", "req_8f7e6d5c4b3a2f1e"),
        },
    },
}
