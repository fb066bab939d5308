"""The HTTPS listener: the same app, and a clear answer to clients that speak something else."""

import http.client
import logging
import socket
import ssl
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from cnx_mock import MockServer, Settings
from tests.conftest import INSTANCE, TlsWire, wire_to
from tests.scenario.test_faults import arrived, calling, everything, message, one
from tests.waiting import until

LIST = "/v1/instances"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(autouse=True)
def nothing_logged(trusted: None, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@pytest.fixture
def scheme() -> str:
    return "https"


def raw(url: str) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=10)


def answer(wire: socket.socket) -> tuple[int, str]:
    """The status and the reason of a refusal that ends its connection."""
    response = http.client.HTTPResponse(wire)
    response.begin()
    assert response.headers["connection"] == "close"
    body = response.read()
    assert wire.recv(1) == b""
    return response.status, body.decode()


# ---- the same app


def test_both_doors_lead_to_one_world(server, client, api):
    made = api.create()
    assert [each["id"] for each in client(server.url, api.key).get(LIST).json["data"]] == [made["id"]]


@pytest.mark.slow
def test_a_whole_world_goes_in_and_comes_out(server, client, url):
    sandbox = server.sandbox(fixture="fleet")
    secure, plain = client(url, sandbox.api_key), client(server.url, sandbox.api_key)
    state = secure.get("/_mock/state")
    assert len(state.body) > 100_000
    assert secure.call("PUT", "/_mock/state", raw=state.body).status == 200
    assert plain.get("/v1/instances?limit=100").json == secure.get("/v1/instances?limit=100").json


def test_a_client_that_reads_late_gets_everything(url):
    request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"
    with wire_to(url) as wire:
        wire.sendall((request + b"\r\n") * 80 + request + b"Connection: close\r\n\r\n")
        received, end = everything(wire)
    assert (received.count(b"HTTP/1.1 200 "), end) == (81, "FIN")
    assert len(received) > 8_000_000, "more than the sockets between hold back"


def test_a_connection_is_kept_and_calls_may_be_pipelined(api, url):
    with wire_to(url) as wire:
        for _ in range(2):
            wire.sendall(message(api, "GET", LIST))
            assert one(wire).startswith(b"HTTP/1.1 200 ")
        wire.sendall(message(api, "GET", LIST) + message(api, "GET", LIST, close=True))
        received, end = everything(wire)
    assert (received.count(b"HTTP/1.1 200 "), end) == (2, "FIN")


def test_a_handshake_may_come_byte_by_byte(api, url):
    class Drip:
        def __init__(self, sock: socket.socket) -> None:
            self._socket = sock
            self.recv = sock.recv
            self.fileno = sock.fileno

        def sendall(self, data: bytes) -> None:
            for byte in data:
                self._socket.sendall(bytes([byte]))

    with raw(url) as sock:
        wire = TlsWire(Drip(sock), "localhost")
        wire.sendall(message(api, "GET", LIST))
        assert one(wire).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("fault", "end"), [("close", "FIN"), ("empty", "FIN"), ("garbage", "FIN"), ("reset", "RST")])
def test_a_polite_end_is_said_in_tls_and_a_cut_is_not(sandbox, api, fault, end):
    sandbox.inject(connection=fault)
    with calling(api, "GET", LIST) as wire:
        assert everything(wire)[1] == end
        assert wire.notified == (end == "FIN")


def test_a_client_that_says_goodbye_is_gone(sandbox, api):
    sandbox.inject("instances.list", connection="hang")
    with calling(api, "GET", LIST) as wire:
        arrived(sandbox)
        wire.goodbye()
        assert everything(wire) == (b"", "FIN")
    until(lambda: sandbox.requests[-1].duration_ms is not None)
    assert sandbox.requests[-1].status is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_are_spoken_and_http_1_1_is_agreed_on(url, version):
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    with raw(url) as sock, context.wrap_socket(sock, server_hostname="api.cloudnexus.com") as wire:
        assert wire.selected_alpn_protocol() == "http/1.1"
        wire.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert wire.recv(12) == b"HTTP/1.1 200"


# ---- clients that speak something else


