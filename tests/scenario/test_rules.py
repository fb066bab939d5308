"""Rules in order: match, times, probability, at, fault; which rule wins, which ones count, and that draws are keyed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import sqrt

import pytest

from cnx_mock import MockServer, Sandbox
from tests.cases import cases, rounds
from tests.conftest import INSTANCE, Client

LIST = "/v1/instances"


def decisions(sandbox: Sandbox) -> dict[str, str]:
    """What the journal says of each rule for the newest request: `fired: why` or why not."""
    return {
        each.rule: f"fired: {each.reason}" if each.fired else each.reason for each in sandbox.requests[-1].decisions
    }


def statuses(api: Client, calls: int) -> list[int]:
    return [api.get(LIST).status for _ in range(calls)]


# ---- times


def test_times_counts_the_first_so_many_matches(sandbox, api):
    rule = sandbox.inject("instances.list", error="INTERNAL_ERROR", times=2, id="twice")
    assert statuses(api, 4) == [500, 500, 200, 200]
    assert (rule.matched, rule.fired) == (4, 2)
    assert decisions(sandbox) == {"twice": "match 4, beyond times 2"}


def test_without_times_every_match_counts(sandbox, api):
    sandbox.inject("instances.list", error="INTERNAL_ERROR", id="always")
    assert statuses(api, 3) == [500, 500, 500]
    assert decisions(sandbox) == {"always": "fired: match 3"}


def test_a_request_that_does_not_match_takes_no_ordinal(sandbox, api):
    rule = sandbox.inject("instances.list", error="INTERNAL_ERROR", times=1)
    assert api.get("/v1/plans").status == 200
    assert rule.matched == 0
    assert statuses(api, 2) == [500, 200]


def test_times_are_counted_before_chance_is_asked(server, client):
    sandbox = server.sandbox(name="three chances")
    rule = sandbox.inject("instances.list", error="INTERNAL_ERROR", times=3, probability=0.5)
    seen = statuses(client(sandbox.url, sandbox.api_key), 20)
    assert set(seen[:3]) == {200, 500}, "else this name shows nothing"
    assert seen[3:] == [200] * 17
    assert (rule.matched, rule.fired) == (20, seen.count(500))


def test_counts_are_by_request_not_by_connection(sandbox, api):
    sandbox.inject(error="INTERNAL_ERROR", times=1)
    assert api.call("HEAD", LIST).status == 500
    assert api.get(LIST).status == 200


# ---- who wins


@pytest.mark.filterwarnings("ignore::cnx_mock.ScenarioWarning")  # it is meant never to fire
def test_the_first_outcome_wins_and_the_next_is_behind_it(sandbox, api):
    first = sandbox.inject(error="INTERNAL_ERROR", id="first")
    second = sandbox.inject(error="NOT_FOUND", id="second")
    assert api.get(LIST).error["code"] == "INTERNAL_ERROR"
    assert decisions(sandbox) == {"first": "fired: match 1", "second": "behind first"}
    assert (first.matched, first.fired, second.matched, second.fired) == (1, 1, 1, 0)


def test_a_rule_behind_the_winner_takes_its_ordinal_all_the_same(sandbox, api):
    sandbox.inject(error="INTERNAL_ERROR", times=1)
    sandbox.inject(error="NOT_FOUND", times=2)
    assert statuses(api, 3) == [500, 404, 200]


@pytest.mark.filterwarnings("ignore::cnx_mock.ScenarioWarning")  # it is meant never to fire
def test_shapers_before_the_winner_apply_and_those_behind_it_do_not(sandbox, api):
    sandbox.inject(latency="1ms", id="before")
    sandbox.inject(error="INTERNAL_ERROR", id="winner")
    behind = sandbox.inject(latency="2ms", id="behind")
    assert api.get(LIST).status == 500
    entry = sandbox.requests[-1]
    assert [each.rule for each in entry.faults] == ["before", "winner"]
    assert entry.delayed_ms == 1
    assert behind.fired == 0
    assert decisions(sandbox)["behind"] == "behind winner"


def test_a_rule_may_have_shapers_beside_its_outcome(sandbox, api):
    rule = sandbox.inject(error="INTERNAL_ERROR", latency="3ms", times=1)
    assert api.get(LIST).status == 500
    entry = sandbox.requests[-1]
    assert [each.fault for each in entry.faults] == ["latency=3ms", "error=INTERNAL_ERROR"]
    assert (entry.delayed_ms, rule.fired) == (3, 1)


@cases("at", [("before", "before"), ("before", "after"), ("after", "after")])
def test_latencies_add_up(sandbox, api, at):
    sandbox.inject(latency="1ms", at=at[0])
    sandbox.inject(latency="2ms", at=at[1])
    assert api.get(LIST).status == 200
    assert sandbox.requests[-1].delayed_ms == 3


def test_injected_rules_are_asked_by_arrival_and_before_the_scenario(server, client):
    sandbox = server.sandbox({"rules": [{"id": "told", "fault": {"error": "NOT_FOUND"}}]})
    sandbox.inject(latency="0s", id="b")
    sandbox.inject(error="INTERNAL_ERROR", id="a")
    assert client(sandbox.url, sandbox.api_key).get(LIST).status == 500
    assert list(decisions(sandbox)) == ["b", "a", "told"]


def test_a_removed_rule_is_not_asked(sandbox, api):
    with sandbox.inject(error="INTERNAL_ERROR"):
        assert api.get(LIST).status == 500
    assert api.get(LIST).status == 200
    assert decisions(sandbox) == {}


# ---- before and after the effect


def test_before_the_effect_nothing_happens(sandbox, api):
    sandbox.inject("instances.create", error="INTERNAL_ERROR", times=1)
    assert api.post(LIST, INSTANCE).status == 500
    assert sandbox.requests[-1].committed is False
    assert api.get(LIST).json["data"] == []


def test_after_the_effect_it_has_happened(sandbox, api):
    sandbox.inject("instances.create", error="INTERNAL_ERROR", times=1, at="after")
    assert api.post(LIST, INSTANCE).status == 500
    assert sandbox.requests[-1].committed is True
    assert len(api.get(LIST).json["data"]) == 1


def test_a_fault_before_the_effect_comes_ahead_of_every_judgment(sandbox, api):
    sandbox.inject(error="INTERNAL_ERROR")
    for reply in (api.get("/v1/nowhere"), api.get(f"{LIST}/gone"), api.post(LIST, {}), api.post(LIST, raw=b"{")):
        assert reply.status == 500


@cases(
    ("method", "path", "raw", "status"),
    [
        ("GET", "/v1/nowhere", None, 404),
        ("PATCH", LIST, None, 405),
        ("GET", f"{LIST}/gone", None, 404),
        ("POST", LIST, b"{", 400),
        ("POST", LIST, b"{}", 400),
    ],
)
def test_a_fault_after_the_effect_leaves_refusals_alone_and_spends_its_ordinal(sandbox, api, method, path, raw, status):
    rule = sandbox.inject(error="INTERNAL_ERROR", at="after", times=1, id="late")
    assert api.call(method, path, raw=raw).status == status
    assert decisions(sandbox) == {"late": "times 1 of 1, nothing was committed"}
    assert (rule.matched, rule.fired, sandbox.requests[-1].faults) == (1, 0, [])
    assert api.get(LIST).status == 200


def test_a_shaper_beside_a_spared_outcome_has_fired(sandbox, api):
    rule = sandbox.inject(error="INTERNAL_ERROR", latency="1ms", at="after", id="late")
    assert api.get("/v1/nowhere").status == 404
    assert decisions(sandbox) == {"late": "fired: match 1, nothing was committed"}
    assert (rule.fired, [each.fault for each in sandbox.requests[-1].faults]) == (1, ["latency=1ms"])


def test_a_read_can_be_replaced_after_the_effect_too(sandbox, api):
    sandbox.inject("instances.list", error="INTERNAL_ERROR", at="after")
    assert api.get(LIST).status == 500
    assert sandbox.requests[-1].committed is False


# ---- where rules are asked


@cases("path", ["/v2/instances", "/nowhere", "/v1", "/"])
def test_rules_are_asked_for_v1_only(sandbox, api, path):
    rule = sandbox.inject(error="INTERNAL_ERROR")
    assert api.get(path).status in (200, 404)
    assert rule.matched == 0


def test_what_the_rate_limit_refuses_asks_no_rule(sandbox, api):
    sandbox.account.rate_limit = "1/min"
    rule = sandbox.inject(latency="0s")
    assert statuses(api, 3) == [200, 429, 429]
    assert rule.matched == 1
    assert decisions(sandbox) == {}


def test_an_injected_error_was_counted_and_its_headers_are_truthful(sandbox, api):
    sandbox.account.rate_limit = "10/min"
    sandbox.inject(error="INTERNAL_ERROR", times=1)
    injected, real = api.get(LIST), api.get(LIST)
    assert (injected.status, real.status) == (500, 200)
    assert [reply.headers["x-ratelimit-remaining"] for reply in (injected, real)] == ["9", "8"]
    assert injected.headers["x-ratelimit-limit"] == "10"
    assert abs(int(injected.headers["x-ratelimit-reset"]) - int(real.headers["x-ratelimit-reset"])) <= 1


def test_an_injected_429_tells_one_story_and_the_next_request_is_judged_afresh(sandbox, api):
    sandbox.account.rate_limit = "10/min"
    sandbox.inject(error="RATE_LIMITED", retry_after="1500ms", times=1)
    reply = api.get(LIST)
    headers = reply.headers
    assert (reply.status, headers["retry-after"], headers["x-ratelimit-remaining"]) == (429, "2", "0")
    assert reply.details == {
        "limit": "10",
        "remaining": "0",
        "reset": headers["x-ratelimit-reset"],
        "retry_after": "2",
    }
    afterwards = api.get(LIST)
    assert (afterwards.status, afterwards.headers["x-ratelimit-remaining"]) == (200, "8")


# ---- polls


def test_answers_that_a_fault_replaced_are_no_polls(server, client):
    sandbox = server.sandbox({"provisioning": {"polls": 1}})
    api = client(sandbox.url, sandbox.api_key)
    path = f"{LIST}/{api.create()['id']}"
    sandbox.inject("instances.*", error="INTERNAL_ERROR", times=1)
    sandbox.inject("instances.*", error="INTERNAL_ERROR", times=3, at="after")
    assert [api.get(each).status for each in (path, path, LIST)] == [500, 500, 500]
    assert [api.get(path).json["status"] for _ in range(2)] == ["provisioning", "running"]


def test_a_read_whose_answer_was_cut_is_no_poll(server, client):
    sandbox = server.sandbox({"provisioning": {"polls": 1}})
    api = client(sandbox.url, sandbox.api_key)
    path = f"{LIST}/{api.create()['id']}"
    sandbox.inject("instances.get", connection="reset", times=1, at="after")
    with pytest.raises(ConnectionResetError):
        api.get(path)
    assert [api.get(path).json["status"] for _ in range(2)] == ["provisioning", "running"]


def test_a_slow_read_is_a_poll(server, client):
    sandbox = server.sandbox({"provisioning": {"polls": 1}})
    api = client(sandbox.url, sandbox.api_key)
    path = f"{LIST}/{api.create()['id']}"
    sandbox.inject("instances.get", latency="1ms", at="after")
    assert [api.get(path).json["status"] for _ in range(2)] == ["provisioning", "running"]


# ---- chance

CALLS, P = rounds(250, 1_000), 0.3


def nothing(sandbox: Sandbox) -> None:
    pass


def coins(server: MockServer, client: type[Client], also: Callable[[Sandbox], None] = nothing) -> list[int]:
    """The statuses of many calls under one rule that fires by chance, always in the same sandbox."""
    sandbox = a_coin(server)
    also(sandbox)
    return statuses(client(sandbox.url, sandbox.api_key), CALLS)


def a_coin(server: MockServer, seed: int = 3) -> Sandbox:
    sandbox = server.sandbox(name="coin", seed=seed)
    sandbox.account.rate_limit = "100000/min"
    sandbox.inject("instances.list", error="INTERNAL_ERROR", probability=P, id="coin")
    return sandbox


@pytest.fixture(scope="module")
def alone(server: MockServer) -> list[int]:
    """What the coin shows when nothing else goes on."""
    return coins(server, Client)


@pytest.mark.slow
def test_the_same_seed_draws_the_same_and_another_one_does_not(server, client, alone):
    sandbox = a_coin(server, seed=4)
    other = statuses(client(sandbox.url, sandbox.api_key), CALLS)
    assert coins(server, client) == alone != other


def test_the_rate_lies_in_the_interval_of_999_in_1000(alone):
    fired = alone.count(500)
    assert abs(fired - CALLS * P) < 3.29 * sqrt(CALLS * P * (1 - P))


@pytest.mark.slow
def test_other_rules_change_no_draw(server, client, alone):
    def more(sandbox: Sandbox) -> None:
        sandbox.inject(latency=["0s", "1us"], probability=0.5, id="before")
        sandbox.use({"rules": [{"id": "behind", "probability": 0.5, "fault": {"latency": "0s"}}]})

    assert coins(server, client, more) == alone


@pytest.mark.slow
def test_threads_change_no_draw(server, client, alone):
    sandbox = a_coin(server)
    api = client(sandbox.url, sandbox.api_key)
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda _: api.get(LIST).status, range(CALLS)))
    assert together.count(500) == alone.count(500)
    fired = sorted(ordinal(entry.decisions[0].reason) for entry in sandbox.requests if entry.decisions[0].fired)
    assert fired == [n for n, status in enumerate(alone, 1) if status == 500], "each ordinal was drawn once"


def ordinal(reason: str) -> int:
    """The number in `match 7, draw …`."""
    return int(reason.removeprefix("match ").partition(",")[0])


@pytest.mark.slow
def test_other_sandboxes_change_no_draw(server, client, alone):
    neighbour, sandbox = server.sandbox(), a_coin(server)
    neighbour.inject("instances.list", error="INTERNAL_ERROR", probability=P, id="coin")
    theirs, ours = client(server.url, neighbour.api_key), client(server.url, sandbox.api_key)
    together = []
    for index in range(CALLS):
        together.append(ours.get(LIST).status)
        if index % 5 == 0:
            theirs.get(LIST)
    assert together == alone


@pytest.mark.slow
def test_a_rule_with_another_id_draws_on_its_own(server, client, alone):
    def twin(sandbox: Sandbox) -> None:
        sandbox.inject("instances.list", error="NOT_FOUND", probability=P, id="twin")

    seen = coins(server, client, twin)
    assert [status == 500 for status in seen] == [status == 500 for status in alone]
    assert seen.count(404) > 0


def test_the_journal_shows_each_draw_so_that_its_sign_can_be_seen_to_be_right(sandbox, api):
    rule = sandbox.inject("instances.list", error="INTERNAL_ERROR", probability=0.333, times=200, id="coin")
    for number, status in enumerate(statuses(api, 200), 1):
        said = sandbox.call("GET", f"/requests?since={number - 1}&limit=1")["data"][0]["decisions"][0]["reason"]
        drawn, sign, probability = said.removeprefix(f"times {number} of 200, ").removeprefix("draw ").split(" ")
        assert sign == ("<" if status == 500 else "≥")
        assert (float(drawn) < float(probability)) is (status == 500)
        assert abs(float(probability) - 0.333) < 0.005
    assert rule.matched == 200


@pytest.mark.filterwarnings("ignore::cnx_mock.ScenarioWarning")  # it is meant never to fire
@pytest.mark.parametrize(("probability", "status"), [(0, 200), (0.0, 200), (1, 500), (1.0, 500)])
def test_certainty_is_certain(sandbox, api, probability, status):
    sandbox.inject(error="INTERNAL_ERROR", probability=probability)
    assert statuses(api, 20) == [status] * 20


# ---- sequences and phases


@cases(
    ("then", "steps"),
    [
        ("pass", ["1 of 2", "2 of 2: pass", "3 of 2: pass", "4 of 2: pass"]),
        ("repeat", ["1 of 2", "2 of 2: pass", "1 of 2", "2 of 2: pass"]),
        ("last", ["1 of 2", "2 of 2: pass", "2 of 2: pass", "2 of 2: pass"]),
    ],
)
def test_the_journal_says_which_step_of_a_sequence_a_request_got(sandbox, api, then, steps):
    sandbox.inject("instances.list", sequence=[{"error": "INTERNAL_ERROR"}, "pass"], then=then)
    assert statuses(api, 4) == [200 if step.endswith("pass") else 500 for step in steps]
    reasons = [entry.decisions[0].reason for entry in sandbox.requests]
    assert reasons == [f"match {number}, step {step}" for number, step in enumerate(steps, 1)]


def test_a_phase_counts_requests_that_no_rule_can_mean(server, client):
    phases = [{"name": "calm", "for": "10s"}, {"name": "busy", "until": {"requests": 2}}, {"name": "broken"}]
    rule = {"match": {"operation": "plans.list"}, "when": {"phase": "broken"}, "fault": {"error": "INTERNAL_ERROR"}}
    sandbox = server.sandbox({"phases": phases, "rules": [rule]})
    sandbox.clock.freeze()
    sandbox.clock.advance("10s")
    api = client(sandbox.url, sandbox.api_key)
    assert statuses(api, 2) == [200, 200]
    assert api.get("/v1/plans").status == 500
