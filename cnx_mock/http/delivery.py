"""The API as an ASGI application: requests go through the pipeline, and answers (or what a fault does) to the wire."""

import asyncio
import logging

from starlette.types import Receive, Scope, Send

from cnx_mock.http import messages
from cnx_mock.http.client_head import ClientHead
from cnx_mock.http.lost_calls import lose
from cnx_mock.http.observers import Observers
from cnx_mock.http.pipeline import Pipeline, RequestContext
from cnx_mock.http.wire import RequestWire
from cnx_mock.net.direct import BEGUN
from cnx_mock.scenario.delays import Cancelled
from cnx_mock.scenario.exchange import Answer
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.text.live_keys import masked
from cnx_mock.world.clock import ticks, wall_now

log = logging.getLogger("cnx_mock")

Pieces = list[tuple[int, bytes]]
"""A body in pieces, each with the microseconds to wait before it."""


class Api:
    """Answers calls to the API."""

    def __init__(self, pipeline: Pipeline, observers: Observers) -> None:
        self._pipeline = pipeline
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, from its arrival to its last byte. The connection may have begun it."""
        begun = scope.get("extensions", {}).pop(BEGUN, None)
        if begun is not None:
            await receive()  # it has its body already; this lets the server read on, and so see that a client leaves
            await self._finish(begun, None, RequestWire(scope), send)
            return
        wire = RequestWire(scope)
        arrived, wall = ticks(), wall_now()
        broken = None
        try:
            body = await messages.read_body(scope, receive)
        except messages.Incomplete as incomplete:
            body, broken = incomplete.body, incomplete
        target = self._pipeline.targets.find(
            scope["method"], messages.raw_path(scope), masked(scope["query_string"]).decode("latin-1")
        )
        context = self._pipeline.context(
            target,
            ClientHead(scope["headers"]),
            body,
            arrived=arrived,
            wall=wall,
            connection=(scope.get("client") or (None, None))[1],
            secure=scope.get("scheme") == "https",
        )
        context.enters_now()
        if wire.dead is not None:
            lose(context, wire.dead)
            self._abort(context, wire)
            return
        await self._finish(context, broken, wire, send)

    async def _finish(
        self, context: RequestContext, broken: messages.Incomplete | None, wire: RequestWire, send: Send
    ) -> None:
        """Take a call through its stages and faults, and send what they leave. `context` may have begun already."""
        try:
            if broken is not None:
                context.refuse_unread(broken.refusal)
            elif context.ruling is not None or not context.begin():
                await context.finish()
            await self._deliver(context, wire, send)
        except Cancelled:
            self._abort(context, wire)
        except asyncio.CancelledError:  # the server stops
            self._complete(context, context.status)
            raise
        except Exception:
            log.exception("cnx-mock failed while it sent an answer; please report this")
            self._abort(context, wire)

    async def _deliver(self, context: RequestContext, wire: RequestWire, send: Send) -> None:
        """Complete the journal's record, then send: a client that has the answer finds the record complete."""
        if context.effects.connection_fault is not None and await self._act(context, wire):
            return
        context.count_polls()
        if wire.gone:
            self._complete(context, None)
            return
        try:
            answer, context.response_headers, pieces = self._prepared(context)
            wire.check(context.effects)
        except Exception:
            context.fail()
            answer, context.response_headers, pieces = self._prepared(context)
        if pieces is not None or answer.framing is not None:
            await self._send_slowly(context, answer, pieces, wire, send)
            return
        self._complete(context, answer.status)
        _act_afterwards(context, wire)
        body = b"" if context.request.method == "HEAD" else answer.body
        await self._pipeline.sender.send(send, answer.status, context.response_headers, body)

    async def _act(self, context: RequestContext, wire: RequestWire) -> bool:
        """Do to the connection what a fault wants. Return False if that fails: then the API's own 500 is to be sent."""
        act_on_connection = context.effects.connection_fault
        assert act_on_connection is not None, "only called for one"
        try:
            act = await act_on_connection(context, wire)
            wire.check(context.effects)
            self._complete(context, None)
            _act_afterwards(context, wire)
            act()
        except Cancelled:
            raise
        except Exception:
            context.duration = None  # it is not complete after all
            context.fail()
            return False
        return True

    @staticmethod
    def _prepared(context: RequestContext) -> tuple[Answer, RawHeaders, Pieces | None]:
        """The answer, all its headers, and its body in pieces if a fault sets a pace. All that a fault adds to it is
        made here, before the first byte is sent."""
        headers = context.head()
        answer, pace = context.answer, context.effects.pace
        assert answer is not None, "the stages leave an answer"
        has_body = answer.body and context.request.method != "HEAD"
        return answer, headers, list(pace(answer.body)) if pace and has_body else None

    async def _send_slowly(
        self, context: RequestContext, answer: Answer, pieces: Pieces | None, wire: RequestWire, send: Send
    ) -> None:
        """Send an answer at its pace and in its framing. The record is complete before the last byte is sent. Raises
        Cancelled."""
        context.status = answer.status
        await send({"type": "http.response.start", "status": answer.status, "headers": context.response_headers})
        whole = b"" if context.request.method == "HEAD" else answer.body
        last = b""
        for wait, piece in [(0, whole)] if pieces is None else pieces:
            await _write(wire, send, answer, last)
            await context.pause(wait)
            last = piece
            if wire.gone:
                self._complete(context, context.status)
                wire.reset()
                return
        self._complete(context, context.status)
        _act_afterwards(context, wire)
        if answer.framing is None:
            await send({"type": "http.response.body", "body": last})
        else:
            wire.close(last)

    def _abort(self, context: RequestContext, wire: RequestWire) -> None:
        """End a call here, whatever the client has of its answer."""
        self._complete(context, context.status)
        wire.reset()

    def _complete(self, context: RequestContext, status: int | None) -> None:
        tenant = None if context.sandbox is None else context.tenant
        self._observers.complete(context, status, tenant)


def _act_afterwards(context: RequestContext, wire: RequestWire) -> None:
    """Do what faults want to happen behind the call. The client has not got the end of its answer yet: whatever it
    does then comes later."""
    for act in context.exchange.effects.afterwards:
        act(wire)


async def _write(wire: RequestWire, send: Send, answer: Answer, piece: bytes) -> None:
    """Send one of the pieces that are not the last."""
    if answer.framing is not None:
        wire.write(piece)
    elif piece:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
