"""The API's order of checks, from the request's arrival to the operation.

STAGES is the contract's order, from top to bottom; nothing else decides it. Every stage is synchronous. Only a fault
that waits awaits, and a call whose world is loading: the faults that the rules choose are wrapped around the stages
behind `ask_rules`. `fast_path` answers ordinary calls without stages, with the same result.
"""

import logging
from collections.abc import Callable
from contextlib import suppress

from cnx_mock.api import errors
from cnx_mock.api.parsing import BODY_LIMIT
from cnx_mock.api.readings import RATE_WINDOW
from cnx_mock.api.router import Router
from cnx_mock.errors import ScenarioError
from cnx_mock.http import auth, messages
from cnx_mock.http.client_head import ClientHead
from cnx_mock.http.loading import WorldLoad, WorldLoading
from cnx_mock.http.performed import PerformedCall
from cnx_mock.http.repeated import perform_twice
from cnx_mock.http.targets import Targets
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants
from cnx_mock.net.heads import header_lines
from cnx_mock.net.uvicorn_protocol import STATUS_LINE
from cnx_mock.scenario.delays import Cancelled
from cnx_mock.scenario.engine import Engine
from cnx_mock.scenario.exchange import FaultEffects
from cnx_mock.scenario.request import ApiRequest, RawHeaders, RequestTarget
from cnx_mock.scenario.ruling import Ruling
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import ticks, wall_now

log = logging.getLogger("cnx_mock")

_DEFAULT_WINDOW = RATE_WINDOW.default


