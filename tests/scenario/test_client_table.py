"""The documentation's table of faults and clients, cell by cell: the fault is provoked over a real socket, and what is
raised is of the very class that the table names."""

import json
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPSConnection
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
    """A call as each of the clients makes it, once or several times over a connection that it may keep."""

    method: str
    base: str
    path: str
    headers: dict[str, str]
    data: bytes | None
    timeout: float
    """In seconds."""
    times: int
    ca: str
    """The certificate to trust over HTTPS."""

    @property
    def url(self) -> str:
        return self.base + self.path

    def trust(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca) if self.base.startswith("https:") else None


def by_requests(call: Call) -> None:
    with requests.Session() as session:
        for _ in range(call.times):
            reply = session.request(
                call.method, call.url, headers=call.headers, data=call.data, timeout=call.timeout, verify=call.ca
            )
            reply.raise_for_status()
            reply.json()


def by_httpx2(call: Call) -> None:
    trust = call.trust() or False  # otherwise each reads all certificates of the system, for plain HTTP too
    with httpx2.Client(timeout=call.timeout, verify=trust) as pool:
        for _ in range(call.times):
            reply = pool.request(call.method, call.url, headers=call.headers, content=call.data)
            reply.raise_for_status()
            reply.json()


def by_urllib(call: Call) -> None:
    for _ in range(call.times):
        request = urllib.request.Request(call.url, call.data, call.headers, method=call.method)
        try:
            with urllib.request.urlopen(request, timeout=call.timeout, context=call.trust()) as reply:
                json.load(reply)
        except urllib.error.HTTPError as error:
            error.close()
            raise


def by_http_client(call: Call) -> None:
    address, trust = call.base.partition("://")[2], call.trust()
    connection = (
        HTTPConnection(address, timeout=call.timeout)
        if trust is None
        else HTTPSConnection(address, timeout=call.timeout, context=trust)
    )
    try:
        for _ in range(call.times):
            connection.request(call.method, call.path, call.data, call.headers)
            with connection.getresponse() as reply:
                json.load(reply)
    finally:
        connection.close()


def by_curl(call: Call) -> int:
    """Its exit status: of several calls, that of the last one."""
    headers = [word for name, value in call.headers.items() for word in ("-H", f"{name}: {value}")]
    data = [] if call.data is None else ["-d", call.data.decode()]
    options = ["-q", "--silent", "--fail", "--noproxy", "*", "--max-time", str(call.timeout), "-X", call.method]
    options += ["--cacert", call.ca] if call.base.startswith("https:") else []
    return subprocess.run(
        ["curl", *options, *headers, *data, *[call.url] * call.times], stdout=subprocess.DEVNULL, check=False
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

THERE = [name for name in COLUMNS if name != "curl" or shutil.which("curl")]

CELLS = [pytest.param(row, at, id=f"{row.written.partition('`:')[0].strip('`')}-{at}") for row in ROWS for at in row.at]


def seen(name: str, call: Call) -> Any:
    """What the user gets to see: the class of an exception, None, or curl's exit status."""
    try:
        return CLIENTS[name](call)
    except Exception as error:
        return type(error)


def called(server: Any, sandbox: Any, api: Any, row: Row, **rule: Any) -> Call:
    """The call that the row speaks of, once its fault is in force."""
    headers = {"Authorization": f"Bearer {sandbox.api_key}", "Content-Type": "application/json"}
    more: dict[str, Any] = {"timeout": row.timeout, "times": 1 + row.again, "ca": str(server.ca_path)}
    base = server.tls_url if row.scheme == "https" else sandbox.url
    path = f"{LIST}/{api.create()['id']}" if row.operation == "instances.get" else "/v1/plans"
    limit = {"times": 1} if row.again else {}
    sandbox.inject(row.operation, **{**row.fault, **limit, **rule})
    if row.operation == "instances.create":
        return Call("POST", base, LIST, headers, json.dumps(INSTANCE).encode(), **more)
    return Call("GET", base, path, headers, None, **more)


@cases(("row", "at"), CELLS)
def test_what_a_client_sees(server, client, row, at):
    def look(name: str) -> Any:
        sandbox = server.sandbox(name=name, seed=2)  # which bytes are flipped is up to the seed
        call = called(server, sandbox, client(sandbox.url, sandbox.api_key), row, at=at)
        try:
            return seen(name, call)
        finally:
            sandbox.reset()  # ends what still waits or lasts

    alone = row.fault.keys() & {"refuse_connections", "fail_handshakes"}  # these meet all clients of the server
    with ThreadPoolExecutor(1 if alone else len(THERE)) as pool:  # most of the time is waits
        found = dict(zip(THERE, pool.map(look, THERE), strict=True))
    assert found == {name: getattr(row, name) for name in THERE}


@cases("name", ASKED)
@cases("code", sorted(errors.catalogue()))
def test_every_error_of_the_catalogue_is_seen_alike(server, sandbox, api, code, name):
    [row] = [row for row in ROWS if "error" in row.fault]
    assert seen(name, called(server, sandbox, api, row, error=code)) == getattr(row, name)


def test_no_fault_is_left_out():
    shown = {type(fault) for row in ROWS for fault in read(row.fault)[0]}
    assert shown == set(map(model_of, kinds()))


@pytest.mark.parametrize("name", ASKED)
def test_without_a_fault_a_client_sees_nothing(server, sandbox, api, name):
    row = Row("nothing", {"latency": "0s"}, None, None, None, None, 0)
    assert seen(name, called(server, sandbox, api, row)) == getattr(row, name)
    assert len(api.get(LIST).json["data"]) == 1
