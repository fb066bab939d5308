"""The control plane: every call with a key and without, good bodies and bad ones, for this machine only."""

import json
import socket
import threading
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox
from tests.cases import cases
from tests.conftest import INSTANCE, Client, Reply
from tests.waiting import until

KEY = "cnx_test_" + "ab" * 16
LIST = "/v1/instances"


@pytest.fixture
def control(sandbox: Sandbox) -> Client:
    """Calls with the sandbox's key, for `mock` and `done`, whose paths begin behind `/_mock`."""
    return Client(sandbox.url, sandbox.api_key)


@pytest.fixture
def ours(own_server: MockServer) -> Client:
    """Calls without a key, to a server that no other test uses: they speak of the server and of its defaults."""
    return Client(own_server.url)


def mock(client: Client, method: str, path: str, body: Any = None, **more: Any) -> Reply:
    return client.call(method, f"/_mock{path}", body, **more)


def done(client: Client, method: str, path: str, body: Any = None) -> Any:
    """The answer of a call that has to work."""
    reply = mock(client, method, path, body)
    assert reply.status in (200, 201), reply.body
    return reply.json


def wrong(reply: Reply) -> dict[str, str]:
    """What a refusal says of each field."""
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR"), reply.body
    return reply.details


# ---- what a call may leave out, and what it may not add


def test_a_post_that_need_say_nothing_needs_no_body(control, ours):
    assert done(ours, "POST", "/sandboxes")["api_key"].startswith("cnx_test_")
    assert done(control, "POST", "/instances")["status"] == "running"
    assert done(control, "POST", "/recover")
    assert mock(control, "POST", "/clock/advance").details == {"reason": "the body is empty"}
    for method, path in (("POST", "/rules"), ("PUT", "/scenario"), ("PATCH", "/clock"), ("PUT", "/state")):
        assert mock(control, method, path).details == {"reason": "the body is empty"}


def test_a_name_in_the_query_that_a_call_does_not_read_is_refused(control):
    assert wrong(mock(control, "GET", "/requests?limt=5&since=0")) == {
        "limt": "unknown parameter, did you mean 'limit'?"
    }
    assert wrong(mock(control, "GET", "/requests?operation=instance.list")) == {
        "operation": "no operation is called 'instance.list', did you mean 'instances.list'?"
    }
    assert done(control, "GET", "/requests?operation=instances.*") == {"data": []}
    assert wrong(mock(control, "GET", "/clock?x=1&y")) == {"x": "unknown parameter", "y": "unknown parameter"}
    assert done(control, "GET", "/requests?limit=5") == {"data": []}


# ---- who may call


def test_health_needs_no_key(ours):
    before = done(ours, "GET", "/health")
    assert before == {
        "status": "ok",
        "version": before["version"],
        "uptime_seconds": before["uptime_seconds"],
        "sandboxes": 0,
        "require_tls": False,
        "tls_url": None,
        "proxy_url": None,
        "ca_path": None,
        "refused_hosts": [],
        "log_lines_dropped": 0,
        "bounds": before["bounds"],
    }
    done(ours, "POST", "/sandboxes", {})
    assert done(ours, "GET", "/health")["sandboxes"] == 1


@cases(
    "host",
    ["localhost", "LocalHost:4269", "127.0.0.1", "127.0.0.1:4269", "127.8.9.10:1", "[::1]", "[::1]:4269"],
)
def test_loopback_names_are_let_in(wire, host):
    assert wire(f"GET /_mock/health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())[0] == 200


@cases(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "localhost.evil.example:4269",
        "127.0.0.1.evil.example",
        "10.0.0.1:4269",
        "0.0.0.0",
        "[2001:db8::1]:4269",
    ],
)
def test_other_names_are_refused_so_that_no_web_page_gets_in(wire, host):
    status, _, body = wire(f"GET /_mock/health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (403, "CONTROL_HOST_REFUSED")
    assert "key" not in error["message"].lower()


@cases("path", ["/health", "/rules", "/reset", "/nowhere"])
def test_a_live_key_is_refused_and_never_echoed(sandbox, path):
    live = "cnx_live_" + "0123456789abcdef" * 2
    reply = mock(Client(sandbox.url, live), "POST", path, {})
    assert (reply.status, reply.error["code"]) == (403, "LIVE_KEY_REJECTED")
    assert live.encode() not in reply.body


@cases("key", ["cnx_test_short", "cnx_test_" + "AB" * 16, "nonsense", ""])
def test_a_malformed_key_is_no_key_at_all(sandbox, key):
    reply = mock(Client(sandbox.url, key), "GET", "/rules")
    assert (reply.status, reply.details) == (401, {"reason": "malformed_key"})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/clock/advance", {"by": "1s"}),
        ("POST", "/instances", {}),
        ("PATCH", "/instances/inst_0", {"status": "stopped"}),
    ],
)
def test_what_makes_sense_only_with_a_key_asks_for_one(ours, method, path, body):
    reply = mock(ours, method, path, body)
    assert (reply.status, reply.details) == (401, {"reason": "missing_key"})


