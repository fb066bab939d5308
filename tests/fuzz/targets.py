"""What `make fuzz` feeds with bytes from outside. Each target raises only what its caller expects; anything else is a
bug, and its input becomes a test."""

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache

from cnx_mock import MockServer, Settings
from cnx_mock.api.errors import ApiError
from cnx_mock.api.parsing import json_object, query_values
from cnx_mock.errors import CnxMockError
from cnx_mock.scenario import header
from cnx_mock.scenario.lint import lint
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.services.worlds import read_fixture
from cnx_mock.text.live_keys import masked
from cnx_mock.text.source import read

Target = Callable[[bytes], None]


def yaml_file(data: bytes) -> None:
    """A scenario or a fixture as a file."""
    with suppress(CnxMockError):
        source = read(data.decode("utf-8", "surrogateescape"), "fuzzed.yaml")
        with suppress(CnxMockError):
            lint(read_scenario(source.data, operations()), operations())
        read_fixture(source.data)


def json_body(data: bytes) -> None:
    """The body of a call, for every form of which there is an operation."""
    with suppress(ApiError):
        json_object(masked(data))


def query(data: bytes) -> None:
    """A query string, as the server hands it on."""
    with suppress(ApiError):
        query_values(masked(data).decode("latin-1"))


def fault_header(data: bytes) -> None:
    """The fault header of a request: it has no control characters, and spaces around it are cut off."""
    text = data.decode("latin-1").strip()
    if text and text.isprintable():
        with suppress(CnxMockError):
            header.rule([text], operations(), ())


def connect(data: bytes) -> None:
    """The first bytes on the proxy's port. They get an answer, or the connection ends; a log line would be a bug."""
    server = _proxy()
    host, _, port = str(server.proxy_url).removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as sock, suppress(ConnectionError):
        sock.sendall(b"CONNECT " + data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65_536):
            pass


@cache
def _proxy() -> MockServer:
    server = MockServer(settings=Settings(port=0, proxy=True))
    server.start()
    return server


TARGETS: Mapping[str, Target] = {
    "yaml": yaml_file,
    "json": json_body,
    "query": query,
    "fault-header": fault_header,
    "connect": connect,
}

SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "yaml": (
        b"name: a\nrules:\n  - match: {operation: instances.create, header: {x: '1.10'}}\n    times: {every: 3}\n"
        b"    fault: {error: RATE_LIMITED, retry_after: 2s}\n",
        b"phases: [{name: a, for: 2m}, {name: b, until: {requests: 3}}]\n"
        b"rules: [{when: {phase: a}, fault: {latency: 2s}}]\n",
        b"accounts: [{name: a, balance: $5.00, instances: [{name: b, plan: pro, region: us-east-1}]}]\n"
        b"clock: {speed: 60}\n",
        b"a: &a [1, 2]\nb: *a\n? {c: d}\n: - e\n--- !!str f\n",
    ),
    "json": (b'{"name": "a", "tags": ["b", null, true], "n": -1.5e3, "x": {"\\u00e9": ""}}', b'{"a": 1, "a": 2}'),
    "query": (b"page=1&per_page=20&status=running&tag=a%20b&x=%c3%a9&y=%zz", b"&&=&a&a=1;b=2"),
    "fault-header": (
        b"error=RATE_LIMITED; retry_after=2s; at=after",
        b'{"match": {"operation": "instances.*"}, "fault": {"status": 503, "details": {"a": "b"}}}',
        b'status=503; headers={set: {x: "1"}}; times=[1, 2]',
    ),
    "connect": (
        b"api.cloudnexus.com:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01",
        b"[::1]:443 HTTP/1.0\r\n\r\n",
        b"evil.example:443 HTTP/1.1\r\nProxy-Authorization: Basic YQ==\r\n\r\n",
    ),
}
"""What each target usually gets."""
