"""THE declaration: one object per endpoint, which feeds the router, the validator, the encoder and the document.

    instances = Resource("instances", "Virtual machines.")

    @instances.operation("POST", "/v1/instances", status=201, provenance=documented("Create a new instance"))
    def create(sandbox: SandboxState, body: InstanceCreate) -> Instance:
        \"""Create a new instance.\"""

The signature is the contract. A parameter named `body` or `query` is read and validated; one whose type is a `Record`
is the path's own resource, looked up before anything else of the request is judged; a `str` is a part of the path; any
other is something of the request's dependencies, handed in by its type.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from cnx_mock.api import errors, parsing
from cnx_mock.api.caller import Caller
from cnx_mock.api.provenance import Provenance, added, documented, implied, named
from cnx_mock.api.readings import UNKNOWN_BODY_FIELD
from cnx_mock.api.shapes import Reply, Shape
from cnx_mock.api.validation import failed, validated
from cnx_mock.errors import Problem
from cnx_mock.world.records import Record
from cnx_mock.world.sandbox import SandboxState

__all__ = ["DeclarationError", "Incoming", "Operation", "Resource", "added", "documented", "implied", "named"]

Handler = Callable[..., Shape | Reply]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a request brings for its operation: all of it still unread."""

    params: tuple[str, ...]
    query: str
    body: bytes
    content_type: str | None


class DeclarationError(TypeError):
    """An operation did what its declaration does not say: a mistake in this program, never in a request."""


class Operation:
    """One endpoint: what it is called, where it is, what goes in and what comes out."""

    def __init__(  # a declaration has as many words as it has
        self,
        resource: "Resource",
        handler: Handler,
        method: str,
        path: str,
        *,
        status: int,
        also: tuple[int, ...],
        scope: str | None,
        provenance: Provenance,
        raises: tuple[type[errors.ApiError], ...],
        deprecated: bool,
    ) -> None:
        hints = get_type_hints(handler)
        self.resource = resource
        self.handler = handler
        self.name = f"{resource.name}.{handler.__name__.rstrip('_')}"
        self.method, self.path, self.status, self.scope = method, path, status, scope
        self.statuses = (status, *also)
        self.provenance, self.raises, self.deprecated = provenance, raises, deprecated
        self.answer: Any = _shape(hints.pop("return"))
        self.answer_type: type[Shape] = get_origin(self.answer) or self.answer
        self.body: type[BaseModel] | None = hints.pop("body", None)
        self.query: type[BaseModel] | None = hints.pop("query", None)
        self.params: tuple[str, ...] = tuple(re.findall(r"{(\w+)}", path))
        self.records: dict[str, type[Record]] = {
            name: kind for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, Record)
        }
        self._strings = {name: self.params.index(name) for name, kind in hints.items() if kind is str}
        self._dependencies = {
            name: kind for name, kind in hints.items() if name not in self.records and kind is not str
        }
        self.summary, _, self.description = (inspect.getdoc(handler) or "").partition("\n\n")
        self._no_query = self.query() if self.query and not _required(self.query) else None

    def __repr__(self) -> str:
        return f"<{self.name}: {self.method} {self.path}>"

    @property
    def operation_id(self) -> str:
        """What a generated client calls it: `create_instance`, `list_instances`, `get_billing_balance`."""
        many, verb = self.resource.name, self.name.partition(".")[2]
        if verb in ("create", "get", "replace", "delete"):
            return f"{verb}_{many.removesuffix('s')}"
        return f"{verb}_{many}" if verb == "list" else f"get_{many}_{verb}"

    @property
    def pages(self) -> bool:
        """Whether it answers with one page of a list."""
        return "pagination" in getattr(self.answer_type, "__dataclass_fields__", {})

    @property
    def within_sandbox(self) -> bool:
        """Whether it is about one sandbox, and makes no sense without."""
        return bool(self.records) or SandboxState in self._dependencies.values()

    @property
    def mutates(self) -> bool:
        """Whether a successful call changes something."""
        return self.method not in ("GET", "HEAD")

    def perform(self, incoming: Incoming, dependencies: Mapping[type, Any]) -> Reply:
        """Take a call through STAGES, and return the handler's reply. Raises ApiError for a refusal, DeclarationError
        if the handler does what is not declared."""
        call = Invocation(incoming, dependencies)
        for stage in STAGES:
            stage(self, call)
        assert call.reply is not None, "the last stage leaves a reply"
        return call.reply

    def _check_scope(self, call: "Invocation") -> None:
        call.dependencies[Caller].require(self.scope)

    def _find_resource(self, call: "Invocation") -> None:
        """The path's own resource, and everything else that the handler takes and the request does not spell."""
        for name, kind in self._dependencies.items():
            call.arguments[name] = call.dependencies[kind]
        for name, place in self._strings.items():
            call.arguments[name] = call.incoming.params[place]
        for name, record_kind in self.records.items():
            call.arguments[name] = _find(call.dependencies[SandboxState], record_kind, call.incoming.params[0])

    def _read_body(self, call: "Invocation") -> None:
        if self.body is not None:
            parsing.media_type(call.incoming.content_type)
            call.body = parsing.json_object(call.incoming.body)

    def _validate(self, call: "Invocation") -> None:
        """The body and the query together, so that a refusal names every bad field of both."""
        if self.body is None and self.query is None:
            return
        sandbox: SandboxState | None = call.dependencies.get(SandboxState)
        found: list[Problem] = []
        if self.query is not None and not call.incoming.query and self._no_query is not None:
            call.arguments["query"] = self._no_query
        elif self.query is not None:
            call.arguments["query"] = validated(self.query, self._query_data(call.incoming.query), sandbox, found)
        if self.body is not None:
            call.arguments["body"] = validated(self.body, call.body, sandbox, found, self._is_lenient(sandbox))
        if found:
            raise failed(found)

    def _handle(self, call: "Invocation") -> None:
        """The handler: it checks the quota, then the credits, then it acts."""
        try:
            answer = self.handler(**call.arguments)
        except errors.ApiError as refusal:
            if not isinstance(refusal, (*self.raises, *errors.EVERYWHERE, errors.ValidationFailed)):
                raise DeclarationError(f"{self.name} does not declare {type(refusal).__name__}") from refusal
            raise
        call.reply = self._checked(answer)

    def _checked(self, answer: Shape | Reply) -> Reply:
        reply = answer if type(answer) is Reply else Reply(answer)  # type: ignore[arg-type]
        if type(reply.shape) is not self.answer_type:
            raise DeclarationError(f"{self.name} answers {self.answer}, not {type(reply.shape).__name__}")
        if reply.status is None:
            reply.status = self.status
        elif reply.status not in self.statuses:
            raise DeclarationError(f"{self.name} does not declare the status {reply.status}")
        return reply

    def _is_lenient(self, sandbox: SandboxState | None) -> bool:
        """Return whether unknown fields are ignored: a reading, and readings are about the API alone."""
        readings = {} if sandbox is None or self.resource.is_control else sandbox.readings
        return UNKNOWN_BODY_FIELD.of(readings) == "ignore"

    def _query_data(self, query: str) -> dict[str, Any]:
        """The declared parameters: one value, or every value where the declaration takes several."""
        known = self.query.model_fields  # type: ignore[union-attr]  # only called where there is a query
        values = {name: given for name, given in parsing.query_values(query).items() if name in known}
        return {name: given[0] if len(given) == 1 else given for name, given in values.items()}


