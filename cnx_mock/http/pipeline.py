"""How a call to the API travels: the contract's order of checks, from the socket to the operation and back.

1 size 413 · 2 key 401 · 3 live key 403 · (the sandbox and its journal) · 4 limit 429 · rules are asked ·
5 route 404, method 405 · and in `Operation.perform` 6 scope 403 · 7 the path's resource 404 · 8 body syntax 400 ·
9 validation 400 · 10 quota · 11 credits · 12 effect
"""

import logging
from collections.abc import Callable, Mapping

from starlette.types import Receive, Scope, Send

from cnx_mock.api import errors
from cnx_mock.api.caller import Caller
from cnx_mock.api.operation import Incoming, Operation
from cnx_mock.api.parsing import masked
from cnx_mock.api.readings import RATE_WINDOW
from cnx_mock.api.router import Router
from cnx_mock.api.shapes import Reply
from cnx_mock.errors import ScenarioError
from cnx_mock.http import auth, messages
from cnx_mock.http.delivery import deliver
from cnx_mock.http.tenants import Tenant, Tenants
from cnx_mock.http.wire import RequestWire
from cnx_mock.scenario.exchange import Cut, Exchange, RawHeaders
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import ticks, wall_now
from cnx_mock.world.records import KeyRecord
from cnx_mock.world.sandbox import SandboxState

log = logging.getLogger("cnx_mock")

Listener = Callable[[Exchange, str], None]
"""Told of every completed exchange, and of what its sandbox is called."""

_SPELLINGS_KEPT = 10_000


