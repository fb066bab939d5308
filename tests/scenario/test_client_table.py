"""The documentation's table of faults and clients, cell by cell: the fault is provoked over a real socket, and what is
raised is of the very class that the table names."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any, NamedTuple

import httpx2
import pytest
import requests

from cnx_mock.api import errors
from cnx_mock.api.declarations import model_of
from cnx_mock.scenario.faults import kinds, read
from tests.cases import cases
from tests.conftest import INSTANCE
from tests.scenario.client_table import COLUMNS, ROWS, Row

pytestmark = [pytest.mark.clients, pytest.mark.slow]

LIST = "/v1/instances"


class Call(NamedTuple):
    """A call as each of the clients makes it; `timeout` in seconds."""

    method: str
    base: str
    path: str
    headers: dict[str, str]
    data: bytes | None
    timeout: float


def by_requests(call: Call) -> None:
    reply = requests.request(
        call.method, call.base + call.path, headers=call.headers, data=call.data, timeout=call.timeout
    )
    reply.raise_for_status()
    reply.json()


def by_httpx2(call: Call) -> None:
    reply = httpx2.request(
        call.method,
        call.base + call.path,
        headers=call.headers,
        content=call.data,
        timeout=call.timeout,
        verify=False,  # otherwise each call reads all certificates of the system, for plain HTTP too
    )
    reply.raise_for_status()
    reply.json()


def by_urllib(call: Call) -> None:
    request = urllib.request.Request(call.base + call.path, call.data, call.headers, method=call.method)
    try:
        with urllib.request.urlopen(request, timeout=call.timeout) as reply:
            json.load(reply)
    except urllib.error.HTTPError as error:
        error.close()
        raise


def by_http_client(call: Call) -> None:
    connection = HTTPConnection(call.base.removeprefix("http://"), timeout=call.timeout)
    try:
        connection.request(call.method, call.path, call.data, call.headers)
        with connection.getresponse() as reply:
            json.load(reply)
    finally:
        connection.close()


def by_curl(call: Call) -> int:
    """Its exit status."""
    headers = [word for name, value in call.headers.items() for word in ("-H", f"{name}: {value}")]
    data = [] if call.data is None else ["-d", call.data.decode()]
    options = ["-q", "--silent", "--fail", "--noproxy", "*", "--max-time", str(call.timeout), "-X", call.method]
    return subprocess.run(
        ["curl", *options, *headers, *data, call.base + call.path], stdout=subprocess.DEVNULL, check=False
    ).returncode


CLIENTS: dict[str, Callable[[Call], int | None]] = {
    "requests": by_requests,
    "httpx2": by_httpx2,
    "urllib": by_urllib,
    "http_client": by_http_client,
    "curl": by_curl,
}

ASKED = [
    pytest.param(
        name, marks=pytest.mark.skipif(name == "curl" and not shutil.which("curl"), reason="curl is not installed")
    )
    for name in COLUMNS
]

CELLS = [pytest.param(row, at, id=f"{row.written.partition('`:')[0].strip('`')}-{at}") for row in ROWS for at in row.at]


def seen(name: str, call: Call) -> Any:
    """What the user gets to see: the class of an exception, None, or curl's exit status."""
    try:
        return CLIENTS[name](call)
    except Exception as error:
        return type(error)


def called(sandbox: Any, api: Any, row: Row, **rule: Any) -> Call:
    """The call that the row speaks of, once its fault is in force."""
    headers = {"Authorization": f"Bearer {sandbox.api_key}", "Content-Type": "application/json"}
    path = LIST if row.operation == "instances.create" else f"{LIST}/{api.create()['id']}"
    sandbox.inject(row.operation, **{**row.fault, **rule})
    if row.operation == "instances.create":
        return Call("POST", sandbox.url, path, headers, json.dumps(INSTANCE).encode(), row.timeout)
    return Call("GET", sandbox.url, path, headers, None, row.timeout)


@cases("name", ASKED)
@cases(("row", "at"), CELLS)
def test_what_a_client_sees(server, client, row, at, name):
    sandbox = server.sandbox(name="clients", seed=1)  # which bytes are flipped is up to the seed
    call = called(sandbox, client(sandbox.url, sandbox.api_key), row, at=at)
    assert seen(name, call) == getattr(row, name)
    sandbox.reset()  # ends what still waits


@cases("name", ASKED)
@cases("code", sorted(errors.catalogue()))
def test_every_error_of_the_catalogue_is_seen_alike(sandbox, api, code, name):
    [row] = [row for row in ROWS if "error" in row.fault]
    assert seen(name, called(sandbox, api, row, error=code)) == getattr(row, name)


def test_no_fault_is_left_out():
    shown = {type(fault) for row in ROWS for fault in read(row.fault)[0]}
    assert shown == set(map(model_of, kinds()))


@pytest.mark.parametrize("name", ASKED)
def test_without_a_fault_a_client_sees_nothing(sandbox, api, name):
    row = Row("nothing", {"latency": "0s"}, None, None, None, None, 0)
    assert seen(name, called(sandbox, api, row)) == getattr(row, name)
    assert len(api.get(LIST).json["data"]) == 1
