"""What every test may lean on: a real server on a real socket, and a client that shows everything about an answer."""

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings

from cnx_mock import MockServer, Sandbox

pytest_plugins = ["pytester"]

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")  # every run tries the same examples; a slow machine is no failure

INSTANCE = {
    "name": "prod-api-01",
    "plan": "pro",
    "region": "us-east-1",
    "image": "ubuntu-22.04-lts",
    "tags": ["web", "production"],
}
"""The documented example body."""


@dataclass(frozen=True)
class Reply:
    """An answer: `status`, `headers` (lower-case names), `body` (bytes), `json`, and `error` for a refusal."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def details(self) -> dict[str, str]:
        return dict(self.error["details"])


class Client:
    """Calls over a real socket, one connection a call."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self.key = key

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        given = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        try:
            connection.request(method, path, data, {**given, **(headers or {})})
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, fields, response.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Reply:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.call("POST", path, body, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        return self.call("DELETE", path, **more)

    def create(self, **fields: Any) -> Any:
        """A new instance, as the answer shows it."""
        reply = self.post("/v1/instances", {**INSTANCE, **fields})
        assert reply.status == 201, reply.body
        return reply.json


@pytest.fixture(scope="session")
def server() -> Iterator[MockServer]:
    """One server for the whole run; every test has a sandbox of its own."""
    with MockServer() as running:
        yield running


@pytest.fixture
def sandbox(server: MockServer, request: pytest.FixtureRequest) -> Sandbox:
    """A fresh sandbox, whose chance depends on the test alone: not on its order, nor on how many run at once."""
    return server.sandbox(name=request.node.nodeid)


@pytest.fixture
def api(sandbox: Sandbox) -> Client:
    """Calls with the sandbox's key."""
    return Client(sandbox.url, sandbox.api_key)


@pytest.fixture
def client() -> type[Client]:
    """The client's class, for keys and servers of a test's own."""
    return Client
