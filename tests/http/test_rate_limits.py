"""The rate limit: so many requests a minute, in a window that the first of them opens."""

import time

import pytest

from cnx_mock import MockServer
from tests.cases import cases


def remaining(reply):
    return int(reply.headers["x-ratelimit-remaining"])


@pytest.mark.parametrize(("plan", "limit"), [("starter", 60), ("professional", 300), ("enterprise", 1000)])
def test_the_accounts_plan_gives_the_limit(sandbox, api, plan, limit):
    sandbox.account.plan = plan

    reply = api.get("/v1/plans")

    assert reply.headers["x-ratelimit-limit"] == str(limit)
    assert remaining(reply) == limit - 1


def test_the_plan_of_an_instance_is_another_thing(api):
    api.create(plan="enterprise")

    assert api.get("/v1/plans").headers["x-ratelimit-limit"] == "300"


def test_the_last_request_passes_and_the_next_is_refused(sandbox, api):
    sandbox.account.plan = "starter"

    replies = [api.get("/v1/plans") for _ in range(61)]

    assert [remaining(reply) for reply in replies] == [*range(59, -1, -1), 0]
    assert [reply.status for reply in replies] == [200] * 60 + [429]


def test_a_refusal_says_how_long_to_wait_and_says_it_twice(sandbox, api):
    sandbox.account.rate_limit = "1/min"
    passed, before = api.get("/v1/plans"), time.time()

    refused = api.get("/v1/plans")

    assert (refused.status, refused.error["code"]) == (429, "RATE_LIMITED")
    headers = refused.headers
    assert refused.details == {
        "limit": "1",
        "remaining": "0",
        "reset": headers["x-ratelimit-reset"],
        "retry_after": headers["retry-after"],
    }
    assert 1 <= int(headers["retry-after"]) <= 60
    assert abs(int(headers["x-ratelimit-reset"]) - int(passed.headers["x-ratelimit-reset"])) <= 1
    assert before <= int(headers["x-ratelimit-reset"]) <= time.time() + 61
    assert abs(int(headers["x-ratelimit-reset"]) - (time.time() + int(headers["retry-after"]))) <= 2


def test_only_a_refusal_by_the_limit_says_how_long_to_wait(api):
    assert "retry-after" not in api.get("/v1/plans").headers
    assert "retry-after" not in api.get("/v1/nowhere").headers


def test_the_windows_own_refusals_are_not_counted(sandbox, api):
    sandbox.account.rate_limit = "2/min"
    statuses = [api.get("/v1/plans").status for _ in range(7)]

    sandbox.account.rate_limit = "3/min"

    assert statuses == [200, 200] + [429] * 5
    assert api.get("/v1/plans").status == 200


@cases(
    ("method", "path", "raw"),
    [
        ("GET", "/v1/nowhere", None),
        ("PATCH", "/v1/instances", None),
        ("GET", "/v1/instances/inst_0000000000000000", None),
        ("POST", "/v1/instances", b"{"),
        ("POST", "/v1/instances", b"{}"),
        ("HEAD", "/v1/instances", None),
        ("OPTIONS", "/v1/instances", None),
    ],
)
def test_every_authenticated_request_counts_once(api, method, path, raw):
    api.call(method, path, raw=raw)

    assert remaining(api.get("/v1/plans")) == 298


def test_the_control_plane_does_not_count(sandbox, api):
    api.get("/v1/plans")
    for _ in range(3):
        assert api.get("/_mock/clock").status == 200
    assert "x-ratelimit-limit" not in api.get("/_mock/clock").headers

    assert remaining(api.get("/v1/plans")) == 298


def test_without_a_key_nothing_counts(server, client, sandbox, api, wire):
    client(server.url).get("/v1/plans")
    client(server.url, "cnx_live_" + sandbox.api_key[-32:]).get("/v1/plans")
    key = sandbox.api_key.encode()
    wire(
        b"GET /v1/plans HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nAuthorization: Bearer %s\r\n\r\n"
        % (key, key)
    )
    api.post("/v1/instances", raw=b"x" * 70_000)

    assert remaining(api.get("/v1/plans")) == 299


def test_an_injected_error_was_counted_and_has_truthful_headers(sandbox, api):
    sandbox.inject("plans.*", error="INTERNAL_ERROR", times=1)

    broken = api.get("/v1/plans")

    assert (broken.status, remaining(broken)) == (500, 299)
    assert remaining(api.get("/v1/plans")) == 298


def test_the_window_opens_with_the_first_request_and_not_with_the_clocks_minute(sandbox, api):
    sandbox.account.rate_limit = "2/min"
    api.get("/v1/plans")
    sandbox.clock.advance("59s")
    api.get("/v1/plans")

    refused = api.get("/v1/plans")

    assert (refused.status, refused.headers["retry-after"]) == (429, "1")


