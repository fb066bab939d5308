"""The responses of the OpenAPI document, with their headers and examples.

A success belongs to one operation. A refusal belongs to a set of errors: it is declared once under
`components.responses`, however many operations can answer with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from cnx_mock.api import errors
from cnx_mock.api.examples import Examples
from cnx_mock.api.operation import Operation
from cnx_mock.api.portable import REF
from cnx_mock.api.provenance import Provenance, added, documented
from cnx_mock.api.readings import DELETE_ANSWER, LIST_ENVELOPE
from cnx_mock.api.schemas import Components
from cnx_mock.api.shapes import Deleted
from cnx_mock.api.surface import ADDED_HEADERS, Surface
from cnx_mock.dataclass import dataclass

ErrorType = type[errors.ApiError]

_REQUEST_ID = "req_8f7e6d5c4b3a2f1e"


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a response."""

    name: str
    type: Literal["integer", "string"]
    description: str
    example: int | str
    provenance: Provenance
    required: bool = True

    def schema(self) -> dict[str, Any]:
        """Return the header as the document has it."""
        width = {"format": "int64"} if self.type == "integer" else {}
        return {
            "description": self.description,
            "required": self.required,
            "schema": {"type": self.type, **width, "examples": [self.example]},
            **self.provenance.marks(),
        }


_LIMITS = documented("Rate limit status is returned in response headers")

RATE_LIMIT = (
    Header("X-RateLimit-Limit", "integer", "How many requests a minute are allowed.", 300, _LIMITS),
    Header("X-RateLimit-Remaining", "integer", "Requests left in this window, after this one.", 299, _LIMITS),
    Header("X-RateLimit-Reset", "integer", "When the window ends, in epoch seconds.", 1702834567, _LIMITS),
)
EVERYWHERE = (
    Header(
        "X-Request-Id", "string", "The request's id.", _REQUEST_ID, added("errors carry a request_id; so do successes")
    ),
    Header("Cache-Control", "string", "Always no-store.", "no-store", added("an answer of an API is not for caches")),
)
LOCATION = Header(
    "Location",
    "string",
    "The new resource, as a relative reference.",
    "/v1/instances/inst_8f7e6d5c4b3a2f1e",
    added("RFC 9110, 10.2.2"),
)
LINK = Header(
    "Link",
    "string",
    "First, previous, next and last page.",
    '</v1/instances?page=1>; rel="first", </v1/instances?page=3>; rel="last"',
    added("RFC 8288"),
)
TOTAL = Header("X-Total-Count", "integer", "Items on all pages.", 42, added("the reading list-envelope=bare"))
CHALLENGE = Header("WWW-Authenticate", "string", "How to authenticate.", "Bearer", added("RFC 9110, 11.6.1"))
RETRY_AFTER = Header("Retry-After", "integer", "Seconds until the window is open.", 60, added("RFC 9110, 10.2.3"))
DEPRECATION = Header("Deprecation", "string", "Since when, RFC 9745.", "@1761264000", added("RFC 9745"))


