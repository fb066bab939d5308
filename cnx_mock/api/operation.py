"""The declaration of an endpoint: one object that feeds the router, the validator, the encoder and the document.

    instances = Resource.of(kinds.INSTANCE, "Virtual machines.")

    @instances.operation("POST", "/v1/instances", status=201, provenance=documented("Create a new instance"))
    def create(sandbox: SandboxState, body: InstanceCreate) -> Instance:
        \"""Create a new instance.\"""

The handler's signature is the contract:

- `body` and `query` are read from the request and validated;
- a parameter whose type is a `Record` is the resource of the path, which is looked up before anything is validated;
- a `str` is a part of the path;
- any other parameter is a dependency of the request, passed by its type.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from cnx_mock.api import errors, parsing
from cnx_mock.api.caller import Caller
from cnx_mock.api.declarations import BaseModel, made, model_of, unset
from cnx_mock.api.paging import Paged
from cnx_mock.api.provenance import Provenance, added, documented, implied, named
from cnx_mock.api.readings import UNKNOWN_BODY_FIELD
from cnx_mock.api.shapes import Reply, Shape
from cnx_mock.api.validation import failed, validated
from cnx_mock.errors import Problem
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.kinds import Kind
from cnx_mock.world.records import Record
from cnx_mock.world.sandbox import SandboxState

__all__ = ["DeclarationError", "Incoming", "Operation", "Resource", "added", "documented", "implied", "named"]

Handler = Callable[..., Shape | Reply]
H = TypeVar("H", bound=Handler)


class FastCreate(NamedTuple):
    """Performs ordinary creates without STAGES."""

    read: Callable[[Catalogue, bytes, Any], Any]
    """Returns what a body asks for, given the body and what orjson reads in it; None if STAGES have to judge."""
    make: Callable[[SandboxState, Any, int], tuple[str, str] | None]
    """Makes that at an instant. It returns the id and the JSON of what it has made. It returns None, and has done
    nothing, if STAGES have to judge. The key's scope is checked before."""


