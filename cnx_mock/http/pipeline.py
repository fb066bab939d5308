"""The API's order of checks, from the request's arrival to the operation.

STAGES is the contract's order, from top to bottom; nothing else decides it. Every stage is synchronous. Only a fault
that waits awaits: the faults that the rules choose are wrapped around the stages behind `ask_rules`.
"""

import logging
from collections.abc import Callable

from cnx_mock.api import errors
from cnx_mock.api.caller import Caller
from cnx_mock.api.operation import Incoming
from cnx_mock.api.parsing import BODY_LIMIT
from cnx_mock.api.readings import RATE_WINDOW
from cnx_mock.api.router import Router, is_api_path
from cnx_mock.errors import ScenarioError
from cnx_mock.http import auth, messages
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.loading import WorldLoad, WorldLoading
from cnx_mock.http.repeated import perform_twice
from cnx_mock.http.shaped import perform_shaped
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants
from cnx_mock.net.heads import header_lines
from cnx_mock.net.uvicorn_protocol import STATUS_LINE
from cnx_mock.scenario.delays import Cancelled
from cnx_mock.scenario.engine import Engine
from cnx_mock.scenario.exchange import Exchange, FaultEffects
from cnx_mock.scenario.request import ApiRequest, RawHeaders
from cnx_mock.scenario.ruling import Ruling
from cnx_mock.world.chance import Chance
from cnx_mock.world.sandbox import SandboxState

log = logging.getLogger("cnx_mock")

_MOST_SPELLINGS = 10_000