class RequestContext(PerformedCall):
    """One request on its way through STAGES: its exchange and its record are this object. Each stage raises ApiError to
    refuse the request."""

    __slots__ = ("loading", "moment", "pipeline", "real", "tenant", "waits")

    tenant: Tenant
    """The key's tenant, unset until `enter_sandbox`, as is the sandbox."""

    def __init__(self, pipeline: "Pipeline", request: ApiRequest, client: ClientHead, *, waits: bool = True) -> None:
        PerformedCall.__init__(self, request, client)
        self.pipeline = pipeline
        self.waits = waits
        """Whether faults really wait; otherwise their waits are only added up."""
        self.moment, self.real = request.arrived, request.wall
        """When it entered the stages: by the monotonic clock, and as an instant of real time."""
        self.loading: WorldLoad | None = None
        """What loads the sandbox's world, if the request has to wait for it."""

    # ---- the stages

    def check_size(self) -> None:
        """Refuse a body over the limit."""
        if self.request.too_large:
            raise errors.PayloadTooLarge(limit_bytes=str(BODY_LIMIT))

    def read_key(self) -> None:
        """Refuse a missing or malformed key."""
        if self.client.wrong_key is not None:
            raise errors.Unauthorized(reason=self.client.wrong_key)

    def refuse_live_key(self) -> None:
        """Refuse a live key, before anything is counted or kept."""
        if self.client.digits is None:
            raise auth.live_key_rejected()

    def enter_sandbox(self) -> None:
        """Find the key's sandbox, and put the request into its journal. Refuse an unknown or revoked key."""
        digits = self.client.digits
        assert digits is not None, "a live key is refused before"
        tenant = self.pipeline.tenants.find(digits)
        sandbox = tenant.sandbox_so_far  # it is complete: else `find` raises
        self.key = key = sandbox.key_with(digits)
        if key.revoked:
            raise errors.Unauthorized(reason="revoked_key")
        self.tenant = tenant
        self.sandbox = sandbox
        self.delays = tenant.delays if self.waits else None
        self.at = sandbox.clock.at(self.moment)
        self.request_id = sandbox.chance.new_id("req")
        tenant.journal.open(self)
        if tenant.engine.lasting.effects and (cause := tenant.engine.refusal(key, self.at)):
            self.ruling = Ruling((), applied=[cause])  # an earlier call's fault: no rule is asked any more
            raise errors.Unauthorized(reason="revoked_key")

    def count_request(self) -> None:
        """Count the request in its account's rate window. Refuse it if the limit is reached."""
        sandbox = self.sandbox
        assert sandbox is not None, "the sandbox was entered before"
        readings, advanced = sandbox.readings, sandbox.clock.advanced
        style = RATE_WINDOW.of(readings) if readings else _DEFAULT_WINDOW
        self.allowance, refusal = self.tenant.window.count(
            sandbox.account, self.moment + advanced, self.real, advanced, style
        )
        if refusal is not None:
            raise refusal

    def fail_broken_account(self) -> None:
        """Refuse every request with the magic key for a 500."""
        if self.sandbox is not None and self.sandbox.account.fate == "broken":
            raise errors.InternalError

    def ask_rules(self) -> None:
        """Ask the rules which faults to apply. Refuse a fault header that cannot be used."""
        engine, now = self.tenant.engine, self.at
        if now is None or not self.request.target.is_api:
            return
        try:
            self.ruling = engine.ask(self.request, now)
        except ScenarioError as error:  # in the request's own fault header
            self.ruling = engine.in_force(now)  # the journal names the rules that were not asked
            raise errors.ValidationFailed(**{str(each.path[0]): each.message for each in error.problems}) from None

    def find_route(self) -> None:
        """Refuse a path or a method without an operation."""
        target = self.request.target
        if target.operation is None:
            raise self.pipeline.router.refusal(target.method, target.path)

    # ---- how they are run

    def begin(self) -> bool:
        """Take the request through all stages up to its faults. Return whether it has its answer: without a fault it
        has, unless its world is loading. Otherwise `finish` is to be awaited."""
        has_key = self.client.digits is not None and not self.request.too_large
        try:
            for stage in BEHIND_THE_KEY if has_key else BEFORE_FAULTS:
                stage(self)
            if self.ruling is not None and self.ruling.chosen:
                self.tenant.journal.measure(self)  # it may stay for long
                return False
            self.operate(self.at)
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
            self.enters_now()
            if self.begin():
                return
        assert self.ruling is not None, "it has faults"
        try:
            await Engine.perform(self.ruling, self, self._operate)
        except errors.ApiError as refusal:
            self.refuse(refusal)
        except Cancelled:
            raise
        except Exception:
            self.fail()

    def enters_now(self) -> None:
        """Let it enter the stages at this moment, and not when it arrived: its body or its world took some time."""
        self.moment, self.real = ticks(), wall_now()

    def operate(self, now: int | None = None) -> None:
        """Take the request through the stages behind the rules. It leaves an answer, whatever happens. Nothing awaits
        in here: every operation is atomic, and happens at one instant, `now` if that is known."""
        assert self.sandbox is not None, "the sandbox was entered before"
        sandbox, clock = self.sandbox, self.sandbox.clock
        clock.held = clock.now() if now is None else now
        if sandbox.polling and (caller := self._told_apart()) is not None:
            sandbox.show_to(caller)
        try:
            for stage in BEHIND_FAULTS:
                stage(self)
        except errors.ApiError as refusal:
            self.refuse(refusal)
        except Exception:
            self.fail()
        finally:
            clock.held = None
            if sandbox.shown_to is not None:
                sandbox.show_to(None)

    async def _operate(self) -> None:
        """The same, as what faults are wrapped around: twice if one of them delivers the request again."""
        if self.effects.twice:
            perform_twice(self, self.operate)
        else:
            self.operate()

    def refuse(self, refusal: errors.ApiError) -> None:
        """Answer with a refusal. A request that reached no sandbox is put into the server's own journal."""
        tenants = self.pipeline.tenants
        if not self.request_id:
            self.request_id = self.pipeline.chance.new_id("req")
            tenants.journal.open(self)
        readings = self.sandbox.readings if self.sandbox else tenants.defaults.chosen
        self.answer = messages.refused(refusal, self.request_id, readings)

    def refuse_unread(self, refusal: errors.ApiError) -> None:
        """Refuse a request that could not be read to its end, or that has no good Host header. It is put into the
        journal of its key's sandbox, or into the server's own if the key is not known. It is not counted, and no rule
        is asked."""
        self.problem = refusal.details.get("reason") or "; ".join(map(" ".join, refusal.details.items()))
        try:
            for stage in TO_THE_SANDBOX:
                stage(self)
        except (errors.ApiError, WorldLoading):
            pass  # that its key is wrong is not what the client has to hear first, and a world is not waited for
        self.refuse(refusal)

    def fail(self) -> None:
        """Answer with the API's own 500, in place of whatever faults wanted: the mock has a bug. Call it while the
        exception is handled, which is logged."""
        request = self.request
        log.exception("cnx-mock failed at %s %s; please report this", request.method, request.path)
        self.effects = FaultEffects()
        self.effects.replaced = True
        self.refuse(errors.InternalError())

    def break_off(self, created_id: str | None) -> None:
        """Answer with the API's own 500 to a call that has been through no stage, because what was tried in their place
        has failed. `created_id` is what it has created until then. Call it while the exception is handled."""
        with suppress(Exception):
            self.enter_sandbox()
        self.committed, self.created_id = created_id is not None, created_id
        self.fail()

    def head(self) -> RawHeaders:
        """Return all headers of the answer, as faults change them."""
        pipeline, answer = self.pipeline, self.answer
        assert answer is not None, "the stages leave an answer"
        headers = pipeline.sender.head(answer, [] if answer.foreign else messages.headers_of_every_call(self))
        if pipeline.tenants.settings.cors and not answer.foreign:
            headers += messages.cors_headers(self.request)
        if self.effects.last_on_connection:
            headers.append((b"connection", b"close"))
        change = self.effects.change_headers
        return headers if change is None else change(headers)

    def raw_head(self) -> bytes:
        """Return the head of the answer to a call without faults, as it goes to the wire."""
        pipeline = self.pipeline
        if pipeline.writes_plain_heads:
            return pipeline.sender.raw_head(self)
        lines = header_lines(self.head())
        assert self.answer is not None, "the stages leave an answer"
        return b"%b%b\r\n" % (STATUS_LINE[self.answer.status], lines)

    def count_polls(self) -> None:
        """Count a poll of every resource that is provisioning and that the answer shows."""
        if self.polled and not self.effects.replaced and self.request.method != "HEAD":
            assert self.sandbox is not None, "it polled in it"
            self.sandbox.count_polls(self.polled, self._told_apart())

    def _told_apart(self) -> str | None:
        """Return the caller, if callers are distinguished: each one then sees the resources that its own polls have
        made ready."""
        caller_of = self.tenant.engine.caller_of
        return caller_of(self.request) if caller_of else None


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

BEHIND_THE_KEY = BEFORE_FAULTS[3:]
"""From the sandbox on: what is left for a request whose test key was read with its headers, if its size is allowed."""

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
        """Whether every answer has the same headers, beside those of its own: the default, and the fastest case."""
        self.chance = Chance(seed, "server")
        self.targets = Targets(router)

    def context(
        self,
        target: RequestTarget,
        client: ClientHead,
        body: bytes | None,
        *,
        arrived: int,
        wall: int,
        connection: int | None = None,
        secure: bool = False,
        waits: bool = True,
    ) -> RequestContext:
        """Return the context of a request that has arrived. A body of None is one that is too large."""
        request = ApiRequest(
            target, client.headers, body or b"", arrived, wall, connection, body is None, secure=secure
        )
        return RequestContext(self, request, client, waits=waits)
