"""What a connection needs to read requests: a limit on reading ahead, and a parser that continues in the middle of a
request."""

import asyncio
from typing import Protocol

from cnx_mock.net.uvicorn_protocol import FlowControl


class HoldingFlow(FlowControl):
    """Uvicorn's control of reading and writing. While something is held back, nothing more is read."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.held: list[bytes] = []
        """What has arrived and waits for its turn."""

    def hold(self, data: bytes) -> None:
        """Hold this back, and read nothing more until it is taken."""
        self.held = [data]
        self.pause_reading()

    def resume_reading(self) -> None:
        if not self.held:
            super().resume_reading()


class ParserCallbacks(Protocol):
    """What a parser calls."""

    def on_body(self, body: bytes) -> None:
        """A piece of its body."""

    def on_message_complete(self) -> None:
        """It has ended."""

    def on_message_begin(self) -> None:
        """A request begins."""

    def on_url(self, url: bytes) -> None:
        """A piece of its target."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""

    def on_headers_complete(self) -> None:
        """Its head has ended."""


class Resumed:
    """The callbacks of a parser whose first head is one that the connection has seen already."""

    def __init__(self, connection: ParserCallbacks) -> None:
        self._connection = connection
        self._in_first_head = True
        self.on_body = connection.on_body
        self.on_message_complete = connection.on_message_complete

    def on_message_begin(self) -> None:
        if not self._in_first_head:
            self._connection.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._in_first_head:
            self._connection.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_first_head:
            self._connection.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._in_first_head:
            self._in_first_head = False
        else:
            self._connection.on_headers_complete()