@pytest.mark.parametrize("fate", ["401", "403", "429", "500"])
def test_the_control_plane_answers_for_every_magic_key(own_server, fate):
    client = Client(own_server.url, "cnx_test_" + fate.ljust(32, "0"))
    assert mock(client, "GET", "/account").status == 200
    assert mock(client, "PUT", "/rules/x", {"fault": {"latency": "0s"}}).status == 201


def test_a_key_not_seen_before_makes_its_sandbox(own_server, ours):
    assert done(Client(own_server.url, KEY), "GET", "/account")["plan"] == "professional"
    assert [each["last4"] for each in done(ours, "GET", "/sandboxes")["data"]] == ["abab"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/rules/", 404), ("PATCH", "/health", 405), ("POST", "/clock", 405)],
)
def test_wrong_paths_and_methods_get_the_errors_of_the_api(control, method, path, status):
    assert mock(control, method, path, {}).status == status


def test_a_near_miss_of_a_path_gets_the_right_one(control):
    assert mock(control, "GET", "/scenaro").details == {"path": "/_mock/scenaro, did you mean '/_mock/scenario'?"}


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"by": NaN}', b'{"by": "1s", "by": "2s"}', b"\xff"])
def test_a_body_that_cannot_be_read_is_400(control, raw):
    reply = mock(control, "POST", "/clock/advance", raw=raw)
    assert (reply.status, reply.error["code"]) == (400, "BAD_REQUEST")


def test_calls_are_never_journaled_counted_or_faulted(sandbox, api, control):
    sandbox.account.rate_limit = "1/min"
    sandbox.inject(error="INTERNAL_ERROR")
    for path in ("/health", "/rules", "/requests", "/nowhere"):
        assert "x-ratelimit-limit" not in mock(control, "GET", path).headers
    assert sandbox.requests == []
    assert api.get(LIST).headers["x-ratelimit-remaining"] == "0"
    assert mock(control, "GET", "/requests").status == 200


def test_a_head_is_a_get_without_its_body(control):
    reply = mock(control, "HEAD", "/account")
    assert (reply.status, reply.body) == (200, b"")


# ---- sandboxes


def test_a_fresh_sandbox_has_a_key_of_its_own(own_server, ours):
    made = done(ours, "POST", "/sandboxes", {"name": "mine", "seed": 5, "scenario": "rate-limited"})
    listed = done(ours, "GET", "/sandboxes")["data"]
    assert listed == [
        {
            "id": made["id"],
            "account_id": made["account_id"],
            "name": "mine",
            "last4": made["api_key"][-4:],
            "instances": 0,
            "requests": 0,
            "dropped": 0,
            "rules": 0,
            "idle_seconds": 0,
        }
    ]
    assert Client(own_server.url, made["api_key"]).get(LIST).headers["x-ratelimit-limit"] == "5"


def test_the_list_counts_what_a_sandbox_has(own_server, ours):
    client = Client(own_server.url, KEY)
    client.create()
    done(client, "PUT", "/rules/a", {"fault": {"latency": "0s"}})
    (listed,) = done(ours, "GET", "/sandboxes")["data"]
    assert (listed["instances"], listed["requests"], listed["rules"]) == (1, 1, 1)
    assert listed["name"] is None


