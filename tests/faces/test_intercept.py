"""https://api.cloudnexus.com led to the mock inside this process: every client, its TLS, nothing left afterwards."""

import _socket
import asyncio
import http.client
import json
import os
import socket
import ssl
import urllib.request
from asyncio.proactor_events import BaseProactorEventLoop
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partialmethod
from socket import getaddrinfo
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import trio
import truststore
import urllib3
import uvloop

from cnx_mock import MockServer, Sandbox, StartError
from tests.faces.conftest import Run

URL = "https://api.cloudnexus.com/v1/instances"
API = ("api.cloudnexus.com", 443)

# Made before anything is led anywhere.
SESSION = requests.Session()
POOL = urllib3.PoolManager()
HTTPX = httpx.Client()
HTTPX2 = httpx2.Client()
CONTEXT = ssl.create_default_context()


@pytest.fixture(scope="module")
def plain() -> Iterator[MockServer]:
    """A server that was not asked for HTTPS."""
    with MockServer() as server:
        yield server


@pytest.fixture
def led(plain: MockServer) -> Iterator[Sandbox]:
    """A sandbox, and the API's name led to its server."""
    sandbox = plain.sandbox()
    with plain.intercept():
        yield sandbox


@pytest.fixture(scope="module", autouse=True)
def _close() -> Iterator[None]:
    yield
    for client in (SESSION, HTTPX, HTTPX2):
        client.close()
    POOL.clear()


def of(sandbox: Sandbox) -> dict[str, str]:
    return {"Authorization": f"Bearer {sandbox.api_key}"}


# ---- every client


def by_requests(headers: dict[str, str], url: str = URL) -> int:
    return requests.get(url, headers=headers, timeout=10).status_code


def by_requests_session(headers: dict[str, str], url: str = URL) -> int:
    return SESSION.get(url, headers=headers, timeout=10).status_code


def by_urllib3(headers: dict[str, str], url: str = URL) -> int:
    with urllib3.PoolManager(ssl_context=CONTEXT) as pool:
        return pool.request("GET", url, headers=headers).status


def by_urllib3_pool(headers: dict[str, str], url: str = URL) -> int:
    return POOL.request("GET", url, headers=headers).status


def by_urllib(headers: dict[str, str], url: str = URL) -> int:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
        return int(response.status)


def by_http_client(headers: dict[str, str], url: str = URL) -> int:
    kind = http.client.HTTPSConnection if url.startswith("https:") else http.client.HTTPConnection
    with closing(kind(API[0], timeout=10)) as connection:
        connection.request("GET", "/v1/instances", headers=headers)
        return connection.getresponse().status


def by_httpx(headers: dict[str, str], url: str = URL) -> int:
    return httpx.get(url, headers=headers).status_code


def by_httpx_client(headers: dict[str, str], url: str = URL) -> int:
    return HTTPX.get(url, headers=headers).status_code


def by_httpx2(headers: dict[str, str], url: str = URL) -> int:
    return httpx2.get(url, headers=headers).status_code


def by_httpx2_client(headers: dict[str, str], url: str = URL) -> int:
    return HTTPX2.get(url, headers=headers).status_code


async def httpx_async(headers: dict[str, str], url: str = URL) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url, headers=headers)).status_code


async def httpx2_async(headers: dict[str, str], url: str = URL) -> int:
    async with httpx2.AsyncClient() as client:
        return (await client.get(url, headers=headers)).status_code


async def aiohttp_cares(headers: dict[str, str], url: str = URL) -> int:
    return await _aiohttp(headers, url, aiohttp.AsyncResolver())


async def aiohttp_threaded(headers: dict[str, str], url: str = URL) -> int:
    return await _aiohttp(headers, url, aiohttp.ThreadedResolver())


async def _aiohttp(headers: dict[str, str], url: str, resolver: Any) -> int:
    connector = aiohttp.TCPConnector(resolver=resolver)
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url, headers=headers) as response:
        return response.status


