"""The OpenAPI 3.1 document. It is generated from the declarations, under the current readings and surface.

Everything that more than one operation needs is declared once, under `components`, and referenced.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cnx_mock import __version__
from cnx_mock.api.examples import Examples
from cnx_mock.api.operation import Operation
from cnx_mock.api.paging import PageQuery
from cnx_mock.api.portable import portable, used
from cnx_mock.api.provenance import added, documented
from cnx_mock.api.readings import READINGS
from cnx_mock.api.responses import Responses
from cnx_mock.api.schemas import Components, Schemas
from cnx_mock.api.surface import Surface
from cnx_mock.api.under_reading import settled
from cnx_mock.world.keys import KEY_DIGITS, TEST_PREFIX


def document(
    operations: Iterable[Operation],
    readings: Mapping[str, str],
    surface: Surface,
    examples: Examples,
    servers: Sequence[str],
) -> dict[str, Any]:
    """Return the document of these operations under these readings, with the headers that the surface sends.

    `servers` are the URLs where the API is served. `http.openapi.document` has examples from the cloud itself.
    """
    return _OpenApiDocument(list(operations), readings, surface, examples).build(servers)


class _OpenApiDocument:
    def __init__(
        self, operations: list[Operation], readings: Mapping[str, str], surface: Surface, examples: Examples
    ) -> None:
        self._operations = operations
        self._readings = readings
        self._surface = surface
        self._examples = examples
        self._schemas = Components(operations, readings)
        self._responses = Responses(operations, self._schemas, readings, surface, examples)
        self._parameters: dict[str, Any] = {}

    def build(self, servers: Sequence[str]) -> dict[str, Any]:
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
                "contact": {"name": "cnx-mock"},
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                "x-cnx-readings": {reading.name: reading.of(self._readings) for reading in READINGS},
                "x-cnx-surface": self._surface,
            },
            "servers": as_servers(servers),
            "security": [{"api_key": []}],
            "tags": [{"name": each.name, "description": each.description} for each in resources],
            "paths": paths,
            "components": self._components(paths),
        }

    def _components(self, paths: Mapping[str, Any]) -> dict[str, Any]:
        shared = {"parameters": self._parameters, "responses": self._responses.shared}
        return {
            "securitySchemes": {
                "api_key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A test key: {TEST_PREFIX} and {KEY_DIGITS} hexadecimal digits.",
                    **documented("Include your key in the Authorization header as a Bearer token.").marks(),
                }
            },
            "schemas": used(self._schemas.schemas, [paths, shared]),
            **shared,
            "headers": self._responses.headers,
            "examples": self._responses.examples,
        }

    def _operation(self, operation: Operation) -> dict[str, Any]:
        item: dict[str, Any] = {
            "operationId": operation.operation_id,
            "summary": operation.summary,
            "description": operation.description or operation.summary,
            "tags": [operation.resource.name],
            **operation.provenance.marks(),
            "x-cnx-operation": operation.name,
            "parameters": [*self._in_path(operation), *self._in_query(operation)],
            "responses": self._responses.of(operation),
        }
        if operation.scope:
            item["x-cnx-scope"] = operation.scope
        if operation.deprecated:
            item["deprecated"] = True
        if operation.body is not None:
            schema = self._schemas.body(operation.body)
            media = {"schema": schema, **self._examples.body(operation)}
            item["requestBody"] = {"required": True, "content": {"application/json": media}}
        return item

    def _in_path(self, operation: Operation) -> list[dict[str, Any]]:
        words = next((record.kind.words for record in operation.records.values()), "resource")
        return [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "examples": [self._examples.path_ids[operation.name]]},
                "example": self._examples.path_ids[operation.name],
                "description": f"The {words}'s id.",
                **operation.provenance.marks(),
            }
            for name in operation.params
        ]

    def _in_query(self, operation: Operation) -> list[dict[str, Any]]:
        if operation.query is None:
            return []
        schema = operation.query.model_json_schema(schema_generator=Schemas)
        required = schema.get("required", ())
        found = []
        for name, field in schema["properties"].items():
            parameter = self._query_parameter(name, field, name in required)
            if name in PageQuery.model_fields:
                self._parameters[name] = parameter
                parameter = {"$ref": f"#/components/parameters/{name}"}
            found.append(parameter)
        return found

    def _query_parameter(self, name: str, given: dict[str, Any], required: bool) -> dict[str, Any]:
        field = settled(given, self._readings)
        unmarked = added("the reference shows no such parameter").marks()
        marks = {mark: field.pop(mark, unmarked[mark]) for mark in unmarked}
        description = field.pop("description", "")
        field = portable(_without_null(field), self._schemas.schemas)
        return {
            "name": name,
            "in": "query",
            "required": required,
            "description": description,
            "schema": field,
            "example": self._example(field),
            **({"style": "form", "explode": False} if field.get("type") == "array" else {}),
            **marks,
        }

    def _example(self, field: Mapping[str, Any]) -> Any:
        """Return a value for a parameter."""
        if "$ref" in field:
            return self._schemas.schemas[field["$ref"].rpartition("/")[2]]["enum"][0]
        return self._examples.with_ids(field["examples"][0])


def _without_null(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a query parameter without null, which a client cannot send."""
    plain = [each for each in field.get("anyOf", ()) if each != {"type": "null"}]
    if len(plain) != 1:
        return dict(field)
    return {**plain[0], **{word: value for word, value in field.items() if word != "anyOf"}}


def as_servers(urls: Iterable[str]) -> list[dict[str, str]]:
    """Return URLs as the document lists servers. `/` is the server that sent the document."""
    return [{"url": url, "description": "This server." if url == "/" else "A cnx-mock server."} for url in urls]
