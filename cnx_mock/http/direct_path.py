"""The direct path through the app: from a parsed request to the bytes of its answer, in one synchronous function. A
call that has to wait leaves it for the ASGI path."""

import logging
from collections.abc import Callable

from cnx_mock.http.client_head import ClientHead
from cnx_mock.http.fast_path import FastPath
from cnx_mock.http.observers import Observers
from cnx_mock.http.pipeline import Pipeline, RequestContext
from cnx_mock.net.known_heads import HeaderBlock, RequestLine
from cnx_mock.scenario.request import ApiRequest, RawHeaders
from cnx_mock.text.live_keys import masked, may_have_live_key
from cnx_mock.world.clock import RealTime, ticks

log = logging.getLogger("cnx_mock")


class DirectPath:
    """Begins the calls of one server, and answers those that need not wait."""

    def __init__(self, pipeline: Pipeline, observers: Observers, has_good_host: Callable[[RawHeaders], bool]) -> None:
        self._pipeline = pipeline
        self._observers = observers
        self._has_good_host = has_good_host
        self._real = RealTime()
        settings = pipeline.tenants.settings
        self._needs_tls = settings.require_tls
        self._leaves_options = settings.cors
        self._has_fast_path = pipeline.writes_plain_heads and not settings.require_tls
        self._fast_path = FastPath(pipeline, observers)
        self._answer_fast = self._fast_path.answer

    def begin(
        self, line: RequestLine, block: HeaderBlock, body: bytes, port: int | None, secure: bool
    ) -> bytes | RequestContext | None:
        """Begin a call to the API that has arrived as a whole. Return its whole answer; or the call, if it has to wait,
        for `Api.__call__` to finish; or None, if the call has to take the ASGI path from its beginning."""
        arrived = ticks()
        client, target, wall, pipeline = block.kept, line.kept, self._real.at(arrived), self._pipeline
        if client is None:
            client = self._client_of(block)
        if target is None:
            path, _, query = line.target.decode("latin-1").partition("?")
            line.kept = target = pipeline.targets.find(line.method, path, query)
        if self._has_fast_path and client.has_good_host:
            try:
                done = self._answer_fast(target, client, body, arrived, wall, port, secure)
            except Exception:
                request = ApiRequest(target, client.headers, masked(body), arrived, wall, port, secure=secure)
                context = RequestContext(pipeline, request, client)
                created, self._fast_path.unanswered = self._fast_path.unanswered, None
                context.break_off(created)
                return self._completed(context)
            if done is not None:
                return done
        if (
            not client.has_good_host
            or (self._needs_tls and not secure)
            or (self._leaves_options and line.method == "OPTIONS")
        ):
            return None
        if body and may_have_live_key(body):
            body = masked(body)
        request = ApiRequest(target, client.headers, body, arrived, wall, port, secure=secure)
        context = RequestContext(pipeline, request, client)
        if not context.begin():
            return context
        if context.polled:
            context.count_polls()
        return self._completed(context)

    def _completed(self, context: RequestContext) -> bytes:
        """Complete a call that has its answer, and return that as it goes to the wire."""
        try:
            head = context.raw_head()
        except Exception:
            context.fail()
            head = context.raw_head()
        answer = context.answer
        assert answer is not None, "the stages leave an answer"
        context.sent(head)
        self._observers.complete(context, answer.status, None if context.sandbox is None else context.tenant)
        return head if context.request.method == "HEAD" else head + answer.body

    def _client_of(self, block: HeaderBlock) -> ClientHead:
        """Return what headers say of their client."""
        good = self._has_good_host(block.headers)
        block.kept = client = ClientHead(block.headers, is_safe=block.is_safe, has_good_host=good)
        return client