def test_the_same_name_and_seed_see_the_same_ids(own_server):
    def first_id() -> str:
        sandbox = own_server.sandbox(name="again", seed=9)
        return Client(own_server.url, sandbox.api_key).create()["id"]

    assert first_id() == first_id()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"sed": 1}, {"sed": "unknown field, did you mean 'seed'?"}),
        ({"seed": -1}, {"seed": "must be at least 0"}),
        ({"seed": True}, {"seed": "must be an integer"}),
        ({"name": ""}, {"name": "must have at least 1 character"}),
        ({"name": "#1"}, {"name": "must not begin with #: only the server gives such names"}),
        ({"fixture": "nope"}, {"fixture": "must be one of: empty, fleet, small-team"}),
        ({"scenario": 5}, {"scenario": "must be a name, a scenario, or a list of them"}),
        (
            {"scenario": {"rules": [{"fault": {"eror": 1}}]}},
            {"rules[0].fault.eror": "unknown key, did you mean 'error'?"},
        ),
    ],
)
def test_a_bad_sandbox_is_refused(own_server, ours, body, expected):
    assert wrong(mock(ours, "POST", "/sandboxes", body)) == expected
    assert done(ours, "GET", "/health")["sandboxes"] == 0


def test_a_misspelt_scenario_gets_the_right_name(ours):
    details = wrong(mock(ours, "POST", "/sandboxes", {"scenario": "flaky-netwrk"}))
    assert details["scenario"].endswith("did you mean 'flaky-network'?")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/reset"), ("DELETE", "/rules"), ("GET", "/clock"), ("DELETE", "/requests")]
)
def test_a_body_that_a_call_does_not_read_is_refused(ours, method, path):
    reason = f"{method} /_mock{path} takes no body: leave it out"
    assert mock(ours, method, path, {"scenario": "calm"}).details == {"reason": reason}
    assert mock(ours, method, path, {}).status == 200


# ---- the clock


def test_the_clock_is_read_stopped_and_moved_on(sandbox, control):
    frozen = done(control, "PATCH", "/clock", {"frozen": True, "speed": 60})
    assert (frozen["frozen"], frozen["speed"]) == (True, 60.0)
    now = done(control, "PATCH", "/clock", {"now": "2100-01-01T00:00:00Z"})["now"]
    assert now == "2100-01-01T00:00:00.000Z"
    assert done(control, "POST", "/clock/advance", {"by": "1m30s"})["now"] == "2100-01-01T00:01:30.000Z"
    assert done(control, "GET", "/clock") == {"now": "2100-01-01T00:01:30.000Z", "speed": 60.0, "frozen": True}


def test_when_advance_answers_everything_due_has_happened(sandbox, api, control):
    path = f"{LIST}/{api.create()['id']}"
    done(control, "POST", "/clock/advance", {"by": "60s"})
    assert api.get(path).json["status"] == "running"


def test_time_never_goes_back(control):
    before = done(control, "PATCH", "/clock", {"now": "2100-01-01T00:00:00Z", "frozen": True})
    reply = mock(control, "PATCH", "/clock", {"now": "2099-12-31T23:59:59Z", "speed": 5})
    assert wrong(reply) == {"now": "a sandbox's time never goes back"}
    assert done(control, "GET", "/clock") == before


@pytest.mark.parametrize(
    ("path", "body", "field", "message"),
    [
        ("/clock", {"sped": 2}, "sped", "unknown field, did you mean 'speed'?"),
        ("/clock", {"speed": 0}, "speed", "must be above 0"),
        ("/clock", {"speed": 1_000_001}, "speed", "must be at most 1000000"),
        ("/clock", {"frozen": 1}, "frozen", "must be true or false"),
        ("/clock", {"now": "2026-01-01"}, "now", "must be an instant"),
        ("/clock", {"now": "9999-01-01T00:00:00Z"}, "now", "the time must be before the year 9999"),
        ("/clock/advance", {}, "by", "is required"),
        ("/clock/advance", {"by": 45}, "by", "needs a unit"),
        ("/clock/advance", {"by": "-1s"}, "by", "it cannot be negative"),
        ("/clock/advance", {"by": "1s", "to": 1}, "to", "unknown field"),
    ],
)
def test_a_bad_change_of_the_clock_is_refused(control, path, body, field, message):
    method = "PATCH" if path == "/clock" else "POST"
    details = wrong(mock(control, method, path, body))
    assert list(details) == [field]
    assert message in details[field]


