"""The proxy: what is meant for the cloud ends up here, and nothing else gets out unless it was allowed."""

import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import httpx2
import pytest
import requests

from cnx_mock import MockServer, Sandbox, Settings
from cnx_mock.net import allowed_hosts
from tests.cases import cases
from tests.conftest import INSTANCE, TlsWire
from tests.scenario.test_faults import arrived, ended, everything, message, one, shown

LIST = "/v1/instances"
CLOUD = "https://api.cloudnexus.com"
HANDSHAKES = b"CONNECT api.cloudnexus.com:443 HTTP/1.1\r\nHost: api.cloudnexus.com:443\r\n\r\n"


@pytest.fixture(scope="module")
def neighbour() -> Iterator[socket.socket]:
    """The listening socket of another server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


@pytest.fixture(scope="module")
def server(user_data: None, neighbour: socket.socket) -> Iterator[MockServer]:
    """Two names lead out: localhost, where the tests have a server of their own, and one that nobody can have."""
    port = neighbour.getsockname()[1]
    with MockServer(settings=Settings(port=0, proxy=True, allow_host=(f"LOCALHOST:{port}", "a..b"))) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet(trusted: None, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@pytest.fixture
def proxied(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every client of this process is told of the proxy as users tell it."""
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, server.proxy_url)


@pytest.fixture
def headers(sandbox: Sandbox) -> dict[str, str]:
    return {"Authorization": f"Bearer {sandbox.api_key}"}


