"""Every check, on what it must find and on what it must leave alone."""

from typing import Any

import pytest

from cnx_mock import MockServer
from cnx_mock.audit.audit import findings, hammered, threshold_values
from cnx_mock.audit.call import calls_of
from cnx_mock.audit.checks import checks
from cnx_mock.audit.logical_calls import Traffic
from tests.audit.journal import (
    INSTANCE,
    call,
    codes,
    create,
    delete,
    failing,
    get,
    instance,
    journal,
    judge,
    page,
    read,
    waiting,
)
from tests.cases import cases

# ---- early-retry


def test_a_retry_before_retry_after_is_found() -> None:
    [found] = judge(get(status=429, retry_after="2"), get(wait="1.5s"))
    assert (found.code, found.requests) == ("early-retry", (1, 2))
    assert found.message == "#2 GET /v1/plans came 1.5s after #1, whose 429 said Retry-After 2s"


def test_later_early_retries_of_the_call_are_named_too() -> None:
    limited = failing(3, status=429, retry_after="2")
    [found] = judge(*waiting([*limited, get()], ["1.5s", "2s", "1s"]))
    assert found.requests == (1, 2, 4)
    assert found.message.endswith("whose 429 said Retry-After 2s; #4 came too early as well")


@pytest.mark.parametrize("status", [429, 500])
def test_a_retry_at_the_time_that_was_said_is_fine(status: int) -> None:
    limited = failing(3, status=status, retry_after="2")
    assert codes(*waiting([*limited, get()], ["2s", "2.01s", "2s"])) == []


def test_another_call_in_the_meantime_is_no_early_retry() -> None:
    assert codes(get(status=429, retry_after="2"), get("/v1/regions")) == []


def test_retry_after_may_be_a_date() -> None:
    assert codes(get(status=503, retry_after="Fri, 31 Dec 9998 23:59:59 GMT"), get(wait="50s")) == ["early-retry"]


def test_a_retry_after_that_cannot_be_read_asks_for_nothing() -> None:
    assert codes(get(status=503, retry_after="soon"), get(wait="1s")) == []


# ---- flat-backoff


@cases(
    ("waits", "pause"),
    [
        (("1ms", "2ms"), "without any wait between them"),
        (("1s", "1s", "1.01s"), "always after a wait of 1s"),
        (("0s", "500ms", "503ms", "501ms"), "always after a wait of 501ms"),
        (("200ms", "201ms", "200ms", "290ms", "200ms"), "always after a wait of 200ms"),
        (("1s", "1.3s", "1.1s", "1.4s", "1s", "1.2s"), "always after a wait of 1.2s"),
    ],
)
def test_waits_that_do_not_grow_are_found(waits: tuple[str, ...], pause: str) -> None:
    [found] = judge(*waiting(failing(len(waits) + 1), waits))
    assert found.code == "flat-backoff"
    assert found.message.endswith(f" are attempts at one call, GET /v1/plans, {pause}")