def test_without_a_key_the_clock_is_that_of_new_sandboxes(own_server, ours):
    old = own_server.sandbox()
    done(ours, "PATCH", "/clock", {"now": "2031-05-01T00:00:00Z", "frozen": True, "speed": 2})
    new = own_server.sandbox()
    assert new.clock.now.isoformat() == "2031-05-01T00:00:00+00:00"
    assert new.clock.speed == 2
    assert old.clock.now.year != 2031
    assert done(ours, "GET", "/clock") == {"now": "2031-05-01T00:00:00.000Z", "speed": 2.0, "frozen": True}


# ---- the account


def test_the_account_is_read_and_changed(sandbox, api, control):
    assert done(control, "GET", "/account")["rate_limit"] == "300/min"
    change = {"plan": "starter", "balance": "$5.03", "scopes": ["instances:read"]}
    assert done(control, "PATCH", "/account", change) == {**change, "rate_limit": "60/min"}
    assert api.get(LIST).headers["x-ratelimit-limit"] == "60"
    assert api.post(LIST, INSTANCE).error["code"] == "FORBIDDEN"
    assert done(control, "PATCH", "/account", {"rate_limit": "7/min"})["rate_limit"] == "7/min"


def test_a_balance_holds_from_now_on(sandbox, api, control):
    done(control, "PATCH", "/account", {"balance": "$5.03"})
    assert [api.post(LIST, INSTANCE).status for _ in range(2)] == [201, 403]
    done(control, "PATCH", "/account", {"balance": "$5.00"})
    assert api.post(LIST, INSTANCE).status == 201


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"blance": "$1.00"}, "blance", "unknown field, did you mean 'balance'?"),
        ({"balance": 5.0}, "balance", "must be an amount of money"),
        ({"plan": "profesional"}, "plan", "did you mean 'professional'?"),
        ({"rate_limit": 5}, "rate_limit", "such as 60/min"),
        ({"scopes": ["instances:raed"]}, "scopes[0]", "did you mean 'instances:read'?"),
    ],
)
def test_a_bad_account_is_refused_and_nothing_changes(control, body, field, message):
    before = done(control, "GET", "/account")
    details = wrong(mock(control, "PATCH", "/account", {"plan": "starter", **body}))
    assert list(details) == [field]
    assert message in details[field]
    assert done(control, "GET", "/account") == before


def test_without_a_key_the_account_is_that_of_new_sandboxes(own_server, ours):
    old = own_server.sandbox()
    change = {"plan": "enterprise", "balance": "$0.00", "rate_limit": "9/min", "scopes": ["instances:read"]}
    assert done(ours, "PATCH", "/account", change) == change
    assert done(ours, "GET", "/account") == change
    assert done(Client(own_server.url, own_server.sandbox().api_key), "GET", "/account") == change
    assert old.account.plan == "professional"


# ---- instances, from outside


def test_an_instance_can_simply_be_there(sandbox, api, control):
    sandbox.account.balance = "$0.00"
    reply = mock(control, "POST", "/instances", {"name": "web-1", "tags": ["web"]})
    assert (reply.status, reply.json["status"], reply.json["name"]) == (201, "running", "web-1")
    assert api.get(reply.headers["location"]).json == reply.json
    assert sandbox.requests[-1].operation == "instances.get"


@pytest.mark.parametrize("status", ["provisioning", "running", "stopped"])
def test_an_instance_is_added_in_any_status(api, control, status):
    added = done(control, "POST", "/instances", {"status": status})
    assert api.get(f"{LIST}/{added['id']}").json["status"] == status


def test_an_instance_is_stopped_and_started(api, control):
    instance = api.create()
    for status in ("stopped", "running", "stopped"):
        assert done(control, "PATCH", f"/instances/{instance['id']}", {"status": status})["status"] == status
        assert [each["status"] for each in api.get(f"{LIST}?status={status}").json["data"]] == [status]


@pytest.mark.parametrize(
    ("body", "field"),
    [({"status": "broken"}, "status"), ({"nam": "x"}, "nam"), ({"region": "moon"}, "region"), ({"name": "-"}, "name")],
)
def test_a_bad_instance_is_refused(api, control, body, field):
    assert list(wrong(mock(control, "POST", "/instances", body))) == [field]
    assert api.get(LIST).json["data"] == []


