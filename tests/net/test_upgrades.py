"""A client may ask for another protocol with each request (RFC 9110 section 7.8). That is ignored, and the request is
served whole."""

import json
import shutil
import subprocess

import pytest

from tests.cases import cases
from tests.conftest import INSTANCE, wire_to
from tests.scenario.test_faults import everything, message, one
from tests.waiting import until

SCHEMES = ("http", "https")
LIST = "/v1/instances"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
WEBSOCKET = (
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YQ==\r\n"
)
ASKS = {"h2c": H2C, "websocket": WEBSOCKET, "tls": b"Upgrade: TLS/1.2\r\nConnection: upgrade\r\n"}


def asking(request: bytes, asks: bytes) -> bytes:
    """The request, asking for another protocol too."""
    line, end, rest = request.partition(b"\r\n")
    return line + end + asks + rest


def in_chunks(request: bytes) -> bytes:
    """The same request with its body in chunks."""
    head, end, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:]))
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + end + chunks + b"0\r\n\r\n"


@cases("asks", ASKS)
@cases("form", [bytes, in_chunks])
@cases("size", [1, 7, 10_000])
def test_the_body_arrives_whole_in_whatever_pieces(sandbox, api, asks, form, size):
    request = form(asking(message(api, "POST", LIST, INSTANCE), ASKS[asks]))

    with wire_to(api.url) as wire:
        for start in range(0, len(request), size):
            wire.sendall(request[start : start + size])
        assert one(wire).startswith(b"HTTP/1.1 201 ")
        wire.sendall(message(api, "GET", LIST))  # the connection stays
        assert b"prod-api-01" in one(wire)

    assert json.loads(sandbox.requests[0].request_body or "") == INSTANCE


def test_every_request_of_a_pipeline_is_served_in_its_order(sandbox, api):
    requests = []
    for number in range(40):
        asks = [b"", *ASKS.values()][number % 4]
        body = {**INSTANCE, "name": f"web-{number}"} if number % 3 else None
        request = message(api, "POST" if body else "GET", LIST if body else f"/v1/plans?n={number}", body)
        requests.append(asking(request, asks))
    closing = asking(message(api, "GET", "/v1/plans", close=True), b"")

    with wire_to(api.url) as wire:
        wire.sendall(b"".join(requests) + closing)
        received, _ = everything(wire)

    statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"201" if number % 3 else b"200" for number in range(40)] + [b"200"]
    names = [json.loads(entry.request_body or "")["name"] for entry in sandbox.requests if entry.method == "POST"]
    assert names == [f"web-{number}" for number in range(40) if number % 3]


def test_more_upgrades_in_one_packet_than_calls_in_a_stack_are_no_matter(api):
    asked = asking(message(api, "HEAD", "/v1/nowhere"), WEBSOCKET)
    with wire_to(api.url) as wire:
        wire.sendall(asked * 1100 + message(api, "GET", "/v1/nowhere", close=True))
        received, _ = everything(wire)
    assert received.count(b"HTTP/1.1 ") == 1101


def test_a_body_that_breaks_off_behind_an_upgrade_is_seen(server, sandbox, api):
    with wire_to(server.url) as wire:  # a client of TLS may end with an RST, which takes its last bytes along
        wire.sendall(asking(message(api, "POST", LIST, INSTANCE), H2C)[:-10])
    assert "the client left after" in until(lambda: sandbox.requests)[0].problem


def test_nothing_is_advised_on_stderr(api, caplog):
    for asks in ASKS.values():
        with wire_to(api.url) as wire:
            wire.sendall(asking(message(api, "GET", "/v1/plans", close=True), asks))
            assert everything(wire)[0].startswith(b"HTTP/1.1 200 ")
    assert caplog.records == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_asks_for_http_2_and_creates(server, api):
    features = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    if "HTTP2" not in features:
        pytest.skip("needs a curl with HTTP/2")
    command = ["curl", "-sS", "--http2", "-m", "20", "-H", f"Authorization: Bearer {api.key}"]
    command += ["-H", "Content-Type: application/json", "-d", json.dumps(INSTANCE), f"{api.url}{LIST}"]
    command += ["--cacert", str(server.ca_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["status"] == "provisioning", done.stderr
