"""Answers whose bodies are spoilt: on the wire, in the journal, and as a user of a real client sees them."""

import json
from typing import Any

import httpx2
import pytest
import requests

from cnx_mock import ControlError
from tests.cases import cases
from tests.conftest import INSTANCE
from tests.scenario.client_table import ROWS
from tests.scenario.test_faults import calling, connected, everything, message, one

SCHEMES = ["http", "https"]
LIST = "/v1/instances"
TRUNCATE, MALFORMED, CORRUPT = {"truncate": 0.5}, "malformed_json", {"corrupt": "8B"}

CLIENTS = {
    row.written.strip("`").removeprefix("body: "): (row.fault["body"], row.requests, row.httpx2)
    for row in ROWS
    if "body" in row.fault
}
"""What a user sees who calls and then reads `.json()`: the fault, with requests, with httpx2."""


@cases("at", ["before", "after"])
@cases("fault", CLIENTS)
@cases("library", ["requests", "httpx2"])
def test_what_a_client_sees_of_a_create_that_happened(server, client, fault, at, library, url, verify):
    sandbox = server.sandbox(name="spoilt", seed=1)
    body, *exceptions = CLIENTS[fault]
    sandbox.inject("instances.create", body=body, at=at)
    post: Any = {"requests": requests, "httpx2": httpx2}[library].post
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    with pytest.raises(exceptions[library == "httpx2"]) as seen:
        post(url + LIST, json=INSTANCE, headers=headers, timeout=10, verify=verify).json()
    assert seen.type is exceptions[library == "httpx2"]
    entry = sandbox.requests[-1]
    assert (entry.status, entry.committed, entry.duration_ms is None) == (201, True, False)
    assert [each.fault for each in entry.faults] == [f"body={fault}"]
    assert len(client(url, sandbox.api_key).get(LIST).json["data"]) == 1


def test_a_truncated_body_declares_all_and_sends_a_part(sandbox, api):
    whole = api.get("/v1/plans").body
    for share in (0, 0.25, 0.5, 0.9999):
        with sandbox.inject("plans.list", body={"truncate": share}), calling(api, "GET", "/v1/plans") as wire:
            received, end = everything(wire)
        head, _, body = received.partition(b"\r\n\r\n")
        assert end == "FIN"
        assert f"content-length: {len(whole)}\r\n".encode() in head
        assert body == whole[: int(len(whole) * share)] != whole
        assert (sandbox.requests[-1].response_body or "").encode() == body


def test_malformed_json_is_well_framed_the_same_every_time_and_keeps_the_connection(sandbox, api):
    sandbox.inject("plans.list", body=MALFORMED, times=2)
    with connected(api) as wire:
        bodies = []
        for _ in range(3):
            wire.sendall(message(api, "GET", "/v1/plans"))
            bodies.append(one(wire).partition(b"\r\n\r\n")[2])
    assert bodies[0] == bodies[1] == bodies[2][:-1] + b","
    with pytest.raises(json.JSONDecodeError):
        json.loads(bodies[0])


def test_corruption_flips_so_many_bytes_in_places_that_the_seed_chooses(server, client, url):
    seen = []
    for _ in range(2):
        sandbox = server.sandbox(name="noise", seed=7)
        api = client(url, sandbox.api_key)
        whole = api.get("/v1/plans").body
        sandbox.inject("plans.list", body=CORRUPT)
        bodies = [api.get("/v1/plans").body for _ in range(3)]
        for body in bodies:
            assert len(body) == len(whole)
            assert [a ^ b for a, b in zip(body, whole, strict=True) if a != b] == [0xFF] * 8
        seen.append(bodies)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 3


def test_corruption_of_more_than_there_is_spoils_all(sandbox, api):
    whole = api.get("/v1/plans").body
    sandbox.inject("plans.list", body={"corrupt": "1MB"})
    assert api.get("/v1/plans").body == bytes(byte ^ 0xFF for byte in whole)


@cases("body", [TRUNCATE, MALFORMED, CORRUPT])
def test_refusals_and_answers_without_a_body_go_out_unchanged(server, client, body, url):
    sandbox = server.sandbox({"world": {"readings": {"delete-answer": "204"}}})
    api = client(url, sandbox.api_key)
    made = api.create()
    rule = sandbox.inject("instances.*", body=body)
    assert api.post(LIST, {}).error["code"] == "VALIDATION_ERROR"
    assert sandbox.requests[-1].decisions[0].reason == "match 1, nothing was committed"
    assert api.call("HEAD", LIST).status == 200
    assert api.delete(f"{LIST}/{made['id']}").status == 204
    assert sandbox.requests[-1].decisions[0].reason == "match 3, the answer has no body"
    assert rule.fired == 0


@cases(
    ("body", "where", "why"),
    [
        ({"truncate": 1}, "fault.body.truncate", "must be a number from 0 to below 1"),
        ({"truncate": "half"}, "fault.body.truncate", "must be a number from 0 to below 1"),
        ({"corrupt": 8}, "fault.body.corrupt", "needs a unit: write 8B or 8KB"),
        ({"corrupt": "0B"}, "fault.body.corrupt", "a whole number of bytes"),
        ({"corrupt": "1B", "truncate": 0.5}, "fault.body.truncate", "unknown key"),
        ({"trunkate": 0.5}, "fault.body", "did you mean '{truncate: …}'?"),
        ("malformed-json", "fault.body", "must be one of: malformed_json, {corrupt: …}, {truncate: …}; did you mean"),
    ],
)
def test_what_cannot_be_said(sandbox, body, where, why):
    with pytest.raises(ControlError) as refusal:
        sandbox.inject(body=body)
    assert why in refusal.value.details[where]