def test_only_an_instance_that_exists_can_be_changed(api, control):
    reply = mock(control, "PATCH", "/instances/inst_0", {"status": "stopped"})
    assert (reply.status, reply.details) == (404, {"resource": "instance", "id": "inst_0"})
    instance = api.create()
    for body, field in (({}, "status"), ({"status": "provisioning"}, "status"), ({"status": "stopped", "x": 1}, "x")):
        assert list(wrong(mock(control, "PATCH", f"/instances/{instance['id']}", body))) == [field]


# ---- rules

FAULT = {"fault": {"error": "INTERNAL_ERROR"}}


def test_a_rule_is_put_read_and_deleted(api, control):
    reply = mock(control, "PUT", "/rules/a", {**FAULT, "times": 1})
    assert (reply.status, reply.headers["location"]) == (201, "/_mock/rules/a")
    assert api.get(LIST).status == 500
    state = done(control, "GET", "/rules/a")
    assert (state["id"], state["origin"], state["matched"], state["fired"]) == ("a", "injected", 1, 1)
    assert state["rule"] == {**FAULT, "times": 1, "id": "a"}
    assert done(control, "DELETE", "/rules/a") == {"id": "a", "deleted": True}
    assert mock(control, "GET", "/rules/a").details == {"resource": "rule", "id": "a"}


def test_a_rule_put_again_starts_anew(api, control):
    done(control, "PUT", "/rules/a", {**FAULT, "times": 1})
    assert [api.get(LIST).status for _ in range(2)] == [500, 200]
    reply = mock(control, "PUT", "/rules/a", {**FAULT, "times": 1})
    assert (reply.status, reply.json["matched"], reply.json["fired"]) == (200, 0, 0)
    assert api.get(LIST).status == 500


def test_a_rule_that_is_replaced_keeps_its_place(control):
    for name in ("a", "b", "a"):
        done(control, "PUT", f"/rules/{name}", FAULT)
    assert [each["id"] for each in done(control, "GET", "/rules")["data"]] == ["a", "b"]


def test_a_rule_that_is_changed_keeps_its_counters(api, control):
    done(control, "PUT", "/rules/a", {**FAULT, "times": 2})
    assert api.get(LIST).status == 500
    changed = done(control, "PATCH", "/rules/a", {"fault": {"error": "NOT_FOUND"}})
    assert (changed["matched"], changed["fired"], changed["rule"]["times"]) == (1, 1, 2)
    assert [api.get(LIST).status for _ in range(2)] == [404, 200]


def test_a_bad_change_leaves_a_rule_as_it_was(api, control):
    done(control, "PUT", "/rules/a", FAULT)
    assert wrong(mock(control, "PATCH", "/rules/a", {"tims": 1})) == {"tims": "unknown key, did you mean 'times'?"}
    assert wrong(mock(control, "PATCH", "/rules/a", {"id": "b"})) == {"id": "is a in the path"}
    assert done(control, "GET", "/rules/a")["rule"] == {**FAULT, "id": "a"}
    assert mock(control, "PATCH", "/rules/b", FAULT).status == 404


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, {"body": "needs fault or sequence"}),
        ({**FAULT, "id": "b"}, {"id": "is a in the path"}),
        ({**FAULT, "mach": {}}, {"mach": "unknown key, did you mean 'match'?"}),
        (
            {"fault": {"eror": 1}, "times": 0},
            {"fault.eror": "unknown key, did you mean 'error'?", "times": "must be at least 1"},
        ),
        (
            {**FAULT, "match": {"operation": ["instances.creat"]}},
            {"match.operation[0]": "no operation is called 'instances.creat', did you mean 'instances.create'?"},
        ),
        ({"fault": {"latency": 5}}, {"fault.latency": "needs a unit: write 5s or 5ms"}),
    ],
)
def test_a_bad_rule_is_refused_with_every_mistake(control, rule, expected):
    assert wrong(mock(control, "PUT", "/rules/a", rule)) == expected
    assert done(control, "GET", "/rules")["data"] == []


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1, 10**400])
def test_numbers_that_no_answer_could_show_are_refused(control, number):
    for rule in ({**FAULT, "times": number}, {**FAULT, "match": {"body": {"n": [1, number]}}}):
        assert wrong(mock(control, "PUT", "/rules/a", rule))
    for story in ({"seed": number}, {"world": {"quotas": {"instances": number}}}):
        assert wrong(mock(control, "PUT", "/scenario", story))
    assert done(control, "GET", "/rules")["data"] == []
    assert done(control, "GET", "/scenario")["scenario"] == {}


@pytest.mark.parametrize("name", ["a.b:c-d_e", "a%3Ab", "%61"])
def test_ids_may_be_percent_encoded(control, name):
    plain = name.replace("%3A", ":").replace("%61", "a")
    assert done(control, "PUT", f"/rules/{name}", FAULT)["id"] == plain
    assert done(control, "PATCH", f"/rules/{name}", {"times": 1})["id"] == plain
    assert done(control, "DELETE", f"/rules/{name}")["id"] == plain


@pytest.mark.parametrize("name", ["a%20b", "-a", "a%2Fb", "a" * 101])
def test_other_ids_are_refused(control, name):
    assert list(wrong(mock(control, "PUT", f"/rules/{name}", FAULT))) == ["id"]


def test_delete_of_all_leaves_the_rules_of_the_scenario(server, client):
    sandbox = server.sandbox({"rules": [{"id": "told", **FAULT}]})
    control = client(sandbox.url, sandbox.api_key)
    for name in ("a", "b"):
        done(control, "PUT", f"/rules/{name}", FAULT)
    assert done(control, "DELETE", "/rules") == {"deleted": 2}
    assert [(each["id"], each["origin"]) for each in done(control, "GET", "/rules")["data"]] == [("told", "scenario")]
    assert list(wrong(mock(control, "PUT", "/rules/told", FAULT))) == ["id"]
    assert done(control, "DELETE", "/rules/told")["deleted"] is True


def test_without_a_key_rules_are_those_of_new_sandboxes(own_server, ours):
    old = own_server.sandbox()
    assert mock(ours, "PUT", "/rules/a", FAULT).status == 201
    assert done(ours, "PATCH", "/rules/a", {"times": 1})["rule"]["times"] == 1
    new = own_server.sandbox()
    replies = [Client(own_server.url, key).get(LIST).status for key in (old.api_key, new.api_key, new.api_key)]
    assert replies == [200, 500, 200]
    assert done(ours, "DELETE", "/rules/a") == {"id": "a", "deleted": True}
    assert done(ours, "GET", "/rules")["data"] == []


def test_delete_of_all_rules_without_a_key_is_for_every_sandbox(own_server, ours):
    one, two = own_server.sandbox(), own_server.sandbox()
    for sandbox in (one, two):
        sandbox.inject(error="INTERNAL_ERROR")
    done(ours, "PUT", "/rules/a", FAULT)
    assert done(ours, "DELETE", "/rules")["deleted"] >= 2
    assert [Client(own_server.url, each.api_key).get(LIST).status for each in (one, two, own_server.sandbox())] == [
        200
    ] * 3


# ---- scenarios


def test_a_scenario_is_used_by_name_and_shown(api, control):
    used = done(control, "PUT", "/scenario", {"name": "rate-limited"})
    assert (used["name"], used["phase"]) == ("rate-limited", None)
    assert used["description"]
    assert done(control, "GET", "/scenario") == used
    assert api.get(LIST).headers["x-ratelimit-limit"] == "5"


def test_a_scenario_can_stand_in_the_body(api, control):
    story = {"name": "mine", "rules": [{"id": "a", **FAULT}], "world": {"balance": "$1.00", "quotas": {"instances": 1}}}
    assert done(control, "PUT", "/scenario", story)["scenario"] == story
    assert api.get(LIST).status == 500
    assert done(control, "GET", "/account")["balance"] == "$1.00"


def test_a_scenario_takes_the_place_of_the_former_and_injected_rules_stay(api, control):
    done(control, "PUT", "/rules/mine", FAULT)
    done(control, "PUT", "/scenario", {"rules": [{"id": "one", **FAULT}]})
    done(control, "PUT", "/scenario", {"rules": [{"id": "two", **FAULT}]})
    assert [each["id"] for each in done(control, "GET", "/rules")["data"]] == ["mine", "two"]
    done(control, "DELETE", "/scenario")
    assert [each["id"] for each in done(control, "GET", "/rules")["data"]] == ["mine"]


