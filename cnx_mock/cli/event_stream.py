"""The events of a running server, read from its control plane."""

import http.client
import json
import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cnx_mock.errors import UsageError
from cnx_mock.net.addresses import TOKEN_HEADER
from cnx_mock.settings import variable

_CONNECT_SECONDS = 10
_SILENCE_SECONDS = 45
"""How long a stream is silent at most, since the server sends something every 15 seconds."""


_PIECE = 64 * 1024


class ReceivedEvent(NamedTuple):
    """One event, or a sign of life if `kind` is empty."""

    number: str
    kind: str
    data: Any


class Dropped(Exception):
    """The connection was lost, and the stream has not ended."""


class EventReader:
    """Reads the events of one server, from the last one that it knows."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        if token := os.environ.get(variable("control_token"), ""):
            self._headers[TOKEN_HEADER] = token

    def events(self) -> Iterator[ReceivedEvent]:
        """Yield events until the server ends the stream, because it stops. A lost connection is opened again, and
        continues after the last event. Raises UsageError if no cnx-mock answers at first, or if it refuses."""
        connection = self._connect()
        while True:
            try:
                with closing(connection):
                    yield from self._read(connection)
                return
            except Dropped:
                try:
                    connection = self._connect()
                except UsageError:
                    return

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=_CONNECT_SECONDS)
        try:
            connection.request("GET", "/_mock/events", headers=self._headers)
        except OSError as error:
            raise UsageError(
                f"no cnx-mock answers at {self._url}: {error.strerror or error}; start one with `cnx-mock serve`, or "
                "name the URL of another"
            ) from None
        return connection

    def _read(self, connection: http.client.HTTPConnection) -> Iterator[ReceivedEvent]:
        """Yield the events of one connection. Raises Dropped."""
        try:
            response = connection.getresponse()
            if response.status != 200 or response.headers.get_content_type() != "text/event-stream":
                raise UsageError(self._refusal(response.read()))
            if connection.sock is not None:
                connection.sock.settimeout(_SILENCE_SECONDS)
            rest = b""
            while piece := response.read1(_PIECE):  # `readline` does not tell an end from a lost connection
                *blocks, rest = (rest + piece).split(b"\n\n")
                for block in blocks:
                    yield self._event(block.decode("utf-8", "replace").split("\n"))
        except (http.client.HTTPException, OSError):
            raise Dropped from None

    def _event(self, lines: list[str]) -> ReceivedEvent:
        fields = dict(line.split(": ", 1) for line in lines if line[0] != ":")
        if "id" in fields:
            self._headers["Last-Event-ID"] = fields["id"]
        return ReceivedEvent(fields.get("id", ""), fields.get("event", ""), json.loads(fields.get("data", "null")))

    def _refusal(self, body: bytes) -> str:
        try:
            error = json.loads(body)["error"]
            details = "; ".join(f"{name}: {text}" for name, text in error["details"].items())
            return f"the cnx-mock at {self._url} refuses: {error['message']} {details}".rstrip()
        except (LookupError, TypeError, ValueError):
            return f"the server at {self._url} is not a cnx-mock, or it is another version"
