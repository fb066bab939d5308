"""Answers that come slowly, or with other headers: whole in the end, and the connection is good for the next call."""

from typing import Any

import httpx2
import pytest
import requests

from cnx_mock import ControlError
from cnx_mock.scenario.faults.bandwidth import Bandwidth
from cnx_mock.scenario.faults.drip import Drip
from cnx_mock.scenario.faults.latency import read_latency
from cnx_mock.text.units import format_size, parse_bandwidth, parse_size
from tests.cases import cases
from tests.conftest import INSTANCE
from tests.scenario.test_faults import arrived, calling, connected, ended, everything, message, one

SCHEMES = ["http", "https"]
LIST, PLANS = "/v1/instances", "/v1/plans"
SLOW: dict[str, Any] = {
    "drip={chunks: 3, over: 6ms}": {"drip": {"chunks": 3, "over": "6ms"}},
    "bandwidth=1MB/s": {"bandwidth": "1MB/s"},
}


@cases("label", SLOW)
@cases("library", [requests, httpx2])
def test_a_slow_body_arrives_whole(sandbox, api, label, library, url, verify):
    whole = api.get(PLANS).body
    sandbox.inject("plans.list", **SLOW[label])
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    reply = library.get(url + PLANS, headers=headers, timeout=10, verify=verify)
    assert (reply.status_code, reply.content) == (200, whole)
    entry = sandbox.requests[-1]
    assert entry.duration_ms >= entry.delayed_ms == (6 if "drip" in label else len(whole) / 1000)
    assert (entry.status, [each.fault for each in entry.faults]) == (200, [label])


@pytest.mark.parametrize("label", SLOW)
def test_a_connection_outlives_a_slow_body_and_pipelined_calls_wait_for_it(sandbox, api, label):
    sandbox.inject("plans.list", **SLOW[label])
    with connected(api) as wire:
        for path in (PLANS, LIST, PLANS):
            wire.sendall(message(api, "GET", path))
            assert one(wire).startswith(b"HTTP/1.1 200 ")
        wire.sendall(message(api, "GET", PLANS) + message(api, "GET", LIST, close=True))
        received, end = everything(wire)
    assert (received.count(b"HTTP/1.1 200 "), end) == (2, "FIN")


def test_the_pieces_of_a_drip_are_all_there_is_and_so_are_their_pauses():
    body = bytes(range(10))
    for chunks, over, count in (
        (1, "1s", 1),
        (3, "1s", 3),
        (10, "7us", 1),
        (10, "5ms", 5),
        (99, "2s", 10),
        (5, "0s", 1),
    ):
        drip = Drip.model_validate({"drip": {"chunks": chunks, "over": over}})
        waits, pieces = zip(*drip.pieces(body), strict=True)
        assert (b"".join(pieces), sum(waits)) == (body, drip.drip.over)
        assert len(pieces) == count
        assert max(waits) - min(waits) <= 1000


def test_a_bandwidth_takes_as_long_as_its_bytes():
    for rate, seconds in (("1B/s", 1000), ("100B/s", 10), ("1KB/s", 1), ("1MB/s", 0.001)):
        pipe = Bandwidth.model_validate({"bandwidth": rate})
        waits, pieces = zip(*pipe.pieces(bytes(1000)), strict=True)
        assert (len(b"".join(pieces)), sum(waits)) == (1000, seconds * 1_000_000)


def test_the_headers_come_at_once_and_a_reset_of_the_sandbox_ends_the_rest(sandbox, api):
    sandbox.inject("plans.list", drip={"chunks": 2, "over": "10m"})
    with calling(api, "GET", PLANS) as wire:
        assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert arrived(sandbox).duration_ms is None
        sandbox.reset()
        assert everything(wire)[1] == "RST"


def test_a_client_that_gives_up_half_way_had_its_status(sandbox, api):
    sandbox.inject("instances.create", drip={"chunks": 20, "over": "100ms"})
    with calling(api, "POST", LIST, INSTANCE) as wire:
        assert wire.recv(65536).startswith(b"HTTP/1.1 201 ")
    entry = ended(sandbox)
    assert (entry.status, entry.committed) == (201, True)


def test_a_body_that_breaks_off_may_be_slow_too(sandbox, api):
    sandbox.inject("plans.list", body={"truncate": 0.5}, drip={"chunks": 2, "over": "2ms"})
    with calling(api, "GET", PLANS) as wire:
        received, end = everything(wire)
    assert (len(received.partition(b"\r\n\r\n")[2]) > 10, end) == (True, "FIN")
    assert sandbox.requests[-1].delayed_ms == 2


def test_the_first_rule_sets_the_pace_and_without_a_body_nothing_is_slow(sandbox, api):
    first = sandbox.inject(drip={"chunks": 2, "over": "2ms"})
    second = sandbox.inject(bandwidth="1B/s")
    assert api.get(PLANS).status == 200
    assert sandbox.requests[-1].delayed_ms == 2
    assert api.call("HEAD", PLANS).body == b""
    assert [each.reason for each in sandbox.requests[-1].decisions] == [
        "match 2, the answer has no body",
        "match 2, the answer has no body",
    ]
    assert (first.fired, second.fired) == (1, 0)


