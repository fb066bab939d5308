"""Magic names: failures for clients that can choose a name and nothing else."""

import pytest

from cnx_mock import MockServer, Settings
from tests.conftest import INSTANCE

PATH = "/v1/instances"


def balancer(*regions: str) -> dict[str, object]:
    forwarding = {"protocol": "http", "port": 80, "target_protocol": "http", "target_port": 80}
    return {"name": "front", "regions": list(regions), "forwarding_rules": [forwarding]}


def test_insufficient_credits_is_the_documented_error(sandbox, api):
    reply = api.post(PATH, {**INSTANCE, "name": "mock-insufficient-credits"})
    assert (reply.status, reply.error["code"]) == (403, "INSUFFICIENT_CREDITS")
    assert reply.details == {"current_balance": "$2.45", "required": "$5.00"}
    assert api.get(PATH).json["data"] == []
    assert [(each.rule, each.fault) for each in sandbox.requests[0].faults] == [
        ("magic:mock-insufficient-credits", "error=INSUFFICIENT_CREDITS")
    ]


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("mock-provision-stuck", [("1h", "provisioning"), ("36500d", "provisioning")]),
        ("mock-provision-slow", [("119s", "provisioning"), ("1s", "running")]),
        ("mock-provision-instant", [("0s", "running")]),
        ("mock-stopped", [("29s", "provisioning"), ("31s", "stopped")]),
    ],
)
def test_names_that_say_how_it_comes_up(sandbox, api, name, steps):
    sandbox.clock.freeze()
    instance = f"{PATH}/{api.create(name=name)['id']}"
    for wait, status in steps:
        sandbox.clock.advance(wait)
        assert api.get(instance).json["status"] == status


def test_stopped_takes_as_long_as_the_scenario_says(server, client):
    sandbox = server.sandbox({"provisioning": {"polls": 1}})
    api = client(sandbox.url, sandbox.api_key)
    instance = f"{PATH}/{api.create(name='mock-stopped')['id']}"
    assert [api.get(instance).json["status"] for _ in range(2)] == ["provisioning", "stopped"]


def test_internal_error_happens_before_and_created_then_500_after(api):
    assert api.post(PATH, {**INSTANCE, "name": "mock-internal-error"}).status == 500
    assert api.get(PATH).json["data"] == []
    assert api.post(PATH, {**INSTANCE, "name": "mock-created-then-500"}).status == 500
    assert [each["name"] for each in api.get(PATH).json["data"]] == ["mock-created-then-500"]


def test_rate_limited_is_so_for_the_first_such_create(api):
    body = {**INSTANCE, "name": "mock-rate-limited"}
    first = api.post(PATH, body)
    assert (first.status, first.headers["retry-after"], first.headers["x-ratelimit-remaining"]) == (429, "1", "0")
    assert [api.post(PATH, body).status for _ in range(2)] == [201, 201]


def test_nothing_can_be_made_in_the_region_of_the_outage(api):
    for path, body in ((PATH, {**INSTANCE, "region": "mock-outage-1"}), *BALANCED):
        reply = api.post(path, body)
        assert (reply.status, reply.error["code"]) == (400, "REGION_UNAVAILABLE")
        assert reply.details == {"region": "mock-outage-1"}


BALANCED = [("/v1/network/load-balancers", balancer("us-east-1", "mock-outage-1"))]


def test_they_are_asked_before_the_rest_of_the_body_is_judged(api):
    assert api.post(PATH, {"name": "mock-internal-error"}).status == 500


def test_another_name_that_looks_like_one_is_refused_and_told_which_there_are(api):
    reply = api.post(PATH, {**INSTANCE, "name": "mock-internal-eror"})
    assert reply.status == 400
    assert reply.details["name"].startswith("mock- is reserved for magic names: mock-insufficient-credits, ")
    assert reply.details["name"].endswith("did you mean 'mock-internal-error'?")


def test_they_are_rules_but_not_listed_among_them(sandbox, api):
    api.create()
    assert sandbox.requests[-1].decisions == []
    assert sandbox.call("GET", "/rules")["data"] == []


def test_they_stand_behind_the_header_and_before_injected_rules(sandbox, api):
    sandbox.inject("instances.create", status=503, id="mine", optional=True)
    body = {**INSTANCE, "name": "mock-internal-error"}
    assert api.post(PATH, body).status == 500
    assert [each.reason for each in sandbox.requests[-1].decisions] == ["match 1", "behind magic:mock-internal-error"]
    assert api.post(PATH, body, headers={"X-CNX-Mock-Fault": "status=502"}).status == 502
    assert [each.rule for each in sandbox.requests[-1].decisions] == ["header", "magic:mock-internal-error", "mine"]


def test_only_creates_of_instances_know_the_names(api):
    assert api.post("/v1/network/firewall", {"name": "mock-internal-error"}).status != 500


def test_on_the_documented_surface_they_are_names_like_any_other(client):
    with MockServer(settings=Settings(port=0, surface="documented")) as server:
        sandbox = server.sandbox()
        api = client(sandbox.url, sandbox.api_key)
        assert api.post(PATH, {**INSTANCE, "name": "mock-internal-error"}).status == 201
        assert api.post(PATH, {**INSTANCE, "name": "mock-anything"}).status == 201
        assert "region" in api.post(PATH, {**INSTANCE, "region": "mock-outage-1"}).details