class RequestContext:
    """One request on its way through STAGES. Each stage raises ApiError to refuse the request."""

    __slots__ = ("digits", "exchange", "headers", "loading", "pipeline", "record", "sandbox", "tenant", "waits")

    tenant: Tenant
    """The key's tenant and its sandbox, both unset until `enter_sandbox`."""
    sandbox: SandboxState

    def __init__(self, pipeline: "Pipeline", request: ApiRequest, headers: RawHeaders, *, waits: bool = True) -> None:
        self.pipeline = pipeline
        self.exchange = Exchange(request)
        self.record = JournalRecord(self.exchange)
        self.headers = headers
        """The request's headers as they came; in those of the request a live key is masked."""
        self.waits = waits
        """Whether faults really wait; otherwise their waits are only added up."""
        self.loading: WorldLoad | None = None
        """What loads the sandbox's world, if the request has to wait for it."""
        self.digits: str | None = None
        """The digits of its test key; None for a live key."""

    # ---- the stages

    def check_size(self) -> None:
        """Refuse a body over the limit."""
        if self.exchange.request.too_large:
            raise errors.PayloadTooLarge(limit_bytes=str(BODY_LIMIT))

    def read_key(self) -> None:
        """Read the key. Refuse a missing or malformed one."""
        self.digits = self.pipeline.digits(auth.authorization(self.headers))

    def refuse_live_key(self) -> None:
        """Refuse a live key, before anything is counted or kept."""
        if self.digits is None:
            raise auth.live_key_rejected()

    def enter_sandbox(self) -> None:
        """Give the request to the key's sandbox: it gets an id, and is put into the sandbox's journal. Refuse an
        unknown or revoked key."""
        exchange, digits = self.exchange, self.digits
        assert digits is not None, "a live key is refused before"
        tenant = self.pipeline.tenants.find(digits)
        sandbox = tenant.sandbox
        exchange.key = sandbox.key_with(digits)
        if exchange.key.revoked:
            raise errors.Unauthorized(reason="revoked_key")
        self.tenant = tenant
        self.sandbox = exchange.sandbox = sandbox
        exchange.delays = tenant.delays if self.waits else None
        exchange.at = sandbox.clock.now()
        exchange.request_id = sandbox.chance.new_id("req")
        tenant.journal.open(self.record)
        if tenant.engine.lasting.effects and (cause := tenant.engine.refusal(exchange.key, exchange.at)):
            self.record.ruling = Ruling((), applied=[cause])  # an earlier call's fault: no rule is asked any more
            raise errors.Unauthorized(reason="revoked_key")

    def count_request(self) -> None:
        """Count the request in its account's rate window. Refuse it if the limit is reached."""
        sandbox = self.sandbox
        style = RATE_WINDOW.of(sandbox.readings)
        self.exchange.allowance, refusal = self.tenant.window.count(sandbox.account, sandbox.clock, style)
        if refusal is not None:
            raise refusal

    def fail_broken_account(self) -> None:
        """Refuse every request with the magic key for a 500."""
        if self.sandbox.account.fate == "broken":
            raise errors.InternalError

    def ask_rules(self) -> None:
        """Ask the rules which faults to apply. Refuse a fault header that cannot be used."""
        request, engine, now = self.exchange.request, self.tenant.engine, self.exchange.at
        if now is None or not is_api_path(request.path):
            return
        try:
            self.record.ruling = engine.ask(request, now)
        except ScenarioError as error:  # in the request's own fault header
            self.record.ruling = engine.in_force(now)  # the journal names the rules that were not asked
            raise errors.ValidationFailed(**{str(each.path[0]): each.message for each in error.problems}) from None

    def find_route(self) -> None:
        """Refuse a path or a method without an operation."""
        request = self.exchange.request
        if request.operation is None:
            raise self.pipeline.router.refusal(request.method, request.path)

    def perform(self) -> None:
        """Perform the operation: its own stages are `api.operation.STAGES`."""
        exchange, request, sandbox = self.exchange, self.exchange.request, self.sandbox
        operation = request.operation
        assert operation is not None, "the route was found before"
        assert exchange.key is not None, "the sandbox was entered before"
        caller = Caller(exchange.key)
        encoding = request.header(b"content-encoding") if request.body else None
        incoming = Incoming(request.params, request.query, request.body, request.header(b"content-type"), encoding)
        if exchange.effects.stale is None and exchange.effects.provisioning is None:
            reply = operation.perform(incoming, {SandboxState: sandbox, Caller: caller})
        else:
            reply = perform_shaped(exchange.effects, operation, incoming, sandbox, caller)
        exchange.committed = operation.mutates
        if operation.method == "POST":  # every one of them creates a resource
            exchange.created_id = getattr(reply.shape, "id", None)
        exchange.polled = caller.polled
        exchange.answer = messages.replied(operation, reply, request.path, request.query, sandbox.readings)

    # ---- how they are run

    def begin(self) -> bool:
        """Take the request through all stages up to its faults. Return whether it has its answer: without a fault it
        has, unless its world is loading. Otherwise `finish` is to be awaited."""
        try:
            for stage in BEFORE_FAULTS:
                stage(self)
            ruling = self.record.ruling
            if ruling is not None and ruling.chosen:
                return False
            self.operate()
        except errors.ApiError as refusal:
            self.refuse(refusal)
        except WorldLoading as loading:
            self.loading = loading.load
            return False
        except Exception:
            self.fail()
        return True

    async def finish(self) -> None:
        """Take the request through its faults, and the stages behind them. It leaves an answer, or a fault's delivery
        in its place. Raises Cancelled.

        A request that waits for its world begins again when that is complete: up to the sandbox no stage has an effect.
        """
        while self.loading is not None:
            loading, self.loading = self.loading, None
            await loading.wait()
            if self.begin():
                return
        assert self.record.ruling is not None, "it has faults"
        try:
            await Engine.perform(self.record.ruling, self.exchange, self._operate)
        except errors.ApiError as refusal:
            self.refuse(refusal)
        except Cancelled:
            raise
        except Exception:
            self.fail()

    def operate(self) -> None:
        """Take the request through the stages behind the rules. It leaves an answer, whatever happens. Nothing awaits
        in here: every operation is atomic."""
        try:
            for stage in BEHIND_FAULTS:
                stage(self)
        except errors.ApiError as refusal:
            self.refuse(refusal)
        except Exception:
            self.fail()

    async def _operate(self) -> None:
        """The same, as what faults are wrapped around: twice if one of them delivers the request again."""
        if self.exchange.effects.twice:
            perform_twice(self.exchange, self.operate)
        else:
            self.operate()

    def refuse(self, refusal: errors.ApiError) -> None:
        """Answer with a refusal. A request that reached no sandbox is put into the server's own journal."""
        exchange, tenants = self.exchange, self.pipeline.tenants
        if not exchange.request_id:
            exchange.request_id = self.pipeline.chance.new_id("req")
            tenants.journal.open(self.record)
        readings = exchange.sandbox.readings if exchange.sandbox else tenants.defaults.chosen
        exchange.answer = messages.refused(refusal, exchange.request_id, readings)

    def refuse_unread(self, refusal: errors.ApiError) -> None:
        """Refuse a request that could not be read to its end, or that has no good Host header. It is put into the
        journal of its key's sandbox, or into the server's own if the key is not known. It is not counted, and no rule
        is asked."""
        self.record.problem = refusal.details.get("reason") or "; ".join(map(" ".join, refusal.details.items()))
        try:
            for stage in TO_THE_SANDBOX:
                stage(self)
        except (errors.ApiError, WorldLoading):
            pass  # that its key is wrong is not what the client has to hear first, and a world is not waited for
        self.refuse(refusal)

    def fail(self) -> None:
        """Answer with the API's own 500, in place of whatever faults wanted: the mock has a bug. Call it while the
        exception is handled, which is logged."""
        request = self.exchange.request
        log.exception("cnx-mock failed at %s %s; please report this", request.method, request.path)
        self.exchange.effects = FaultEffects()
        self.exchange.effects.replaced = True
        self.refuse(errors.InternalError())

    def head(self) -> RawHeaders:
        """Return all headers of the answer, as faults change them."""
        exchange, pipeline = self.exchange, self.pipeline
        assert exchange.answer is not None, "the stages leave an answer"
        foreign = exchange.answer.foreign
        headers = pipeline.sender.head(exchange.answer, [] if foreign else messages.headers_of_every_call(exchange))
        if pipeline.tenants.settings.cors and not foreign:
            headers += messages.cors_headers(exchange.request)
        if exchange.effects.last_on_connection:
            headers.append((b"connection", b"close"))
        change = exchange.effects.change_headers
        return headers if change is None else change(headers)

    def raw_head(self) -> bytes:
        """Return the head of the answer to a call without faults, as it goes to the wire."""
        pipeline = self.pipeline
        if pipeline.writes_plain_heads:
            return pipeline.sender.raw_head(self.exchange)
        lines = header_lines(self.head())
        assert self.exchange.answer is not None, "the stages leave an answer"
        return b"%b%b\r\n" % (STATUS_LINE[self.exchange.answer.status], lines)

    def count_polls(self) -> None:
        """Count a poll of every resource that is provisioning and that the answer shows."""
        exchange = self.exchange
        if exchange.polled and not exchange.effects.replaced and exchange.request.method != "HEAD":
            self.sandbox.count_polls(exchange.polled)