def test_plain_http_on_the_port_of_https_is_told_so(server):
    with raw(server.tls_url) as wire:
        wire.sendall(b"GET /v1/instances HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, body = answer(wire)
    assert status == 400
    assert f"this port speaks HTTPS: use {server.tls_url}" in body
    assert '"code":"BAD_REQUEST"' in body


@pytest.mark.parametrize("junk", [PREFACE, b"\x00", b"SSH-2.0-x\r\n", b"\x15\x03\x01\x00\x02"])
def test_so_is_whatever_else_does_not_begin_as_tls_does(server, junk):
    with raw(server.tls_url) as wire:
        wire.sendall(junk)
        assert "this port speaks HTTPS" in answer(wire)[1]


@pytest.mark.parametrize("door", ["http", "https"])
def test_http_2_is_called_by_its_name(server, door):
    with wire_to(server.url if door == "http" else server.tls_url) as wire:
        wire.sendall(PREFACE)
        received, end = everything(wire)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"this is HTTP/2, and cnx-mock speaks HTTP/1.1" in received
    assert end == "FIN"


@pytest.mark.parametrize("junk", [b"\x16junk and no handshake", b"\x16\x03\x01\x40\x00" + b"\xff" * 0x4000])
def test_a_handshake_that_is_none_ends_the_connection_and_nothing_else(api, url, junk):
    with raw(url) as wire:
        wire.sendall(junk)
        everything(wire)
    assert api.get(LIST).status == 200


def test_noise_behind_the_handshake_ends_the_connection_and_nothing_else(api, url):
    with raw(url) as sock:
        TlsWire(sock, "localhost")
        sock.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        everything(sock)
    assert api.get(LIST).status == 200


def test_a_client_that_does_not_trust_the_ca_ends_the_connection_and_nothing_else(api, url):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with raw(url) as sock, pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        context.wrap_socket(sock, server_hostname="localhost")
    assert api.get(LIST).status == 200


def test_curl_trusts_it_under_the_clouds_own_name(server, sandbox):
    host = f"api.cloudnexus.com:{urlsplit(server.tls_url).port}"
    to = [
        "--connect-to",
        f"{host}:127.0.0.1:",
        f"https://{host}/v1/instances",
        "-H",
        f"Authorization: Bearer {sandbox.api_key}",
    ]
    done = subprocess.run(["curl", "-sf", "--noproxy", "*", "--cacert", server.ca_path, *to], check=False, timeout=20)
    assert done.returncode == 0


# ---- the control plane, and --require-tls


def test_the_control_plane_answers_loopback_names_here_too(api):
    assert api.get("/_mock/health").status == 200
    assert api.get("/_mock/health", headers={"Host": "api.cloudnexus.com"}).status == 403


@pytest.mark.slow
def test_where_tls_is_required_plain_calls_are_refused_and_nothing_happens(client, caplog):
    caplog.set_level(logging.INFO)
    with MockServer(settings=Settings(port=0, require_tls=True)) as server:
        sandbox = server.sandbox()
        plain, secure = client(server.url, sandbox.api_key), client(server.tls_url, sandbox.api_key)
        reply = plain.post(LIST, INSTANCE)
        assert (reply.status, reply.error["code"], reply.details) == (403, "HTTPS_REQUIRED", {"url": server.tls_url})
        assert reply.error["request_id"] == reply.headers["x-request-id"]
        assert plain.get("/v1/nowhere").status == 403
        kept = client(server.url).get("/_mock/requests").json["data"]
        assert [(each["path"], each["status"]) for each in kept] == [(LIST, 403), ("/v1/nowhere", 403)]
        assert (kept[0]["request_id"], sandbox.requests) == (reply.headers["x-request-id"], [])
        assert secure.get(LIST).json["data"] == []
        assert secure.create()["name"] == INSTANCE["name"]
        assert [plain.get(path).status for path in ("/_mock/health", "/openapi.json", "/")] == [200, 200, 200]


# ---- starting and stopping


def test_a_stop_ends_handshakes_that_never_end():
    with MockServer(tls=True) as server, raw(server.tls_url) as silent, raw(server.tls_url) as slow:
        slow.sendall(b"\x16\x03")
        with wire_to(server.tls_url):
            pass  # both are accepted by now
        server.stop()
        assert [everything(wire)[0] for wire in (silent, slow)] == [b"", b""]