async def streams(headers: dict[str, str], url: str = URL) -> int:
    secure = url.startswith("https:")
    reader, writer = await asyncio.open_connection(API[0], 443 if secure else 80, ssl=CONTEXT if secure else None)
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET /v1/instances HTTP/1.1\r\nHost: {API[0]}\r\n{fields}\r\n".encode())
    status = int((await reader.readline()).split()[1])
    writer.transport.abort()
    return status


SYNC = [
    *(by_requests, by_requests_session, by_urllib3, by_urllib3_pool, by_urllib, by_http_client),
    *(by_httpx, by_httpx_client, by_httpx2, by_httpx2_client),
]
ASYNC = [httpx_async, httpx2_async, aiohttp_cares, aiohttp_threaded, streams]


@pytest.mark.parametrize("url", [URL, URL.replace("https", "http")], ids=["https", "http"])
@pytest.mark.parametrize("client", SYNC)
def test_every_client_reaches_its_sandbox(led: Sandbox, client: Callable[..., int], url: str) -> None:
    assert client(of(led), url) == 200
    [entry] = led.requests
    assert entry.operation == "instances.list"


@pytest.mark.parametrize("url", [URL, URL.replace("https", "http")], ids=["https", "http"])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("client", ASYNC)
def test_every_async_client_too_on_either_loop(led: Sandbox, client: Any, run: Any, url: str) -> None:
    assert run(client(of(led), url)) == 200
    assert len(led.requests) == 1


@pytest.mark.parametrize("client", [httpx_async, httpx2_async])
def test_and_on_trio(led: Sandbox, client: Any) -> None:
    assert trio.run(client, of(led)) == 200


def test_trio_by_hand(led: Sandbox) -> None:
    async def handshake() -> bytes:
        async with await trio.open_ssl_over_tcp_stream(*API) as stream:
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: api.cloudnexus.com\r\nConnection: close\r\n\r\n")
            return bytes(await stream.receive_some(9))

    assert trio.run(handshake) == b"HTTP/1.1 "


def test_all_at_once_from_threads_and_one_loop(led: Sandbox) -> None:
    async def together() -> list[int]:
        in_threads = [asyncio.to_thread(client, of(led)) for client in SYNC]
        return await asyncio.gather(*(client(of(led)) for client in ASYNC), *in_threads)

    assert set(asyncio.run(together())) == {200}
    assert len(led.requests) == len(SYNC) + len(ASYNC)


# ---- names and sockets by hand


@pytest.mark.parametrize(
    "name", ["api.cloudnexus.com", "API.CloudNexus.com", "api.cloudnexus.com.", b"api.cloudnexus.com"]
)
def test_however_the_name_is_written(led: Sandbox, name: Any) -> None:
    with socket.create_connection((name, 443), timeout=10) as sock, CONTEXT.wrap_socket(sock, server_hostname=API[0]):
        pass


@pytest.mark.parametrize("resolve", [socket.gethostbyname, lambda name: socket.gethostbyname_ex(name)[2][0]])
def test_an_address_that_was_looked_up_first(led: Sandbox, resolve: Callable[[str], str]) -> None:
    with socket.create_connection((resolve(API[0]), 80), timeout=10):
        pass


def test_a_function_that_somebody_imported_before(led: Sandbox) -> None:
    address = getaddrinfo(*API, type=socket.SOCK_STREAM)[0][4]
    with socket.socket() as sock:
        assert sock.connect_ex(address) == 0


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_loops_own_look_up_and_connect(led: Sandbox, run: Any) -> None:
    async def connect() -> None:
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(*API, type=socket.SOCK_STREAM)
        for address in (API, infos[0][4]):
            with socket.socket() as sock:
                sock.setblocking(False)
                await loop.sock_connect(sock, address)

    run(connect())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_port_that_the_api_does_not_have_is_refused(led: Sandbox, run: Any) -> None:
    async def connect() -> None:
        await asyncio.open_connection(API[0], 8443)

    with pytest.raises(ConnectionRefusedError, match=r"api.cloudnexus.com has no port 8443, only 443 and 80"):
        socket.create_connection((API[0], 8443), timeout=10)
    with pytest.raises(OSError, match="has no port 8443"):
        run(connect())
    with socket.socket() as sock:
        assert sock.connect_ex((API[0], 8443)) != 0


