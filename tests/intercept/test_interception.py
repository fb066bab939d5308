"""https://api.cloudnexus.com, led to the mock below every HTTP client of the process, and afterwards led nowhere."""

import asyncio
import http.client
import json
import os
import socket
import ssl
import threading
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import trio
import urllib3

from cnx_mock import MockServer, Sandbox
from tests.pytest_plugin.conftest import Run

URL = "https://api.cloudnexus.com/v1/instances"
HOST = "api.cloudnexus.com"

# made at module level, as applications make them, long before anything is intercepted
SESSION = requests.Session()
HTTPX = httpx.Client()
HTTPX2 = httpx2.Client()
POOL = urllib3.PoolManager()
CONTEXT = ssl.create_default_context()

Headers = dict[str, str]


def by_http_client(headers: Headers) -> int:
    connection = http.client.HTTPSConnection(HOST, timeout=10)
    try:
        connection.request("GET", "/v1/instances", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def by_urllib(headers: Headers) -> int:
    with urllib.request.urlopen(urllib.request.Request(URL, headers=headers), timeout=10) as response:
        return int(response.status)


def over_plain_http(headers: Headers) -> int:
    return requests.get("http://api.cloudnexus.com/v1/instances", headers=headers, timeout=10).status_code


def with_a_context_of_its_own(headers: Headers) -> int:
    with urllib3.PoolManager(ssl_context=CONTEXT) as pool:
        return pool.request("GET", URL, headers=headers).status


SYNC: dict[str, Callable[[Headers], int]] = {
    "requests": lambda headers: requests.get(URL, headers=headers, timeout=10).status_code,
    "requests, a session made before": lambda headers: SESSION.get(URL, headers=headers, timeout=10).status_code,
    "httpx": lambda headers: httpx.get(URL, headers=headers).status_code,
    "httpx, a client made before": lambda headers: HTTPX.get(URL, headers=headers).status_code,
    "httpx2": lambda headers: httpx2.get(URL, headers=headers).status_code,
    "httpx2, a client made before": lambda headers: HTTPX2.get(URL, headers=headers).status_code,
    "urllib3": lambda headers: urllib3.request("GET", URL, headers=headers).status,
    "urllib3, a pool made before": lambda headers: POOL.request("GET", URL, headers=headers).status,
    "urllib3, with a context made before": with_a_context_of_its_own,
    "urllib.request": by_urllib,
    "http.client": by_http_client,
    "plain HTTP": over_plain_http,
}


async def by_httpx(headers: Headers) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(URL, headers=headers)).status_code


async def by_httpx2(headers: Headers) -> int:
    async with httpx2.AsyncClient() as client:
        return (await client.get(URL, headers=headers)).status_code


async def by_aiohttp(headers: Headers) -> int:
    async with aiohttp.ClientSession() as session, session.get(URL, headers=headers) as response:
        status = response.status
    for _ in range(2000):  # aiohttp does not wait for the end of TLS, and uvloop complains if its loop ends before
        await asyncio.sleep(0)
    return status