def test_a_scenario_on_a_living_sandbox_acts_at_once(sandbox, api, control):
    api.create()
    world = {"plan": "starter", "balance": "$3.00", "quotas": {"instances": 0}, "clock": {"frozen": True, "speed": 3}}
    done(control, "PUT", "/scenario", {"world": world, "provisioning": {"instance": "never"}})
    assert api.get(LIST).headers["x-ratelimit-limit"] == "60"
    assert (sandbox.account.balance, sandbox.clock.speed) == ("$3.00", 3)
    assert api.post(LIST, INSTANCE).error["code"] == "QUOTA_EXCEEDED"


def test_the_start_of_a_clock_needs_an_untouched_sandbox(sandbox, api, control):
    story = {"world": {"clock": {"start": "2031-01-01T00:00:00Z", "frozen": True}}}
    done(control, "PUT", "/scenario", story)
    assert done(control, "GET", "/clock")["now"] == "2031-01-01T00:00:00.000Z"
    api.create()
    reply = mock(control, "PUT", "/scenario", {**story, "rules": [{"id": "a", **FAULT}]})
    assert (reply.status, reply.error["code"]) == (400, "INVALID_STATE")
    assert reply.details == {
        "resource": "sandbox",
        "state": "used",
        "required": "untouched",
        "reason": "world.clock.start and world.fixture need a new sandbox, or one that was just reset",
    }
    assert done(control, "GET", "/rules")["data"] == []
    done(control, "POST", "/reset")
    done(control, "PUT", "/scenario", story)


def test_the_start_of_a_clock_moves_no_rate_window(sandbox, api, control):
    api.get(LIST)
    sandbox.clock.advance("59s")
    done(control, "PUT", "/scenario", {"world": {"clock": {"start": "2031-01-01T00:00:00Z"}}})
    sandbox.account.rate_limit = "1/min"
    assert api.get(LIST).headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("story", "field", "message"),
    [
        ({"name": "calmm"}, "name", "did you mean 'calm'?"),
        ({"nam": "x"}, "nam", "did you mean 'name'?"),
        ({"rules": [{"fault": {"error": "NOT_FOND"}}]}, "rules[0].fault.error", "did you mean 'NOT_FOUND'?"),
        ({"name": "x", "world": {"balance": "5"}}, "world.balance", "must be an amount of money"),
    ],
)
def test_a_bad_scenario_is_refused_and_the_former_stays(control, story, field, message):
    done(control, "PUT", "/scenario", {"name": "rate-limited"})
    details = wrong(mock(control, "PUT", "/scenario", story))
    assert list(details) == [field]
    assert message in details[field]
    assert done(control, "GET", "/scenario")["name"] == "rate-limited"


def test_a_scenario_cannot_take_the_id_of_an_injected_rule(control):
    done(control, "PUT", "/rules/a", FAULT)
    assert wrong(mock(control, "PUT", "/scenario", {"rules": [{"id": "a", **FAULT}]}))
    assert [each["origin"] for each in done(control, "GET", "/rules")["data"]] == ["injected"]


def test_without_a_key_the_scenario_is_that_of_new_sandboxes(own_server, ours):
    old = own_server.sandbox()
    done(ours, "PUT", "/scenario", {"name": "insufficient-credits"})
    assert done(ours, "GET", "/scenario")["name"] == "insufficient-credits"
    assert (own_server.sandbox().account.balance, old.account.balance) == ("$2.45", "$100.00")
    done(ours, "DELETE", "/scenario")
    assert own_server.sandbox().account.balance == "$100.00"


# ---- the journal


