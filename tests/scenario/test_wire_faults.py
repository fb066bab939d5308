"""Connections that go wrong: what is on the wire, what the journal says, and what a user of a real client sees."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest
import requests

from cnx_mock import MockServer
from tests.cases import cases
from tests.conftest import INSTANCE
from tests.scenario.client_table import ROWS
from tests.scenario.test_faults import arrived, calling, connected, ended, everything, message, shown

SCHEMES = ["http", "https"]
LIST = "/v1/instances"
GARBAGE = b"\x00\xff\x13\x9clskdu018973"

CLIENTS = {
    row.fault["connection"]: (row.requests, row.httpx2) for row in ROWS if "connection" in row.fault and not row.again
}
"""What a user sees of each `connection` fault: with requests, with httpx2."""

STATUS = {"close": 201, "malformed_chunk": 201}
"""Where a status line goes out before the wire breaks."""


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO):
        yield
    assert [record.message for record in caplog.records if record.name.startswith(("uvicorn", "asyncio"))] == []


@cases("at", ["before", "after"])
@cases("fault", CLIENTS)
@cases("library", ["requests", "httpx2"])
def test_what_a_client_sees_and_what_the_journal_says(sandbox, api, fault, at, library, url, verify):
    sandbox.inject("instances.create", connection=fault, at=at, times=1)
    wait = 0.05 if fault == "hang" else 10
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    post: Any = {"requests": requests, "httpx2": httpx2}[library].post
    kinds: Any = (CLIENTS[fault][library == "httpx2"],)
    if (fault, library) == ("reset", "httpx2"):
        kinds = shown(url, kinds[0], httpx2.RemoteProtocolError)
    with pytest.raises(kinds) as seen:
        post(url + LIST, json=INSTANCE, headers=headers, timeout=wait, verify=verify)
    assert seen.type in kinds
    entry = ended(sandbox) if fault == "hang" else sandbox.requests[-1]
    assert entry.duration_ms is not None
    assert (entry.status, entry.committed) == (STATUS.get(fault), at == "after")
    assert [each.fault for each in entry.faults] == [f"connection={fault}"]
    assert len(api.get(LIST).json["data"]) == (at == "after")


@cases("at", ["before", "after"])
@cases("fault", ["close", "empty", "garbage", "malformed_chunk"])
def test_the_bytes_on_the_wire(sandbox, api, fault, at):
    sandbox.inject("instances.create", connection=fault, at=at)
    with calling(api, "POST", LIST, INSTANCE) as wire:
        received, end = everything(wire)
    head, _, body = received.partition(b"\r\n\r\n")
    assert end == "FIN"
    if fault == "empty":
        assert received == b""
    elif fault == "garbage":
        assert received.startswith(GARBAGE)
    else:
        assert head.startswith(b"HTTP/1.1 201 ")
        assert b"x-ratelimit-limit: " in head
        if fault == "close":
            assert int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]) > 0
            assert body == b""
        else:
            assert b"content-length" not in head
            assert body.startswith(b"ZZ\r\n{")


@cases("fault", sorted(CLIENTS.keys() - {"hang"}))
@cases("answer", ["204", "200-empty-object"])
def test_a_delete_whose_answer_is_lost_has_happened(server, client, fault, answer, url):
    sandbox = server.sandbox({"world": {"readings": {"delete-answer": answer}}})
    api = client(url, sandbox.api_key)
    made = api.create()
    sandbox.inject("instances.delete", connection=fault, at="after")
    with pytest.raises(requests.RequestException):
        requests.delete(f"{url}{LIST}/{made['id']}", headers={"Authorization": f"Bearer {sandbox.api_key}"}, timeout=10)
    assert sandbox.requests[-1].committed
    assert api.get(LIST).json["data"] == []


@cases("fault", CLIENTS)
def test_a_refusal_goes_out_unchanged(sandbox, api, fault):
    sandbox.inject("instances.create", connection=fault, at="after")
    assert api.post(LIST, {}).status == 400
    assert sandbox.requests[-1].faults == []
    assert sandbox.requests[-1].decisions[0].reason.endswith("nothing was committed")


# ---- hangs


def test_a_reset_of_the_sandbox_ends_a_hang_at_once(sandbox, api):
    sandbox.inject(connection="hang")
    with calling(api, "GET", LIST) as wire:
        arrived(sandbox)
        sandbox.reset()
        assert everything(wire) == (b"", "RST")
    assert api.get(LIST).status == 200


def test_a_stop_of_the_server_ends_hangs_and_drips_at_once(client, scheme):
    with MockServer(tls=True) as server, ExitStack() as open_wires:
        wires = []
        for fault in ({"connection": "hang"}, {"drip": {"chunks": 2, "over": "10m"}}, {"bandwidth": "1B/s"}):
            sandbox = server.sandbox()
            sandbox.inject("instances.list", **fault)
            api = client(server.tls_url if scheme == "https" else server.url, sandbox.api_key)
            wires.append(open_wires.enter_context(calling(api, "GET", LIST)))
            arrived(sandbox)
        server.stop()
        assert [everything(wire)[1] for wire in wires] == ["RST"] * 3


def test_a_client_that_gives_up_a_hang_behind_which_it_sent_more_is_seen_to_be_gone(sandbox, api):
    sandbox.inject("instances.list", connection="hang", times=1)
    with connected(api) as wire:
        wire.sendall(message(api, "GET", LIST) + message(api, "POST", LIST, INSTANCE))
        arrived(sandbox)
        wire.sendall(message(api, "POST", LIST, {**INSTANCE, "tags": ["x" * 60]}) * 200)
    entry = ended(sandbox)
    assert (entry.status, entry.operation, len(sandbox.requests)) == (None, "instances.list", 1)
    assert api.get(LIST).json["data"] == []


def test_hundreds_of_hangs_keep_nobody_else_waiting(server, client, url):
    hanging, other = server.sandbox(), server.sandbox()
    hanging.inject(connection="hang")
    api = client(url, hanging.api_key)
    with ExitStack() as calls:
        for _ in range(100):
            calls.enter_context(calling(api, "GET", LIST))
        assert client(url, other.api_key).get(LIST).status == 200
        hanging.reset()


def test_pipelined_calls_before_the_fault_are_answered_and_those_behind_never_happen(sandbox, api):
    sandbox.inject("plans.list", connection="close")
    with connected(api) as wire:
        calls = [("GET", LIST, None), ("GET", "/v1/plans", None), ("POST", LIST, INSTANCE)]
        wire.sendall(b"".join(message(api, *call) for call in calls))
        received, _ = everything(wire)
    assert received.count(b"HTTP/1.1 ") == 2
    assert api.get(LIST).json["data"] == []