class Responses:
    """The responses of one document. `of` returns those of an operation and fills the shared components."""

    def __init__(
        self,
        operations: Sequence[Operation],
        schemas: Components,
        readings: Mapping[str, str],
        surface: Surface,
        own_examples: Examples,
    ) -> None:
        self._operations = operations
        self._schemas = schemas
        self._readings = readings
        self._surface = surface
        self._own_examples = own_examples
        self.shared: dict[str, Any] = {}
        """`components.responses`: every refusal."""
        self.headers: dict[str, Any] = {}
        """`components.headers`."""
        self.examples: dict[str, Any] = {}
        """`components.examples`: one for every error."""

    def of(self, operation: Operation) -> dict[str, Any]:
        """Return the responses of an operation, by status."""
        found = dict(self._success(operation, status) for status in operation.statuses)
        refusals: dict[int, list[ErrorType]] = {}
        for refusal in possible(operation):
            refusals.setdefault(refusal.status_under(self._readings), []).append(refusal)
        return found | {str(status): self._refusal(status, each) for status, each in refusals.items()}

    def _success(self, operation: Operation, status: int) -> tuple[str, dict[str, Any]]:
        schema: dict[str, Any] = self._schemas.answer(operation)
        style = DELETE_ANSWER.of(self._readings) if operation.answer is Deleted else "200-body"
        answer: dict[str, Any] = {"description": "Created." if status == 201 else "Success."}
        if style == "200-empty-object":
            schema = {"type": "object", "maxProperties": 0}
        if style != "204":
            answer["content"] = {"application/json": {"schema": schema, **self._own_examples.answer(operation)}}
        answer["headers"] = self._refs([*RATE_LIMIT, *EVERYWHERE, *self._own_headers(operation, status)])
        if status == 201:
            answer["links"] = self._links(operation)
        return "204" if style == "204" else str(status), answer

    def _own_headers(self, operation: Operation, status: int) -> list[Header]:
        """Return the headers of a success that not every success has."""
        found = []
        if status == 201:
            found.append(LOCATION)
        if status == 200 and operation.pages:
            found.append(LINK)
            if LIST_ENVELOPE.of(self._readings) == "bare":
                found.append(TOTAL)
        if status == 200 and operation.deprecated:
            found.append(replace(DEPRECATION, provenance=operation.provenance))
        return found

    def _links(self, operation: Operation) -> dict[str, Any]:
        """Return the operations that a client can call with the id of the new resource."""
        own = f"{operation.path}/{{id}}"
        return {
            each.operation_id: {"operationId": each.operation_id, "parameters": {"id": "$response.body#/id"}}
            for each in self._operations
            if each.path == own
        }

    def _refusal(self, status: int, refusals: Sequence[ErrorType]) -> dict[str, Any]:
        """Return a reference to the response that means any of these errors."""
        name = "Or".join(refusal.__name__ for refusal in refusals)
        if name not in self.shared:
            self.shared[name] = {
                "description": " ".join(refusal.message for refusal in refusals),
                "content": {
                    "application/json": {
                        "schema": {"$ref": REF.format(model="ApiError")},
                        "examples": {refusal.code: self._example(refusal) for refusal in refusals},
                    }
                },
                "headers": self._refusal_headers(status, refusals),
            }
        return {"$ref": f"#/components/responses/{name}"}

    def _example(self, refusal: ErrorType) -> dict[str, Any]:
        value = {"code": refusal.code, "message": refusal.message, "details": dict(refusal.example)}
        self.examples[refusal.code] = {
            "summary": refusal.message,
            "value": {"error": {**value, "request_id": _REQUEST_ID}},
        }
        return {"$ref": f"#/components/examples/{refusal.code}"}

    def _refusal_headers(self, status: int, refusals: Sequence[ErrorType]) -> dict[str, Any]:
        own = {401: [CHALLENGE], 429: [RETRY_AFTER]}.get(status, [])
        if status in (401, 413):  # refused before the request is counted
            return self._refs([*EVERYWHERE, *own])
        if errors.LiveKeyRejected in refusals:  # a live key has no rate limit, the other errors have one
            optional = {header.name: replace(header, required=False).schema() for header in RATE_LIMIT}
            return optional | self._refs([*EVERYWHERE, *own])
        return self._refs([*RATE_LIMIT, *EVERYWHERE, *own])

    def _refs(self, headers: Sequence[Header]) -> dict[str, Any]:
        """Return references to these headers, as far as the surface sends them."""
        sent = [each for each in headers if self._surface == "all" or each.name.lower().encode() not in ADDED_HEADERS]
        self.headers |= {header.name: header.schema() for header in sent}
        return {header.name: {"$ref": f"#/components/headers/{header.name}"} for header in sent}


def possible(operation: Operation) -> list[ErrorType]:
    """Return every error that an operation can answer with, sorted by status and code."""
    kinds: set[ErrorType] = {
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