@pytest.mark.usefixtures("led")
def test_other_hosts_are_what_they_were(plain: MockServer) -> None:
    assert socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)[0][4] == ("127.0.0.1", 80)
    assert requests.get(f"{plain.url}/_mock/health", timeout=10).json()["status"] == "ok"
    with pytest.raises(OSError):
        socket.getaddrinfo("nowhere.invalid", 80)


# ---- TLS


def test_no_context_is_changed_whenever_it_was_made(led: Sandbox) -> None:
    late = ssl.create_default_context()
    before = [context.get_ca_certs(binary_form=True) for context in (CONTEXT, late)]
    for context in (CONTEXT, late):
        with (
            socket.create_connection(API, timeout=10) as sock,
            context.wrap_socket(sock, server_hostname=API[0]) as session,
        ):
            assert session.context is context
            assert session.getpeercert()["subject"][-1] == (("commonName", API[0]),)  # type: ignore[index]
    assert [context.get_ca_certs(binary_form=True) for context in (CONTEXT, late)] == before


def test_the_clients_own_settings_hold(led: Sandbox) -> None:
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    with (
        socket.create_connection(API, timeout=10) as sock,
        context.wrap_socket(sock, server_hostname=API[0]) as session,
    ):
        assert (session.version(), session.selected_alpn_protocol()) == ("TLSv1.2", "http/1.1")


def test_a_name_that_the_certificate_lacks_is_refused_still(led: Sandbox) -> None:
    with (
        socket.create_connection(API, timeout=10) as sock,
        pytest.raises(ssl.SSLCertVerificationError, match="self-signed certificate in|unable to get local issuer"),
    ):
        CONTEXT.wrap_socket(sock, server_hostname="example.com")


def test_tls_before_the_connection(led: Sandbox) -> None:
    with CONTEXT.wrap_socket(socket.socket(), server_hostname=API[0]) as session:
        session.connect(API)
        assert session.getpeercert()


def test_tls_of_a_client_that_names_nobody(led: Sandbox) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    with socket.create_connection(API, timeout=10) as sock, context.wrap_socket(sock) as session:
        assert session.getpeercert()


def test_a_client_that_verifies_nothing(led: Sandbox) -> None:
    with httpx.Client(verify=False) as client:
        assert client.get(URL, headers=of(led)).status_code == 200


def test_contexts_of_truststore(led: Sandbox) -> None:
    truststore.inject_into_ssl()
    try:
        with urllib3.PoolManager(ssl_context=ssl.create_default_context()) as pool:
            assert pool.request("GET", URL, headers=of(led)).status == 200
    finally:
        truststore.extract_from_ssl()


@pytest.mark.usefixtures("trusted")
def test_another_mocks_own_addresses_are_not_touched(led: Sandbox, server: MockServer) -> None:
    assert requests.get(f"{server.tls_url}/v1/plans", headers=of(server.sandbox()), timeout=10).status_code == 200


# ---- proxies


