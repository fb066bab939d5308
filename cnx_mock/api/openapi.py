"""The OpenAPI 3.1 document, generated from the declarations: nothing in it is written twice."""

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from cnx_mock import __version__
from cnx_mock.api import errors
from cnx_mock.api.operation import Operation
from cnx_mock.api.paging import Page

_REF = "#/components/schemas/{model}"
_REQUEST_ID = "req_8f7e6d5c4b3a2f1e"


class _Schemas(GenerateJsonSchema):
    """Pydantic's schemas without a title for every field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Field names speak for themselves."""
        return False


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document of these operations."""
    known = list(operations)
    refs, schemas = _schemas(known)
    paths: dict[str, Any] = {}
    for operation in known:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, refs, schemas)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "CloudNexus API",
            "version": "1.2.0",
            "description": "Programmatically manage your cloud infrastructure. Served by cnx-mock "
            f"{__version__}, a local sandbox: nothing here is the real cloud.",
        },
        "servers": [{"url": "/"}],
        "security": [{"api_key": []}],
        "tags": [{"name": each.name, "description": each.description} for each in _resources(known)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "api_key": {"type": "http", "scheme": "bearer", "description": "A key of the form cnx_test_ + 32 hex."}
            },
            "schemas": {**schemas, "Error": _ERROR},
        },
    }


_ERROR = {
    "type": "object",
    "description": "Why a request was refused.",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "request_id"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string", "description": "Machine-readable code.", "examples": ["NOT_FOUND"]},
                "message": {"type": "string", "description": "Human-readable message."},
                "details": {
                    "type": "object",
                    "description": "What the code does not say.",
                    "additionalProperties": {"type": "string"},
                },
                "request_id": {"type": "string", "description": "As in X-Request-Id.", "examples": [_REQUEST_ID]},
            },
        }
    },
}


def _resources(operations: list[Operation]) -> list[Any]:
    return list({operation.resource.name: operation.resource for operation in operations}.values())


def _schemas(operations: list[Operation]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """A reference for every declared body and answer, and the schemas that they refer to."""
    inputs: list[tuple[Any, JsonSchemaMode, TypeAdapter[Any]]] = []
    for operation in operations:
        if operation.body is not None:
            inputs.append((operation.body, "validation", TypeAdapter(operation.body)))
        inputs.append((str(operation.answer), "serialization", TypeAdapter(operation.answer)))
    unique = {(key, mode): (key, mode, adapter) for key, mode, adapter in inputs}
    refs, defs = TypeAdapter.json_schemas(list(unique.values()), ref_template=_REF, schema_generator=_Schemas)
    return refs, defs.get("$defs", {})


def _operation(operation: Operation, refs: dict[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "operationId": operation.name.replace(".", "_"),
        "summary": operation.summary,
        "description": operation.description or operation.summary,
        "tags": [operation.resource.name],
        "x-cnx-provenance": operation.provenance.kind,
        "x-cnx-source": operation.provenance.source,
        "parameters": _parameters(operation),
        "responses": _responses(operation, refs),
    }
    if operation.deprecated:
        item["deprecated"] = True
    if operation.body is not None:
        schema = refs[(operation.body, "validation")]
        item["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return item


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": "The id."}
        for name in operation.params
    ]
    if operation.query is None:
        return found
    schema = operation.query.model_json_schema(schema_generator=_Schemas)
    for name, field in schema["properties"].items():
        found.append(
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "description": field.pop("description", ""),
                "schema": field,
                **({"style": "form", "explode": False} if field.get("type") == "array" else {}),
            }
        )
    return found


def _responses(operation: Operation, refs: dict[Any, Any]) -> dict[str, Any]:
    schema = refs[(str(operation.answer), "serialization")]
    responses: dict[str, Any] = {
        str(status): {
            "description": "Created" if status == 201 else "Success",
            "headers": _headers(operation, status),
            "content": {"application/json": {"schema": schema}},
        }
        for status in operation.statuses
    }
    for refusal in possible(operation):
        answer = responses.setdefault(
            str(refusal.status),
            {
                "description": "",
                "content": {
                    "application/json": {"schema": {"$ref": _REF.format(model="Error")}, "examples": {}},
                },
            },
        )
        answer["description"] = " ".join(filter(None, (answer["description"], refusal.message)))
        answer["content"]["application/json"]["examples"][refusal.code] = {
            "summary": refusal.message,
            "value": {
                "error": {
                    "code": refusal.code,
                    "message": refusal.message,
                    "details": dict(refusal.example),
                    "request_id": _REQUEST_ID,
                }
            },
        }
    return responses


def possible(operation: Operation) -> list[type[errors.ApiError]]:
    """Every error that this operation can answer."""
    usual = [error for error in errors.EVERYWHERE if error is not errors.NotFound or operation.params]
    validated = [errors.ValidationFailed] if operation.body or operation.query else []
    return sorted({*usual, *validated, *operation.raises}, key=lambda error: (error.status, error.code))


_EVERY_ANSWER = {
    "X-RateLimit-Limit": "Requests a minute.",
    "X-RateLimit-Remaining": "Requests left in this window, after this one.",
    "X-RateLimit-Reset": "When the window ends, in epoch seconds.",
}


def _headers(operation: Operation, status: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: {"description": words, "schema": {"type": "integer"}, "x-cnx-provenance": "documented"}
        for name, words in _EVERY_ANSWER.items()
    }
    text = {"X-Request-Id": "The request's id."}
    if status == 201:
        text["Location"] = "Where the new resource is, as a relative reference."
    if operation.answer_type is Page:
        text["Link"] = "First, previous, next and last page (RFC 8288)."
    for name, words in text.items():
        found[name] = {"description": words, "schema": {"type": "string"}, "x-cnx-provenance": "added"}
    return found
