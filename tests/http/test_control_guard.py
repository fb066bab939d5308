"""Who may call the control plane: this machine and whom it invites, and no page of another origin."""

import asyncio
import socket
from contextlib import closing
from typing import Any

import httpx
import pytest

from cnx_mock import ControlError, MockServer, Sandbox, Settings, create_app
from cnx_mock.python_api.control import Control
from tests.cases import cases
from tests.conftest import Client, Reply

HEALTH = "/_mock/health"
TOKEN = "0123456789abcdef"
JSON = {"Content-Type": "application/json"}
WRITES = [
    ("POST", "/reset", None),
    ("POST", "/sandboxes", {"scenario": "flaky-network"}),
    ("PUT", "/rules/x", {"fault": {"latency": "0s"}}),
    ("DELETE", "/rules", None),
    ("PATCH", "/clock", {"speed": 2}),
]


def write(sandbox: Sandbox, method: str, path: str, body: Any, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(sandbox.url, sandbox.api_key).call(method, f"/_mock{path}", body, headers={**JSON, **named})


# ---- pages in a browser


@cases(("method", "path", "body"), WRITES)
@cases(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "file://"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://127.0.0.1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "anything"},
        {"Origin": "{own}", "Sec_Fetch_Site": "cross-site"},
    ],
)
def test_a_page_of_another_origin_writes_nothing(sandbox, method, path, body, headers):
    before = write(sandbox, "GET", "/rules", None).json, sandbox.clock.speed
    own = {name: value.replace("{own}", sandbox.url) for name, value in headers.items()}

    reply = write(sandbox, method, path, body, **own)

    assert (reply.status, reply.error["code"]) == (403, "CROSS_ORIGIN_REFUSED")
    assert "key" not in reply.error["message"].lower()
    assert (write(sandbox, "GET", "/rules", None).json, sandbox.clock.speed) == before


def test_cors_opens_the_api_and_not_the_control_plane(client):
    with MockServer(settings=Settings(port=0, cors=True)) as server:
        page = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        assert client(server.url).call("OPTIONS", "/v1/instances", headers=page).status == 200
        for method in ("GET", "POST", "OPTIONS"):
            reply = client(server.url).call(method, "/_mock/reset", headers={**page, **JSON})
            assert not [name for name in reply.headers if name.startswith("access-control-")]
        assert client(server.url).call("POST", "/_mock/reset", headers={**page, **JSON}).status == 403