class Incoming:
    """One call: the parts of a request that an operation needs, not parsed yet, and what STAGES make of them."""

    __slots__ = (
        *("arguments", "body", "content_encoding", "content_type", "data", "dependencies", "params", "parsed", "query"),
        *("read", "reply"),
    )

    def __init__(
        self,
        params: tuple[str, ...],
        query: str,
        body: bytes,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> None:
        self.params = params
        self.query = query
        self.body = body
        self.content_type = content_type
        self.content_encoding = content_encoding
        self.read: Any = None
        """What orjson reads in the body, if it has been read before."""
        self.parsed: Callable[[], dict[str, Any]] | None = None
        """Returns the object in a body that has been parsed before, or raises what is wrong with it."""
        self.dependencies: Mapping[type, Any] = {}
        self.arguments: dict[str, Any] = {}
        """What the handler is called with."""
        self.data: dict[str, Any] | None = None
        """The body's JSON object, not yet validated."""
        self.reply: Reply | None = None


class DeclarationError(TypeError):
    """An operation did something that it does not declare: an error in cnx-mock, never in a request."""


class Operation:
    """One endpoint: its name, its method and path, what goes in and what comes out."""

    def __init__(  # every part of a declaration is an argument
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
        fast_create: "FastCreate | None",
    ) -> None:
        hints = get_type_hints(handler)
        self.resource = resource
        self.handler = handler
        self.name = f"{resource.name}.{handler.__name__.rstrip('_')}"
        self.method, self.path, self.status, self.scope = method, path, status, scope
        self.statuses = (status, *also)
        self.fast_create = fast_create
        """Performs ordinary creates without STAGES; None if every call needs them."""
        self.provenance, self.raises, self.deprecated = provenance, raises, deprecated
        self._answer: Any = _shape(hints.pop("return"))
        self.answer_type: type[Shape] = get_origin(self._answer) or self._answer
        self.has_pagination = hasattr(self.answer_type, "pagination")
        """Whether its answer says where it stands in something longer."""
        self.pages = issubclass(self.answer_type, Paged)
        """Whether it answers with one page of a list."""
        self._body, self._query = hints.pop("body", None), hints.pop("query", None)
        self.takes_body = self._body is not None
        self.mutates = method not in ("GET", "HEAD")
        """Whether a successful call can change something."""
        self.params: tuple[str, ...] = tuple(re.findall(r"{(\w+)}", path))
        self.records: dict[str, type[Record]] = {
            name: kind for name, kind in hints.items() if isinstance(kind, type) and issubclass(kind, Record)
        }
        self._strings = {name: self.params.index(name) for name, kind in hints.items() if kind is str}
        self._dependencies = {
            name: kind for name, kind in hints.items() if name not in self.records and kind is not str
        }
        self.summary, _, self.description = (inspect.getdoc(handler) or "").partition("\n\n")
        self._no_query = None if self._query is None else unset(self._query)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.method} {self.path}>"

    @cached_property
    def answer(self) -> Any:
        """The type of what it answers: a shape, or a page of shapes."""
        return made(self._answer)

    @cached_property
    def body(self) -> type[BaseModel] | None:
        """The model of its body; None if it takes none."""
        return None if self._body is None else model_of(self._body)

    @cached_property
    def query(self) -> type[BaseModel] | None:
        """The model of its query parameters; None if it takes none."""
        return None if self._query is None else model_of(self._query)

    @property
    def operation_id(self) -> str:
        """Its name in generated clients: `create_instance`, `list_instances`, `get_billing_balance`."""
        verb = self.name.partition(".")[2]
        if verb in ("create", "get", "replace", "delete"):
            return f"{verb}_{self.resource.noun}"
        return f"{verb}_{self.resource.name}" if verb == "list" else f"get_{self.resource.name}_{verb}"

    @property
    def within_sandbox(self) -> bool:
        """Whether it needs a sandbox."""
        return bool(self.records) or SandboxState in self._dependencies.values()

    def perform(self, incoming: Incoming, dependencies: Mapping[type, Any]) -> Reply:
        """Take a call through STAGES, and return the handler's reply. Raises ApiError for a refusal, DeclarationError
        if the handler does what is not declared."""
        incoming.dependencies = dependencies
        for stage in self._stages:
            stage(self, incoming)
        assert incoming.reply is not None, "the last stage leaves a reply"
        return incoming.reply

    @cached_property
    def _stages(self) -> tuple["Stage", ...]:
        """STAGES, without those that have nothing to do for this operation."""
        idle = set() if self.takes_body else {Operation._read_body}
        if self._body is None and self._query is None:
            idle.add(Operation._validate)
        return tuple(stage for stage in STAGES if stage not in idle)

    def _check_scope(self, call: Incoming) -> None:
        call.dependencies[Caller].require(self.scope)

    def _find_resource(self, call: Incoming) -> None:
        """The path's own resource, and everything else that the handler takes and the request does not spell."""
        for name, kind in self._dependencies.items():
            call.arguments[name] = call.dependencies[kind]
        for name, place in self._strings.items():
            call.arguments[name] = call.params[place]
        for name, record_kind in self.records.items():
            call.arguments[name] = _find(call.dependencies[SandboxState], record_kind, call.params[0])

    def _read_body(self, call: Incoming) -> None:
        """Only called if it takes a body: see `_stages`."""
        parsing.media_type(call.content_type)
        parsing.check_encoding(call.content_encoding)
        call.data = parsing.json_object(call.body, call.read) if call.parsed is None else call.parsed()

    def _validate(self, call: Incoming) -> None:
        """The body and the query together, so that a refusal names every bad field of both. Only called if it takes one
        of them: see `_stages`."""
        sandbox: SandboxState | None = call.dependencies.get(SandboxState)
        found: list[Problem] = []
        if self._no_query is not None and not call.query:
            call.arguments["query"] = self._no_query
        elif self.query is not None:
            data, repeated = self._query_data(call.query)
            call.arguments["query"] = validated(self.query, data, sandbox, found)
            found += repeated
        if call.data == {} and (empty := unset(self._body)) is not None:
            call.arguments["body"] = empty
        elif call.data is not None and self.body is not None:
            call.arguments["body"] = validated(self.body, call.data, sandbox, found, self._is_lenient(sandbox))
        if found:
            raise failed(found)

    def _handle(self, call: Incoming) -> None:
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
            raise DeclarationError(f"{self.name} answers {self._answer}, not {type(reply.shape).__name__}")
        if reply.status is None:
            reply.status = self.status
        elif reply.status not in self.statuses:
            raise DeclarationError(f"{self.name} does not declare the status {reply.status}")
        return reply

    def _is_lenient(self, sandbox: SandboxState | None) -> bool:
        """Return whether unknown fields are ignored: a reading, and readings are about the API alone."""
        readings = {} if sandbox is None or self.resource.is_control else sandbox.readings
        return UNKNOWN_BODY_FIELD.of(readings) == "ignore"

    def _query_data(self, query: str) -> tuple[dict[str, Any], list[Problem]]:
        """Return the values of the declared parameters, and the problem of each that is given more than once although
        it takes one value. Of such a parameter the first value is returned."""
        declared = self.query.model_fields  # type: ignore[union-attr]  # only called where there is a query
        known = {each.alias or name: each for name, each in declared.items()}
        values = {name: given for name, given in parsing.query_values(query).items() if name in known}
        repeated = [
            Problem((name,), f"is given {'twice' if len(given) == 2 else f'{len(given)} times'}: give it once")
            for name, given in values.items()
            if len(given) > 1 and get_origin(known[name].annotation) is not list
        ]
        once = {each.path[0] for each in repeated}
        return {n: given[0] if len(given) == 1 or n in once else given for n, given in values.items()}, repeated


Stage = Callable[[Operation, Incoming], None]

STAGES: tuple[Stage, ...] = (
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
    """Return the shape of a return type that is `Shape | Reply` or a shape alone."""
    if get_origin(answer) not in (Union, UnionType):
        return answer
    return next(kind for kind in get_args(answer) if kind is not Reply)


def _find(sandbox: SandboxState, record_class: type[Record], record_id: str) -> Record:
    record = sandbox.table(record_class).get(record_id)
    if record is None:
        raise errors.NotFound(resource=record_class.kind.noun, id=record_id)
    return record


class Resource:
    """A group of operations: the first part of their names, and a tag of the document."""

    def __init__(self, name: str, description: str, kind: Kind | None = None, *, is_control: bool = False) -> None:
        """`is_control` says that the operations belong to the control plane, and not to the API."""
        self.name = name
        self.description = description
        self.kind = kind
        """The kind of resource that the operations are about; None if they are not about one kind."""
        self.is_control = is_control
        self.operations: list[Operation] = []

    @classmethod
    def of(cls, kind: Kind, description: str) -> "Resource":
        """Return the group of operations on one kind of resource."""
        return cls(kind.plural, description, kind)

    @property
    def noun(self) -> str:
        """One of what the operations are about: `instance`."""
        return self.name if self.kind is None else self.kind.noun

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
        fast_create: "FastCreate | None" = None,
    ) -> Callable[[H], H]:
        """Return a decorator that declares its function as an endpoint; see the head of this module.

        `status` is the default status of a success, `also` has further ones. `raises` are the errors that the handler
        itself raises, beside those that every operation can raise. `fast_create` performs ordinary creates quickly.
        """

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
                    fast_create=fast_create,
                )
            )
            return handler

        return declare
