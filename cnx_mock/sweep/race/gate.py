"""One program's way to an app: its calls wait for their turns before they are performed."""

import asyncio
from collections.abc import Collection
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from cnx_mock.api.router import is_api_path
from cnx_mock.http.app import App
from cnx_mock.net.server_error import ErrorPages
from cnx_mock.net.unread import Unread
from cnx_mock.sweep.race.schedule import Racer
from cnx_mock.sweep.race.turns import Turns

Callers = dict[str | int, Racer]
"""The program of each request by the request's id, and by the client's port for one that gets no answer."""


class Gate:
    """An app as one program meets it, at an address of its own. Who calls is known by that address alone."""

    def __init__(self, app: App, racer: Racer, turns: Turns, callers: Callers) -> None:
        """`callers` is filled with the program of each request."""
        self._app = app
        self._racer = racer
        self._turns = turns
        self._callers = callers
        self.addresses = app.addresses
        self.bounds = app.bounds
        self.refused_hosts = app.refused_hosts

    @property
    def pages(self) -> ErrorPages:
        """Renders the errors that the server answers itself."""
        return self._app.pages

    @property
    def allowed_hosts(self) -> Collection[str]:
        """Hosts that the proxy may open tunnels to."""
        return self._app.allowed_hosts

    def refuse_unread(self, unread: Unread) -> bytes:
        """Return the whole answer to a request that could not be read."""
        return self._app.refuse_unread(unread)

    def cancel_delays(self) -> None:
        """End every deliberate wait, for good."""
        self._app.cancel_delays()

    def begin(self, *call: Any) -> None:
        """Begin no call at once: each has to wait for its turn."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, when it has arrived as a whole and its program has the turn."""
        if scope["type"] != "http" or not is_api_path(scope["path"]):
            await self._app(scope, receive, send)
            return
        messages = await _whole(receive)
        gone = asyncio.ensure_future(receive())
        turn = asyncio.ensure_future(self._turns.enter(self._racer))
        try:
            await asyncio.wait({gone, turn}, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done():  # the client left while it was held
                return

            async def replayed() -> Message:
                return messages.pop(0) if messages else await gone

            async def noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._note(message["headers"])
                await send(message)

            self._callers[(scope.get("client") or (None, 0))[1]] = self._racer
            await self._app(scope, replayed, noted)
            self._turns.answered(self._racer)
        finally:
            for task in (gone, turn):
                task.cancel()
            await asyncio.gather(gone, turn, return_exceptions=True)

    def _note(self, headers: Any) -> None:
        for name, value in headers:
            if name == b"x-request-id":
                self._callers[value.decode("latin-1")] = self._racer


async def _whole(receive: Receive) -> list[Message]:
    """Return the messages of a whole request, or of as much of it as came."""
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages
