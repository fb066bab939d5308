"""The journal: every field of an entry, complete before its answer is, without a key in it, and of bounded size."""

import json
import re
import socket

import pytest

from cnx_mock import MockServer, Sandbox, Settings
from tests.cases import cases
from tests.conftest import INSTANCE, Client
from tests.waiting import until

LIST = "/v1/instances"
DIGITS = "0123456789abcdef" * 2
MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

FIELDS = [
    "seq",
    "request_id",
    "at",
    "wall",
    "connection",
    "secure",
    "method",
    "path",
    "query",
    "operation",
    "status",
    "duration_ms",
    "delayed_ms",
    "faults",
    "committed",
    "created_id",
    "performances",
    "request_headers",
    "request_body",
    "response_headers",
    "response_body",
    "decisions",
    "near_miss",
    "problem",
]


def entries(client: Client) -> list[dict]:
    """The journal as the control plane shows it: the sandbox's, or without a key the server's own."""
    return client.get("/_mock/requests").json["data"]


def test_an_entry_has_every_field_and_says_what_happened(sandbox, api):
    sandbox.clock.freeze()
    sandbox.call("PATCH", "/clock", {"now": "2100-01-01T00:00:00Z"})
    rule = sandbox.inject("instances.create", latency="1ms")
    reply = api.post(f"{LIST}?dry=no&x=%20", INSTANCE, headers={"X-Trace": "a"})
    (entry,) = entries(api)
    assert list(entry) == FIELDS
    assert entry["seq"] == 1
    assert entry["request_id"] == reply.headers["x-request-id"]
    assert entry["at"] == "2100-01-01T00:00:00.000Z"
    assert MILLISECONDS.fullmatch(entry["wall"])
    assert not entry["wall"].startswith("2100")
    assert (entry["method"], entry["path"], entry["query"]) == ("POST", LIST, "dry=no&x=%20")
    assert (entry["operation"], entry["status"], entry["committed"]) == ("instances.create", 201, True)
    assert entry["delayed_ms"] == 1
    assert entry["duration_ms"] >= 1
    assert entry["faults"] == [{"rule": rule.id, "fault": "latency=1ms"}]
    assert entry["decisions"] == [{"rule": rule.id, "fired": True, "reason": "match 1"}]
    assert json.loads(entry["request_body"]) == INSTANCE
    assert json.loads(entry["response_body"]) == reply.json
    assert ["x-trace", "a"] in entry["request_headers"]
    assert dict(entry["response_headers"]) == reply.headers


def test_python_sees_the_same_entry(sandbox, api):
    sandbox.inject("plans.list", latency="0s")
    api.get(LIST)
    (entry,) = sandbox.requests
    (shown,) = entries(api)
    faults, decisions = ([vars_of(each) for each in listed] for listed in (entry.faults, entry.decisions))
    assert {**{name: getattr(entry, name) for name in FIELDS}, "faults": faults, "decisions": decisions} == shown


def vars_of(part: object) -> dict[str, object]:
    return {name: getattr(part, name) for name in ("rule", "fired", "fault", "reason") if hasattr(part, name)}


def test_entries_stand_in_the_order_of_arrival_and_are_numbered(sandbox, api):
    ids = [api.get(path).headers["x-request-id"] for path in (LIST, "/v1/plans", "/v1/nowhere")]
    assert [(entry.seq, entry.request_id) for entry in sandbox.requests] == list(enumerate(ids, 1))
    assert [entry.wall for entry in sandbox.requests] == sorted(entry.wall for entry in sandbox.requests)


def test_who_has_the_answer_finds_the_entry_complete(sandbox, api):
    sandbox.inject(latency="1ms", at="after")
    for number in range(1, 50):
        reply = api.get(LIST)
        entry = sandbox.requests[-1]
        assert (entry.seq, entry.status) == (number, reply.status)
        assert entry.duration_ms is not None
        assert entry.response_body == reply.body.decode()


