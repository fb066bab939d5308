"""The control plane as an ASGI application: never faulted, never counted, never journaled, for this machine only."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from starlette.types import Receive, Scope, Send

from cnx_mock.api import errors, parsing
from cnx_mock.api.caller import Caller
from cnx_mock.api.operation import Incoming, Operation, Resource
from cnx_mock.api.router import Router
from cnx_mock.api.validation import failed
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import CnxMockError, DocumentError, Problem, SourceError
from cnx_mock.http import auth, messages
from cnx_mock.http.control import first_word
from cnx_mock.http.control.guard import JSON, PAGE, PROTECTION, UI, Guard, Refused, sandbox_named
from cnx_mock.http.events.hub import EventHub
from cnx_mock.http.events.stream import EventStream
from cnx_mock.http.export import WorldExporting
from cnx_mock.http.hosts import host_of, name_of
from cnx_mock.http.loading import WorldLoading
from cnx_mock.http.long_call import LongCall
from cnx_mock.http.pages import PageAnswer
from cnx_mock.http.static_files import StaticFile
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants, complete
from cnx_mock.net.addresses import SANDBOX_HEADER, Addresses
from cnx_mock.scenario.exchange import Answer
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.text.live_keys import masked, masked_json
from cnx_mock.text.suggestions import unknown
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import ticks
from cnx_mock.world.records import KeyRecord
from cnx_mock.world.sandbox import SandboxState

log = logging.getLogger("cnx_mock")

_NO_KEY = KeyRecord(id="", name="", digits="", scopes=(), revoked=False, created=0)
"""The key of a call without one: no operation of the control plane needs a scope."""


ExpectationChecker = Callable[[Tenant, Scenario], Iterable[str]]
"""Returns a sentence for each expectation that a tenant does not meet, and that only a higher room can judge."""


@dataclass(frozen=True, slots=True)
class Server:
    """What the control plane acts on."""

    tenants: Tenants
    started: int
    """When the server started, in microseconds of the monotonic clock."""
    addresses: Callable[[], Addresses]
    dropped_lines: Callable[[], int]
    refused_hosts: Collection[str]
    events: EventHub
    checkers: Sequence["ExpectationChecker"] = ()
    operations: Callable[[], Iterable[Operation]] = tuple
    """The control plane's own."""


@dataclass(frozen=True, slots=True)
class ControlTarget:
    """What a call is about: the tenant of its key or its sandbox id; without both the server and its defaults."""

    tenant: Tenant | None
    key: KeyRecord | None

    def must(self) -> Tenant:
        """Return the tenant. Raises Unauthorized for a call without a key."""
        if self.tenant is None:
            raise errors.Unauthorized(reason="missing_key")
        return self.tenant


@dataclass(frozen=True, slots=True)
class CallHeaders:
    """The headers of a call."""

    raw: RawHeaders

    def get(self, name: str) -> str | None:
        """Return the value of a header, None if there is none. `name` is in lower case."""
        return next((value.decode("latin-1") for each, value in self.raw if each == name.encode()), None)


