"""One stream of events over ASGI: it works on any server, and ends by itself when the client or the server leaves."""

import asyncio
from contextlib import suppress

from starlette.types import Receive, Scope, Send

from cnx_mock.api.shapes import Shape
from cnx_mock.http.events.event import server_event
from cnx_mock.http.events.hub import EventHub
from cnx_mock.http.events.listener import Listener
from cnx_mock.http.wire import RequestWire
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.world.clock import SECOND, busy_ticks

HEARTBEAT_SECONDS = 15.0
"""How long a stream is silent at most."""

RETRY_MS = 1000
"""After how many milliseconds a browser connects again."""

_PATIENCE_SECONDS = 60.0
"""How long a client may read nothing while something waits for it."""

_CHUNK_BYTES = 64 * 1024
_SLICE = 2_000
"""How many microseconds of processor time it encodes without a pause."""

_REST = 40
"""How many times as long as it encodes it pauses, so that one stream takes a small part of the server's time."""

_SHORTEST_REST = 10_000


class EventStream(Shape):
    """Server-sent events, until the client leaves or the server stops. Each has `id`, `event` and, as `data`, a line of
    JSON with the sandbox's id."""

    __slots__ = ("_hub", "_listener")

    def __init__(self, hub: EventHub, listener: Listener) -> None:
        self._hub = hub
        self._listener = listener

    async def respond(self, scope: Scope, receive: Receive, send: Send, headers: RawHeaders) -> None:
        """Answer a call with these headers, until the client leaves or the server stops."""
        wire = RequestWire(scope)
        if scope["method"] == "HEAD":
            self._listener.drop()
        leaving = asyncio.create_task(self._until_left(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._follow(send)
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:  # the client reads nothing
            with suppress(RuntimeError):  # not our own server: it notices in time
                wire.reset()
        finally:
            self._hub.leave(self._listener)
            leaving.cancel()

    async def _follow(self, send: Send) -> None:
        """Send events as they come. Raises TimeoutError if the client reads nothing for a minute."""
        listener = self._listener
        if not listener.closed:
            first = server_event(listener.start, self._hub.server)
            await _sent(send, b"retry: %d\n%b" % (RETRY_MS, first.encoded()))
        while True:
            began = busy_ticks()
            chunk = listener.take(lambda size: size >= _CHUNK_BYTES or busy_ticks() - began >= _SLICE)  # noqa: B023
            if chunk:
                spent = busy_ticks() - began
                await _sent(send, chunk)
                rest = 0 if listener.closed else max(_SHORTEST_REST, _REST * spent)
                await asyncio.sleep(rest / SECOND)  # what comes meanwhile is sent together
            elif listener.closed:
                return
            elif not await listener.wait(HEARTBEAT_SECONDS):
                await _sent(send, b": still here\n\n")

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._listener.drop()


async def _sent(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