def test_advance_moves_the_window_on(sandbox, api):
    sandbox.account.rate_limit = "1/min"
    api.get("/v1/plans")
    assert api.get("/v1/plans").status == 429

    sandbox.clock.advance("60s")

    assert api.get("/v1/plans").status == 200
    assert api.get("/v1/plans").status == 429


def test_waiting_as_told_finds_the_window_open(sandbox, api):
    sandbox.account.rate_limit = "1/min"
    api.get("/v1/plans")
    sandbox.clock.advance("13s")
    told = api.get("/v1/plans").headers["retry-after"]

    sandbox.clock.advance(f"{told}s")

    assert int(told) <= 47
    assert api.get("/v1/plans").status == 200


def test_neither_speed_nor_a_frozen_clock_moves_the_window(sandbox, api):
    sandbox.account.rate_limit = "1/min"
    sandbox.clock.speed = 1_000_000
    api.get("/v1/plans")
    assert api.get("/v1/plans").status == 429

    sandbox.clock.freeze()

    assert int(api.get("/v1/plans").headers["retry-after"]) > 50


def test_a_frozen_clock_may_be_advanced_and_the_window_moves(sandbox, api):
    sandbox.account.rate_limit = "1/min"
    sandbox.clock.freeze()
    api.get("/v1/plans")

    sandbox.clock.advance("1m")

    assert api.get("/v1/plans").status == 200


def test_the_reset_is_real_time_even_where_the_sandboxs_time_is_not(client):
    with MockServer({"world": {"clock": {"start": "2030-01-01T00:00:00Z", "frozen": True}}}) as server:
        reply = client(server.url, server.sandbox().api_key).get("/v1/plans")

    assert abs(int(reply.headers["x-ratelimit-reset"]) - time.time()) <= 62


def test_every_sandbox_has_a_window_of_its_own(server, client):
    one, other = server.sandbox(), server.sandbox()
    one.account.rate_limit = "1/min"
    client(server.url, one.api_key).get("/v1/plans")
    assert client(server.url, one.api_key).get("/v1/plans").status == 429

    assert remaining(client(server.url, other.api_key).get("/v1/plans")) == 299


def test_a_scenario_may_set_the_limit(server, client):
    sandbox = server.sandbox("rate-limited")
    api = client(server.url, sandbox.api_key)

    assert [api.get("/v1/plans").status for _ in range(6)] == [200] * 5 + [429]


def test_a_reset_opens_a_fresh_window(sandbox, api):
    api.get("/v1/plans")
    sandbox.reset()

    assert remaining(api.get("/v1/plans")) == 299


# ---- what is said of the limit is true, at any speed of the clock


@pytest.mark.parametrize("clock", [{}, {"speed": 3600}, {"speed": 0.001}, {"frozen": True}], ids=str)
def test_a_refusal_says_one_thing_in_its_headers_and_its_body_and_keeps_its_word(server, client, clock):
    sandbox = server.sandbox({"world": {"rate_limit": "2/min", "clock": clock}})
    api = client(sandbox.url, sandbox.api_key)
    assert [api.get("/v1/plans").headers["x-ratelimit-remaining"] for _ in range(2)] == ["1", "0"]
    refused = api.get("/v1/plans")
    wait, reset = int(refused.headers["retry-after"]), int(refused.headers["x-ratelimit-reset"])
    assert refused.details == {"limit": "2", "remaining": "0", "reset": str(reset), "retry_after": str(wait)}
    assert 1 <= wait <= 60
    assert abs(reset - time.time() - wait) < 3
    sandbox.clock.advance(f"{wait - 2}s")
    assert api.get("/v1/plans").status == 429
    sandbox.clock.advance("2s")
    assert api.get("/v1/plans").status == 200


@cases("clock", [{}, {"speed": 3600}, {"frozen": True}], ids=str)
@cases(("wait", "seconds"), [("1s", 1), ("2s500ms", 3), ("1m", 60)])
def test_an_injected_refusal_tells_one_story_and_the_next_request_is_judged_afresh(
    server, client, clock, wait, seconds
):
    sandbox = server.sandbox({"world": {"clock": clock}})
    api = client(sandbox.url, sandbox.api_key)
    sandbox.inject(error="RATE_LIMITED", retry_after=wait, times=1)
    refused = api.get("/v1/plans")
    reset = int(refused.headers["x-ratelimit-reset"])
    assert (refused.status, refused.headers["retry-after"], refused.headers["x-ratelimit-remaining"]) == (
        429,
        str(seconds),
        "0",
    )
    assert refused.details == {"limit": "300", "remaining": "0", "reset": str(reset), "retry_after": str(seconds)}
    assert abs(reset - time.time() - seconds) < 3
    afresh = api.get("/v1/plans")
    assert (afresh.status, afresh.headers["x-ratelimit-remaining"]) == (200, "298")