@pytest.mark.parametrize("client", [by_requests_session, by_requests, by_urllib, by_httpx, by_httpx2])
@pytest.mark.parametrize("exceptions", [None, "example.com", "*"])
def test_proxies_of_the_environment_are_passed_by(
    plain: MockServer, monkeypatch: pytest.MonkeyPatch, client: Callable[..., int], exceptions: str | None
) -> None:
    for name in ("http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if exceptions:
        monkeypatch.setenv("NO_PROXY", exceptions)
    before = dict(os.environ)
    with plain.intercept():
        assert client(of(plain.sandbox())) == 200
    assert dict(os.environ) == before


def test_a_proxy_that_leads_elsewhere_ends_in_a_failed_handshake(led: Sandbox, tmp_path: Any) -> None:
    from cnx_mock import Settings

    elsewhere = Settings(port=0, proxy=True, ca_dir=str(tmp_path))  # vouched for by another CA
    with MockServer(settings=elsewhere) as real, pytest.raises(requests.exceptions.SSLError):
        requests.get(URL, headers=of(led), proxies={"https": real.proxy_url}, timeout=10)


# ---- undone


SEAMS: list[tuple[Any, str]] = [
    *((module, name) for module in (_socket, socket) for name in dir(module) if name.startswith("get")),
    *((socket.socket, name) for name in ("connect", "connect_ex", "sendto", "sendmsg")),
    *((ssl.SSLContext, name) for name in ("_wrap_socket", "_wrap_bio", "wrap_socket", "wrap_bio")),
    *((uvloop.Loop, name) for name in ("getaddrinfo", "create_connection", "create_datagram_endpoint")),
    *((asyncio.BaseEventLoop, name) for name in ("getaddrinfo", "create_connection")),
    (BaseProactorEventLoop, "sock_connect"),
    (aiohttp.AsyncResolver, "resolve"),
]


def standing() -> list[Any]:
    """Everything that could be replaced: what is found there, and whether the owner has it itself."""
    return [(getattr(owner, name), name in vars(owner)) for owner, name in SEAMS]


def resolves_to_the_mock() -> bool:
    with suppress(OSError):
        return socket.gethostbyname(API[0]).startswith("127.")
    return False


def test_everything_is_put_back(plain: MockServer) -> None:
    before = standing()
    with plain.intercept():
        changed = sum(new is not old for (new, _), (old, _) in zip(standing(), before, strict=True))
        assert changed > 10
    assert standing() == before
    assert not resolves_to_the_mock()


def test_also_after_an_exception(plain: MockServer) -> None:
    before = standing()
    with pytest.raises(ZeroDivisionError), plain.intercept():
        raise ZeroDivisionError
    assert standing() == before


def test_a_use_within_a_use_changes_nothing(plain: MockServer) -> None:
    before = standing()
    with plain.intercept():
        within = standing()
        with plain.intercept():
            assert standing() == within
        assert by_requests(of(plain.sandbox())) == 200
    assert standing() == before


def test_uses_that_overlap_in_threads(plain: MockServer) -> None:
    before = standing()

    def use(_: int) -> int:
        with plain.intercept():
            return by_http_client(of(plain.sandbox()))

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(use, range(40))) == {200}
    assert standing() == before


def test_two_servers_at_once_are_an_error_that_names_both(plain: MockServer, server: MockServer) -> None:
    with plain.intercept():
        with pytest.raises(RuntimeError) as caught, server.intercept():
            pass
        assert plain.url in str(caught.value)
        assert server.url in str(caught.value)
        assert by_requests(of(plain.sandbox())) == 200
    with server.intercept():
        assert by_requests(of(server.sandbox())) == 200


