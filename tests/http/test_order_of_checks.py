"""The normative order of checks: of two things that are wrong, the earlier one is reported."""

import asyncio

import pytest

from cnx_mock import Settings
from cnx_mock.api import operation
from cnx_mock.asgi import create_app
from cnx_mock.http import pipeline
from tests.cases import cases

BIG = b"x" * (64 * 1024 + 1)
LIVE = "cnx_live_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
READ_ONLY = "cnx_test_403" + "0" * 29
FIREWALL = "/v1/network/firewall"


def code(reply):
    return reply.status, reply.error["code"]


@pytest.fixture
def exhausted(sandbox, api):
    """A client whose window is used up."""
    sandbox.account.rate_limit = "1/min"
    assert api.get("/v1/plans").status == 200
    return api


@pytest.fixture
def reader(server, client):
    """A client whose key may only read."""
    return client(server.url, READ_ONLY)


def test_413_comes_before_401(server, client):
    assert code(client(server.url).post("/v1/instances", raw=BIG)) == (413, "PAYLOAD_TOO_LARGE")


def test_413_comes_before_the_live_key(server, client):
    assert code(client(server.url, LIVE).post("/v1/instances", raw=BIG)) == (413, "PAYLOAD_TOO_LARGE")


def test_401_comes_before_the_live_key(server, client):
    reply = client(server.url, f"{LIVE} # production").get("/v1/instances")

    assert code(reply) == (401, "UNAUTHORIZED")
    assert reply.details == {"reason": "malformed_key"}


@cases("path", ["/v1/instances", "/v1/nowhere", "/v2/instances", "/v1/instances/"])
def test_401_comes_before_the_route(server, client, path):
    assert code(client(server.url).get(path)) == (401, "UNAUTHORIZED")


@cases(
    ("method", "path", "raw"),
    [("GET", "/v1/nowhere", None), ("PATCH", "/v1/instances", None), ("POST", "/v1/instances", b"{")],
)
def test_the_live_key_comes_before_everything_else(server, client, method, path, raw):
    assert code(client(server.url, LIVE).call(method, path, raw=raw)) == (403, "LIVE_KEY_REJECTED")


@pytest.mark.parametrize(
    ("method", "path", "raw"),
    [
        ("GET", "/v1/nowhere", None),
        ("PATCH", "/v1/instances", None),
        ("GET", "/v1/instances/inst_0000000000000000", None),
        ("POST", "/v1/instances", b"{"),
        ("POST", "/v1/instances", b"{}"),
        ("GET", "/v1/instances?limit=0", None),
    ],
)
def test_429_comes_before_route_resource_syntax_and_validation(exhausted, method, path, raw):
    assert code(exhausted.call(method, path, raw=raw)) == (429, "RATE_LIMITED")


def test_429_comes_before_scope(sandbox, exhausted):
    sandbox.account.scopes = []

    assert code(exhausted.get("/v1/instances")) == (429, "RATE_LIMITED")


def test_404_of_the_route_comes_before_scope(reader):
    assert code(reader.post("/v1/nowhere", {})) == (404, "NOT_FOUND")


def test_405_comes_before_scope(reader):
    assert code(reader.call("PATCH", "/v1/instances")) == (405, "METHOD_NOT_ALLOWED")


def test_scope_comes_before_the_resource(reader):
    reply = reader.delete("/v1/instances/inst_0000000000000000")

    assert code(reply) == (403, "FORBIDDEN")
    assert reply.details["required_scope"] == "instances:write"


@pytest.mark.parametrize("raw", [b"{", b"{}"])
def test_scope_comes_before_syntax_and_validation(reader, raw):
    assert code(reader.post("/v1/instances", raw=raw)) == (403, "FORBIDDEN")


@cases("raw", [b"{", b"{}", b""])
def test_404_of_the_resource_comes_before_syntax_and_validation(api, raw):
    reply = api.call("PUT", f"{FIREWALL}/fw_0000000000000000", raw=raw)

    assert code(reply) == (404, "NOT_FOUND")
    assert reply.details == {"resource": "firewall", "id": "fw_0000000000000000"}


@pytest.mark.parametrize(
    ("raw", "headers"),
    [(b'{"plan": "gold", "plan": "gold"}', {}), (b'{"plan": "gold"}', {"Content-Type": "text/plain"})],
)
def test_syntax_comes_before_validation(api, raw, headers):
    assert code(api.post("/v1/instances", raw=raw, headers=headers)) == (400, "BAD_REQUEST")


def test_validation_names_every_field_at_once(api):
    reply = api.post("/v1/instances", {"name": "", "plan": "gold", "image": 5, "tags": [7, "ok", "-"], "size": 1})

    assert code(reply) == (400, "VALIDATION_ERROR")
    assert set(reply.details) == {"name", "plan", "region", "image", "tags[0]", "tags[2]", "size"}


def test_validation_comes_before_quota_and_credits(server, client):
    sandbox = server.sandbox({"world": {"quotas": {"instances": 0}, "balance": "$0.00"}})

    reply = client(server.url, sandbox.api_key).post("/v1/instances", {})

    assert code(reply) == (400, "VALIDATION_ERROR")


def test_quota_comes_before_credits(server, client, example):
    sandbox = server.sandbox({"world": {"quotas": {"instances": 0}, "balance": "$0.00"}})

    reply = client(server.url, sandbox.api_key).post("/v1/instances", example)

    assert code(reply) == (403, "QUOTA_EXCEEDED")


