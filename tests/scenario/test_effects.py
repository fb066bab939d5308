"""A rule that fires has an effect; a rule that cannot have one does not fire, and the journal says why."""

import asyncio
import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox, Settings
from cnx_mock.cli import explain
from tests.cases import cases
from tests.conftest import Client
from tests.scenario.conftest import Write

PLANS = "/v1/plans"
NEEDS_A_BODY: dict[str, dict[str, Any]] = {
    "close": {"connection": "close"},
    "malformed chunk": {"connection": "malformed_chunk"},
    "truncate": {"body": {"truncate": 0.5}},
    "malformed json": {"body": "malformed_json"},
    "corrupt": {"body": {"corrupt": "8B"}},
    "drip": {"drip": {"chunks": 2, "over": "2ms"}},
    "bandwidth": {"bandwidth": "1MB/s"},
}


def reason(sandbox: Sandbox, rule: str = "it") -> str:
    """What the journal says of a rule at the last request: `fires`, or why it does not."""
    entry = sandbox.requests[-1]
    (decided,) = [each for each in entry.decisions if each.rule == rule]
    assert decided.fired == any(each.rule == rule for each in entry.faults)
    return "fires" if decided.fired else decided.reason


@cases("name", NEEDS_A_BODY)
@cases("at", ["before", "after"])
def test_an_answer_without_a_body_does_not_count_for_a_fault_of_the_body(
    sandbox: Sandbox, api: Client, name: str, at: str
) -> None:
    rule = sandbox.inject(**NEEDS_A_BODY[name], at=at, id="it", optional=True)
    assert api.call("HEAD", PLANS).status == 200
    assert reason(sandbox) == "match 1, the answer has no body"
    assert api.call("HEAD", "/v1/nowhere").status == 404
    assert reason(sandbox) == "match 2, the answer has no body"
    assert rule.fired == 0
    rule.remove()


@pytest.mark.parametrize("name", ["close", "malformed chunk"])
def test_without_a_body_in_the_way_the_next_rule_has_its_turn(sandbox: Sandbox, api: Client, name: str) -> None:
    sandbox.inject(**NEEDS_A_BODY[name], id="it", optional=True)
    sandbox.inject(error="INTERNAL_ERROR", id="next")
    assert api.call("HEAD", PLANS).status == 500
    assert [(each.rule, each.fault) for each in sandbox.requests[-1].faults] == [("next", "error=INTERNAL_ERROR")]


def test_the_rest_of_a_rule_is_still_applied(sandbox: Sandbox, api: Client) -> None:
    rule = sandbox.inject(connection="close", latency="1ms", id="it")
    assert api.call("HEAD", PLANS).status == 200
    assert [each.fault for each in sandbox.requests[-1].faults] == ["latency=1ms"]
    assert sandbox.requests[-1].decisions[0].reason == "match 1, the answer has no body"
    assert rule.fired == 1


@pytest.mark.parametrize("fault", ["reset", "empty", "garbage"])
def test_what_needs_no_body_strikes_head_too(sandbox: Sandbox, api: Client, fault: str) -> None:
    sandbox.inject(connection=fault, id="it")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        api.call("HEAD", PLANS)
    assert reason(sandbox) == "fires"


def test_a_pace_that_takes_no_time_does_not_count(sandbox: Sandbox, api: Client) -> None:
    sandbox.inject(drip={"chunks": 3, "over": "0s"}, id="it", optional=True)
    assert api.get(PLANS).status == 200
    assert reason(sandbox) == "match 1, a body of this size takes no time"


@cases(
    ("headers", "expected"),
    [
        ({"remove": ["X-RateLimit-Reset"]}, "fires"),
        ({"remove": ["x-ratelimit-reset", "X-Nothing"]}, "fires"),
        ({"remove": ["Date"]}, "fires"),
        ({"remove": ["Content-Type", "Server"]}, "fires"),
        ({"remove": ["X-Nothing"]}, "match 1, the answer has no X-Nothing"),
        ({"remove": ["Retry-After", "Connection"]}, "match 1, the answer has no Retry-After and no Connection"),
        ({"set": {"X-RateLimit-Limit": 7}}, "fires"),
        ({"set": {"Cache-Control": "no-store"}}, "match 1, the answer has these headers already"),
        ({"set": {"Cache-Control": "no-store"}, "remove": ["Date"]}, "fires"),
        ({"set": {"Cache-Control": "no-store"}, "remove": ["X-No"]}, "match 1, the answer has these headers already"),
    ],
)
@cases("method", ["GET", "HEAD"])
def test_changed_headers_count_only_if_they_differ(
    sandbox: Sandbox, api: Client, headers: dict[str, Any], expected: str, method: str
) -> None:
    rule = sandbox.inject(headers=headers, id="it", optional=True)
    reply = api.call(method, PLANS)
    assert reason(sandbox) == expected
    assert rule.fired == (expected == "fires")
    assert not {name.lower() for name in headers.get("remove", ())} & reply.headers.keys()