@contextmanager
def to_proxy(server: MockServer, first: bytes = b"") -> Iterator[socket.socket]:
    """A socket at the proxy, on which these bytes have been sent."""
    port = int(server.proxy_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(first)
        yield wire


def asked(server: MockServer, first: bytes) -> tuple[int, str, Any]:
    """The proxy's refusal: status, phrase, error. The connection ends behind it."""
    with to_proxy(server, first) as wire:
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        body = answer.read()
        assert wire.recv(1) == b""
    return answer.status, answer.reason, json.loads(body)["error"]


def connect(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


def established(wire: socket.socket) -> None:
    assert wire.recv(39, socket.MSG_WAITALL) == b"HTTP/1.1 200 Connection established\r\n\r\n"


# ---- to the cloud


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("base", [CLOUD, "http://api.cloudnexus.com"])
@pytest.mark.parametrize("library", [requests, httpx2])
def test_code_that_names_the_cloud_talks_to_the_mock(sandbox, headers, library, base):
    made = library.post(base + LIST, json=INSTANCE, headers=headers, timeout=10)
    assert made.status_code == 201
    assert library.get(f"{base}{LIST}/{made.json()['id']}", headers=headers, timeout=10).status_code == 200
    assert [entry.operation for entry in sandbox.requests] == ["instances.create", "instances.get"]


def test_curl_does_too(server, sandbox):
    to = ["--proxy", server.proxy_url, "--cacert", server.ca_path, CLOUD + LIST]
    authorization = f"Authorization: Bearer {sandbox.api_key}"
    done = subprocess.run(["curl", "-sf", "--noproxy", "", *to, "-H", authorization], check=False, timeout=20)
    assert done.returncode == 0


@pytest.mark.usefixtures("proxied")
@pytest.mark.parametrize("library", [requests, httpx2])
def test_what_a_client_sees_of_a_reset_through_the_proxy(sandbox, headers, library):
    sandbox.inject(connection="reset", at="after")
    kinds = {requests: (requests.ConnectionError,), httpx2: shown(CLOUD, httpx2.ReadError, httpx2.RemoteProtocolError)}
    with pytest.raises(kinds[library]):
        library.post(CLOUD + LIST, json=INSTANCE, headers=headers, timeout=10)
    assert sandbox.requests[-1].committed


@pytest.mark.parametrize(("fault", "end"), [("reset", "RST"), ("close", "FIN"), ("empty", "FIN"), ("garbage", "FIN")])
def test_faults_of_the_wire_reach_the_client_as_they_are(server, sandbox, api, fault, end):
    sandbox.inject(connection=fault)
    with to_proxy(server, HANDSHAKES) as sock:
        established(sock)
        wire = TlsWire(sock, "api.cloudnexus.com")
        wire.sendall(message(api, "GET", LIST))
        assert everything(wire)[1] == end


def test_a_client_in_a_tunnel_that_gives_up_is_seen_to_be_gone(server, sandbox, api):
    sandbox.inject("instances.create", connection="hang", at="after")
    with to_proxy(server, HANDSHAKES) as sock:
        established(sock)
        TlsWire(sock, "localhost").sendall(message(api, "POST", LIST, INSTANCE))
        arrived(sandbox)
    assert ended(sandbox).committed


@pytest.mark.parametrize(
    "target", ["API.CloudNexus.com:80", "api.cloudnexus.com.:80", "127.0.0.1:{plain}", "[::1]:{plain}"]
)
def test_a_tunnel_may_lead_to_plain_http(server, api, target):
    plain = server.url.rpartition(":")[2]
    with to_proxy(server, connect(target.format(plain=plain)) + message(api, "GET", LIST)) as wire:
        established(wire)
        assert one(wire).startswith(b"HTTP/1.1 200 ")


def test_a_request_to_connect_may_come_byte_by_byte(server, api):
    with to_proxy(server) as wire:
        for byte in connect("api.cloudnexus.com:80"):
            wire.sendall(bytes([byte]))
        established(wire)
        wire.sendall(message(api, "GET", LIST))
        assert one(wire).startswith(b"HTTP/1.1 200 ")


def absolute(url: str, key: str, more: str = "") -> bytes:
    return f"GET {url} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{more}\r\n".encode()


def test_on_one_connection_every_request_goes_where_it_says(server, sandbox):
    urls = (
        "http://api.cloudnexus.com/v1/plans",
        "http://example.com/",
        server.url + LIST,
        "http://api.cloudnexus.com:80/",
    )
    with to_proxy(server) as wire:
        answers = []
        for url in urls:
            wire.sendall(absolute(url, sandbox.api_key))
            answers.append(one(wire))
    assert [int(each[9:12]) for each in answers] == [200, 403, 200, 200]
    assert b"--allow-host example.com" in answers[1]
    assert [entry.path for entry in sandbox.requests] == ["/v1/plans", LIST]


def test_what_is_between_client_and_proxy_is_not_in_the_journal(server, sandbox):
    with to_proxy(server) as wire:
        more = "Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\n"
        wire.sendall(absolute("http://api.cloudnexus.com/v1/plans", sandbox.api_key, more))
        assert one(wire).startswith(b"HTTP/1.1 200 ")
    seen = dict(sandbox.requests[-1].request_headers)
    assert seen["host"] == "api.cloudnexus.com"
    assert not {name for name in seen if name.startswith("proxy-")}


# ---- to nowhere else


@pytest.mark.parametrize("target", ["example.com:443", "cloudnexus.com:443", "api.cloudnexus.com:8443", "10.0.0.1:80"])
def test_other_hosts_are_refused_with_the_flag_that_would_let_them_pass(server, target):
    status, phrase, error = asked(server, connect(target))
    name, _, port = target.partition(":")
    flag = f"--allow-host {name if port in ('80', '443') else target}"
    assert (status, phrase) == (403, f"Forbidden: to allow it, add {flag}")
    assert (error["code"], error["details"]) == ("HOST_NOT_ALLOWED", {"host": target, "option": flag})
    assert f"To allow it, add {flag}" in error["message"]
    assert target in server.call("GET", "/health")["refused_hosts"]


@cases(
    ("allowed", "target", "option"),
    [
        (("example.com",), "example.com:8443", "example.com:8443"),
        (("example.com:8443",), "example.com:443", "example.com"),
        (("example.com:8443",), "sub.example.com:8443", "sub.example.com:8443"),
        (("localhost:1",), "localhost:2", "localhost:2"),
        (("localhost:1",), "127.0.0.1:1", "127.0.0.1:1"),
        (("[::1]:1",), "[::1]:2", "[::1]:2"),
        (("localhost:1",), "localhost:80", "localhost:80"),
    ],
)
def test_a_host_is_open_at_its_ports_only(allowed, target, option):
    with MockServer(settings=Settings(port=0, proxy=True, allow_host=allowed)) as server:
        status, _, error = asked(server, connect(target))
    assert (status, error["details"]["option"]) == (403, f"--allow-host {option}")


@pytest.mark.parametrize("name", ["127.1", "0.0.0.0", "2130706433"])
def test_a_name_that_turns_out_to_mean_this_machine_opens_nothing_of_it(elsewhere, monkeypatch, name):
    with elsewhere(echo) as port, MockServer(settings=Settings(port=0, proxy=True, allow_host=(name,))) as server:
        monkeypatch.setattr(allowed_hosts, "DEFAULT_PORTS", (port,))  # 443 is not for a test to listen on
        status, _, error = asked(server, connect(f"{name}:{port}"))
    assert (status, error["code"]) == (403, "HOST_NOT_ALLOWED")


@pytest.mark.usefixtures("proxied")
def test_a_client_shows_its_user_the_flag():
    with pytest.raises(requests.ConnectionError, match="403 Forbidden: to allow it, add --allow-host example.com"):
        requests.get("https://example.com/", timeout=10)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "127.1.2.3"])