def test_what_somebody_replaced_meanwhile_is_theirs_and_what_they_kept_of_ours_does_nothing(
    plain: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = standing()
    with plain.intercept():
        ours = socket.socket.connect
        monkeypatch.setattr(socket.socket, "connect", partialmethod(ours))
        assert by_requests(of(plain.sandbox())) == 200
    assert socket.socket.connect is not ours
    with socket.socket() as sock, pytest.raises(socket.gaierror):
        socket.socket.connect(sock, ("nowhere.invalid", 443))
    monkeypatch.undo()
    delattr(socket.socket, "connect")  # what the other kept of ours
    assert standing() == before


def test_connections_that_a_session_keeps_open_end_with_it(plain: MockServer, server: MockServer) -> None:
    with requests.Session() as session:
        for each in (plain, server, plain):
            sandbox = each.sandbox()
            with each.intercept():
                assert session.get(URL, headers=of(sandbox), timeout=10).status_code == 200
            assert len(sandbox.requests) == 1
            with pytest.raises(requests.ConnectionError):
                session.get(URL, headers=of(sandbox), timeout=10)


def test_the_server_may_stop_first(client: Any) -> None:
    before = standing()
    with MockServer() as server, server.intercept():
        server.stop()
        with pytest.raises(requests.ConnectionError):
            by_requests({})
    assert standing() == before


def test_a_server_that_does_not_run_intercepts_nothing() -> None:
    with pytest.raises(RuntimeError, match="the server does not run"):
        MockServer().intercept()


def test_a_ca_that_cannot_be_used_says_so(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca-key.pem").write_text("no key")
    monkeypatch.setenv("CNX_MOCK_CA_DIR", str(tmp_path))
    with MockServer() as server, pytest.raises(StartError, match="is not a CA of cnx-mock's"):
        server.intercept()


# ---- in pytest

HARD_CODED = "cnx_test_" + "7" * 32


def test_the_fixture_leads_to_the_tests_sandbox(run: Run) -> None:
    tests = """
    import requests
    SESSION = requests.Session()

    @pytest.mark.parametrize("number", range(3))
    def test_it(cnx_intercept, cnx, number):
        assert cnx_intercept is cnx
        url, headers = "https://api.cloudnexus.com/v1/instances", {"Authorization": f"Bearer {cnx.api_key}"}
        assert SESSION.get(url, headers=headers).json()["data"] == []
        assert len(cnx.requests) == 1
        if number == 2:
            SESSION.close()

    def test_without(cnx):
        with pytest.raises(requests.ConnectionError):
            requests.get("https://api.cloudnexus.com/v1/instances")
    """
    run(tests).assert_outcomes(passed=4)


@pytest.mark.parametrize("chosen", [["cnx_intercept = true"], []], ids=["ini", "option"])
def test_a_whole_suite_with_a_key_of_its_own(run: Run, pytester: pytest.Pytester, chosen: list[str]) -> None:
    ini = ["[pytest]", "asyncio_default_fixture_loop_scope = function", f"cnx_key = {HARD_CODED}", *chosen]
    pytester.makeini("\n".join(ini))
    tests = f"""
    import json, urllib.request

    def names():
        headers = {{"Authorization": "Bearer {HARD_CODED}"}}
        request = urllib.request.Request("https://api.cloudnexus.com/v1/instances", headers=headers)
        with urllib.request.urlopen(request) as response:
            return [each["name"] for each in json.load(response)["data"]]

    def test_first(cnx):
        assert cnx.api_key == "{HARD_CODED}"
        assert create(cnx)[0] == 201
        assert names() == ["web-1"]

    def test_second():
        assert names() == []

    @pytest.mark.cnx_scenario("calm", "insufficient-credits")
    def test_under_each():
        assert names() == []
    """
    run(tests, *([] if chosen else ["--cnx-intercept"])).assert_outcomes(passed=4)


def test_a_key_that_is_none_is_named(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\ncnx_key = secret")
    result = run("def test_it(cnx): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cnx_key*"])


def test_a_server_elsewhere_is_not_led_to(run: Run, plain: MockServer) -> None:
    result = run("def test_it(cnx_intercept): pass", f"--cnx-url={plain.url}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cnx_intercept leads to a server of its own process: leave --cnx-url out*"])


def test_the_whole_answer_is_the_apis(led: Sandbox) -> None:
    body = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
    made = SESSION.post(URL, json=body, headers=of(led), timeout=10)
    assert (made.status_code, json.loads(made.text)["name"]) == (201, "web-1")