class ControlPlane:
    """Everything under `/_mock`."""

    def __init__(
        self,
        tenants: Tenants,
        resources: Callable[[str | None], Iterable[Resource]],
        seed: int,
        addresses: Callable[[], Addresses],
        dropped_lines: Callable[[], int],
        refused_hosts: Collection[str],
        checkers: Sequence[ExpectationChecker],
        guard: Guard,
        events: EventHub,
        pages: Callable[[], Mapping[str, StaticFile]],
    ) -> None:
        """`resources` returns its operations, `pages` the files for browsers by their paths."""
        self._guard = guard
        self._files = pages
        self._bodies = tenants.bounds["max_control_bytes"]
        """Bytes of a call's body: it can be a whole world."""
        self._server = Server(
            tenants, ticks(), addresses, dropped_lines, refused_hosts, events, checkers, self._operations
        )
        self._resources = resources
        self._routers: dict[str, Router] = {}
        """Its operations by the first word of their paths; they are loaded when they are called."""
        self._sender = messages.Sender()
        self._chance = Chance(seed, "control")

    def _router(self, path: str) -> Router:
        """Return a router that knows the operations at a path; if there are none, all operations."""
        word = first_word(path)
        if word not in self._routers:
            found = [operation for resource in self._resources(word) for operation in resource.operations]
            if not found:
                return self._all
            self._routers[word] = Router(found)
        router = self._routers[word]
        return router if router.find(path) else self._all

    @cached_property
    def _all(self) -> Router:
        """All operations, for an error that suggests a similar path."""
        return Router(self._operations())

    def _operations(self) -> Iterable[Operation]:
        return (operation for resource in self._resources(None) for operation in resource.operations)

    @cached_property
    def _pages(self) -> Mapping[str, StaticFile]:
        """Its files for browsers by their paths; the folder is listed when a browser asks for the first one."""
        return self._files()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        request_id = self._chance.new_id("req")
        pieces: Sequence[bytes] = ()
        try:
            headers = messages.safe_headers(scope["headers"])
            page = self._page(scope, headers)
            if page is not None:
                await page(scope, receive, send)
                return
            self._guard.check(scope, headers)
            body = await messages.read_body(scope, receive, self._bodies.limit)
            answer, pieces = await self._when_loaded(scope, headers, body)
            if isinstance(answer, EventStream):
                more = [(b"x-request-id", request_id.encode()), (b"x-accel-buffering", b"no"), *PROTECTION]
                await answer.respond(scope, receive, send, self._sender.open_head(b"text/event-stream", more))
                return
        except messages.Incomplete as incomplete:
            if incomplete.gone:
                return
            answer = messages.refused(incomplete.refusal, request_id, {})
        except Refused as refusal:
            answer = messages.problem(refusal.problem, request_id)
        except Exception as error:
            answer = messages.refused(_refusal(error), request_id, {})
        answer = replace(answer, body=masked_json(answer.body))
        head = self._sender.head(answer, [(b"x-request-id", request_id.encode()), *PROTECTION])
        if pieces:
            await messages.send_pieces(send, answer.status, head, () if scope["method"] == "HEAD" else pieces)
        else:
            await self._sender.send(send, answer.status, head, b"" if scope["method"] == "HEAD" else answer.body)

    def _page(self, scope: Scope, headers: RawHeaders) -> PageAnswer | None:
        """Return the file that a browser asks for, or why it does not get it; None for a call of an operation. Raises
        Refused and BadRequest as the guard does."""
        path = scope["path"]
        file = self._pages.get(path) if path == PAGE or path.startswith(UI) else None
        if file is None:
            return None
        try:
            self._guard.check(scope, headers)
        except Refused as refusal:
            from cnx_mock.http.control.refused_page import refused_page, wants_html  # lazy: hardly any call needs it

            if not wants_html(headers):
                raise
            host = host_of(headers)
            return refused_page(refusal.problem, host.removeprefix(name_of(host)))
        if scope["method"] not in ("GET", "HEAD"):
            raise errors.MethodNotAllowed(method=scope["method"][:100], allowed="GET, HEAD")
        known = b", ".join(value for name, value in headers if name == b"if-none-match")
        answer = file.answer(known)
        return replace(answer, body=b"") if scope["method"] == "HEAD" else answer

    async def _when_loaded(
        self, scope: Scope, headers: RawHeaders, body: bytes | None
    ) -> tuple[Answer | EventStream, Sequence[bytes]]:
        """Return the answer, when the world that it needs is complete. A long body is in pieces beside it."""
        call = LongCall(body)
        if call.is_long:
            await call.parse()
        try:
            while True:
                call.begin()
                try:
                    return self._answer(scope, headers, body, call), ()
                except WorldLoading as loading:
                    await loading.load.wait()
                    if isinstance(loading, WorldExporting) and loading.export.is_complete:
                        length = sum(map(len, loading.export.pieces))
                        return Answer(200, [], b"", (b"content-length", b"%d" % length)), loading.export.pieces
                    if loading.again_as is not None:  # what the body said is done
                        scope, body = {**scope, "method": loading.again_as}, b""
        finally:
            call.end()

    def _answer(self, scope: Scope, headers: RawHeaders, body: bytes | None, call: LongCall) -> Answer | EventStream:
        if body is None:
            self._bodies.refused += 1
            raise errors.PayloadTooLarge(limit_bytes=str(self._bodies.limit), option=self._bodies.option)
        self._bodies.seen(len(body))
        target = self._target(scope["headers"])
        path = messages.raw_path(scope)
        router = self._router(path)
        operations, params = router.find(path) or ({}, ())
        operation = operations.get(scope["method"])
        if operation is None:
            raise router.refusal(scope["method"], path)
        query = masked(scope["query_string"]).decode("latin-1")
        _check_query(operation, query)
        _check_body(operation, body)
        body = body or _needless_body(operation)
        encoding = next((v.decode("latin-1") for name, v in headers if name == b"content-encoding"), None)
        incoming = Incoming(params, query, body, JSON, encoding if body else None)
        if call.is_long:
            incoming.parsed = call.parsed
        caller = Caller(target.key or _NO_KEY)
        dependencies: dict[type, Any] = {Server: self._server, ControlTarget: target, Caller: caller}
        dependencies |= {CallHeaders: CallHeaders(headers), LongCall: call}
        if operation.within_sandbox:
            dependencies[SandboxState] = target.must().sandbox
        try:
            reply = operation.perform(incoming, dependencies)
        finally:  # a large world may still be loading
            if operation.mutates and self._server.events.is_awake:
                self._server.events.control_changed(target.tenant)
        if isinstance(reply.shape, EventStream):
            return reply.shape
        return messages.replied(operation, reply, path, query, {})

    def _target(self, headers: RawHeaders) -> ControlTarget:
        """Return the target of the call: the sandbox of its key or of its sandbox id. Raises WorldLoading."""
        value, named = auth.authorization(headers), sandbox_named(headers)
        if value is not None and named is not None:
            raise errors.BadRequest(header=f"{SANDBOX_HEADER} and a key both choose a sandbox: give only one of them")
        if value is not None:
            digits = auth.digits(value)
            tenant = self._server.tenants.find(digits)
        elif named is not None:
            tenant = complete(self._server.tenants.with_id(named))
            digits = tenant.key
        else:
            return ControlTarget(None, None)
        return ControlTarget(tenant, tenant.sandbox.key_with(digits))