def test_credits_come_before_the_effect(sandbox, api, example):
    sandbox.account.balance = "$4.99"

    assert code(api.post("/v1/instances", example)) == (403, "INSUFFICIENT_CREDITS")
    assert api.get("/v1/instances").json["data"] == []


def test_a_request_that_is_wrong_in_every_way_is_mended_step_by_step(server, client):
    sandbox = server.sandbox({"world": {"quotas": {"instances": 0}, "balance": "$1.00", "rate_limit": "1/min"}})
    key = sandbox.api_key
    sandbox.account.scopes = ["instances:read"]
    assert client(server.url, key).get("/v1/plans").status == 200
    met = []

    def meet(key, path, raw, mend=lambda: None):
        met.append(client(server.url, key).post(path, raw=raw).error["code"])
        mend()

    meet(None, "/v1/nowhere", BIG)
    meet(None, "/v1/nowhere", b"{")
    meet(LIVE, "/v1/nowhere", b"{")
    meet(key, "/v1/nowhere", b"{", lambda: sandbox.clock.advance("60s"))
    meet(key, "/v1/nowhere", b"{", lambda: setattr(sandbox.account, "rate_limit", "99/min"))
    meet(key, "/v1/instances", b"{", lambda: setattr(sandbox.account, "scopes", ["instances:write"]))
    meet(key, "/v1/instances", b"{")
    meet(key, "/v1/instances", b"{}")

    assert met == [
        "PAYLOAD_TOO_LARGE",
        "UNAUTHORIZED",
        "LIVE_KEY_REJECTED",
        "RATE_LIMITED",
        "NOT_FOUND",
        "FORBIDDEN",
        "BAD_REQUEST",
        "VALIDATION_ERROR",
    ]


def test_the_order_in_code_is_the_contracts():
    first = [stage.__name__ for stage in pipeline.STAGES]
    second = [stage.__name__.lstrip("_") for stage in operation.STAGES]

    assert first == [
        "check_size",
        "read_key",
        "refuse_live_key",
        "enter_sandbox",
        "count_request",
        "fail_broken_account",
        "ask_rules",
        "find_route",
        "perform",
    ]
    assert second == ["check_scope", "find_resource", "read_body", "validate", "handle"]


RULE = {"match": {"path": "/v1/*"}, "fault": {"status": 503}}


@cases(
    ("method", "path", "raw"),
    [
        ("GET", "/v1/nowhere", None),
        ("PATCH", "/v1/instances", None),
        ("GET", "/v1/instances/inst_0000000000000000", None),
        ("POST", "/v1/instances", b"{"),
        ("POST", "/v1/instances", b"{}"),
    ],
)
def test_rules_are_asked_before_route_resource_syntax_and_validation(sandbox, api, method, path, raw):
    sandbox.use({"rules": [RULE]})

    assert api.call(method, path, raw=raw).status == 503


def test_rules_are_asked_before_scope(server, client):
    reader = client(server.url, READ_ONLY)
    sandbox = server.sandbox({"rules": [RULE]}, key=READ_ONLY)

    assert reader.post("/v1/instances", raw=b"{").status == 503
    assert [each.status for each in sandbox.requests] == [503]


@cases(
    ("key", "raw", "status"),
    [("live", None, 403), ("missing", None, 401), ("limited", b"{", 429), ("limited", BIG, 413)],
)
def test_what_is_refused_before_the_rules_asks_none_of_them(server, client, key, raw, status):
    sandbox = server.sandbox({"world": {"rate_limit": "1/min"}, "rules": [RULE]})
    keys = {"live": LIVE, "missing": None, "limited": sandbox.api_key}
    assert client(server.url, sandbox.api_key).get("/v1/plans").status == 503

    reply = client(server.url, keys[key]).post("/v1/instances", raw=raw)

    assert reply.status == status
    assert [bool(each.decisions) for each in sandbox.requests] == [True, *[False] * (status == 429)]


def test_the_key_for_failures_comes_after_429_and_before_the_rules(server, client):
    broken = "cnx_test_500" + "0" * 29
    sandbox = server.sandbox({"world": {"rate_limit": "1/min"}, "rules": [RULE]}, key=broken)
    api = client(server.url, broken)

    assert [api.get("/v1/nowhere").status for _ in range(2)] == [500, 429]
    assert [each.decisions for each in sandbox.requests] == [[], []]


def test_a_fault_header_that_cannot_be_used_comes_after_429_and_before_the_route(exhausted, server, client):
    headers = {"X-CNX-Mock-Fault": "eror=INTERNAL_ERROR"}
    fresh = client(server.url, server.sandbox().api_key)

    assert code(exhausted.get("/v1/nowhere", headers=headers)) == (429, "RATE_LIMITED")
    assert code(fresh.get("/v1/nowhere", headers=headers)) == (400, "VALIDATION_ERROR")


def test_a_rehearsed_call_goes_through_the_same_order():
    app = create_app(Settings(scenario=("flaky-network",)))
    tenant = app.tenants.make()

    def rehearsed(method, path, body=b""):
        record = asyncio.run(app.rehearse(tenant, method, path, [(b"authorization", b"Bearer nobody")], body))
        answer = record.exchange.answer
        return record.status or (answer and answer.status), record

    tenant.sandbox.account.rate_limit = 3
    assert rehearsed("POST", "/v1/instances", BIG)[0] == 413
    assert [rehearsed("GET", path)[0] for path in ("/v1/nowhere", "/v2/nowhere", "/v1/plans/x")] == [404, 404, 404]
    status, record = rehearsed("GET", "/v1/nowhere")
    assert (status, record.ruling) == (429, None)
    assert [each.seq for each in tenant.journal] == [1, 2, 3, 4]
