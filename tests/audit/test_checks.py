"""Every check, on what it must find and on what it must leave alone."""

from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox
from cnx_mock.audit.audit import findings, measures
from cnx_mock.audit.call import calls_of
from cnx_mock.audit.checks import checks
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.text.units import format_instant_ms, parse_instant
from tests.audit.conftest import Judge
from tests.conftest import INSTANCE

Codes = Callable[..., list[str]]


def create(api: Any, **fields: Any) -> Any:
    """A create whose answer may never arrive."""
    with suppress(OSError, HTTPException):
        return api.post("/v1/instances", {**INSTANCE, **fields})


def again(api: Any, path: str, times: int) -> None:
    """The same GET so many times, whatever comes."""
    for _ in range(times):
        with suppress(OSError, HTTPException):
            api.get(path)


# ---- early-retry


def test_a_retry_before_retry_after_is_found(sandbox: Sandbox, api: Any, judged: Judge) -> None:
    sandbox.inject("plans.list", error="RATE_LIMITED", retry_after="2s", times=1)
    again(api, "/v1/plans", 2)
    [found] = judged("1.5s")
    assert (found.code, found.requests) == ("early-retry", (1, 2))
    assert found.message == "#2 GET /v1/plans came 1.5s after #1, whose 429 said Retry-After 2s"


@pytest.mark.parametrize("error", ["RATE_LIMITED", "INTERNAL_ERROR"])
def test_a_retry_at_the_time_that_was_said_is_fine(sandbox: Sandbox, api: Any, codes: Codes, error: str) -> None:
    sandbox.inject("plans.list", error=error, retry_after="2s", times=3)
    again(api, "/v1/plans", 4)
    assert codes("2s", "2.01s", "2s") == []


