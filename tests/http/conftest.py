"""What the tests of HTTP itself need beside a client that behaves: bytes of one's own on the wire."""

import http.client
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cnx_mock import MockServer
from tests.conftest import INSTANCE

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers (lower-case names), body."""


@pytest.fixture
def example() -> dict[str, Any]:
    """The documented example body."""
    return {**INSTANCE}


@pytest.fixture
def own_server() -> Iterator[MockServer]:
    """A server of the test's own, for what belongs to no sandbox: its journal, its defaults."""
    with MockServer() as running:
        yield running


@pytest.fixture
def wire(server: MockServer) -> Callable[..., Answer | None]:
    """Sends bytes as they are, and reads one answer."""

    def send(request: bytes, to: MockServer = server, hang_up: bool = False) -> Answer | None:
        host, _, port = to.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(request)
            if hang_up:
                return None
            answer = http.client.HTTPResponse(connection, method=request.split(b" ")[0].decode("latin-1"))
            answer.begin()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, fields, answer.read()

    return send