def test_the_journal_is_filtered(api, control):
    for path in (LIST, "/v1/plans", "/v1/nowhere", LIST):
        api.get(path)

    def paths(query: str) -> list[str]:
        return [entry["path"] for entry in done(control, "GET", f"/requests{query}")["data"]]

    assert paths("") == [LIST, "/v1/plans", "/v1/nowhere", LIST]
    assert paths("?since=2") == ["/v1/nowhere", LIST]
    assert paths("?operation=plans.list") == ["/v1/plans"]
    assert paths("?operation=*.list") == [LIST, "/v1/plans", LIST]
    assert paths("?status=404") == ["/v1/nowhere"]
    assert paths("?limit=1") == [LIST]
    assert paths("?since=1&limit=1") == ["/v1/plans"]
    assert paths("?limit=0") == []
    assert paths("?status=200&operation=instances.*&since=1") == [LIST]


@pytest.mark.parametrize("query", ["since=x", "limit=-1", "status=%EF%BC%91", "since=1_0"])
def test_a_bad_filter_is_refused(control, query):
    assert list(wrong(mock(control, "GET", f"/requests?{query}")).values()) == ["must be a whole number"]


def test_one_exchange_is_found_by_its_request_id(api, control):
    request_id = api.get(LIST).headers["x-request-id"]
    assert done(control, "GET", f"/requests/{request_id}")["path"] == LIST
    assert mock(control, "GET", "/requests/req_0").details == {"resource": "request", "id": "req_0"}


def test_the_journal_is_emptied_and_numbering_goes_on(sandbox, api, control):
    api.get(LIST)
    assert done(control, "DELETE", "/requests") == {"deleted": 1}
    api.get(LIST)
    assert [entry.seq for entry in sandbox.requests] == [2]


def test_without_a_key_the_journal_is_the_servers_own_and_delete_is_for_all(own_server, ours):
    sandbox = own_server.sandbox()
    Client(own_server.url, sandbox.api_key).get(LIST)
    ours.get(LIST)
    assert [entry["status"] for entry in done(ours, "GET", "/requests")["data"]] == [401]
    assert done(ours, "DELETE", "/requests") == {"deleted": 2}
    assert sandbox.requests == []


# ---- reset


def test_a_reset_sandbox_is_as_it_was_made(server, client):
    sandbox = server.sandbox("rate-limited", name="as made", seed=3)
    api = client(sandbox.url, sandbox.api_key)
    first = api.create()
    sandbox.inject(error="INTERNAL_ERROR")
    sandbox.use("insufficient-credits")
    sandbox.account.plan = "enterprise"
    sandbox.clock.advance("1h")
    assert mock(api, "POST", "/reset").json == {"reset": 1}
    assert (done(api, "GET", "/rules")["data"], sandbox.requests) == ([], [])
    assert (sandbox.account.plan, sandbox.account.balance) == ("professional", "$100.00")
    again = api.post(LIST, INSTANCE)
    assert (again.json["id"], again.headers["x-ratelimit-remaining"]) == (first["id"], "4")
    assert sandbox.requests[-1].seq == 1


def test_without_a_key_every_sandbox_is_reset(own_server, ours):
    sandboxes = [own_server.sandbox() for _ in range(3)]
    for sandbox in sandboxes:
        sandbox.instances.add()
    assert done(ours, "POST", "/reset") == {"reset": 3}
    assert [each["instances"] for each in done(ours, "GET", "/sandboxes")["data"]] == [0, 0, 0]


@pytest.mark.parametrize("at", ["before", "after"])
def test_a_reset_cuts_requests_in_flight_and_they_have_no_effect_on_the_new_world(sandbox, api, at):
    sandbox.inject("instances.create", latency="30s", at=at)
    seen: list[BaseException] = []

    def create() -> None:
        try:
            api.post(LIST, INSTANCE)
        except ConnectionResetError as error:
            seen.append(error)

    thread = threading.Thread(target=create)
    thread.start()
    until(lambda: sandbox.requests)
    sandbox.reset()
    thread.join(10)
    assert len(seen) == 1
    assert sandbox.requests == []
    assert api.get(LIST).json["data"] == []
    assert sandbox.account.balance == "$100.00"


def test_a_reset_leaves_other_sandboxes_and_idle_connections_alone(server, sandbox, api):
    neighbour = server.sandbox()
    neighbour.instances.add()
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as idle:
        request = f"GET {LIST} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode()
        for _ in range(2):
            idle.sendall(request)
            assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
            sandbox.reset()
    assert len(Client(server.url, neighbour.api_key).get(LIST).json["data"]) == 1