class Calls:
    """The API as an ASGI application."""

    def __init__(self, tenants: Tenants, router: Router, seed: int, listeners: list[Listener]) -> None:
        self._tenants = tenants
        self._router = router
        self._listeners = listeners
        self._sender = messages.Sender(tenants.settings.surface)
        self._chance = Chance(seed, "server")
        self._recognised: dict[bytes, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, from its arrival to its last byte."""
        headers = messages.safe_headers(scope["headers"])
        query = masked(scope["query_string"]).decode("latin-1")
        exchange = Exchange(scope["method"], messages.raw_path(scope), query, headers, ticks(), wall_now())
        exchange.connection = (scope.get("client") or (None, None))[1]
        wire = RequestWire(scope)
        label = "-"
        try:
            exchange.body = await messages.read_body(headers, receive)
            tenant, exchange.key = self._recognise(scope["headers"])
            if exchange.key.revoked:
                raise errors.Unauthorized(reason="revoked_key")
            label = tenant.label
            self._open(exchange, tenant)
            await self._through(exchange, tenant)
        except messages.Disconnected:
            return
        except errors.ApiError as refusal:
            if not exchange.request_id:
                exchange.request_id = self._chance.new_id("req")
                self._tenants.journal.open(exchange)
            exchange.answer = messages.refused(refusal, exchange.request_id, self._readings(exchange))
        except Cut:
            self._cut(exchange, wire, label)
            return
        try:
            await self._deliver(exchange, wire, send, label)
        except Cut:
            self._cut(exchange, wire, label)

    async def rehearse(self, tenant: Tenant, method: str, target: str, headers: RawHeaders, body: bytes) -> Exchange:
        """What would become of a call to this tenant: all but the waiting and the wire."""
        path, _, query = target.partition("?")
        exchange = Exchange(method, path, query, headers, ticks(), wall_now())
        exchange.body, exchange.key = body, tenant.sandbox.key_with(tenant.key)
        self._open(exchange, tenant)
        exchange.delays = None
        try:
            await self._through(exchange, tenant)
        except errors.ApiError as refusal:
            exchange.answer = messages.refused(refusal, exchange.request_id, tenant.sandbox.readings)
        self._count_polls(exchange)
        return exchange

    def _recognise(self, headers: RawHeaders) -> tuple[Tenant, KeyRecord]:
        """Whose call it is, and by which key. Raises Unauthorized or LiveKeyRejected."""
        value = auth.authorization(headers)
        digits = self._recognised.get(value) if value is not None else None
        if digits is None:
            digits = auth.digits(value)
            if len(self._recognised) >= _SPELLINGS_KEPT:
                self._recognised.clear()
            self._recognised[value] = digits  # type: ignore[index]  # a missing value has no digits
        tenant = self._tenants.find(digits)
        return tenant, tenant.sandbox.key_with(digits)

    def _open(self, exchange: Exchange, tenant: Tenant) -> None:
        """The sandbox takes the exchange over: it has an id from here on, and stands in the journal."""
        sandbox = exchange.sandbox = tenant.sandbox
        exchange.delays = tenant.delays
        exchange.request_id = sandbox.chance.new_id("req")
        exchange.at = sandbox.clock.now()
        found = self._router.find(exchange.path)
        if found is not None:
            exchange.operation = found[0].get(exchange.method)
            exchange.params = found[1]
        tenant.journal.open(exchange)

    async def _through(self, exchange: Exchange, tenant: Tenant) -> None:
        """Limit, rules, operation."""
        sandbox = tenant.sandbox
        exchange.allowance, refusal = tenant.window.count(
            sandbox.account, sandbox.clock, RATE_WINDOW.of(sandbox.readings)
        )
        if refusal is not None:
            raise refusal
        if sandbox.account.fate == "broken":
            raise errors.InternalError
        engine = tenant.engine
        try:
            chosen = engine.ask(exchange) if exchange.path.startswith("/v1/") else None
        except ScenarioError as error:  # the request's own fault header
            raise errors.ValidationFailed(**{str(each.path[0]): each.message for each in error.problems}) from None
        if chosen is None:
            self._operate(exchange, sandbox)
            return

        async def rest() -> None:
            self._operate(exchange, sandbox)

        await engine.perform(chosen, exchange, rest)

    def _operate(self, exchange: Exchange, sandbox: SandboxState) -> None:
        """Perform the operation and leave its answer, whatever it is, in the exchange. Nothing awaits in here: every
        operation is atomic."""
        operation = exchange.operation
        try:
            assert exchange.key is not None, "whose call it is was found before"
            if operation is None:
                raise self._router.refusal(exchange.method, exchange.path)
            caller = Caller(exchange.key)
            incoming = Incoming(exchange.params, exchange.query, exchange.body, exchange.header(b"content-type"))
            if exchange.stale is None and exchange.provisioning is None:
                reply = operation.perform(incoming, {SandboxState: sandbox, Caller: caller})
            else:
                reply = _perform_shaped(exchange, operation, incoming, sandbox, caller)
            exchange.committed = operation.mutates
            exchange.polled = caller.polled
            exchange.answer = messages.replied(operation, reply, exchange.path, exchange.query, sandbox.readings)
        except errors.ApiError as refusal:
            exchange.answer = messages.refused(refusal, exchange.request_id, sandbox.readings)
        except Exception:
            log.exception("cnx-mock broke while it performed %s; please report this", operation)
            exchange.answer = messages.refused(errors.InternalError(), exchange.request_id, {})

    def _readings(self, exchange: Exchange) -> Mapping[str, str]:
        """The sandbox's readings; the server's for what reached none."""
        return exchange.sandbox.readings if exchange.sandbox else self._tenants.defaults.chosen

    async def _deliver(self, exchange: Exchange, wire: RequestWire, send: Send, label: str) -> None:
        """Complete the journal's entry, then send: who has the answer finds the entry complete."""
        if exchange.delivery is not None:
            act = await exchange.delivery(exchange, wire)
            self._close(exchange, None, label)
            act()
            return
        answer = exchange.answer
        assert answer is not None, "every way through the checks leaves an answer"
        self._count_polls(exchange)
        if wire.gone:
            self._close(exchange, None, label)
            return
        exchange.response_headers = self._sender.head(answer, _standing(exchange))
        if exchange.surgery is not None:
            exchange.response_headers = exchange.surgery(exchange.response_headers)
        if exchange.pace is not None or answer.framing is not None:
            await deliver(exchange, answer, wire, send, lambda: self._close(exchange, exchange.status, label))
            return
        self._close(exchange, answer.status, label)
        body = b"" if exchange.method == "HEAD" else answer.body
        await self._sender.send(send, answer.status, exchange.response_headers, body)

    @staticmethod
    def _count_polls(exchange: Exchange) -> None:
        """An answer that shows what is coming up counts as a poll of it."""
        if exchange.polled and not exchange.replaced and exchange.method != "HEAD" and exchange.sandbox is not None:
            exchange.sandbox.count_polls(exchange.polled)

    def _cut(self, exchange: Exchange, wire: RequestWire, label: str) -> None:
        """The sandbox was reset: the call ends here, whatever the client has of it."""
        self._close(exchange, exchange.status, label)
        wire.reset()

    def _close(self, exchange: Exchange, status: int | None, label: str) -> None:
        exchange.status = status
        exchange.duration = ticks() - exchange.arrived
        for listener in self._listeners:
            listener(exchange, label)


def _perform_shaped(
    exchange: Exchange, operation: Operation, incoming: Incoming, sandbox: SandboxState, caller: Caller
) -> Reply:
    """Perform an operation of which faults have said that it reads the past, or how long it takes what it makes."""
    world = sandbox if exchange.stale is None else sandbox.as_of(sandbox.now - exchange.stale)
    world.next_provisioning = exchange.provisioning
    try:
        reply = operation.perform(incoming, {SandboxState: world, Caller: caller})
        exchange.provisioned = world.next_provisioning is None
        exchange.read = True
    except errors.NotFound:
        exchange.read = True
        raise
    finally:
        world.next_provisioning = None
    caller.polled = [sandbox.polling[each.id] for each in caller.polled]  # what was read may be a copy
    return reply


def _standing(exchange: Exchange) -> RawHeaders:
    """What every authenticated answer says of its request and of the limit."""
    headers = [(b"x-request-id", exchange.request_id.encode())]
    allowance = exchange.allowance
    if allowance is not None:
        headers += [
            (b"x-ratelimit-limit", str(allowance.limit).encode()),
            (b"x-ratelimit-remaining", str(allowance.remaining).encode()),
            (b"x-ratelimit-reset", str(allowance.reset).encode()),
        ]
    return headers