Stage = Callable[[RequestContext], None]

BEFORE_FAULTS: tuple[Stage, ...] = (
    RequestContext.check_size,  #           1  413
    RequestContext.read_key,  #             2  401  missing or malformed
    RequestContext.refuse_live_key,  #      3  403
    RequestContext.enter_sandbox,  #           401  unknown or revoked; it is in the sandbox's journal from here on
    RequestContext.count_request,  #        4  429
    RequestContext.fail_broken_account,  #     500  the magic key for it
    RequestContext.ask_rules,  #               400  a fault header that cannot be used
)

TO_THE_SANDBOX = BEFORE_FAULTS[1:4]
"""From reading the key to the sandbox: as far as a request comes that could not be read."""

BEHIND_FAULTS: tuple[Stage, ...] = (
    RequestContext.find_route,  #           5  404, 405
    RequestContext.perform,  #              6  …    goes on in `api.operation.STAGES`
)

STAGES = (*BEFORE_FAULTS, *BEHIND_FAULTS)


class Pipeline:
    """What the stages need to know, for all requests of one server."""

    def __init__(self, tenants: Tenants, router: Router, seed: int) -> None:
        self.tenants = tenants
        self.router = router
        self.sender = messages.Sender(tenants.settings.surface)
        self.writes_plain_heads = tenants.settings.surface == "all" and not tenants.settings.cors
        """Whether every answer has the same headers, beside those of its own: the usual case, and a fast one."""
        self.chance = Chance(seed, "server")
        self._digits: dict[bytes, str] = {}
        """The digits of test keys by the header that brought them. No live key is ever put into it."""

    def context(
        self,
        method: str,
        path: str,
        query: str,
        headers: RawHeaders,
        body: bytes | None,
        *,
        safe: RawHeaders | None = None,
        arrived: int,
        wall: int,
        connection: int | None = None,
        secure: bool = False,
        waits: bool = True,
    ) -> RequestContext:
        """Return the context of a request that has arrived. `headers` are as they came, `safe` are the same without any
        live key, if that is known; a body of None is one that is too large."""
        operations, params = self.router.find(path) or ({}, ())
        request = ApiRequest(
            method,
            path,
            query,
            messages.safe_headers(headers) if safe is None else safe,
            body or b"",
            operation=operations.get(method),
            params=params,
            arrived=arrived,
            wall=wall,
            connection=connection,
            too_large=body is None,
            secure=secure,
        )
        return RequestContext(self, request, headers, waits=waits)

    def digits(self, authorization: bytes | None) -> str | None:
        """Return the digits of the test key in this header, None for a live key. Raises Unauthorized."""
        digits = self._digits.get(authorization) if authorization is not None else None
        if digits is None:
            digits = auth.parse(authorization)
            if digits is not None and authorization is not None:
                if len(self._digits) >= _MOST_SPELLINGS:
                    self._digits.clear()
                self._digits[authorization] = digits
        return digits