async def by_streams(headers: Headers) -> int:
    reader, writer = await asyncio.open_connection(HOST, 443, ssl=CONTEXT)
    lines = ["GET /v1/instances HTTP/1.1", f"Host: {HOST}", "Connection: close"]
    writer.write("\r\n".join([*lines, *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])


ASYNC = {"httpx": by_httpx, "httpx2": by_httpx2, "aiohttp": by_aiohttp, "asyncio streams": by_streams}


def on_asyncio(main: Callable[[Headers], Awaitable[int]], headers: Headers) -> int:
    return asyncio.run(main(headers))  # type: ignore[arg-type]


def on_uvloop(main: Callable[[Headers], Awaitable[int]], headers: Headers) -> int:
    return pytest.importorskip("uvloop").run(main(headers))


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server
    for client in (SESSION, HTTPX, HTTPX2):
        client.close()
    POOL.clear()


@pytest.fixture
def sandbox(server: MockServer) -> Sandbox:
    return server.sandbox()


@pytest.fixture
def headers(sandbox: Sandbox) -> Headers:
    return {"Authorization": f"Bearer {sandbox.api_key}"}


def replaced() -> list[Any]:
    """What an interception replaces, as it is now."""
    import _socket
    import _ssl

    return [
        *(getattr(_socket, name) for name in ("getaddrinfo", "gethostbyname")),
        *(vars(socket.socket).get(name) for name in ("connect", "connect_ex", "sendto", "sendmsg")),
        *(vars(ssl.SSLContext).get(name) for name in ("_wrap_socket", "_wrap_bio")),
        *(getattr(_ssl._SSLContext, name) for name in ("_wrap_socket", "_wrap_bio")),
        dict(os.environ),
    ]


# ---- every client


@pytest.mark.parametrize("client", SYNC)
def test_a_client_reaches_the_mock_unchanged(
    client: str, server: MockServer, sandbox: Sandbox, headers: Headers
) -> None:
    with server.intercept():
        assert SYNC[client](headers) == 200
    assert [entry.operation for entry in sandbox.requests] == ["instances.list"]


@pytest.mark.parametrize("loop", [on_asyncio, on_uvloop])
@pytest.mark.parametrize("client", ASYNC)
def test_an_async_client_reaches_the_mock_unchanged(
    client: str, loop: Any, server: MockServer, sandbox: Sandbox, headers: Headers
) -> None:
    with server.intercept():
        assert loop(ASYNC[client], headers) == 200
    assert [entry.operation for entry in sandbox.requests] == ["instances.list"]


@pytest.mark.parametrize("client", ["httpx", "httpx2"])
def test_trio_reaches_the_mock_unchanged(client: str, server: MockServer, sandbox: Sandbox, headers: Headers) -> None:
    with server.intercept():
        assert trio.run(ASYNC[client], headers) == 200
    assert [entry.operation for entry in sandbox.requests] == ["instances.list"]


@pytest.mark.slow
def test_threads_reach_it_at_once(server: MockServer, sandbox: Sandbox, headers: Headers) -> None:
    with server.intercept(), ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: SYNC["requests, a session made before"](headers), range(40)))
    assert answers == [200] * 40
    assert len(sandbox.requests) == 40


def test_tasks_reach_it_at_once(server: MockServer, sandbox: Sandbox, headers: Headers) -> None:
    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(by_aiohttp(headers) for _ in range(20)))

    with server.intercept():
        assert asyncio.run(all_at_once()) == [200] * 20
    assert len(sandbox.requests) == 20


def test_faults_strike_as_always(server: MockServer, sandbox: Sandbox, headers: Headers) -> None:
    sandbox.inject("instances.list", connection="reset")
    with server.intercept(), pytest.raises(requests.ConnectionError):
        SYNC["requests"](headers)


def test_a_server_with_https_of_its_own_can_be_led_to_as_well(headers: Headers) -> None:
    with MockServer(tls=True, proxy=True) as other, other.intercept():
        mine = {"Authorization": f"Bearer {other.sandbox().api_key}"}
        assert SYNC["requests"](mine) == 200


# ---- undone


def test_afterwards_everything_is_as_before(server: MockServer, headers: Headers) -> None:
    before = replaced()
    with server.intercept():
        assert replaced() != before
        SYNC["requests"](headers)
    assert replaced() == before


def test_it_is_undone_after_an_exception_too(server: MockServer) -> None:
    before = replaced()
    with pytest.raises(ZeroDivisionError), server.intercept():
        raise ZeroDivisionError
    assert replaced() == before


def test_of_uses_within_each_other_the_last_one_undoes_it(server: MockServer, headers: Headers) -> None:
    before = replaced()
    with server.intercept():
        with server.intercept():
            assert SYNC["requests"](headers) == 200
        assert SYNC["requests"](headers) == 200
    assert replaced() == before


