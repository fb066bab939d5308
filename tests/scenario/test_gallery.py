"""The gallery: what is true of all its stories, and for every story a test that shows its point. Clocks stand still
except for `advance`, so that hours pass at once."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox
from cnx_mock.scenario.gallery import gallery, linted
from cnx_mock.services import operations
from tests.conftest import INSTANCE, Client, Reply
from tests.scenario.test_stale import BALANCER, BALANCERS, LIST

pytestmark = pytest.mark.slow

FILES = sorted(Path(__file__).parents[2].glob("scenarios/*.yaml"))


def told(story: str, server: MockServer, client: type[Client]) -> tuple[Sandbox, Client]:
    """A sandbox in which the story begins, always with the same chance, and a client for it."""
    sandbox = server.sandbox(story, name=story)
    sandbox.clock.freeze()
    return sandbox, client(sandbox.url, sandbox.api_key)


def statuses(api: Client, calls: int) -> list[int]:
    return [api.get(LIST).status for _ in range(calls)]


def near(share: float, calls: int, seen: int) -> bool:
    """Whether so many of the calls lie in the interval of 999 in 1000."""
    return abs(seen - calls * share) < 3.29 * sqrt(calls * share * (1 - share))


def names(reply: Reply) -> list[str]:
    return [each["name"] for each in reply.json["data"]]


# ---- all of them


def test_the_gallery_is_every_file_and_says_what_each_story_shows(sandbox):
    stories = {story["name"]: story["description"] for story in sandbox.call("GET", "/scenarios")["data"]}
    assert list(stories) == [path.stem for path in FILES]
    assert len(stories) >= 15
    assert all(stories.values())


@pytest.mark.parametrize("story", gallery())
def test_every_story_is_free_of_lint_and_can_be_used(server, story):
    assert linted(story, operations())[1] is None
    assert server.sandbox().call("PUT", "/scenario", {"name": story})["warnings"] == []


@pytest.mark.parametrize("story", gallery())
def test_every_story_has_a_test_of_its_own(story):
    prefix = f"test_{story.replace('-', '_')}_"
    assert [each for each in globals() if each.startswith(prefix)], f"write {prefix}…, which shows its point"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_story_begins_with_what_it_teaches(path):
    header = path.read_text(encoding="utf-8").split("\ndescription:")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "\n# Teaches: " in header


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_rule_of_the_gallery_has_a_name(server, path):
    rules = server.sandbox(path).call("GET", "/rules")["data"]
    assert [rule["id"] for rule in rules if rule["id"].startswith("rule-")] == []


# ---- good days, and bad networks


def test_calm_nothing_goes_wrong(server, client):
    sandbox, api = told("calm", server, client)
    instance = api.create()
    assert api.get(f"{LIST}/{instance['id']}").status == 200
    assert api.delete(f"{LIST}/{instance['id']}").status == 200
    assert sandbox.call("GET", "/rules")["data"] == []


def test_flaky_network_one_call_in_five_and_the_same_ones_again(server, client):
    first, second = a_bad_day(server, client, 400), a_bad_day(server, client, 400)
    assert first == second
    assert near(1 / 5, 400, sum(1 for outcome in first if outcome != "good"))
    assert {"reset", "slow"} < set(first)


def a_bad_day(server: MockServer, client: type[Client], calls: int) -> list[str]:
    """What becomes of so many calls; the slow ones are spared their wait, which changes no draw."""
    sandbox = server.sandbox("flaky-network", name="a bad day", seed=5)
    sandbox.account.rate_limit = "100000/min"
    sandbox.call("PATCH", "/rules/slow", {"fault": {"latency": ["0s", "1ms"]}})
    api = client(sandbox.url, sandbox.api_key)
    for _ in range(calls):
        try:
            api.get(LIST)
        except ConnectionResetError:
            continue
    return [entry.faults[0].rule if entry.faults else "good" for entry in sandbox.requests]


def test_lost_response_the_instance_exists_and_the_client_never_hears_of_it(server, client):
    _, api = told("lost-response", server, client)
    with pytest.raises(ConnectionResetError):
        api.post(LIST, INSTANCE)
    assert names(api.get(LIST)) == [INSTANCE["name"]]
    assert api.post(LIST, INSTANCE).status == 201


def test_poisoned_json_every_third_read_is_whole_and_unreadable(server, client):
    _, api = told("poisoned-json", server, client)
    replies = [api.get(LIST) for _ in range(6)]
    assert [readable(reply) for reply in replies] == [True, True, False] * 2
    assert {(reply.status, reply.headers["content-type"]) for reply in replies} == {(200, "application/json")}
    assert all(len(reply.body) == int(reply.headers["content-length"]) for reply in replies)


def test_poisoned_json_the_create_that_cannot_be_read_has_happened(server, client):
    _, api = told("poisoned-json", server, client)
    spoilt = api.post(LIST, INSTANCE)
    assert (spoilt.status, readable(spoilt)) == (201, False)
    assert names(api.get(LIST)) == [INSTANCE["name"]]
    assert readable(api.post(LIST, INSTANCE))


def readable(reply: Reply) -> bool:
    try:
        return bool(reply.json)
    except ValueError:
        return False


def test_tail_latency_half_the_reads_are_quick_and_a_few_take_very_long(server, client):
    sandbox, api = told("tail-latency", server, client)
    sandbox.account.rate_limit = "100000/min"
    rule = sandbox.call("GET", "/rules/tail")["rule"]
    assert rule["fault"] == {"latency": {"median": "80ms", "p99": "2s", "max": "5s"}}
    sandbox.call("PATCH", "/rules/tail", {"fault": {"latency": {"median": "800us", "p99": "20ms", "max": "50ms"}}})
    assert statuses(api, 200) == [200] * 200
    waits = [entry.delayed_ms for entry in sandbox.requests]
    assert near(1 / 2, 200, sum(1 for wait in waits if wait < 0.8))
    assert near(1 / 100, 200, sum(1 for wait in waits if wait >= 20))
    assert max(waits) > 20 * sorted(waits)[100]


def test_tail_latency_creates_are_as_quick_as_ever(server, client):
    sandbox, api = told("tail-latency", server, client)
    api.create()
    assert sandbox.requests[-1].delayed_ms == 0


# ---- limits and money


def test_insufficient_credits_the_first_create_is_the_documented_error(server, client):
    _, api = told("insufficient-credits", server, client)
    reply = api.post(LIST, INSTANCE)
    assert reply.is_documented_refusal, reply.body


def test_credits_run_out_at_the_third_of_three(server, client):
    sandbox, api = told("credits-run-out", server, client)
    replies = [api.post(LIST, {**INSTANCE, "name": f"web-{number}"}) for number in (1, 2, 3)]
    assert [reply.status for reply in replies] == [201, 201, 403]
    assert replies[-1].error["code"] == "INSUFFICIENT_CREDITS"
    assert replies[-1].details == {"current_balance": "$4.99", "required": "$5.00"}
    assert sandbox.requests[-1].faults == [], "a real refusal, not an injected one"


def test_credits_run_out_what_is_there_can_be_seen_and_taken_back_and_a_top_up_helps(server, client):
    sandbox, api = told("credits-run-out", server, client)
    built = [api.create(name=name)["id"] for name in ("web-1", "web-2")]
    assert api.post(LIST, INSTANCE).status == 403
    assert names(api.get(LIST)) == ["web-1", "web-2"]
    assert api.delete(f"{LIST}/{built[0]}").status == 200
    assert api.post(LIST, INSTANCE).status == 403, "a started hour is not given back"
    sandbox.account.balance = "$20.00"
    assert api.post(LIST, INSTANCE).status == 201


def test_rate_limited_five_a_minute_then_an_honest_wait(server, client):
    sandbox, api = told("rate-limited", server, client)
    remaining = [api.get(LIST).headers["x-ratelimit-remaining"] for _ in range(5)]
    assert remaining == ["4", "3", "2", "1", "0"]
    refused = api.get(LIST)
    assert (refused.status, refused.error["code"]) == (429, "RATE_LIMITED")
    sandbox.clock.advance(f"{refused.headers['retry-after']}s")
    assert api.get(LIST).status == 200


def test_thundering_429s_of_twenty_at_once_three_get_through_and_the_rest_return_together(server, client):
    sandbox, api = told("thundering-429s", server, client)
    for _ in range(3):
        replies = at_once(api, 20)
        assert [reply.status for reply in replies].count(200) == 3
        assert {reply.headers["retry-after"] for reply in replies if reply.status == 429} == {"10"}
        sandbox.clock.advance("10s")


def test_thundering_429s_who_sends_three_at_a_time_and_waits_is_never_refused(server, client):
    sandbox, api = told("thundering-429s", server, client)
    for _ in range(5):
        assert {reply.status for reply in at_once(api, 3)} == {200}
        sandbox.clock.advance("10s")


def at_once(api: Client, calls: int) -> list[Reply]:
    with ThreadPoolExecutor(calls) as threads:
        return list(threads.map(lambda _: api.get(LIST), range(calls)))


def test_skewed_reset_lies_long_before_the_answer_that_says_it(server, client):
    _, api = told("skewed-reset", server, client)
    for reply in (api.get(LIST) for _ in range(6)):
        sent = parsedate_to_datetime(reply.headers["date"]).timestamp()
        assert int(reply.headers["x-ratelimit-reset"]) - sent < -1_000_000


def test_skewed_reset_the_wait_of_every_third_call_is_true_all_the_same(server, client):
    _, api = told("skewed-reset", server, client)
    replies = [api.get(LIST) for _ in range(6)]
    assert [reply.status for reply in replies] == [200, 200, 429] * 2
    assert [reply.headers.get("retry-after") for reply in replies] == [None, None, "2"] * 2


# ---- what does not come up, or cannot


def test_slow_provisioning_instances_take_two_minutes(server, client):
    sandbox, api = told("slow-provisioning", server, client)
    path = f"{LIST}/{api.create()['id']}"
    sandbox.clock.advance("1m59s")
    assert api.get(path).json["status"] == "provisioning"
    sandbox.clock.advance("1s")
    assert api.get(path).json["status"] == "running"


def test_slow_then_stuck_three_minutes_then_ten_then_never(server, client):
    sandbox, api = told("slow-then-stuck", server, client)
    made = [api.create()["id"] for _ in range(3)]

    def running(by: str) -> list[bool]:
        sandbox.clock.advance(by)
        return [api.get(f"{LIST}/{each}").json["status"] == "running" for each in made]

    assert running("2m59s") == [False, False, False]
    assert running("1s") == [True, False, False]
    assert running("7m") == [True, True, False]
    assert running("2d") == [True, True, False]


def test_slow_then_stuck_what_is_stuck_can_be_deleted_and_made_anew(server, client):
    sandbox, api = told("slow-then-stuck", server, client)
    stuck = [api.create()["id"] for _ in range(3)][-1]
    assert api.delete(f"{LIST}/{stuck}").status == 200
    anew = api.create()["id"]
    sandbox.clock.advance("1m")
    assert api.get(f"{LIST}/{anew}").json["status"] == "running"


def test_capacity_exhausted_two_machines_then_no_third_for_twenty_minutes(server, client):
    sandbox, api = told("capacity-exhausted", server, client)
    replies = [api.post(LIST, INSTANCE) for _ in range(4)]
    assert [reply.status for reply in replies] == [201, 201, 503, 503]
    assert replies[-1].error["message"] == "No capacity is left for this plan in this region."
    assert replies[-1].details == {"plan": "pro", "region": "us-east-1"}
    assert "retry-after" not in replies[-1].headers
    sandbox.clock.advance("20m")
    assert api.post(LIST, INSTANCE).status == 201


def test_capacity_exhausted_another_size_or_region_is_to_be_had(server, client):
    _, api = told("capacity-exhausted", server, client)
    assert [api.post(LIST, INSTANCE).status for _ in range(3)] == [201, 201, 503]
    assert api.post(LIST, {**INSTANCE, "plan": "enterprise"}).status == 201
    assert api.post(LIST, {**INSTANCE, "region": "us-west-2"}).status == 201


# ---- outages


def test_regional_outage_the_region_takes_nothing_new_and_the_next_one_does(server, client):
    sandbox, api = told("regional-outage", server, client)
    refused = api.post(LIST, INSTANCE)
    assert (refused.status, refused.error["code"]) == (400, "REGION_UNAVAILABLE")
    assert refused.details == {"region": "us-east-1"}
    assert api.post(LIST, {**INSTANCE, "region": "us-west-2"}).status == 201
    sandbox.clock.advance("30m")
    assert api.post(LIST, INSTANCE).status == 201


def test_regional_outage_what_runs_there_is_listed_and_no_load_balancer_can_stand_there(server, client):
    sandbox, api = told("regional-outage", server, client)
    sandbox.instances.add(name="web-1", region="us-east-1")
    assert names(api.get(LIST)) == ["web-1"]
    refused = api.post(BALANCERS, {**BALANCER, "regions": ["us-west-2", "us-east-1"]})
    assert (refused.error["code"], refused.details) == ("REGION_UNAVAILABLE", {"region": "us-east-1"})
    assert api.post(BALANCERS, {**BALANCER, "regions": ["us-west-2", "eu-west-1"]}).status == 201


def test_brownout_three_calls_in_ten_fail_and_all_are_slow_for_two_minutes(server, client):
    sandbox, api = told("brownout", server, client)
    sandbox.account.rate_limit = "100000/min"
    sandbox.call("PATCH", "/rules/overloaded", {"fault": {"latency": {"median": "400us", "p99": "3ms", "max": "5ms"}}})
    assert statuses(api, 20) == [200] * 20
    assert waited(sandbox.requests[-20:]) == 0
    sandbox.clock.advance("30s")
    seen = statuses(api, 200)
    assert near(0.3, 200, seen.count(500))
    assert seen.count(200) + seen.count(500) == 200
    assert waited(sandbox.requests[-200:]) == 200, "what failed has waited too"
    sandbox.clock.advance("2m")
    assert statuses(api, 20) == [200] * 20
    assert waited(sandbox.requests[-20:]) == 0


def waited(entries: Iterable[Any]) -> int:
    return sum(1 for entry in entries if entry.delayed_ms)


def test_flapping_one_good_answer_is_no_recovery(server, client):
    sandbox, api = told("flapping", server, client)
    seen = []
    for _ in range(12):
        seen.append(api.get(LIST).status)
        sandbox.clock.advance("10s")
    assert seen == [200, 200, 500] * 4
    sandbox.clock.advance("7d20s")
    assert api.get(LIST).status == 500, "for ever"


def test_recovery_fewer_and_fewer_calls_fail(server, client):
    sandbox, api = told("recovery", server, client)
    sandbox.account.rate_limit = "100000/min"
    assert statuses(api, 20) == [500] * 20
    for passed, share in (("5m", 0.9), ("5m", 0.45), ("4m", 0.09)):
        sandbox.clock.advance(passed)
        assert near(share, 150, statuses(api, 150).count(500))
    sandbox.clock.advance("1m")
    assert statuses(api, 20) == [200] * 20


# ---- what was announced


def test_maintenance_window_two_hours_in_four_parts(server, client):
    sandbox, api = told("maintenance-window", server, client)
    seen = []
    for part in ("30m", "30m", "1h", "0s"):
        phase = sandbox.call("GET", "/scenario")["phase"]["name"]
        seen.append((phase, api.get(LIST).status, api.post(LIST, INSTANCE).status))
        sandbox.clock.advance(part)
    assert seen == [
        ("open", 200, 201),
        ("read-only", 200, 503),
        ("closed", 503, 503),
        ("reopened", 200, 201),
    ]


def test_maintenance_window_says_why_and_asks_for_minutes(server, client):
    sandbox, api = told("maintenance-window", server, client)
    sandbox.clock.advance("30m")
    refused = api.post(LIST, INSTANCE)
    assert (refused.headers["retry-after"], refused.error["message"]) == ("600", "Read-only for maintenance.")
    sandbox.clock.advance("30m")
    refused = api.get(LIST)
    assert (refused.headers["retry-after"], refused.error["message"]) == ("600", "Closed for maintenance.")


def test_deprecation_the_headers_say_for_weeks_what_comes(server, client):
    sandbox, api = told("deprecation", server, client)
    reply = api.get(f"{LIST}/legacy")
    assert reply.status == 200
    assert reply.headers["deprecation"] == "@1761264000"
    assert ["link", '</v1/instances>; rel="successor-version"'] in sandbox.requests[-1].response_headers
    sunset = parsedate_to_datetime(reply.headers["sunset"]).date()
    assert (sunset - sandbox.clock.now.date()).days == 59
    sandbox.clock.advance("59d")
    assert sandbox.clock.now.date() == sunset
    assert api.get(f"{LIST}/legacy").status == 410, "as announced"


def test_deprecation_a_rehearsal_comes_before_the_end_and_the_successor_is_well(server, client):
    sandbox, api = told("deprecation", server, client)
    seen = []
    for part in ("45d", "1d", "13d", "0s"):
        legacy, successor = api.get(f"{LIST}/legacy"), api.get(LIST)
        seen.append((legacy.status, "sunset" in legacy.headers, successor.status, "sunset" in successor.headers))
        sandbox.clock.advance(part)
    assert seen == [(status, True, 200, False) for status in (200, 410, 200, 410)]
    assert legacy.error["message"] == "Use GET /v1/instances."


# ---- what is true later


def test_eventual_consistency_what_was_just_created_is_not_there_yet(server, client):
    sandbox, api = told("eventual-consistency", server, client)
    path = f"{LIST}/{api.create()['id']}"
    assert (api.get(path).status, names(api.get(LIST))) == (404, [])
    sandbox.clock.advance("5s")
    assert (api.get(path).status, names(api.get(LIST))) == (200, [INSTANCE["name"]])


def test_eventual_consistency_what_was_just_deleted_is_still_there(server, client):
    sandbox, api = told("eventual-consistency", server, client)
    path = f"{LIST}/{api.create()['id']}"
    sandbox.clock.advance("5s")
    assert api.delete(path).status == 200
    assert (api.get(path).status, names(api.get(LIST))) == (200, [INSTANCE["name"]])
    assert api.delete(path).status == 404, "what changes something sees the truth"
    sandbox.clock.advance("5s")
    assert (api.get(path).status, names(api.get(LIST))) == (404, [])
