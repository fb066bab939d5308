"""Everything that comes from outside is bounded, and `GET /_mock/health` shows how full each bound is."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from cnx_mock import MockServer, Settings
from cnx_mock.settings import flag, ranges
from tests.cases import cases
from tests.conftest import Client, Reply, Wire, wire_to

KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
HOST = b"Host: localhost\r\n"
HEAD = HOST + f"Authorization: Bearer {KEY}\r\n".encode()
GET = b"GET /v1/plans HTTP/1.1\r\n" + HEAD
CREATE = b"POST /v1/instances HTTP/1.1\r\n" + HEAD
FAULT = {"fault": {"error": "INTERNAL_ERROR"}}


@contextmanager
def serving(**options: Any) -> Iterator[MockServer]:
    with MockServer(settings=Settings(port=0, **options)) as server:
        yield server


def bound(server: MockServer, option: str) -> tuple[int, int, int]:
    """The limit, what is used, and what was refused."""
    [found] = [each for each in Client(server.url).get("/_mock/health").json["bounds"] if each["option"] == option]
    return found["limit"], found["used"], found["refused"]


def until_closed(wire: Wire) -> Reply:
    """The one answer before the end of the connection."""
    received = b""
    while piece := wire.recv(65_536):
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    return Reply(int(head.split()[1]), dict(lines), body)


def count(wire: Wire, answers: int) -> None:
    """Read so many answers."""
    seen, tail = 0, b""
    while seen < answers:
        piece = wire.recv(1 << 20)
        assert piece, f"the connection ended after {seen} of {answers} answers"
        seen += (tail + piece).count(b"HTTP/1.1 200 OK\r\n")
        tail = piece[-16:] if not piece.endswith(b"HTTP/1.1 200 OK\r\n") else b""


def test_health_shows_every_bound_with_its_limit(server):
    shown = {each["option"]: each["limit"] for each in Client(server.url).get("/_mock/health").json["bounds"]}

    options = {flag(name): getattr(Settings(), name) for name in ranges()}
    assert shown.keys() == options.keys()
    assert {option: limit for option, limit in shown.items() if option != "--max-connections"} == {
        option: limit for option, limit in options.items() if option != "--max-connections"
    }


# ---- heads


@cases(
    ("request_", "option"),
    [
        pytest.param(GET + b"X-Long: " + b"a" * 5000 + b"\r\n\r\n", "--max-header-bytes", id="one long header"),
        pytest.param(GET + b"X-A: b\r\n" * 600 + b"\r\n", "--max-header-bytes", id="many bytes in many headers"),
        pytest.param(
            b"GET /v1/plans?q=" + b"a" * 5000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", "--max-header-bytes", id="target"
        ),
        pytest.param(GET + b"X-Never-Ending: " + b"a" * 9000, "--max-header-bytes", id="a header that does not end"),
        pytest.param(GET + b"A: b\r\n" * 21 + b"\r\n", "--max-headers", id="many headers"),
    ],
)
def test_a_head_that_is_too_large_is_a_431_that_names_the_option(request_, option):
    with serving(max_header_bytes=4096, max_headers=20 if option == "--max-headers" else 1000) as server:
        with wire_to(server.url) as wire:
            wire.sendall(request_)
            refused = until_closed(wire)

        assert (refused.status, refused.error["code"]) == (431, "HEADERS_TOO_LARGE")
        assert option in refused.details["reason"]
        assert bound(server, option)[2] == 1
        own = Client(server.url).get("/_mock/requests").json["data"]
        its = Client(server.url, KEY).get("/_mock/requests").json["data"]
        assert [(each["status"], each["problem"]) for each in own + its] == [(431, refused.details["reason"])]


def test_trailers_and_chunk_extensions_are_bounded_like_heads():
    chunked = CREATE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    with serving(max_header_bytes=4096) as server:
        for endless in (b"0\r\nX: " + b"a" * 9000, b"2;x=" + b"a" * 9000):
            with wire_to(server.url) as wire:
                wire.sendall(chunked + endless)
                assert until_closed(wire).status == 400


def test_many_requests_in_one_packet_are_not_taken_for_one_head():
    with serving(max_header_bytes=1024) as server, wire_to(server.url) as wire:
        wire.sendall((GET + b"\r\n") * 100)
        count(wire, 100)


# ---- time


BEGUN = {
    "half a line": b"GET /v1/pl",
    "half a head": GET,
    "half a body": CREATE + b"Content-Length: 100\r\n\r\n{",
    "half a chunked body": CREATE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}",
}


def test_a_request_that_does_not_arrive_is_a_408(trusted):
    with serving(read_timeout=1, tls=True) as server, ExitStack() as stack:
        urls = (server.url, str(server.tls_url))
        wires = {(name, url): stack.enter_context(wire_to(url)) for name in BEGUN for url in urls}
        for (name, _), wire in wires.items():
            wire.sendall(BEGUN[name])
        for begun, wire in wires.items():
            refused = until_closed(wire)
            assert (refused.status, refused.error["code"]) == (408, "REQUEST_TIMEOUT"), begun
            assert "--read-timeout" in refused.details["reason"]
        assert bound(server, "--read-timeout")[2] == len(wires)


@pytest.mark.slow
def test_waits_of_faults_are_not_the_clients_time():
    with serving(read_timeout=1) as server:
        sandbox = server.sandbox()
        sandbox.inject("plans.list", latency="1.2s", times=2)
        request = GET.replace(KEY.encode(), sandbox.api_key.encode()) + b"\r\n"
        with wire_to(server.url) as wire:
            wire.sendall(request + request + request[:30])  # the last one waits behind the server's own delay
            count(wire, 2)
            wire.sendall(request[30:])
            count(wire, 1)
        assert bound(server, "--read-timeout")[2] == 0


def test_a_handshake_that_does_not_begin_ends():
    with serving(handshake_timeout=1, proxy=True) as server:
        with wire_to(f"http{str(server.tls_url)[5:]}") as plain, wire_to(str(server.proxy_url)) as wire:
            wire.sendall(b"CONNECT api.cloudnexus.com:443 HT")
            assert plain.recv(1) == b"", "TLS was never begun"
            refused = until_closed(wire)
        assert refused.status == 408
        assert "--handshake-timeout" in refused.details["reason"]
        assert bound(server, "--handshake-timeout")[2] == 2


# ---- connections


def test_idle_connections_make_room():
    with serving(max_connections=5) as server, ExitStack() as stack:
        idle = [stack.enter_context(wire_to(server.url)) for _ in range(20)]

        assert Client(server.url, KEY).get("/v1/plans").status == 200
        assert idle[0].recv(1) == b"", "the one that waited longest was closed"
        limit, used, refused = bound(server, "--max-connections")
        assert limit == 5
        assert used <= 5
        assert refused >= 15


def test_connections_that_work_are_not_closed_for_others(caplog):
    with serving(max_connections=3) as server, ExitStack() as stack:
        sandbox = server.sandbox()
        sandbox.inject("plans.list", bandwidth="1B/s")
        request = GET.replace(KEY.encode(), sandbox.api_key.encode()) + b"\r\n"
        for _ in range(3):
            wire = stack.enter_context(wire_to(server.url))
            wire.sendall(request)
            assert wire.recv(8) == b"HTTP/1.1", "the rest comes slowly"

        for _ in range(4):
            with wire_to(server.url) as wire:
                refused = until_closed(wire)
                assert (refused.status, refused.error["code"]) == (503, "CONNECTION_LIMIT")
    lines = [each for each in caplog.messages if "--max-connections" in each]
    assert len(lines) == 1, "one line, not one for each"


# ---- pipelines


@pytest.mark.slow
def test_requests_far_ahead_wait_and_are_all_answered():
    with serving(max_pipelined=10) as server:
        sandbox = server.sandbox({"world": {"rate_limit": "1000000/min"}})
        sandbox.inject("plans.list", latency="1ms", times=50)
        request = GET.replace(KEY.encode(), sandbox.api_key.encode()) + b"\r\n"
        with wire_to(server.url) as wire:
            wire.sendall(request * 1500)
            count(wire, 1500)
        assert bound(server, "--max-pipelined") == (10, 10, 0)
        assert [each.seq for each in sandbox.requests] == list(range(1, 1501))


def test_a_reset_in_a_long_pipeline_ends_all_that_is_behind_it():
    with serving(max_pipelined=10) as server:
        sandbox = server.sandbox()
        sandbox.inject("plans.list", connection="reset", times={"skip": 20, "take": 1})
        request = GET.replace(KEY.encode(), sandbox.api_key.encode()) + b"\r\n"
        with wire_to(server.url) as wire, pytest.raises(ConnectionResetError):
            wire.sendall(request * 200)
            count(wire, 200)
        assert len(sandbox.requests) == 21


# ---- journals


def test_a_journal_keeps_so_many_bytes_and_counts_what_it_drops():
    with serving(journal_bytes=100_000) as server:
        api = Client(server.url, KEY)
        for number in range(20):
            api.post("/v1/instances", {"name": f"n{number}", "padding": "x" * 20_000})

        kept = api.get("/_mock/requests").json["data"]
        [item] = api.get("/_mock/sandboxes").json["data"]
        limit, used, refused = bound(server, "--journal-bytes")
        assert [each["seq"] for each in kept] == list(range(21 - len(kept), 21))
        assert 2 <= len(kept) < 6
        assert item["requests"] == len(kept) + item["dropped"] == 20
        assert item["dropped"] == refused
        assert 0 < used <= limit


def test_all_journals_together_keep_so_many_bytes_and_the_oldest_go_first():
    with serving(journal_total_bytes=180_000) as server:
        clients = [Client(server.url, server.sandbox().api_key) for _ in range(3)]
        for client in clients:
            for _ in range(4):
                client.post("/v1/instances", {"padding": "x" * 20_000})

        assert [len(client.get("/_mock/requests").json["data"]) for client in clients] == [0, 4, 4]
        assert bound(server, "--journal-total-bytes")[2] == 4
        for client in clients:
            client.delete("/_mock/requests")
        assert bound(server, "--journal-total-bytes")[1] == 0, "what is deleted takes no room"


def test_a_reset_and_a_deletion_give_the_journals_room_back():
    with serving() as server:
        api = Client(server.url, KEY)
        for end in (lambda: api.post("/_mock/reset"), lambda: _give_back(api)):
            api.post("/v1/instances", {"padding": "x" * 20_000})
            assert bound(server, "--journal-total-bytes")[1] > 20_000
            end()
            assert bound(server, "--journal-total-bytes")[1] == 0


def _give_back(api: Client) -> None:
    [item] = api.get("/_mock/sandboxes").json["data"]
    assert api.delete(f"/_mock/sandboxes/{item['id']}").status == 200


# ---- the control plane


def test_a_sandbox_has_so_many_rules():
    with serving(max_rules=3) as server:
        api = Client(server.url, KEY)
        for number in range(3):
            assert api.call("PUT", f"/_mock/rules/r{number}", FAULT).status == 201

        refused = api.call("PUT", "/_mock/rules/one-more", FAULT)
        story = {"rules": [FAULT]}
        assert (refused.status, "--max-rules" in refused.details["rules"]) == (400, True)
        assert api.call("PUT", "/_mock/rules/r0", FAULT).status == 200, "replaced, not added"
        assert "--max-rules" in str(api.call("PUT", "/_mock/scenario", story).details)
        assert "--max-rules" in str(Client(server.url).call("PUT", "/_mock/scenario", {"rules": [FAULT] * 4}).details)
        assert "--max-rules" in str(api.post("/_mock/sandboxes", {"scenario": {"rules": [FAULT] * 4}}).details)
        assert bound(server, "--max-rules")[:2] == (3, 3)


def test_a_control_body_has_so_many_bytes():
    with serving(max_control_bytes=2000) as server:
        refused = Client(server.url, KEY).call("PUT", "/_mock/state", {"name": "x" * 3000})
        assert (refused.status, refused.details["option"]) == (413, "--max-control-bytes")
        assert bound(server, "--max-control-bytes")[2] == 1


@cases("name", list(ranges()))
def test_a_bound_out_of_its_range_is_one_clear_sentence(name):
    with pytest.raises(ValueError, match=f"'{name.replace('_', '-')}' must be from "):
        replace(Settings(), **dict[str, Any]({name: 0}))


def test_a_peer_that_says_nothing_and_leaves_is_nothing_to_talk_about(caplog):
    with serving() as server:
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as sock:
                sock.sendall(b"\r\n")
        assert Client(server.url).get("/_mock/health").status == 200
    assert caplog.messages == []