def _refusal(error: Exception) -> errors.ApiError:
    """Return how the control plane answers to an error: by a 400 that says why, if the caller wrote something that
    cannot be used. Any other error is a bug, and is logged: call this while it is handled."""
    if isinstance(error, errors.ApiError):
        return error
    if isinstance(error, DocumentError):
        return failed(error.problems)
    if isinstance(error, SourceError):
        return errors.ValidationFailed(**{each.place: each.message for each in error.problems})
    if isinstance(error, CnxMockError):
        return errors.BadRequest(reason=str(error))
    log.exception("cnx-mock failed in its control plane; please report this")
    return errors.InternalError()


def _check_query(operation: Operation, query: str) -> None:
    """Raise ValidationFailed for names of the query that the call does not read: a filter would not filter."""
    fields = operation.query.model_fields if query and operation.query else {}
    known = [field.alias or name for name, field in fields.items()]
    names = [name for name in parsing.query_values(query) if name not in known] if query else []
    if names:
        raise failed([Problem((name,), unknown("parameter", name, known)) for name in names])


def _check_body(operation: Operation, body: bytes) -> None:
    """Raise BadRequest for a body that the call does not read, such as a scenario for a reset. Empty objects are
    accepted: some clients send one with every POST."""
    if body and body.strip() not in (b"", b"{}") and operation.body is None:
        raise errors.BadRequest(reason=f"{operation.method} {operation.path} takes no body: leave it out")


def _needless_body(operation: Operation) -> bytes:
    """Return what an empty body means: {} where a POST has nothing that must be said, such as for a sandbox."""
    fields = operation.body.model_fields.values() if operation.method == "POST" and operation.body else ()
    return b"{}" if fields and not any(each.is_required() for each in fields) else b""
