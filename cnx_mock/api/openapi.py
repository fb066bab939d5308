"""The OpenAPI 3.1 document, generated from the declarations: nothing in it is written twice, and it follows the
readings and the surface in force."""

from collections.abc import Iterable, Mapping
from typing import Any

from cnx_mock import __version__
from cnx_mock.api import errors
from cnx_mock.api.operation import Operation
from cnx_mock.api.provenance import Provenance, added, documented
from cnx_mock.api.readings import DELETE_ANSWER, LIMIT_ABOVE_MAX, LIST_ENVELOPE, READINGS, TAGS_MATCH
from cnx_mock.api.schemas import REF, Components, Schemas
from cnx_mock.api.shapes import Deleted
from cnx_mock.api.surface import ADDED_HEADERS, Surface

_REQUEST_ID = "req_8f7e6d5c4b3a2f1e"


def document(operations: Iterable[Operation], readings: Mapping[str, str], surface: Surface) -> dict[str, Any]:
    """The document of these operations under these readings, with the headers that the surface sends."""
    return _Document(list(operations), readings, surface).whole()


class _Document:
    def __init__(self, operations: list[Operation], readings: Mapping[str, str], surface: Surface) -> None:
        self._operations = operations
        self._readings = readings
        self._surface = surface
        self._components = Components(operations, readings)
        self._shared: dict[str, Any] = {}
        self._examples: dict[str, Any] = {}

    def whole(self) -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for operation in self._operations:
            paths.setdefault(operation.path, {})[operation.method.lower()] = self._operation(operation)
        resources = {each.resource.name: each.resource for each in self._operations}.values()
        return {
            "openapi": "3.1.1",
            "info": {
                "title": "CloudNexus API",
                "version": "1.2.0",
                "description": "Programmatically manage your cloud infrastructure. Served by cnx-mock "
                f"{__version__}, a local sandbox: nothing here is the real cloud.",
                "x-cnx-readings": {reading.name: reading.of(self._readings) for reading in READINGS},
                "x-cnx-surface": self._surface,
            },
            "servers": [{"url": "/", "description": "This server."}],
            "security": [{"api_key": []}],
            "tags": [{"name": each.name, "description": each.description} for each in resources],
            "paths": paths,
            "components": {
                "securitySchemes": {
                    "api_key": {
                        "type": "http",
                        "scheme": "bearer",
                        "description": "A test key: cnx_test_ and 32 hexadecimal digits.",
                        **documented("Include your key in the Authorization header as a Bearer token.").marks(),
                    }
                },
                "schemas": self._components.schemas,
                "headers": self._shared,
                "examples": self._examples,
            },
        }

    def _operation(self, operation: Operation) -> dict[str, Any]:
        item: dict[str, Any] = {
            "operationId": operation.operation_id,
            "summary": operation.summary,
            "description": operation.description or operation.summary,
            "tags": [operation.resource.name],
            **operation.provenance.marks(),
            "x-cnx-operation": operation.name,
            "parameters": self._parameters(operation),
            "responses": self._responses(operation),
        }
        if operation.scope:
            item["x-cnx-scope"] = operation.scope
        if operation.deprecated:
            item["deprecated"] = True
        if operation.body is not None:
            schema = self._components.body(operation.body)
            item["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        return item

    def _parameters(self, operation: Operation) -> list[dict[str, Any]]:
        noun = next((kind.noun.replace("_", " ") for kind in operation.records.values()), "resource")
        found = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "examples": self._ids(operation)},
                "description": f"The {noun}'s id.",
                **operation.provenance.marks(),
            }
            for name in operation.params
        ]
        if operation.query is None:
            return found
        schema = operation.query.model_json_schema(schema_generator=Schemas)
        silent = added("the reference shows no such parameter").marks()
        for name, field in schema["properties"].items():
            marks = {mark: field.pop(mark, silent[mark]) for mark in silent}
            description = field.pop("description", "")
            if field.get("default", ...) is None:
                field.pop("default")  # what is left out is no value, and certainly not null
            if name == "limit" and LIMIT_ABOVE_MAX.of(self._readings) == "clamp":
                field.pop("maximum")
            if name == "tags" and TAGS_MATCH.of(self._readings) == "any":
                description = description.replace("every one", "any one")
            found.append(
                {
                    "name": name,
                    "in": "query",
                    "required": name in schema.get("required", ()),
                    "description": description,
                    "schema": field,
                    **({"style": "form", "explode": False} if field.get("type") == "array" else {}),
                    **marks,
                }
            )
        return found

    def _ids(self, operation: Operation) -> list[str]:
        """Examples of the ids that a path takes: those of what is got there."""
        got = next(each for each in self._operations if each.path == operation.path and each.method == "GET")
        name = self._components.answer(got)["$ref"].rpartition("/")[2]
        found: list[str] = self._components.schemas[name]["properties"]["id"]["examples"]
        return found

    def _responses(self, operation: Operation) -> dict[str, Any]:
        responses: dict[str, Any] = {}
        for status in operation.statuses:
            self._success(operation, status, responses)
        for refusal in possible(operation):
            self._refusal(operation, refusal, responses)
        return responses

    def _success(self, operation: Operation, status: int, responses: dict[str, Any]) -> None:
        schema: dict[str, Any] = self._components.answer(operation)
        style = DELETE_ANSWER.of(self._readings) if operation.answer is Deleted else "200-body"
        answer: dict[str, Any] = {"description": "Created." if status == 201 else "Success."}
        if style == "200-empty-object":
            schema = {"type": "object", "maxProperties": 0}
        if style != "204":
            answer["content"] = {"application/json": {"schema": schema}}
        answer["headers"] = self._headers(operation, status)
        if status == 201:
            answer["links"] = self._links(operation)
        responses["204" if style == "204" else str(status)] = answer

    def _links(self, operation: Operation) -> dict[str, Any]:
        """What can be done with a new resource, so that a tool can go on with its id."""
        own = f"{operation.path}/{{id}}"
        return {
            each.operation_id: {"operationId": each.operation_id, "parameters": {"id": "$response.body#/id"}}
            for each in self._operations
            if each.path == own
        }

    def _refusal(self, operation: Operation, refusal: type[errors.ApiError], responses: dict[str, Any]) -> None:
        answer = responses.setdefault(
            str(refusal.status_under(self._readings)),
            {
                "description": "",
                "content": {"application/json": {"schema": {"$ref": REF.format(model="Error")}, "examples": {}}},
                "headers": self._headers(operation, refusal.status),
            },
        )
        answer["description"] = f"{answer['description']} {refusal.message}".strip()
        value = {"code": refusal.code, "message": refusal.message, "details": dict(refusal.example)}
        self._examples[refusal.code] = {
            "summary": refusal.message,
            "value": {"error": {**value, "request_id": _REQUEST_ID}},
        }
        examples = answer["content"]["application/json"]["examples"]
        examples[refusal.code] = {"$ref": f"#/components/examples/{refusal.code}"}

    def _headers(self, operation: Operation, status: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        live = errors.LiveKeyRejected.status_under(self._readings)
        for name, (kind, words, provenance) in _headers_of(operation, status, self._readings).items():
            if self._surface == "all" or name.lower().encode() not in ADDED_HEADERS:
                header = {
                    "description": words,
                    "required": True,
                    "schema": {"type": kind, "examples": [_HEADERS[name]]},
                    **provenance.marks(),
                }
                self._shared[name] = header
                found[name] = {"$ref": f"#/components/headers/{name}"}
                if status == live and name.startswith("X-RateLimit"):  # a live key has no limit
                    found[name] = {**header, "required": False}
        return found


_HEADERS: dict[str, int | str] = {
    "X-RateLimit-Limit": 300,
    "X-RateLimit-Remaining": 299,
    "X-RateLimit-Reset": 1702834567,
    "X-Request-Id": _REQUEST_ID,
    "Cache-Control": "no-store",
    "Location": "/v1/instances/inst_8f7e6d5c4b3a2f1e",
    "Link": '</v1/instances?page=1>; rel="first", </v1/instances?page=3>; rel="last"',
    "X-Total-Count": 42,
    "WWW-Authenticate": "Bearer",
    "Retry-After": 60,
    "Deprecation": "@1761264000",
}
"""An example of every header."""

_LIMITS = documented("Rate limit status is returned in response headers")


def _headers_of(
    operation: Operation, status: int, readings: Mapping[str, str]
) -> dict[str, tuple[str, str, Provenance]]:
    """Every header of an answer with this status: its type, what it says, where it comes from."""
    found: dict[str, tuple[str, str, Provenance]] = {}
    if status not in (401, 413):
        found["X-RateLimit-Limit"] = ("integer", "How many requests a minute are allowed.", _LIMITS)
        found["X-RateLimit-Remaining"] = ("integer", "Requests left in this window, after this one.", _LIMITS)
        found["X-RateLimit-Reset"] = ("integer", "When the window ends, in epoch seconds.", _LIMITS)
    found["X-Request-Id"] = ("string", "The request's id.", added("errors carry a request_id; so do successes"))
    found["Cache-Control"] = ("string", "Always no-store.", added("an answer of an API is not for caches"))
    if status == 201:
        found["Location"] = ("string", "The new resource, as a relative reference.", added("RFC 9110, 10.2.2"))
    if status == 200 and operation.pages:
        found["Link"] = ("string", "First, previous, next and last page.", added("RFC 8288"))
        if LIST_ENVELOPE.of(readings) == "bare":
            found["X-Total-Count"] = ("integer", "Items on all pages.", added("the reading list-envelope=bare"))
    if status == 401:
        found["WWW-Authenticate"] = ("string", "How to authenticate.", added("RFC 9110, 11.6.1"))
    if status == 429:
        found["Retry-After"] = ("integer", "Seconds until the window is open.", added("RFC 9110, 10.2.3"))
    if operation.deprecated and status == 200:
        found["Deprecation"] = ("string", "Since when, RFC 9745.", operation.provenance)
    return found


def possible(operation: Operation) -> list[type[errors.ApiError]]:
    """Every error that this operation can answer."""
    kinds: set[type[errors.ApiError]] = {
        errors.Unauthorized,
        errors.LiveKeyRejected,
        errors.RateLimited,
        errors.InternalError,
        *operation.raises,
    }
    if operation.scope:
        kinds.add(errors.Forbidden)
    if operation.records:
        kinds.add(errors.NotFound)
    if operation.body is not None:
        kinds |= {errors.BadRequest, errors.PayloadTooLarge}
    if operation.body is not None or operation.query is not None:
        kinds.add(errors.ValidationFailed)
    return sorted(kinds, key=lambda kind: (kind.status, kind.code))