@cases("headers", [{"Origin": "{own}"}, {"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}])
def test_our_own_page_writes_json_and_nothing_else(sandbox, headers):
    own = {name: value.replace("{own}", sandbox.url) for name, value in headers.items()}

    assert write(sandbox, "POST", "/reset", None, **own).status == 200
    assert write(sandbox, "POST", "/reset", None, **own, Content_Type="application/json; charset=utf-8").status == 200
    for other in ("text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"):
        body: object
        for body in ({}, None):
            reply = write(sandbox, "POST", "/reset", body, **own, Content_Type=other)
            assert (reply.status, list(reply.details)) == (400, ["content_type"])


@cases("content_type", ["application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_a_program_may_call_its_json_what_it_likes(sandbox, content_type):
    reply = write(sandbox, "PATCH", "/clock", {"speed": 2}, Content_Type=content_type)

    assert reply.status == 200
    assert sandbox.clock.speed == 2


@cases("path", ["/_mock/health", "/_mock/requests", "/_mock/nowhere"])
def test_no_other_page_reads_or_frames_an_answer(sandbox, path):
    headers = Client(sandbox.url, sandbox.api_key).get(path, headers={"Origin": "https://evil.example"}).headers

    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


# ---- other machines


def from_peer(
    peer: tuple[str, int] | None, settings: Settings, headers: dict[str, str] | None = None
) -> httpx.Response:
    """What a peer is answered: the application is asked as a server asks it."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(settings), client=peer)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:4269") as client:
            return await client.get(HEALTH, headers=headers)

    return asyncio.run(ask())


@cases("address", ["192.0.2.7", "172.17.0.1", "2001:db8::1", "::ffff:192.0.2.7", "fe80::1%eth0", "0.0.0.0"])
def test_another_machine_is_refused_whatever_host_it_names(address):
    answer = from_peer((address, 5000), Settings())

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "CONTROL_PEER_REFUSED")
    assert "--control-from" in error["details"]["options"]
    assert "--control-token" in error["details"]["options"]


@cases("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_answered(address):
    assert from_peer((address, 5000), Settings()).status_code == 200


def test_a_call_within_the_process_is_answered():
    assert from_peer(None, Settings()).status_code == 200


@cases(
    ("network", "status"),
    [
        ("192.0.2.0/24", 200),
        ("192.0.2.7", 200),
        ("192.0.2.9/24", 200),
        ("198.51.100.0/24", 403),
        ("2001:db8::/32", 403),
    ],
)
def test_control_from_names_networks(network, status):
    assert from_peer(("192.0.2.7", 5000), Settings(control_from=(network,))).status_code == status
    assert from_peer(("::ffff:192.0.2.7", 5000), Settings(control_from=("10.0.0.0/8", network))).status_code == status


def test_a_network_does_not_open_the_door_to_other_host_names():
    answer = from_peer(("192.0.2.7", 5000), Settings(control_from=("192.0.2.0/24",)), {"Host": "evil.example"})
    assert answer.json()["error"]["code"] == "CONTROL_HOST_REFUSED"


def test_the_token_opens_the_control_plane_from_everywhere():
    settings = Settings(control_token=TOKEN)
    for peer in (("192.0.2.7", 5000), ("127.0.0.1", 5000)):
        good = {"X-CNX-Mock-Control-Token": TOKEN, "Host": "cloudnexus:4269"}
        assert from_peer(peer, settings, good).status_code == 200

    wrong = from_peer(("192.0.2.7", 5000), settings, {"X-CNX-Mock-Control-Token": TOKEN + "0"})
    assert wrong.json()["error"]["details"]["reason"] == "the token is wrong"
    assert from_peer(("127.0.0.1", 5000), settings).status_code == 200, "this machine needs none"


def test_without_a_token_no_token_opens_anything():
    for token in ("", "random", TOKEN):
        answer = from_peer(("192.0.2.7", 5000), Settings(), {"X-CNX-Mock-Control-Token": token})
        assert answer.status_code == 403


def test_a_page_that_knew_the_token_would_still_be_refused(client):
    with MockServer(settings=Settings(port=0, control_token=TOKEN)) as server:
        headers = {**JSON, "X-CNX-Mock-Control-Token": TOKEN, "Origin": "https://evil.example"}
        assert client(server.url).call("POST", "/_mock/reset", headers=headers).error["code"] == "CROSS_ORIGIN_REFUSED"


def own_address() -> str:
    """An address of this machine that other machines see; the test is skipped if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this machine has no network")
        return str(probe.getsockname()[0])


def test_a_peer_with_another_address_is_told_apart_on_a_socket(client, monkeypatch):
    with MockServer(settings=Settings(host="0.0.0.0", port=0, control_token=TOKEN)) as server:
        port = server.url.rpartition(":")[2]
        far = f"http://{own_address()}:{port}"
        assert client(far).get(HEALTH, headers={"Host": "localhost"}).error["code"] == "CONTROL_PEER_REFUSED"
        assert client(far).get("/openapi.json").status == 200

        with closing(Control(far)) as control:
            monkeypatch.delenv("CNX_MOCK_CONTROL_TOKEN", raising=False)
            with pytest.raises(ControlError, match="this machine only"):
                control.call("GET", HEALTH)
            monkeypatch.setenv("CNX_MOCK_CONTROL_TOKEN", TOKEN)
            assert control.call("GET", HEALTH)["status"] == "ok"