def test_another_call_in_the_meantime_is_no_early_retry(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("plans.list", error="RATE_LIMITED", retry_after="2s", times=1)
    again(api, "/v1/plans", 1)
    again(api, "/v1/regions", 1)
    assert codes() == []


def test_retry_after_may_be_a_date(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    far = {"set": {"Retry-After": "Fri, 31 Dec 9998 23:59:59 GMT"}}
    sandbox.inject("plans.list", status=503, headers=far, times=1)
    again(api, "/v1/plans", 2)
    assert codes("50s") == ["early-retry"]


def test_a_retry_after_that_nobody_can_read_asks_for_nothing(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("plans.list", status=503, headers={"set": {"Retry-After": "soon"}}, times=1)
    again(api, "/v1/plans", 2)
    assert codes("1s") == []


# ---- flat-backoff


@pytest.mark.parametrize(
    "waits",
    [
        ("1ms", "2ms"),
        ("1s", "1s", "1.01s"),
        ("0s", "500ms", "503ms", "501ms"),
        ("200ms", "201ms", "200ms", "290ms", "200ms"),
        ("1s", "1.3s", "1.1s", "1.4s", "1s", "1.2s"),
    ],
)
def test_waits_that_do_not_grow_are_found(sandbox: Sandbox, api: Any, codes: Codes, waits: tuple[str, ...]) -> None:
    sandbox.inject("plans.list", error="INTERNAL_ERROR")
    again(api, "/v1/plans", len(waits) + 1)
    assert codes(*waits) == ["flat-backoff"]


@pytest.mark.parametrize(
    "waits",
    [
        ("0s",),
        ("1s", "1s"),
        ("0s", "200ms", "400ms", "800ms"),
        ("700ms", "300ms", "1.9s", "900ms"),
        ("1s", "2s", "4s", "4s", "4s", "4s"),
        ("1s", "2s", "3s", "4s"),
    ],
)
def test_waits_that_grow_are_fine_jitter_or_not(
    sandbox: Sandbox, api: Any, codes: Codes, waits: tuple[str, ...]
) -> None:
    sandbox.inject("plans.list", error="INTERNAL_ERROR")
    again(api, "/v1/plans", len(waits) + 1)
    assert codes(*waits) == []


def test_resets_count_as_failures_too(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("plans.list", connection="reset")
    again(api, "/v1/plans", 4)
    assert codes("300ms", "300ms", "300ms") == ["flat-backoff"]


def test_polling_goes_on_at_its_pace_through_errors(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    one = api.create()["id"]
    sandbox.inject("instances.get", error="INTERNAL_ERROR", times=5)
    again(api, f"/v1/instances/{one}", 12)
    assert codes(*["3s"] * 12) == []


def test_a_new_wish_is_no_retry(api: Any, codes: Codes) -> None:
    again(api, "/v1/plans", 20)
    assert codes() == []


# ---- futile-retry


def test_the_same_bad_request_again_is_found(api: Any, judged: Judge) -> None:
    create(api, plan="huge")
    create(api, plan="huge")
    [found] = judged("1s")
    assert (found.code, found.requests) == ("futile-retry", (1, 2))
    assert "#1 POST /v1/instances was a 400 VALIDATION_ERROR, and #2 sent it again unchanged" in found.message


def test_a_corrected_request_is_fine(api: Any, codes: Codes) -> None:
    create(api, plan="huge")
    create(api, plan="pro")
    assert codes() == []


def test_what_is_still_coming_up_may_be_asked_for_again(api: Any, codes: Codes) -> None:
    one = api.create()["id"]
    refused = [api.post("/v1/snapshots", {"instance_id": one}).error["code"] for _ in range(2)]
    assert refused == ["INVALID_STATE", "INVALID_STATE"]
    assert codes("1s", "2s") == []


def test_a_read_that_lags_behind_a_create_may_be_repeated(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("instances.get", stale="5s")
    one = api.create()["id"]
    again(api, f"/v1/instances/{one}", 3)
    assert codes("1s", "1s", "2s") == []


def test_a_refusal_may_have_ended_with_what_happened_since(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    one = api.create()["id"]
    sandbox.inject("instances.create", error="QUOTA_EXCEEDED", times=1)
    create(api, name="b")
    api.delete(f"/v1/instances/{one}")
    create(api, name="b")
    assert codes() == []


def test_a_429_is_no_refusal_for_good(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("plans.list", error="RATE_LIMITED", retry_after="1s", times=1)
    again(api, "/v1/plans", 2)
    assert codes("1s") == []


# ---- sent-while-limited


def test_going_on_with_the_next_one_while_limited_is_found(sandbox: Sandbox, api: Any, judged: Judge) -> None:
    sandbox.inject("instances.create", error="RATE_LIMITED", retry_after="30s", times={"skip": 1, "take": 9})
    for number in range(6):
        create(api, name=f"web-{number}")
    [found] = judged()
    assert (found.code, found.requests) == ("sent-while-limited", (2, 3, 4, 5, 6))


def test_a_few_workers_may_each_learn_of_the_limit(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("instances.create", error="RATE_LIMITED", retry_after="30s", times=4)
    for number in range(4):
        create(api, name=f"web-{number}")
    assert codes() == []


def test_one_limit_after_another_is_not_one_long_one(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("instances.create", error="RATE_LIMITED", retry_after="1s")
    for number in range(8):
        create(api, name=f"web-{number}")
    assert codes(*["1s"] * 7) == []


# ---- blind-create

UNKNOWN: list[dict[str, Any]] = [
    {"connection": "reset", "at": "after"},
    {"connection": "close"},
    {"error": "INTERNAL_ERROR"},
    {"error": "INTERNAL_ERROR", "at": "after"},
    {"status": 504},
    {"body": "malformed_json"},
    {"body": {"truncate": 0.5}},
]


@pytest.mark.parametrize("fault", UNKNOWN, ids=str)
def test_a_create_sent_again_unseen_is_found(sandbox: Sandbox, api: Any, codes: Codes, fault: dict[str, Any]) -> None:
    sandbox.inject("instances.create", times=1, **fault)
    create(api)
    create(api)
    assert codes("1s") == ["blind-create"]


def test_two_that_were_made_are_said_to_be_two(sandbox: Sandbox, api: Any, judged: Judge) -> None:
    sandbox.inject("instances.create", connection="reset", at="after", times=1)
    create(api)
    create(api)
    [found] = judged("1s")
    assert "#1 POST /v1/instances had no answer, and #2 sent it again" in found.message
    assert "#1 and #2 have each made one" in found.message


def test_a_look_in_between_is_enough(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("instances.create", connection="reset", times=1)
    create(api)
    api.get("/v1/instances?tags=web")
    create(api)
    assert codes() == []


def test_a_look_at_something_else_is_none(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("instances.create", connection="reset", times=1)
    create(api)
    api.get("/v1/snapshots")
    create(api)
    assert codes() == ["blind-create"]


def test_a_look_that_failed_is_none(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("instances.*", status=502, times=2)
    create(api)
    api.get("/v1/instances")
    create(api)
    assert codes() == ["blind-create"]


@pytest.mark.parametrize("fault", [{"error": "RATE_LIMITED", "retry_after": "1s"}, {"status": 503}], ids=str)
def test_a_create_that_was_not_handled_may_be_sent_again(
    sandbox: Sandbox, api: Any, codes: Codes, fault: dict[str, Any]
) -> None:
    sandbox.inject("instances.create", times=1, **fault)
    create(api)
    create(api)
    assert codes("1.1s") == []


def test_two_replicas_of_one_body_are_two_wishes(api: Any, codes: Codes) -> None:
    create(api)
    create(api)
    assert codes() == []


def test_a_delete_may_be_sent_again(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("instances.delete", error="INTERNAL_ERROR", at="after", times=1)
    one = api.create()["id"]
    assert [api.delete(f"/v1/instances/{one}").status for _ in range(2)] == [500, 404]
    assert codes("1s", "1s") == []


# ---- busy-poll


@pytest.mark.parametrize("waits", [("1ms", "2ms", "1ms"), ("200ms", "201ms", "200ms")])
def test_a_busy_wait_is_found(sandbox: Sandbox, api: Any, codes: Codes, waits: tuple[str, ...]) -> None:
    sandbox.use({"provisioning": {"polls": 3}})
    one = api.create()["id"]
    again(api, f"/v1/instances/{one}", 4)
    assert codes("0s", *waits) == ["busy-poll"]


def test_a_busy_wait_on_the_list_is_found(sandbox: Sandbox, api: Any, judged: Judge) -> None:
    sandbox.use({"provisioning": {"polls": 3}})
    api.create()
    again(api, "/v1/instances", 4)
    [found] = judged()
    assert (found.code, found.requests) == ("busy-poll", (2, 3, 4, 5))


@pytest.mark.parametrize("waits", [("2s", "2s", "2s", "2s"), ("100ms", "200ms", "400ms", "800ms")])
def test_polling_every_few_seconds_or_ever_more_slowly_is_fine(api: Any, codes: Codes, waits: tuple[str, ...]) -> None:
    one = api.create()["id"]
    again(api, f"/v1/instances/{one}", 5)
    assert codes("0s", *waits) == []


def test_polling_may_be_as_quick_as_one_says(api: Any, codes: Codes) -> None:
    one = api.create()["id"]
    again(api, f"/v1/instances/{one}", 5)
    assert codes("0s", *["200ms"] * 4, poll_interval="100ms") == []


def test_a_look_before_every_create_is_no_polling(api: Any, codes: Codes) -> None:
    for number in range(8):
        api.get("/v1/instances")
        api.create(name=f"web-{number}")
    assert codes() == []


# ---- first-page-only


@pytest.fixture
def crowd(sandbox: Sandbox) -> Sandbox:
    """A sandbox with more instances than a page shows."""
    for number in range(25):
        sandbox.instances.add(name=f"old-{number}", status="running")
    return sandbox


@pytest.mark.parametrize("envelope", ["nested", "flat", "bare"])
def test_a_first_page_alone_is_found(crowd: Sandbox, api: Any, judged: Judge, envelope: str) -> None:
    crowd.call("PATCH", "/readings", {"list-envelope": envelope})
    again(api, "/v1/instances?limit=10", 1)
    [found] = judged()
    assert found.code == "first-page-only"
    assert "#1 GET /v1/instances?limit=10 shows page 1 of" in found.message


@pytest.mark.parametrize(
    "paths",
    [
        ("?limit=10", "?limit=10&page=2", "?limit=10&page=3"),
        ("", "?limit=100"),
        ("?limit=100",),
        ("?limit=1",),
        ("?region=eu-west-1",),
    ],
)
def test_a_list_read_to_the_end_or_only_counted_is_fine(
    crowd: Sandbox, api: Any, codes: Codes, paths: tuple[str, ...]
) -> None:
    for path in paths:
        again(api, f"/v1/instances{path}", 1)
    assert codes() == []


def test_who_finds_what_it_looked_for_may_stop(crowd: Sandbox, api: Any, codes: Codes) -> None:
    [first, *_] = api.get("/v1/instances").json["data"]
    api.get(f"/v1/instances/{first['id']}")
    assert codes() == []


# ---- amplification


def growing(number: int) -> list[str]:
    return [f"{100 * 2**each}ms" for each in range(number)]


def test_nine_attempts_at_one_call_are_too_many(sandbox: Sandbox, api: Any, judged: Judge) -> None:
    sandbox.inject("plans.list", error="INTERNAL_ERROR")
    again(api, "/v1/plans", 9)
    [found] = judged(*growing(8))
    assert (found.code, len(found.requests)) == ("amplification", 9)
    assert "are 9 attempts at one call, GET /v1/plans" in found.message


def test_eight_are_not_nor_are_more_that_were_asked_for(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("plans.list", error="INTERNAL_ERROR")
    again(api, "/v1/plans", 8)
    sandbox.inject("regions.list", error="RATE_LIMITED", retry_after="1s")
    again(api, "/v1/regions", 12)
    assert codes(*growing(7), "1s", *["1s"] * 11) == []
    assert codes(*growing(7), "1s", *["1s"] * 11, attempts="7") == ["amplification"]


def test_a_success_in_between_ends_a_call(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("plans.list", sequence=[{"error": "INTERNAL_ERROR"}, "pass"], then="repeat")
    again(api, "/v1/plans", 30)
    assert codes() == []


# ---- deprecated-call


def test_a_deprecated_call_is_found_once_for_all(api: Any, judged: Judge) -> None:
    again(api, "/v1/instances/legacy", 8)
    [found] = judged()
    assert (found.code, len(found.requests)) == ("deprecated-call", 8)
    assert found.message == ("#1, #2, #3, #4, #5 … #8 (8 requests) used GET /v1/instances/legacy, which is deprecated")


def test_a_call_that_says_so_of_itself_is_found(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("plans.list", headers={"set": {"Sunset": "Fri, 31 Dec 2027 23:59:59 GMT"}})
    again(api, "/v1/plans", 1)
    assert codes() == ["deprecated-call"]


# ---- unread-parameter


def test_a_misspelt_filter_is_found_with_the_right_one(api: Any, judged: Judge) -> None:
    again(api, "/v1/instances?regoin=eu-west-1&limit=5", 2)
    [found] = judged()
    assert (found.code, found.requests) == ("unread-parameter", (1, 2))
    assert found.message.endswith("instances.list what it does not read: ?regoin, did you mean 'region'?")


def test_a_field_that_is_ignored_is_found_and_one_that_was_refused_is_not(
    sandbox: Sandbox, api: Any, judged: Judge
) -> None:
    create(api, size="big")
    assert judged() == []
    sandbox.call("PATCH", "/readings", {"unknown-body-field": "ignore"})
    create(api, size="big")
    [found] = judged()
    assert (found.code, found.requests) == ("unread-parameter", (2,))


def test_whatever_the_document_names_is_read(api: Any, codes: Codes) -> None:
    again(api, "/v1/instances?region=eu-west-1&status=running&tags=web&page=1&limit=5", 1)
    again(api, "/v1/billing/reports?start=2026-01-01&end=2026-01-02&timezone=UTC&group_by=day", 1)
    assert codes() == []


# ---- live-key


def test_a_live_key_is_found_before_the_door(client: Any) -> None:
    with MockServer() as server:
        client(server.url, "cnx_live_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c").get("/v1/plans")
        client(server.url, "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c").get("/v1/plans")
        found = client(server.url).get("/_mock/audit").json["findings"]
        kept = client(server.url).get("/_mock/journals").body.decode()
    assert [(each["code"], each["requests"]) for each in found] == [("live-key", [1])]
    assert "4f3b2c1d" not in kept


def test_a_live_key_in_a_body_is_found_too(api: Any, codes: Codes) -> None:
    create(api, tags=["cnx_live_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"])
    assert codes() == ["live-key"]


# ---- gave-up and left-behind, which are asked for by name


def test_giving_up_is_found_when_asked_for(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("plans.list", error="INTERNAL_ERROR", times=1)
    again(api, "/v1/plans", 1)
    again(api, "/v1/regions", 1)
    assert codes() == []
    assert codes(also=("gave-up",)) == ["gave-up"]


def test_who_tries_again_or_looks_has_not_given_up(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject(["plans.list", "instances.create"], error="INTERNAL_ERROR", at="after", times=2, per="sandbox")
    sandbox.inject("regions.list", error="INTERNAL_ERROR", times=1)
    create(api)
    api.get("/v1/instances")
    again(api, "/v1/regions", 2)
    assert codes(also=("gave-up",)) == []


def test_what_is_left_behind_is_priced_when_asked_for(sandbox: Sandbox, api: Any, judged: Judge) -> None:
    gone = api.create(name="a")["id"]
    api.create(name="b")
    api.delete(f"/v1/instances/{gone}")
    assert judged() == []
    [found] = judged(also=("left-behind",))
    assert (found.requests, found.message) == ((2,), "what #2 made is still there, and costs $29.20 a month")


def test_what_was_made_unheard_is_left_behind_until_it_is_found(sandbox: Sandbox, api: Any, codes: Codes) -> None:
    sandbox.inject("instances.create", connection="reset", at="after", times=1)
    create(api)
    assert codes(also=("left-behind",)) == ["left-behind"]
    [found] = api.get("/v1/instances").json["data"]
    api.delete(f"/v1/instances/{found['id']}")
    assert codes(also=("left-behind",)) == []


# ---- one logical call


def test_the_order_of_fields_and_parameters_does_not_make_another_call(sandbox: Sandbox, api: Any) -> None:
    sandbox.inject(error="INTERNAL_ERROR")
    api.post("/v1/instances", {"name": "a", "plan": "pro"})
    api.post("/v1/instances", {"plan": "pro", "name": "a"})
    api.get("/v1/instances?page=1&limit=5")
    api.get("/v1/instances?limit=5&page=1")
    calls = calls_of(sandbox.call("GET", "/requests")["data"])
    logical = Traffic(calls, measures({})).logical
    assert [[call.seq for call in each.attempts] for each in logical] == [[1, 2], [3, 4]]


def test_workers_that_overlap_are_not_retries_of_each_other(sandbox: Sandbox, api: Any) -> None:
    sandbox.inject(error="INTERNAL_ERROR")
    again(api, "/v1/plans", 8)
    entries = sandbox.call("GET", "/requests")["data"]
    for entry in entries:
        entry["wall"], entry["duration_ms"] = entries[0]["wall"], 50.0
    assert findings(calls_of(entries)) == []


def test_every_check_says_why_and_what_to_do() -> None:
    for check in checks():
        assert check.title and check.why.endswith(".") and check.fix.endswith(".")
        assert all(each.reason for each in check.thresholds)
    assert len(checks()) == 13


# ---- one worker, several connections


def taking_turns(sandbox: Sandbox, api: Any, starts: tuple[int, ...], lasting: int = 2) -> list[str]:
    """What is found where the same failing GET comes over two connections in turn, at these milliseconds."""
    sandbox.inject("plans.list", error="INTERNAL_ERROR")
    again(api, "/v1/plans", len(starts))
    entries = sandbox.call("GET", "/requests")["data"]
    began = parse_instant(entries[0]["wall"])
    for number, (entry, start) in enumerate(zip(entries, starts, strict=True)):
        entry["wall"] = format_instant_ms(began + start * 1000)
        entry |= {"duration_ms": lasting, "connection": 50_000 + number % 2}
    return [each.code for each in findings(calls_of(entries))]


def test_a_pool_that_takes_turns_is_one_client(sandbox: Sandbox, api: Any) -> None:
    assert taking_turns(sandbox, api, (0, 14, 17, 20, 23)) == ["flat-backoff"]


def test_two_workers_that_wait_are_two_clients(sandbox: Sandbox, api: Any) -> None:
    assert taking_turns(sandbox, api, (0, 5, 300, 800, 1000, 2300)) == []


def test_two_workers_whose_calls_overlap_are_two_clients(sandbox: Sandbox, api: Any) -> None:
    """Seen as one they would be without any wait."""
    assert taking_turns(sandbox, api, (0, 1, 203, 204, 807, 808)) == []


def test_tasks_that_share_a_pool_swap_connections(sandbox: Sandbox, api: Any) -> None:
    """Two tasks ask at once, fail, and wait; then each may get the other's connection."""
    assert taking_turns(sandbox, api, (0, 1, 200, 203, 800, 803), lasting=5) == []
    sandbox.reset()
    assert taking_turns(sandbox, api, (0, 1, 200, 600, 203, 900)[:4], lasting=5) == []


def test_tasks_that_share_a_pool_and_never_wait_are_found(sandbox: Sandbox, api: Any) -> None:
    found = taking_turns(sandbox, api, (0, 1, 6, 7, 12, 13, 18, 19, 24, 25), lasting=5)
    assert set(found) == {"flat-backoff"}