@cases(
    ("method", "path", "operation", "status"),
    [
        ("GET", LIST, "instances.list", 200),
        ("HEAD", LIST, "instances.list", 200),
        ("GET", f"{LIST}/gone", "instances.get", 404),
        ("DELETE", f"{LIST}/gone", "instances.delete", 404),
        ("POST", LIST, "instances.create", 400),
        ("PATCH", LIST, None, 405),
        ("GET", "/v1/nowhere%2Fat%20all", None, 404),
        ("GET", "/elsewhere", None, 404),
    ],
)
def test_reads_and_refusals_commit_nothing(sandbox, api, method, path, operation, status):
    api.call(method, path)
    (entry,) = sandbox.requests
    assert (entry.method, entry.path, entry.operation, entry.status) == (method, path, operation, status)
    assert entry.committed is False


def test_creating_and_deleting_commit(sandbox, api):
    made = api.create()["id"]
    api.delete(f"{LIST}/{made}")
    assert [(entry.committed, entry.created_id) for entry in sandbox.requests] == [(True, made), (True, None)]


def test_an_entry_names_what_a_lost_answer_has_created(sandbox, api):
    with sandbox.inject("instances.create", connection="reset", at="after"), pytest.raises(ConnectionResetError):
        api.create()
    (made,) = sandbox.state()["accounts"][0]["instances"]
    assert [(entry.status, entry.created_id) for entry in sandbox.requests] == [(None, made["id"])]


def test_what_the_rate_limit_refuses_is_journaled_too(sandbox, api):
    sandbox.account.rate_limit = "1/min"
    assert [api.get(LIST).status for _ in range(2)] == [200, 429]
    assert [entry.status for entry in sandbox.requests] == [200, 429]