def test_a_connection_that_a_client_kept_does_not_outlive_it(
    server: MockServer, sandbox: Sandbox, headers: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with requests.Session() as session:
        with server.intercept():
            session.get(URL, headers=headers, timeout=10)
        monkeypatch.setattr(socket, "getaddrinfo", nowhere)
        with pytest.raises(requests.ConnectionError):
            session.get(URL, headers=headers, timeout=10)
    assert len(sandbox.requests) == 1


def test_a_context_made_before_trusts_the_mock_no_longer_than_it_lasts(server: MockServer, headers: Headers) -> None:
    before = CONTEXT.cert_store_stats()
    with server.intercept():
        with_a_context_of_its_own(headers)
    assert CONTEXT.cert_store_stats() == before


def nowhere(*_: Any, **__: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "no such host")


# ---- what it does not touch, and what goes wrong


def test_other_hosts_are_left_alone(server: MockServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, server.intercept():
        connection = socket.create_connection(other.getsockname(), timeout=10)
        assert connection.getpeername() == other.getsockname()
        connection.close()


def test_a_port_that_the_api_does_not_have_is_refused(server: MockServer) -> None:
    with server.intercept(), pytest.raises(ConnectionRefusedError, match="has no port 8443, only 443 and 80"):
        socket.create_connection((HOST, 8443), timeout=10)


def test_a_proxy_of_the_environment_is_passed_by(
    server: MockServer, headers: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost")
    with server.intercept():
        assert SYNC["requests"](headers) == 200
    assert os.environ["NO_PROXY"] == "localhost"


def test_two_servers_cannot_have_the_name_at_once(server: MockServer) -> None:
    expected = pytest.raises(RuntimeError, match="already leads to the server at")
    with MockServer() as other, server.intercept(), expected, other.intercept():
        pass
    with MockServer() as other, other.intercept():
        pass


def test_a_server_that_does_not_run_cannot_be_led_to() -> None:
    with pytest.raises(RuntimeError, match="the server does not run"):
        MockServer().intercept()


@pytest.mark.slow
def test_a_thread_may_begin_while_another_ends(server: MockServer, headers: Headers) -> None:
    before, failed = replaced(), []

    def use() -> None:
        for _ in range(4):
            with server.intercept():
                if SYNC["http.client"](headers) != 200:
                    failed.append(headers)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert replaced() == before


# ---- in pytest

REAL = """
import http.client
import json

import pytest


def call(key):
    connection = http.client.HTTPSConnection("api.cloudnexus.com", timeout=10)
    try:
        connection.request("GET", "/v1/instances", headers={"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
"""


def test_the_fixture_leads_the_test_to_its_own_sandbox(run: Run) -> None:
    result = run(
        REAL
        + """
def test_it(cnx_intercept):
    cnx_intercept.instances.add(name="web-1")
    status, page = call(cnx_intercept.api_key)
    assert (status, page["pagination"]["total"]) == (200, 1)
    cnx_intercept.requests.assert_called("instances.list", times=1)
"""
    )
    result.assert_outcomes(passed=1)


def test_the_option_leads_every_test_there(run: Run) -> None:
    result = run(REAL + "\ndef test_it(cnx):\n    assert call(cnx.api_key)[0] == 200\n", "--cnx-intercept")
    result.assert_outcomes(passed=1)


def test_a_key_that_the_code_has_leads_to_each_tests_own_world(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncnx_intercept = true\ncnx_key = cnx_test_0123456789abcdef0123456789abcdef\n")
    result = run(
        REAL
        + """
KEY = "cnx_test_0123456789abcdef0123456789abcdef"


def test_one(cnx):
    cnx.instances.add(name="web-1")
    assert call(KEY)[1]["pagination"]["total"] == 1


def test_two(cnx):
    assert cnx.api_key == KEY
    assert call(KEY)[1]["pagination"]["total"] == 0
"""
    )
    result.assert_outcomes(passed=2)


def test_a_key_that_no_sandbox_can_have_is_said(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncnx_key = secret\n")
    result = run("\ndef test_it(cnx):\n    pass\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*key*cnx_test_*"])


def test_a_server_elsewhere_cannot_be_led_to(run: Run, server: MockServer) -> None:
    result = run("\ndef test_it(cnx_intercept):\n    pass\n", "--cnx-url", server.url)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs a server in this process: leave --cnx-url out*"])


def test_what_a_client_sends_is_what_the_journal_shows(server: MockServer, sandbox: Sandbox, headers: Headers) -> None:
    body = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
    with server.intercept():
        answer = requests.post(URL, json=body, headers=headers, timeout=10)
    assert answer.status_code == 201
    assert json.loads(sandbox.requests[0].request_body or "") == body
    assert ["host", HOST] in [[name.lower(), value] for name, value in sandbox.requests[0].request_headers]