@cases(
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
def test_waits_that_grow_are_fine_jitter_or_not(waits: tuple[str, ...]) -> None:
    assert codes(*waiting(failing(len(waits) + 1), waits)) == []


def test_resets_count_as_failures_too() -> None:
    assert codes(*waiting(failing(4, status=None), ["300ms"] * 3)) == ["flat-backoff"]


def test_polling_goes_on_at_its_pace_through_errors() -> None:
    path = f"/v1/instances/{instance()['id']}"
    polls = [*failing(5, path), *(read() for _ in range(7))]
    assert codes(*waiting([create(), *polls], ["3s"] * 12)) == []


def test_the_same_request_after_a_success_is_no_retry() -> None:
    assert codes(*[get() for _ in range(20)]) == []


# ---- futile-retry


def test_the_same_bad_request_again_is_found() -> None:
    refused = create(400, fields={"plan": "huge"})
    [found] = judge(*waiting([refused, refused], ["1s"]))
    assert (found.code, found.requests) == ("futile-retry", (1, 2))
    assert "#1 POST /v1/instances got a 400 VALIDATION_ERROR, and #2 sent it again unchanged" in found.message


def test_a_corrected_request_is_fine() -> None:
    assert codes(create(400, fields={"plan": "huge"}), create()) == []


def test_what_is_not_ready_yet_may_be_asked_for_again() -> None:
    snapshot = call("POST", "/v1/snapshots", status=400, code="INVALID_STATE", sends={"instance_id": instance()["id"]})
    assert codes(*waiting([create(), snapshot, snapshot], ["1s", "2s"])) == []


def test_a_read_that_lags_behind_a_create_may_be_repeated() -> None:
    missing = failing(3, f"/v1/instances/{instance()['id']}", status=404)
    assert codes(*waiting([create(), *missing], ["1s", "1s", "2s"])) == []


def test_a_refusal_may_have_ended_with_what_happened_since() -> None:
    second = {"name": "b"}
    assert codes(create(), create(403, fields=second), delete(), create(number=2, fields=second)) == []


def test_a_429_is_no_refusal_for_good() -> None:
    assert codes(get(status=429, retry_after="1"), get(wait="1s")) == []


def test_another_key_or_another_content_type_is_another_request() -> None:
    refused = create(400, fields={"plan": "huge"})
    typed = {**refused, "request_headers": [*refused["request_headers"], ["content-type", "application/json"]]}
    unknown = {**get(status=401), "request_headers": [["authorization", "missing"]]}
    assert codes(refused, typed, unknown, get(status=401)) == []
    traced = {**typed, "request_headers": [*typed["request_headers"], ["traceparent", "00-1"]]}
    assert codes(typed, traced) == ["futile-retry"]


# ---- sent-while-limited


def limited_creates(number: int, retry_after: str = "30") -> list[dict[str, Any]]:
    """Creates of as many instances, each refused by the rate limit."""
    return [create(429, fields={"name": f"web-{each}"}, retry_after=retry_after) for each in range(number)]


def test_going_on_with_the_next_one_while_limited_is_found() -> None:
    [found] = judge(create(), *limited_creates(5))
    assert (found.code, found.requests) == ("sent-while-limited", (2, 3, 4, 5, 6))
    assert found.message == (
        "after #2 POST /v1/instances got a 429 with Retry-After, #3, #4, #5 and #6 were sent and refused as well"
    )


def test_a_few_workers_may_each_learn_of_the_limit() -> None:
    assert codes(*limited_creates(4)) == []


def test_one_limit_after_another_is_not_one_long_one() -> None:
    assert codes(*waiting(limited_creates(8, "1"), ["1s"] * 7)) == []


# ---- blind-create

UNKNOWN = {
    "no answer, and it happened": create(None, committed=True),
    "no answer, and it did not happen": create(None, committed=False),
    "500": create(500),
    "500 after it happened": create(500, committed=True),
    "504": create(504),
    "a 201 that is not JSON": create(shows='{"id": "inst_1",,}'),
    "half a 201": create(shows=str(instance())[:40], headers={"Content-Length": "80"}),
    "a 201 without its body": {**create(headers={"Content-Length": "80"}), "response_body": None},
}


@cases("first", UNKNOWN.values(), ids=UNKNOWN)
def test_a_create_sent_again_unseen_is_found(first: dict[str, Any]) -> None:
    assert codes(first, create(wait="1s")) == ["blind-create"]


def test_two_that_were_made_are_said_to_be_two() -> None:
    [found] = judge(create(None, committed=True), create(wait="1s"))
    assert "#1 POST /v1/instances got no answer, and #2 sent it again without checking" in found.message
    assert found.message.endswith("; #1 and #2 each created a resource")


def test_a_look_in_between_is_enough() -> None:
    assert codes(create(None), page("/v1/instances?tags=web", []), create()) == []


def test_a_look_at_something_else_is_none() -> None:
    assert codes(create(None), page("/v1/snapshots", []), create()) == ["blind-create"]


def test_a_look_that_failed_is_none() -> None:
    assert codes(create(502), get("/v1/instances", status=502), create()) == ["blind-create"]


@pytest.mark.parametrize("first", [create(429, retry_after="1"), create(503)], ids=["429", "503"])
def test_a_create_that_was_not_handled_may_be_sent_again(first: dict[str, Any]) -> None:
    assert codes(first, create(wait="1.1s")) == []


def test_a_503_after_it_happened_is_not_one_that_was_not_handled() -> None:
    assert codes(create(503, committed=True), create(wait="1s")) == ["blind-create"]


def test_two_replicas_of_one_body_are_two_calls() -> None:
    assert codes(create(), create(number=2)) == []


def test_a_delete_may_be_sent_again() -> None:
    again = delete(status=404, wait="1s")
    assert codes(create(), delete(status=500, committed=True, wait="1s"), again) == []


# ---- busy-poll


@pytest.mark.parametrize("waits", [("1ms", "2ms", "1ms"), ("200ms", "201ms", "200ms")])
def test_a_busy_wait_is_found(waits: tuple[str, ...]) -> None:
    polls = [read(), read(), read(), read(state="running")]
    assert codes(*waiting([create(), *polls], ["0s", *waits])) == ["busy-poll"]


def test_a_busy_wait_on_the_list_is_found() -> None:
    lists = [page("/v1/instances", [instance(status=state)]) for state in ("provisioning",) * 3 + ("running",)]
    [found] = judge(create(), *lists)
    assert (found.code, found.requests) == ("busy-poll", (2, 3, 4, 5))
    assert found.message == ("#2, #3, #4 and #5 ask GET /v1/instances again only 0s after the answer was provisioning")


@pytest.mark.parametrize("waits", [("2s", "2s", "2s", "2s"), ("100ms", "200ms", "400ms", "800ms")])
def test_polling_every_few_seconds_or_ever_more_slowly_is_fine(waits: tuple[str, ...]) -> None:
    assert codes(*waiting([create(), *(read() for _ in range(5))], ["0s", *waits])) == []


def test_polling_may_be_as_quick_as_the_threshold_says() -> None:
    polls = waiting([create(), *(read() for _ in range(5))], ["0s", *["200ms"] * 4])
    assert codes(*polls, poll_interval="100ms") == []


def test_a_look_before_every_create_is_no_polling() -> None:
    made: list[dict[str, Any]] = []
    calls = []
    for number in range(8):
        calls += [page("/v1/instances", list(made)), create(number=number, fields={"name": f"web-{number}"})]
        made.append(instance(number, name=f"web-{number}"))
    assert codes(*calls) == []


def sharing_a_pool(*looks: dict[str, Any]) -> list[dict[str, Any]]:
    """Four workers with one pool: what is created over one connection is used over another. Then come these looks."""
    together = [call("GET", "/v1/plans", at="0s", lasts="50ms", connection=number) for number in (1, 2, 3, 4)]
    created = [{**create(), "at": 60_000, "connection": 2}, {**read(state="running"), "at": 70_000, "connection": 1}]
    later = [{**look, "at": 100_000 + 20_000 * number} for number, look in enumerate(looks)]
    end = [call("GET", "/v1/regions", at="9s", lasts="50ms", connection=number) for number in (1, 2, 3, 4)]
    return [*together, *created, *later, *end]


def look(connection: int) -> dict[str, Any]:
    return call("GET", "/v1/instances", shows={"data": [instance()]}, connection=connection)


def test_one_look_at_a_list_by_each_of_the_workers_that_share_a_pool_is_no_polling() -> None:
    assert codes(*sharing_a_pool(*map(look, (1, 2, 1, 3)))) == []


def test_workers_that_share_a_pool_and_all_poll_a_list_too_often_are_found() -> None:
    assert codes(*sharing_a_pool(*map(look, (1, 2, 3, 4) * 3))) == ["busy-poll"]


def test_one_of_several_workers_that_polls_its_instance_too_often_is_found() -> None:
    polls = [{**read(), "connection": number} for number in (1, 2, 3, 4)]
    assert codes(*sharing_a_pool(*polls)) == ["busy-poll"]


# ---- first-page-only

CROWD = [instance(number, name=f"old-{number}", status="running") for number in range(25)]
"""More instances than a page shows."""


@cases(("envelope", "pages"), [("nested", "3"), ("flat", "3"), ("bare", "several")])
def test_a_first_page_alone_is_found(envelope: str, pages: str) -> None:
    [found] = judge(page("/v1/instances?limit=10", CROWD, envelope))
    assert found.code == "first-page-only"
    assert found.message == (f"#1 GET /v1/instances?limit=10 shows page 1 of {pages}, and no other page was requested")


@cases(
    "queries",
    [
        ("?limit=10", "?limit=10&page=2", "?limit=10&page=3"),
        ("", "?limit=100"),
        ("?limit=100",),
        ("?limit=1",),
    ],
)
def test_a_list_read_to_the_end_or_only_counted_is_fine(queries: tuple[str, ...]) -> None:
    assert codes(*(page(f"/v1/instances{query}", CROWD) for query in queries)) == []


def test_a_filtered_list_of_one_page_is_fine() -> None:
    assert codes(page("/v1/instances?region=eu-west-1", [])) == []


def test_a_client_that_finds_what_it_looked_for_may_stop() -> None:
    assert codes(page("/v1/instances", CROWD), read(0, "running")) == []


def test_a_client_that_finds_what_it_had_created_may_stop() -> None:
    calls = [create(None, fields={"name": "old-3"}, committed=True), page("/v1/instances", CROWD)]
    assert codes(*calls) == []


def test_a_client_that_deletes_all_it_sees_has_not_looked_for_one() -> None:
    """It made all of them itself, and five stay."""
    made = [create(number=number, fields={"name": f"old-{number}"}) for number in range(25)]
    cleared = [delete(number) for number in range(20)]
    assert codes(*made, page("/v1/instances", CROWD), *cleared) == ["first-page-only"]
    assert codes(*made, page("/v1/instances", CROWD), *cleared, page("/v1/instances?page=2", CROWD)) == []


# ---- empty-retry


@cases("body", [None, ""])
@cases("status", [None, 500, 429])
def test_a_retry_without_its_body_is_found(status: int | None, body: str | None) -> None:
    empty = {**create(400, wait="1s"), "request_body": body}
    [found] = judge(create(status), empty, ignore=["blind-create"])
    assert (found.code, found.requests) == ("empty-retry", (1, 2))
    assert found.message.endswith(", and #2 sent it again without its body")


def test_a_call_that_never_had_a_body_is_left_alone() -> None:
    reboot = call("POST", f"/v1/instances/{instance()['id']}/reboot", status=500)
    empty = {**create(500), "request_body": None}
    assert codes(reboot, reboot, empty, create(), empty, ignore=["blind-create"]) == []
    assert codes(create(400, fields={"plan": "huge"}), {**create(400), "request_body": None}) == []


# ---- delete-404


@cases("first", [delete(status=500), delete(status=504), {**delete(), "status": None, "response_headers": []}])
def test_a_delete_that_was_done_is_no_reason_to_fail(first: dict[str, Any]) -> None:
    calls = [create(), first, delete(status=404, wait="1s")]
    assert codes(*calls) == []
    [found] = judge(*calls, failed=True)
    assert (found.code, found.requests) == ("delete-404", (2, 3))


def test_another_failure_is_the_reason() -> None:
    calls = [create(), delete(status=500), delete(status=404, wait="1s")]
    assert judge(*calls, get("/v1/regions", status=500), failed=True) == []
    assert judge(create(), delete(status=404), failed=True) == []


# ---- lockstep


def in_rounds(workers: int, *starts: float, late: float = 0, same: bool = False) -> list[dict[str, Any]]:
    """Creates by as many workers that fail at each of these times, in ms; each worker comes a bit later than the last
    one, or so many ms later."""
    return [
        create(503, at=f"{start + (4 + late * bool(start)) * each:g}ms", fields={} if same else {"name": f"w-{each}"})
        for start in starts
        for each in range(workers)
    ]


@pytest.mark.parametrize("same", [False, True])
def test_workers_that_come_back_together_are_found(same: bool) -> None:
    fault_free = calls_of(journal(*(create(at=f"{4 * each}ms", number=each) for each in range(6))))
    rounds = calls_of(journal(*in_rounds(6, 0, 1000, 3000, 7000, same=same)))
    [found] = findings(rounds, fault_free=[fault_free] if same else [])
    assert found.code == "lockstep"
    assert "6 workers that make" in found.message
    assert found.message.endswith(" each waited 999ms and then 1.999s, all alike")


def test_workers_that_wait_at_random_or_are_few_are_fine() -> None:
    assert codes(*in_rounds(6, 0, 1000, 3000, 7000, late=90)) == []
    assert codes(*in_rounds(4, 0, 1000, 3000, 7000)) == []


# ---- amplification


def growing(number: int) -> list[str]:
    return [f"{100 * 2**each}ms" for each in range(number)]


def test_nine_attempts_at_one_call_are_too_many() -> None:
    [found] = judge(*waiting(failing(9), growing(8)))
    assert (found.code, len(found.requests)) == ("amplification", 9)
    assert "are 9 attempts at one call, GET /v1/plans" in found.message


def test_eight_are_not_nor_are_more_that_were_asked_for() -> None:
    asked_for = failing(12, "/v1/regions", status=429, retry_after="1")
    calls = waiting([*failing(8), *asked_for], [*growing(7), "1s", *["1s"] * 11])
    assert codes(*calls) == []
    assert codes(*calls, attempts="7") == ["amplification"]


def test_a_success_in_between_ends_a_call() -> None:
    assert codes(*[get(status=status) for _ in range(15) for status in (500, 200)]) == []


@cases(
    ("retries", "code"),
    [
        (failing(4), "flat-backoff"),
        (failing(2, status=429, retry_after="2"), "early-retry"),
        (waiting(failing(9), growing(8)), "amplification"),
        (waiting([create(402)] * 2, ["1s"]), "futile-retry"),
    ],
    ids=["at once", "too early", "too many", "in vain"],
)
def test_a_sweep_asks_for_hammering_only(retries: list[dict[str, Any]], code: str) -> None:
    calls = calls_of(journal(*retries, page("/v1/instances/legacy", [])))
    assert [each.code for each in hammered(calls)] == [code]


# ---- deprecated-call


def test_a_deprecated_call_is_found_once_for_all() -> None:
    [found] = judge(*[page("/v1/instances/legacy", []) for _ in range(8)])
    assert (found.code, len(found.requests)) == ("deprecated-call", 8)
    assert found.message == ("#1, #2, #3, #4, #5 … #8 (8 requests) used GET /v1/instances/legacy, which is deprecated")


def test_a_call_that_says_so_of_itself_is_found() -> None:
    assert codes(get(headers={"Sunset": "Fri, 31 Dec 2027 23:59:59 GMT"})) == ["deprecated-call"]


# ---- unread-parameter


def test_a_misspelt_filter_is_found_with_the_right_one() -> None:
    filtered = page("/v1/instances?regoin=eu-west-1&limit=5", [])
    [found] = judge(filtered, filtered)
    assert (found.code, found.requests) == ("unread-parameter", (1, 2))
    assert found.message == ("#1 and #2 sent names that instances.list does not read: ?regoin, did you mean 'region'?")


@cases(
    ("sent", "meant"),
    [
        *[
            (name, "limit")
            for name in ("per_page", "page_size", "pageSize", "pagesize", "size", "count", "max_results")
        ],
        *[
            (name, "page")
            for name in ("offset", "cursor", "page_number", "page_token", "starting_after", "Page", "pages")
        ],
        *[("labels", "tags"), ("state", "status"), ("zone", "region"), ("Limit", "limit"), ("limits", "limit")],
    ],
)
def test_a_parameter_of_other_apis_is_told_the_one_that_means_the_same(sent: str, meant: str) -> None:
    [found] = judge(page(f"/v1/instances?{sent}=5", []))
    assert found.message.endswith(f"?{sent}, did you mean '{meant}'?")


def test_a_parameter_of_other_apis_is_told_what_this_operation_has() -> None:
    [found] = judge(get("/v1/billing/reports?start=2026-01-01&end=2026-01-02&tz=UTC&interval=day&state=x"))
    assert "?tz, did you mean 'timezone'?, ?interval, did you mean 'group_by'?, ?state" in found.message
    assert "status" not in found.message


def test_a_field_that_is_ignored_is_found_and_one_that_was_refused_is_not() -> None:
    refused, ignored = create(400, fields={"size": "big"}), create(fields={"size": "big"}, wait="1s")
    assert codes(refused) == []
    [found] = judge(create(400, fields={"size": "huge"}), ignored)
    assert (found.code, found.requests) == ("unread-parameter", (2,))


def test_whatever_the_document_names_is_read() -> None:
    instances = page("/v1/instances?region=eu-west-1&status=running&tags=web&page=1&limit=5", [])
    report = get("/v1/billing/reports?start=2026-01-01&end=2026-01-02&timezone=UTC&group_by=day")
    assert codes(instances, report) == []


# ---- live-key


def test_a_live_key_is_found_in_the_header_the_address_and_the_body() -> None:
    header = {**get(), "request_headers": [["authorization", "live"]]}
    address = get("/v1/plans?key=cnx_live_redacted")
    [found] = judge(header, get(), create(fields={"tags": ["cnx_live_redacted"]}))
    assert (found.code, found.requests, found.message) == ("live-key", (1, 3), "#1 and #3 carried a live key")
    assert "live-key" in codes(address)


def test_a_server_records_that_there_was_a_live_key_and_not_the_key(client: Any) -> None:
    with MockServer() as server:
        client(server.url, "cnx_live_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c").get("/v1/plans")
        api = client(server.url, "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c")
        api.post("/v1/instances", {**INSTANCE, "tags": ["cnx_live_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"]})
        found = client(server.url).get("/_mock/audit").json["findings"]
        kept = client(server.url).get("/_mock/journals").body.decode()
    assert [(each["code"], each["requests"]) for each in found] == [("live-key", [1]), ("live-key", [1])]
    assert "4f3b2c1d" not in kept


# ---- gave-up and left-behind, which are asked for by name


def test_giving_up_is_found_when_asked_for() -> None:
    calls = [get(status=500), get("/v1/regions")]
    assert codes(*calls) == []
    [found] = judge(*calls, also=("gave-up",))
    assert (found.code, found.message) == (
        "gave-up",
        "#1 GET /v1/plans got a 500 INTERNAL_ERROR and was not retried",
    )


def test_a_client_that_tries_again_or_looks_has_not_given_up() -> None:
    regions = [get("/v1/regions", status=500), get("/v1/regions")]
    calls = [create(500, committed=True), page("/v1/instances", [instance()]), *regions]
    assert codes(*calls, also=("gave-up",)) == []


def test_what_is_left_behind_is_priced_when_asked_for() -> None:
    calls = [create(fields={"name": "a"}), create(number=2, fields={"name": "b"}), delete(1)]
    assert judge(*calls) == []
    [found] = judge(*calls, also=("left-behind",))
    assert (found.requests, found.message) == (
        (2,),
        "the resource that #2 created still exists and costs $29.20 a month",
    )
    [found] = judge(*calls[:2], also=("left-behind",))
    assert found.message == "the resources that #1 and #2 created still exist and cost $58.40 a month"


def test_what_was_made_unheard_is_left_behind_until_it_is_found() -> None:
    unheard = create(None, committed=True)
    assert codes(unheard, also=("left-behind",)) == ["left-behind"]
    assert codes(unheard, page("/v1/instances", [instance()]), delete(), also=("left-behind",)) == []


# ---- one logical call


def test_the_order_of_fields_and_parameters_does_not_make_another_call() -> None:
    bodies = [{"name": "a", "plan": "pro"}, {"plan": "pro", "name": "a"}]
    creates = [call("POST", "/v1/instances", status=500, sends=body) for body in bodies]
    lists = [get(f"/v1/instances?{query}", status=500) for query in ("page=1&limit=5", "limit=5&page=1")]
    logical = Traffic(calls_of(journal(*creates, *lists)), threshold_values({})).logical
    assert [[each.seq for each in one.attempts] for one in logical] == [[1, 2], [3, 4]]


def test_workers_that_overlap_are_not_retries_of_each_other() -> None:
    assert codes(*failing(8, at="0s", lasts="50ms")) == []


def test_every_check_says_why_and_what_to_do() -> None:
    for check in checks():
        assert check.title and check.why.endswith(".") and check.fix.endswith(".")
        assert all(each.reason for each in check.thresholds)
    assert len(checks()) == 17


# ---- one worker, several connections


def taking_turns(*starts: int, lasting: int = 2) -> list[str]:
    """What is found if the same failing GET comes over two connections in turn, at these milliseconds."""
    return codes(
        *(
            get(status=500, at=f"{start}ms", lasts=f"{lasting}ms", connection=50_000 + number % 2)
            for number, start in enumerate(starts)
        )
    )


def test_a_pool_that_takes_turns_is_one_client() -> None:
    assert taking_turns(0, 14, 17, 20, 23) == ["flat-backoff"]


def test_two_workers_that_wait_are_two_clients() -> None:
    assert taking_turns(0, 5, 300, 800, 1000, 2300) == []


def test_two_workers_whose_calls_overlap_are_two_clients() -> None:
    """As one client they would not wait at all."""
    assert taking_turns(0, 1, 203, 204, 807, 808) == []


def test_tasks_that_share_a_pool_swap_connections() -> None:
    """Two tasks ask at once, fail, and wait; then each may get the other's connection."""
    assert taking_turns(0, 1, 200, 203, 800, 803, lasting=5) == []
    assert taking_turns(0, 1, 200, 600, lasting=5) == []


def test_tasks_that_share_a_pool_and_never_wait_are_found() -> None:
    assert set(taking_turns(0, 1, 6, 7, 12, 13, 18, 19, 24, 25, lasting=5)) == {"flat-backoff"}