# ---- headers


@pytest.mark.parametrize("library", [requests, httpx2])
def test_headers_are_set_and_removed(sandbox, library, url, verify):
    changes = {
        "set": {"content-type": "text/html", "X-New": "a b", "x-ratelimit-limit": 7},
        "remove": ["X-RateLimit-Reset"],
    }
    sandbox.inject(headers=changes)
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    for path, status in ((PLANS, 200), ("/v1/instances/inst_0", 404)):
        reply = library.get(url + path, headers=headers, timeout=10, verify=verify)
        assert reply.status_code == status
        assert reply.headers["content-type"] == "text/html"
        assert reply.headers["x-new"] == "a b"
        assert reply.headers["x-ratelimit-limit"] == "7"
        assert "x-ratelimit-reset" not in reply.headers
    assert ["x-new", "a b"] in sandbox.requests[-1].response_headers


def test_the_first_rule_changes_headers_and_where_none_go_out_nothing_is_changed(sandbox, api):
    sandbox.inject(headers={"set": {"X-A": "1"}})
    sandbox.inject(headers={"set": {"X-B": "1"}})
    reply = api.get(PLANS)
    assert ("x-a" in reply.headers, "x-b" in reply.headers) == (True, False)
    sandbox.inject(connection="empty")
    with pytest.raises(ConnectionError):
        api.get(PLANS)
    assert [each.fired for each in sandbox.requests[-1].decisions] == [False, False, True]


@cases(
    ("fault", "where", "why"),
    [
        ({"headers": {"set": {"X-A": "a\r\nSet-Cookie: b"}}}, "fault.headers.set.X-A", "printable ASCII in one line"),
        (
            {"headers": {"set": {"X A": "a"}}},
            "fault.headers.set.X A",
            "must be a header's name, such as X-RateLimit-Reset",
        ),
        (
            {"headers": {"remove": ["X:"]}},
            "fault.headers.remove[0]",
            "must be a header's name, such as X-RateLimit-Reset",
        ),
        ({"headers": {"remove": "X-A"}}, "fault.headers.remove", "must be an array"),
        (
            {"headers": {"set": {"Content-Length": "5"}}},
            "fault.headers.set.Content-Length",
            "frames the body and cannot be changed: use body",
        ),
        ({"headers": {}}, "fault.headers", "needs set or remove"),
        ({"bandwidth": 20}, "fault.bandwidth", "needs a unit: write 20B/s or 20KB/s"),
        ({"bandwidth": "20KB"}, "fault.bandwidth", "must be a bandwidth such as 8B/s, 20KB/s or 1MiB/s, not '20KB'"),
        ({"drip": {"chunks": 0, "over": "1s"}}, "fault.drip.chunks", "must be at least 1"),
        ({"drip": {"chunks": 3}}, "fault.drip.over", "is required"),
        (
            {"drip": {"chunks": 3, "over": "1s"}, "bandwidth": "1B/s"},
            "fault.drip",
            "is a second pace: a rule can have only one",
        ),
        ({"latency": {"median": "1s"}}, "fault.latency.p99", "is required"),
        ({"latency": {"median": "2s", "p99": "1s"}}, "fault.latency", "must go from the smaller to the larger"),
    ],
)
def test_what_cannot_be_said(sandbox, fault, where, why):
    with pytest.raises(ControlError) as refusal:
        sandbox.inject(**fault)
    assert why in refusal.value.details[where]


# ---- latency with a tail, and sizes


def test_a_tail_has_the_percentiles_that_it_names_and_no_more_than_its_most():
    tail = read_latency({"median": "80ms", "p99": "2s", "max": "5s"})
    times = [tail.time(n / 10_000) for n in range(10_000)]
    assert times == sorted(times)
    assert (tail.time(0.5), tail.time(0.99)) == (80_000, 2_000_000)
    assert (times[0] < 1_000, tail.time(1 - 2**-53)) == (True, 5_000_000)
    assert read_latency({"median": "1s", "p99": "1s"}).time(0.9) == 1_000_000


def test_a_tail_is_waited_and_named(sandbox, api):
    sandbox.inject(latency={"median": "1ms", "p99": "2ms", "max": "3ms"})
    assert api.get(PLANS).status == 200
    assert [each.fault for each in sandbox.requests[-1].faults] == ["latency={median: 1ms, p99: 2ms, max: 3ms}"]
    assert 0 < sandbox.requests[-1].delayed_ms <= 3


@cases(
    ("text", "count"),
    [("8B", 8), ("20KB", 20_000), ("1.5KB", 1500), ("64KiB", 65_536), ("1MB", 10**6), ("1GiB", 2**30)],
)
def test_sizes_are_bytes_and_so_are_bandwidths_a_second(text, count):
    assert (parse_size(text), parse_bandwidth(f"{text}/s")) == (count, count)
    assert parse_size(format_size(count)) == count


@cases("junk", [None, True, 5, "5", "-5B", "5 B", "5b", "0.5B", "0B", "9999999GB", "B", "", []])
def test_what_is_no_size_is_refused_with_an_example(junk):
    for parse in (parse_size, parse_bandwidth):
        with pytest.raises(ValueError, match=r"[0-9]+(B|KB)"):
            parse(junk)