def test_a_proxy_that_leads_to_itself_says_so(server, host):
    target = f"{host}:{server.proxy_url.rpartition(':')[2]}"
    assert asked(server, connect(target))[::2][0] == 508
    assert asked(server, connect(target))[2]["code"] == "PROXY_LOOP"
    status, _, error = asked(server, absolute(f"http://{target}/", "", "Connection: close\r\n"))
    assert (status, error["code"]) == (508, "PROXY_LOOP")


@cases(
    ("first", "status", "words"),
    [
        (b"CONNECT api.cloudnexus.com HTTP/1.1\r\n\r\n", 400, "CONNECT needs a host and a port"),
        (b"CONNECT :443 HTTP/1.1\r\n\r\n", 400, "CONNECT needs a host and a port"),
        (b"CONNECT .:443 HTTP/1.1\r\n\r\n", 400, "CONNECT needs a host and a port"),
        (b"CONNECT a:0 HTTP/1.1\r\n\r\n", 400, "CONNECT needs a host and a port"),
        (b"CONNECT a:65536 HTTP/1.1\r\n\r\n", 400, "CONNECT needs a host and a port"),
        (b"CONNECT a:443\r\n\r\n", 400, "CONNECT needs a host and a port"),
        (b"CONNECT \xff:443 HTTP/1.1\r\n\r\n", 400, "CONNECT needs a host and a port"),
        (b"CONNECT a:443 HTTP/1.1\r\nX: " + b"x" * 70_000, 431, "at most 65536 bytes"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            400,
            "this is the proxy; the API is at http://",
        ),
        (b"GET https://api.cloudnexus.com/ HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "https:// needs CONNECT"),
        (b"GET http://a..b/ HTTP/1.1\r\nConnection: close\r\n\r\n", 501, "keep the host in NO_PROXY"),
        (b"GET http://[::2]/ HTTP/1.1\r\nConnection: close\r\n\r\n", 403, "--allow-host ::2"),
        (b"GET http://a%20b/ HTTP/1.1\r\nConnection: close\r\n\r\n", 400, ""),
        (b"GET http:// HTTP/1.1\r\nConnection: close\r\n\r\n", 400, ""),
        (b"C0NNECT a:443 HTTP/1.1\r\n\r\n", 400, "this is not an HTTP request"),
        (b"\x16\x03\x01\x00\x05hello", 400, "this is not an HTTP request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "this is HTTP/2"),
    ],
)
def test_what_cannot_be_done_is_answered_clearly(server, api, first, status, words):
    seen, _, error = asked(server, first)
    assert (seen, words in error["message"] + str(error["details"])) == (status, True)
    assert api.get(LIST).status == 200


def test_plain_http_to_the_port_of_https_is_told_so(server):
    port = server.tls_url.rpartition(":")[2]
    _, _, error = asked(server, absolute(f"http://127.0.0.1:{port}/", "", "Connection: close\r\n"))
    assert error["details"] == {"reason": "this port speaks HTTPS"}
    with to_proxy(server, HANDSHAKES + b"GET / HTTP/1.1\r\n\r\n") as wire:
        established(wire)
        assert b"this port speaks HTTPS: use https://" in everything(wire)[0]


# ---- the control plane


def test_the_control_plane_answers_loopback_names_only_through_the_proxy_too(server):
    with to_proxy(server) as wire:
        for url, status in ((server.url, 200), ("http://api.cloudnexus.com", 403)):
            wire.sendall(absolute(f"{url}/_mock/health", "").replace(b"Authorization: Bearer \r\n", b""))
            answer = one(wire)
            assert int(answer[9:12]) == status
    assert b'"option":"--control-host"' in answer


def test_a_control_host_is_answered_too(client):
    with MockServer(settings=Settings(port=0, proxy=True, control_host=("Mock.Internal",))) as server:
        for host, status in (("mock.internal:80", 200), ("MOCK.internal", 200), ("localhost", 200), ("internal", 403)):
            assert client(server.url).get("/_mock/health", headers={"Host": host}).status == status


# ---- out to a host that is allowed


Elsewhere = Callable[[Callable[[socket.socket], Any]], AbstractContextManager[int]]


@pytest.fixture
def elsewhere(neighbour: socket.socket) -> Elsewhere:
    """Lets the neighbour serve one connection; gives its port."""

    @contextmanager
    def served(serve: Callable[[socket.socket], Any]) -> Iterator[int]:
        def once() -> None:
            with neighbour.accept()[0] as sock:
                sock.settimeout(10)
                serve(sock)

        thread = threading.Thread(target=once)
        thread.start()
        yield int(neighbour.getsockname()[1])
        thread.join(10)

    return served


def echo(sock: socket.socket) -> None:
    """Sends everything back, and says when the other side has ended."""
    while data := sock.recv(65536):
        sock.sendall(data)
    sock.sendall(b"end")


def test_a_tunnel_carries_both_directions_and_their_ends(server, elsewhere):
    data = bytes(range(256)) * 20_000
    with elsewhere(echo) as port, to_proxy(server, connect(f"LocalHost:{port}") + b"early ") as wire:
        established(wire)

        def send() -> None:
            wire.sendall(data)
            wire.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        assert everything(wire) == (b"early " + data + b"end", "FIN")
        sender.join(10)


@pytest.mark.slow
def test_a_client_that_reads_late_gets_everything(server, elsewhere):
    data = bytes(range(256)) * 40_000
    with elsewhere(lambda sock: sock.sendall(data)) as port, to_proxy(server, connect(f"localhost:{port}")) as wire:
        established(wire)
        assert everything(wire) == (data, "FIN")


def test_who_speaks_first_is_heard_behind_the_proxys_word(server, elsewhere):
    with (
        elsewhere(lambda sock: sock.sendall(b"220 ready")) as port,
        to_proxy(server, connect(f"localhost:{port}")) as wire,
    ):
        established(wire)
        assert everything(wire) == (b"220 ready", "FIN")


def test_a_client_that_hangs_up_ends_the_tunnel(server, elsewhere):
    seen: list[bytes] = []
    with (
        elsewhere(lambda sock: seen.append(sock.recv(10))) as port,
        to_proxy(server, connect(f"localhost:{port}")) as wire,
    ):
        established(wire)
        wire.close()
    assert seen == [b""]


def test_an_allowed_host_that_cannot_be_reached_is_a_502():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        target = f"localhost:{gone.getsockname()[1]}"
    with MockServer(settings=Settings(port=0, proxy=True, allow_host=(target,))) as server:
        status, _, error = asked(server, connect(target))
        assert (status, error["code"], error["details"]["host"]) == (502, "HOST_UNREACHABLE", target)


# ---- stopping


def test_a_stop_ends_what_the_proxy_holds_open(neighbour, elsewhere):
    settings = Settings(port=0, proxy=True, allow_host=(f"localhost:{neighbour.getsockname()[1]}",))
    with MockServer(settings=settings) as server, elsewhere(lambda sock: sock.recv(1)) as port, ExitStack() as opened:
        silent, begun, secure, through = (
            opened.enter_context(to_proxy(server, first))
            for first in (b"", b"CONNECT a", HANDSHAKES, connect(f"localhost:{port}"))
        )
        established(through)
        established(secure)
        server.stop()
        assert [everything(wire)[0] for wire in (silent, begun, secure, through)] == [b""] * 4