def test_a_request_under_way_stands_in_the_journal_without_its_end(sandbox, api):
    sandbox.inject("instances.list", latency="30s")
    host, _, port = api.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as waiting:
        waiting.sendall(f"GET {LIST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode())
        (entry,) = until(lambda: [each for each in sandbox.requests if each.faults])
    assert (entry.status, entry.duration_ms, entry.delayed_ms, entry.committed) == (None, None, 30_000, False)
    assert (entry.response_headers, entry.response_body) == ([], None)
    assert [each.fault for each in entry.faults] == ["latency=30s"]


def test_a_wire_that_was_cut_carried_no_status_and_no_answer(sandbox, api):
    sandbox.inject("instances.create", connection="reset", at="after")
    with pytest.raises(ConnectionResetError):
        api.post(LIST, INSTANCE)
    (entry,) = sandbox.requests
    assert (entry.status, entry.committed, entry.response_headers, entry.response_body) == (None, True, [], None)
    assert entry.duration_ms is not None


# ---- what is kept of bodies and keys


def test_of_the_key_only_its_end_is_kept(api):
    api.get(LIST)
    (entry,) = entries(api)
    assert ["authorization", f"Bearer cnx_test_…{api.key[-4:]}"] in entry["request_headers"]
    assert api.key not in json.dumps(entry)


@cases("where", ["path", "query", "header", "body"])
def test_a_live_key_is_masked_wherever_it_stands(api, where):
    live = f"cnx_live_{DIGITS}"
    path = {"path": f"/v1/{live}", "query": f"{LIST}?key={live}"}.get(where, LIST)
    headers = {"X-Other": live} if where == "header" else {}
    api.post(path, {"name": live} if where == "body" else {}, headers=headers)
    shown = json.dumps(entries(api))
    assert DIGITS not in shown
    assert "cnx_live_" in shown


def test_bodies_are_shown_as_text_whatever_they_are(sandbox, api):
    api.post(LIST, raw=b"\xff\x00{")
    api.get(LIST)
    assert [entry.request_body for entry in sandbox.requests] == ["\ufffd\x00{", None]


def test_the_body_of_a_head_is_not_what_was_sent_but_what_it_speaks_of(sandbox, api):
    reply = api.call("HEAD", LIST)
    entry = sandbox.requests[-1]
    assert reply.body == b""
    assert dict(entry.response_headers)["content-length"] == reply.headers["content-length"]


def test_long_bodies_are_shown_in_part(sandbox, api):
    tags = [f"{number:02}{'x' * 61}" for number in range(50)]
    for _ in range(30):
        sandbox.instances.add(tags=tags)
    reply = api.get(f"{LIST}?limit=100")
    shown = sandbox.requests[-1].response_body
    assert len(reply.body) > len(shown) == 64 * 1024
    assert reply.body.decode().startswith(shown)


def test_the_journal_keeps_the_last_so_many():
    with MockServer(settings=Settings(port=0, journal_size=3)) as server:
        sandbox = server.sandbox()
        client = Client(server.url, sandbox.api_key)
        first = client.get(LIST).headers["x-request-id"]
        for _ in range(4):
            client.get(LIST)
        assert [entry.seq for entry in sandbox.requests] == [3, 4, 5]
        assert client.get(f"/_mock/requests/{first}").status == 404
        assert Client(server.url).get("/_mock/sandboxes").json["data"][0]["requests"] == 5


# ---- decisions


@pytest.mark.filterwarnings("ignore::cnx_mock.ScenarioWarning")  # it is meant never to fire
def test_every_rule_in_force_says_why_it_did_not_mean_a_request(sandbox, api):
    sandbox.inject("instances.create", error="INTERNAL_ERROR", id="a")
    sandbox.inject(match={"method": "POST"}, error="INTERNAL_ERROR", id="b")
    sandbox.inject(error="INTERNAL_ERROR", probability=0, id="c")
    api.get(LIST)
    said = {each.rule: (each.fired, each.reason) for each in sandbox.requests[-1].decisions}
    assert said["a"] == (False, "operation is instances.list, not instances.create")
    assert said["b"] == (False, "method is GET, not POST")
    assert said["c"][0] is False
    assert said["c"][1].startswith("draw ")


def reasons(sandbox: Sandbox) -> list[list[str]]:
    return [[each.reason for each in entry.decisions] for entry in sandbox.requests]


def test_a_rule_changed_later_does_not_rewrite_what_older_entries_say(sandbox, api):
    sandbox.inject("instances.create", latency="0s", id="a")
    api.get(LIST)
    sandbox.call("PATCH", "/rules/a", {"match": {"operation": "instances.list"}})
    api.get(LIST)
    api.get("/v1/plans")
    assert reasons(sandbox) == [
        ["operation is instances.list, not instances.create"],
        ["match 1"],
        ["operation is plans.list, not instances.list"],
    ]


def test_rules_that_are_gone_or_new_change_no_older_entry(sandbox, api):
    with sandbox.inject("instances.list", latency="0s"):
        api.get(LIST)
    sandbox.inject("plans.list", latency="0s")
    assert reasons(sandbox) == [["match 1"]]


# ---- the server's own


def own_entry(server: MockServer) -> tuple[dict, str]:
    """The only entry of the server's own journal, and what it says of the key."""
    (entry,) = entries(Client(server.url))
    (key,) = (value for name, value in entry["request_headers"] if name == "authorization")
    return entry, key


@pytest.mark.parametrize(
    ("header", "status", "said"),
    [
        (None, 401, "missing"),
        ("nonsense", 401, "malformed"),
        ("Bearer cnx_test_short", 401, "malformed"),
        (f"Basic cnx_test_{DIGITS}", 401, "malformed"),
        (f"Bearer cnx_live_{DIGITS}", 403, "live"),
        ("Bearer cnx_test_401" + "0" * 29, 401, "revoked"),
    ],
)
def test_what_reached_no_sandbox_stands_in_the_servers_own_journal(own_server, header, status, said):
    reply = Client(own_server.url).post(LIST, INSTANCE, headers={} if header is None else {"Authorization": header})
    entry, key = own_entry(own_server)
    assert (reply.status, entry["status"], key) == (status, status, said)
    assert entry["request_id"] == reply.headers["x-request-id"] == reply.error["request_id"]
    assert (entry["at"], entry["operation"], entry["committed"], entry["decisions"]) == (None, None, False, [])
    assert DIGITS not in json.dumps(entry)


def test_what_was_too_large_before_its_key_was_read_stands_there_too(own_server):
    sandbox = own_server.sandbox()
    reply = Client(own_server.url, sandbox.api_key).post(LIST, raw=b"x" * (64 * 1024 + 1))
    entry, key = own_entry(own_server)
    assert (reply.status, entry["status"]) == (413, 413)
    assert key == f"Bearer cnx_test_…{sandbox.api_key[-4:]}"
    assert sandbox.requests == []


def test_a_key_that_is_not_known_stands_there_with_its_end():
    with MockServer(settings=Settings(port=0, known_keys_only=True)) as server:
        assert Client(server.url, f"cnx_test_{DIGITS}").get(LIST).details == {"reason": "unknown_key"}
        assert own_entry(server)[1] == "Bearer cnx_test_…cdef"