def test_a_rehearsal_knows_it_too(write: Write) -> None:
    story = write(
        """
        rules:
          - {id: gone, match: {method: GET}, fault: {headers: {remove: [X-Nothing]}}}
          - {id: cut, match: {method: HEAD}, fault: {connection: close}}
        """
    )
    for call, rule, why in (
        ("GET /v1/plans", "gone", "the answer has no X-Nothing"),
        ("HEAD /v1/plans", "cut", "the answer has no body"),
    ):
        request = explain.ImaginedRequest.parsed(call, ())
        lines = asyncio.run(explain.explained(str(story), request, 1, "0s", "0s", "1"))
        assert f"     {rule:4}  does not fire: match 1, {why}" in lines


# ---- browsers


@pytest.fixture(scope="module")
def open_server() -> Iterator[MockServer]:
    """A server that answers browsers."""
    with MockServer(settings=Settings(port=0, cors=True)) as running:
        yield running


ORIGIN = {"Origin": "https://shop.example"}
ALLOW = "access-control-allow-origin"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_headers_for_browsers_can_be_removed_and_set(open_server: MockServer, method: str) -> None:
    sandbox = open_server.sandbox()
    api = Client(open_server.url, sandbox.api_key)
    assert api.call(method, PLANS, headers=ORIGIN).headers[ALLOW] == "*"
    rule = sandbox.inject(headers={"remove": ["Access-Control-Allow-Origin"]}, id="it")
    reply = api.call(method, PLANS, headers=ORIGIN)
    assert ALLOW not in reply.headers
    assert reply.headers["access-control-expose-headers"] == "*"
    assert reason(sandbox) == "fires"
    assert [ALLOW, "*"] not in sandbox.requests[-1].response_headers
    assert api.call(method, PLANS).status == 200
    assert reason(sandbox) == "match 2, the answer has no Access-Control-Allow-Origin"
    rule.remove()
    sandbox.inject(headers={"set": {"Access-Control-Allow-Origin": "https://other.example"}})
    assert api.call(method, PLANS, headers=ORIGIN).headers[ALLOW] == "https://other.example"


def test_errors_have_headers_for_browsers_that_a_fault_can_remove(open_server: MockServer) -> None:
    sandbox = open_server.sandbox()
    api = Client(open_server.url, sandbox.api_key)
    sandbox.inject(error="INTERNAL_ERROR", headers={"remove": [ALLOW]}, times=1)
    assert ALLOW not in api.get("/v1/nowhere", headers=ORIGIN).headers
    assert api.get("/v1/nowhere", headers=ORIGIN).headers[ALLOW] == "*"
    assert api.get("/v1/nowhere", headers=ORIGIN).headers["vary"] == "Origin"


def test_what_no_rule_is_asked_about_does_not_count(open_server: MockServer) -> None:
    sandbox = open_server.sandbox()
    api, stranger = Client(open_server.url, sandbox.api_key), Client(open_server.url)
    rule = sandbox.inject(headers={"remove": [ALLOW]}, optional=True)
    preflight = {**ORIGIN, "Access-Control-Request-Method": "POST"}
    assert api.call("OPTIONS", "/v1/instances", headers=preflight).headers[ALLOW] == "*"
    assert stranger.get(PLANS, headers=ORIGIN).headers[ALLOW] == "*"
    assert api.get("/openapi.json", headers=ORIGIN).headers[ALLOW] == "*"
    assert (rule.fired, len(sandbox.requests)) == (0, 0)


def test_a_public_page_may_ask_for_a_private_network(open_server: MockServer) -> None:
    preflight = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Private-Network": "true"}
    reply = Client(open_server.url).call("OPTIONS", "/v1/instances", headers=preflight)
    assert (reply.status, reply.headers["access-control-allow-private-network"]) == (200, "true")
    del preflight["Access-Control-Request-Private-Network"]
    reply = Client(open_server.url).call("OPTIONS", "/v1/instances", headers=preflight)
    assert "access-control-allow-private-network" not in reply.headers