@dataclass(slots=True)
class Invocation:
    """One call on its way through STAGES."""

    incoming: Incoming
    dependencies: Mapping[type, Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    """What the handler is called with."""
    body: dict[str, Any] = field(default_factory=dict)
    """The body's JSON object, not yet validated."""
    reply: Reply | None = None


STAGES: tuple[Callable[[Operation, Invocation], None], ...] = (
    Operation._check_scope,  #    6  403  the key's scope
    Operation._find_resource,  #  7  404  the path's own resource
    Operation._read_body,  #      8  400  the body's syntax
    Operation._validate,  #       9  400  every bad field at once
    Operation._handle,  #        10  403  the quota
    #                            11  403  the credits
    #                            12       the effect
)
"""The second half of the contract's order of checks; `http/pipeline.py` has the first."""


def _shape(answer: Any) -> Any:
    """The shape of `Shape | Reply`, or of a shape alone."""
    if get_origin(answer) not in (Union, UnionType):
        return answer
    return next(kind for kind in get_args(answer) if kind is not Reply)


def _required(model: type[BaseModel]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _find(sandbox: SandboxState, kind: type[Record], record_id: str) -> Record:
    record = sandbox.table(kind).get(record_id)
    if record is None:
        raise errors.NotFound(resource=kind.noun, id=record_id)
    return record


class Resource:
    """A family of operations: the first word of their names, a tag of the document."""

    def __init__(self, name: str, description: str, *, is_control: bool = False) -> None:
        """`is_control` says that the operations belong to the control plane, and not to the API."""
        self.name = name
        self.description = description
        self.is_control = is_control
        self.operations: list[Operation] = []

    def operation(
        self,
        method: str,
        path: str,
        *,
        provenance: Provenance,
        status: int = 200,
        also: tuple[int, ...] = (),
        scope: str | None = None,
        raises: tuple[type[errors.ApiError], ...] = (),
        deprecated: bool = False,
    ) -> Callable[[H], H]:
        """Declare an endpoint: see the head of this module."""

        def declare(handler: H) -> H:
            self.operations.append(
                Operation(
                    self,
                    handler,
                    method,
                    path,
                    status=status,
                    also=also,
                    scope=scope,
                    provenance=provenance,
                    raises=raises,
                    deprecated=deprecated,
                )
            )
            return handler

        return declare
