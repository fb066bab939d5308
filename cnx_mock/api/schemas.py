"""The document's component schemas: those of the declared shapes, as the readings in force have them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from cnx_mock.api.operation import Operation
from cnx_mock.api.provenance import added, documented
from cnx_mock.api.readings import LIST_ENVELOPE, UNKNOWN_BODY_FIELD

REF = "#/components/schemas/{model}"

_SILENT = added("the reference shows no such field").marks()
_SAID = documented("Error responses include a structured JSON body").marks()


class Schemas(GenerateJsonSchema):
    """Pydantic's schemas without a title for every field: names speak for themselves."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """None."""
        return False


class Components:
    """The schemas that a document's operations refer to."""

    def __init__(self, operations: Sequence[Operation], readings: Mapping[str, str]) -> None:
        inputs: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = []
        for operation in operations:
            if operation.body is not None:
                inputs.append((operation.body, "validation", TypeAdapter(operation.body)))
            inputs.append((str(operation.answer), "serialization", TypeAdapter(operation.answer)))
        unique = list({(key, mode): (key, mode, adapter) for key, mode, adapter in inputs}.values())
        refs, defs = TypeAdapter.json_schemas(unique, ref_template=REF, schema_generator=Schemas)
        self._refs = {key: _renamed(schema) for key, schema in refs.items()}
        self.schemas: dict[str, Any] = {_page_name(name): _renamed(each) for name, each in defs["$defs"].items()}
        self._envelope = LIST_ENVELOPE.of(readings)
        for operation in operations:
            self._inherit(operation.answer_type)
        self._describe()
        self._settle(readings)
        self.schemas["Error"] = _ERROR

    def body(self, model: type[BaseModel]) -> dict[str, Any]:
        """A reference to a declared body."""
        found: dict[str, Any] = self._refs[(model, "validation")]
        return found

    def answer(self, operation: Operation) -> dict[str, Any]:
        """A reference to what an operation answers with."""
        found: dict[str, Any] = self._refs[(str(operation.answer), "serialization")]
        return found

    def _inherit(self, kind: type[Any]) -> None:
        """Let a shape's fields say what they say where they were declared: pydantic reads a class's own words only."""
        own = self.schemas.get(kind.__name__, {}).get("properties", {})
        for base in filter(is_dataclass, kind.__mro__[1:]):
            declared = TypeAdapter(base).json_schema(ref_template=REF, schema_generator=Schemas)
            for name, field in declared["properties"].items():
                if name in own and "description" in field:
                    own[name].setdefault("description", field["description"])

    def _describe(self) -> None:
        """Let a field that says what its schema says really say it: pydantic leaves repeated words out."""
        for schema in self.schemas.values():
            for field in schema.get("properties", {}).values():
                if "$ref" in field:
                    field.setdefault("description", self.schemas[field["$ref"].rpartition("/")[2]]["description"])

    def _settle(self, readings: Mapping[str, str]) -> None:
        for name, schema in list(self.schemas.items()):
            schema.pop("title", None)  # generators would call every list `Page`
            if name.endswith("List") and "pagination" in schema.get("properties", {}) and "timezone" not in str(schema):
                self.schemas[name] = self._paged(schema)
            for field in self.schemas[name].get("properties", {}).values():
                for mark, value in _SILENT.items():
                    field.setdefault(mark, value)
            if UNKNOWN_BODY_FIELD.of(readings) == "ignore" and schema.get("additionalProperties") is False:
                schema.pop("additionalProperties")

    def _paged(self, schema: dict[str, Any]) -> dict[str, Any]:
        data = schema["properties"]["data"]
        if self._envelope == "bare":
            return {"type": "array", "items": data["items"], "description": schema["description"]}
        if self._envelope == "flat":
            return {
                **schema,
                "required": ["data", "page", "pages", "results"],
                "properties": {
                    "data": data,
                    "page": _count(1, "This page's number.", 1),
                    "pages": _count(1, "Pages; 1 for an empty list.", 3),
                    "results": _count(0, "Items on all pages.", 42),
                },
            }
        return schema


def _count(least: int, words: str, example: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "description": words, "examples": [example]}


_PAGE = re.compile(r"\bPage_(\w+?)_(?=\b|$)")


def _page_name(name: str) -> str:
    """`Page_Instance_` is `InstanceList` to a client generator."""
    return _PAGE.sub(r"\1List", name)


def _renamed(value: Any) -> Any:
    """The same with every reference to a page renamed."""
    if isinstance(value, dict):
        return {k: _page_name(v) if k == "$ref" else _renamed(v) for k, v in value.items()}
    return [_renamed(each) for each in value] if isinstance(value, list) else value


_ERROR: dict[str, Any] = {
    "type": "object",
    "description": "Why a request was refused.",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "description": "The refusal.",
            "required": ["code", "message", "details", "request_id"],
            "additionalProperties": False,
            **_SAID,
            "properties": {
                "code": {"type": "string", "description": "Machine-readable code.", "examples": ["NOT_FOUND"], **_SAID},
                "message": {
                    "type": "string",
                    "description": "Human-readable message.",
                    "examples": ["The requested resource does not exist."],
                    **_SAID,
                },
                "details": {
                    "type": "object",
                    "description": "What the code does not say.",
                    "additionalProperties": {"type": "string"},
                    "examples": [{"current_balance": "$2.45", "required": "$5.00"}],
                    **_SAID,
                },
                "request_id": {
                    "type": "string",
                    "description": "As in X-Request-Id; empty where nothing was asked of the API.",
                    "examples": ["req_8f7e6d5c4b3a2f1e"],
                    **_SAID,
                },
            },
        }
    },
}
