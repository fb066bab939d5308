"""What users of real clients see of each fault: the documentation shows this table, test_client_table.py holds it true.

A user here does what most do: calls with a timeout, asks for an exception where the status is an error
(`raise_for_status()`; urllib.request does so by itself, http.client never), and reads the answer as JSON.
"""

import http.client
import json
import ssl
import urllib.error
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import requests

from tests.docs import markdown

Seen = type[Exception] | None
"""The very class of what is raised; None where nothing is."""

COLUMNS = {
    "requests": "requests",
    "httpx2": "httpx2",
    "urllib": "urllib.request",
    "http_client": "http.client",
    "curl": "curl --fail",
}
"""A row's field for each client, and the client's name."""


@dataclass(frozen=True)
class Row:
    """A fault, and what each client makes of it: the same with `at: before` and `at: after`."""

    written: str
    """The fault as the documentation has it."""
    fault: dict[str, Any]
    """The fault's keys, as `inject` takes them."""
    requests: Seen
    httpx2: Seen
    urllib: Seen
    http_client: Seen
    curl: int
    """Its exit status."""
    operation: str = "instances.create"
    at: tuple[str, ...] = ("before", "after")
    """Where it is tried; once where `at` means nothing to it."""
    timeout: float = 10
    """The client's, in seconds."""
    again: bool = False
    """Whether it is a later call that shows the fault: the table has what the client sees of that one."""
    scheme: str = "http"


def _refused(written: str, **fault: Any) -> Row:
    return Row(written, fault, requests.exceptions.HTTPError, httpx2.HTTPStatusError, urllib.error.HTTPError, None, 22)


def _broken_off(written: str, curl: int = 18, **fault: Any) -> Row:
    return Row(
        written,
        fault,
        requests.exceptions.ChunkedEncodingError,
        httpx2.RemoteProtocolError,
        http.client.IncompleteRead,
        http.client.IncompleteRead,
        curl,
    )


def _late(written: str, **fault: Any) -> Row:
    """Nothing at all within the timeout."""
    return Row(written, fault, requests.ReadTimeout, httpx2.ReadTimeout, TimeoutError, TimeoutError, 28, timeout=0.2)


def _stuck(written: str, **fault: Any) -> Row:
    """The headers, and then nothing within the timeout."""
    seen = (requests.exceptions.ConnectionError, httpx2.ReadTimeout, TimeoutError, TimeoutError)
    return Row(written, fault, *seen, 28, at=("before",), timeout=0.2)


def _unnoticed(written: str, **fault: Any) -> Row:
    return Row(written, fault, None, None, None, None, 0, at=("before",))


def _next_call(*row: Any, scheme: str = "http") -> Row:
    """A call like the others, behind which the next one meets the fault."""
    return replace(Row(*row), operation="plans.list", at=("before",), again=True, scheme=scheme)


ROWS = [
    _refused("`error: CODE`, any of the catalogue", error="INTERNAL_ERROR"),
    _refused("`status: 503`, any from 400 to 599", status=503),
    Row(
        "`gateway: 503`",
        {"gateway": 503},
        requests.exceptions.HTTPError,
        httpx2.HTTPStatusError,
        urllib.error.HTTPError,
        json.JSONDecodeError,
        22,
    ),
    _refused("`revoked: forever`", revoked="forever"),
    Row(
        "`connection: reset`",
        {"connection": "reset"},
        requests.exceptions.ConnectionError,
        httpx2.ReadError,
        ConnectionResetError,
        ConnectionResetError,
        56,
    ),
    _broken_off("`connection: close`", connection="close"),
    Row(
        "`connection: empty`",
        {"connection": "empty"},
        requests.exceptions.ConnectionError,
        httpx2.RemoteProtocolError,
        http.client.RemoteDisconnected,
        http.client.RemoteDisconnected,
        52,
    ),
    Row(
        "`connection: garbage`",
        {"connection": "garbage"},
        requests.exceptions.ConnectionError,
        httpx2.RemoteProtocolError,
        http.client.BadStatusLine,
        http.client.BadStatusLine,
        1,
    ),
    _broken_off("`connection: malformed_chunk`", connection="malformed_chunk", curl=56),
    _late("`connection: hang`", connection="hang"),
    _broken_off("`body: {truncate: 0.5}`", body={"truncate": 0.5}),
    Row(
        "`body: malformed_json`",
        {"body": "malformed_json"},
        requests.exceptions.JSONDecodeError,
        json.JSONDecodeError,
        json.JSONDecodeError,
        json.JSONDecodeError,
        0,
    ),
    Row(
        "`body: {corrupt: 8B}`",
        {"body": {"corrupt": "8B"}},
        requests.exceptions.JSONDecodeError,
        UnicodeDecodeError,
        UnicodeDecodeError,
        UnicodeDecodeError,
        0,
    ),
    _late("`latency: 10m`: longer than the timeout", latency="10m"),
    _stuck("`drip: {chunks: 2, over: 20m}`: so is each pause", drip={"chunks": 2, "over": "20m"}),
    _stuck("`bandwidth: 1B/s`: so is each pause", bandwidth="1B/s"),
    Row(
        "`drip: {chunks: 12, over: 600ms}`: only all of them together are",
        {"drip": {"chunks": 12, "over": "600ms"}},
        None,
        None,
        None,
        None,
        28,
        at=("before",),
        timeout=0.5,  # ten times as long as each pause
    ),
    _unnoticed("`headers: {remove: [Content-Type]}`", headers={"remove": ["Content-Type"]}),
    Row(
        "`headers: {set: {Content-Encoding: gzip}}`",
        {"headers": {"set": {"Content-Encoding": "gzip"}}},
        requests.exceptions.ContentDecodingError,
        httpx2.DecodingError,
        None,
        None,
        0,
        at=("before",),
    ),
    Row(
        "`stale: 10m`, reading what was just made",
        {"stale": "10m"},
        requests.exceptions.HTTPError,
        httpx2.HTTPStatusError,
        urllib.error.HTTPError,
        None,
        22,
        operation="instances.get",
        at=("before",),
    ),
    _unnoticed("`provisioning: never`", provisioning="never"),
    _unnoticed("`delivery: twice`", delivery="twice"),
    _next_call(
        "`connection: dies_idle`, the next call over the connection",
        {"connection": "dies_idle"},
        requests.exceptions.ConnectionError,
        httpx2.ReadError,
        None,
        ConnectionResetError,
        0,
    ),
    _next_call(
        "`refuse_connections: 1m`, the next call",
        {"refuse_connections": "1m"},
        requests.exceptions.ConnectionError,
        httpx2.ConnectError,
        urllib.error.URLError,
        ConnectionRefusedError,
        7,
    ),
    _next_call(
        "`fail_handshakes: 1m`, the next call",
        {"fail_handshakes": "1m"},
        requests.exceptions.SSLError,
        httpx2.ConnectError,
        urllib.error.URLError,
        ssl.SSLError,
        35,
        scheme="https",
    ),
]


def _cell(seen: Seen | int) -> str:
    if isinstance(seen, int):
        return str(seen)
    return "–" if seen is None else f"`{seen.__name__}`"


def table() -> str:
    """The rows as Markdown."""
    rows = [(row.written, *(_cell(getattr(row, field)) for field in COLUMNS)) for row in ROWS]
    return markdown.table(["fault", *(f"`{name}`" for name in COLUMNS.values())], rows)
