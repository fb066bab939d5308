"""A story in time: phases, `when`, ramps and `ttl`. All are on the sandbox's clock, and no test waits for them."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from cnx_mock import ControlError, MockServer, Sandbox
from tests.conftest import Client

LIST = "/v1/instances"

Tell = Callable[..., tuple[Sandbox, Client]]


@pytest.fixture
def tell(server: MockServer, client: type[Client], request: pytest.FixtureRequest) -> Tell:
    """A sandbox that lives by a story, its clock standing still but for `advance`."""

    def begin(**story: object) -> tuple[Sandbox, Client]:
        world = {"clock": {"start": "2026-01-01T00:00:00Z", "frozen": True}}
        sandbox = server.sandbox({"world": world, **story}, name=request.node.nodeid)
        sandbox.account.rate_limit = "1000000/min"
        return sandbox, client(sandbox.url, sandbox.api_key)

    return begin


def phase(sandbox: Sandbox) -> str:
    return str(sandbox.call("GET", "/scenario")["phase"]["name"])


def down_in(*phases: str, **more: object) -> dict[str, object]:
    return {"id": "down", "when": {"phase": list(phases)}, "fault": {"error": "INTERNAL_ERROR"}, **more}


@pytest.mark.slow
def test_a_two_hour_story_with_four_phases_is_told_at_once(tell):
    sandbox, api = tell(
        phases=[
            {"name": "healthy", "for": "30m"},
            {"name": "brownout", "for": "1h"},
            {"name": "outage", "for": "30m"},
            {"name": "recovered"},
        ],
        rules=[
            {"id": "out", "when": {"phase": "outage"}, "fault": {"connection": "reset"}},
            {"id": "brown", "when": {"phase": "brownout"}, "probability": 0.5, "fault": {"status": 503}},
        ],
    )
    told: dict[str, set[int | None]] = {}
    for _ in range(63):
        with suppress(ConnectionResetError):
            api.get(LIST)
        told.setdefault(phase(sandbox), set()).add(sandbox.requests[-1].status)
        sandbox.clock.advance("2m")
    assert told == {"healthy": {200}, "brownout": {200, 503}, "outage": {None}, "recovered": {200}}


def test_a_phase_begins_exactly_when_the_one_before_it_ends(tell):
    sandbox, api = tell(phases=[{"name": "a", "for": "30s"}, {"name": "b"}], rules=[down_in("b")])
    sandbox.clock.advance("29s999ms")
    assert (phase(sandbox), api.get(LIST).status) == ("a", 200)
    sandbox.clock.advance("1ms")
    assert (phase(sandbox), api.get(LIST).status) == ("b", 500)
    assert sandbox.call("GET", "/scenario")["phase"] == {"name": "b", "since": "2026-01-01T00:00:30.000Z"}


def test_a_phase_may_last_so_many_requests_faulted_or_not(tell):
    sandbox, api = tell(phases=[{"name": "a", "until": {"requests": 3}}, {"name": "b"}], rules=[down_in("a")])
    assert [api.get(LIST).status for _ in range(5)] == [500, 500, 500, 200, 200]
    assert phase(sandbox) == "b"


def test_a_phase_of_requests_waits_for_them_for_ever_and_the_next_begins_with_the_last_of_them(tell):
    sandbox, api = tell(
        phases=[{"name": "a", "until": {"requests": 1}}, {"name": "b", "for": "10s"}, {"name": "c"}], rules=[]
    )
    sandbox.clock.advance("2h")
    assert phase(sandbox) == "a"
    api.get(LIST)
    assert phase(sandbox) == "b"
    sandbox.clock.advance("10s")
    assert phase(sandbox) == "c"


def test_requests_over_the_rate_limit_do_not_end_a_phase(tell):
    sandbox, api = tell(phases=[{"name": "a", "until": {"requests": 2}}, {"name": "b"}])
    sandbox.account.rate_limit = "1/min"
    assert [api.get(LIST).status for _ in range(3)] == [200, 429, 429]
    assert phase(sandbox) == "a"


def test_phases_repeat_where_they_are_told_to(tell):
    sandbox, api = tell(
        phases=[{"name": "up", "for": "20s"}, {"name": "down", "for": "10s"}], repeat=True, rules=[down_in("down")]
    )
    seen = []
    for _ in range(9):
        seen.append(api.get(LIST).status)
        sandbox.clock.advance("10s")
    assert seen == [200, 200, 500] * 3


def test_a_loop_of_milliseconds_is_not_walked_through_step_by_step(tell):
    sandbox, _ = tell(phases=[{"name": "up", "for": "1ms"}, {"name": "down", "for": "1ms"}], repeat=True)
    sandbox.clock.advance("36500d")
    assert phase(sandbox) == "up"
    sandbox.clock.advance("1ms")
    assert phase(sandbox) == "down"


def test_the_last_phase_stays_and_may_have_an_end_for_a_ramp(tell):
    sandbox, _ = tell(phases=[{"name": "a", "for": "1s"}, {"name": "b", "for": "1s"}])
    sandbox.clock.advance("1h")
    assert phase(sandbox) == "b"


@pytest.mark.slow
def test_a_ramp_goes_evenly_across_its_phase_and_stays_where_it_ends(tell):
    sandbox, api = tell(
        phases=[{"name": "sick", "for": "100s"}],
        rules=[{**down_in("sick"), "probability": {"from": 1.0, "to": 0.0}}],
    )
    tenths = []
    for _ in range(11):
        tenths.append(sum(api.get(LIST).status == 500 for _ in range(60)))
        sandbox.clock.advance("10s")
    assert tenths[0] == 60
    assert tenths[10] == 0
    assert 15 <= tenths[5] <= 45, "about half of them, halfway"
    assert any("≥ 0." in each.reason for entry in sandbox.requests for each in entry.decisions)


def test_when_holds_from_an_age_on_and_until_another(tell):
    sandbox, api = tell(rules=[{"id": "r", "when": {"after": "10s", "until": "20s"}, "fault": {"status": 503}}])
    seen = []
    for _ in range(6):
        seen.append(api.get(LIST).status)
        sandbox.clock.advance("5s")
    assert seen == [200, 200, 503, 503, 200, 200]
    said = [entry.decisions[0].reason for entry in sandbox.requests]
    assert said == [
        "age 0s, not yet 10s",
        "age 5s, not yet 10s",
        "match 1",
        "match 2",
        "age 20s, past 20s",
        "age 25s, past 20s",
    ]


def test_a_request_outside_when_takes_no_ordinal(tell):
    sandbox, api = tell(rules=[{"id": "r", "when": {"after": "10s"}, "times": 1, "fault": {"status": 503}}])
    assert api.get(LIST).status == 200
    sandbox.clock.advance("10s")
    assert [api.get(LIST).status for _ in range(2)] == [503, 200]
    assert sandbox.call("GET", "/rules/r")["matched"] == 2


def test_a_phase_can_be_excluded_and_the_journal_names_the_one_it_is(tell):
    sandbox, api = tell(
        phases=[{"name": "healthy", "for": "10s"}, {"name": "sick"}],
        rules=[{"id": "r", "when": {"phase": "!healthy"}, "fault": {"status": 503}}],
    )
    assert api.get(LIST).status == 200
    assert sandbox.requests[-1].decisions[0].reason == "phase healthy, not !healthy"
    sandbox.clock.advance("10s")
    assert api.get(LIST).status == 503


def test_a_scenario_put_later_begins_its_story_then(tell):
    sandbox, api = tell()
    sandbox.clock.advance("1h")
    sandbox.use({"phases": [{"name": "a", "for": "10s"}, {"name": "b"}], "rules": [down_in("a")]})
    assert api.get(LIST).status == 500
    sandbox.clock.advance("10s")
    assert api.get(LIST).status == 200


def test_a_world_put_later_may_turn_the_clock_back_and_the_story_goes_on(tell):
    sandbox, api = tell(phases=[{"name": "a", "for": "10s"}, {"name": "b"}], rules=[down_in("b")])
    state = sandbox.state()
    sandbox.clock.advance("9s")
    sandbox.load(state)
    assert phase(sandbox) == "a"
    sandbox.clock.advance("1s")
    assert api.get(LIST).status == 500


def test_reset_begins_the_story_again(tell):
    sandbox, api = tell(phases=[{"name": "a", "until": {"requests": 1}}, {"name": "b"}], rules=[down_in("b")])
    assert [api.get(LIST).status for _ in range(2)] == [200, 500]
    sandbox.reset()
    assert [api.get(LIST).status for _ in range(2)] == [200, 500]


# ---- ttl


def test_a_rule_with_a_ttl_ends_by_itself(tell):
    sandbox, api = tell()
    sandbox.inject(error="INTERNAL_ERROR", ttl="30s", id="brief")
    assert api.get(LIST).status == 500
    sandbox.clock.advance("29s")
    assert api.get(LIST).status == 500
    sandbox.clock.advance("1s")
    assert api.get(LIST).status == 200
    assert sandbox.call("GET", "/rules")["data"] == []


def test_a_rule_that_is_replaced_for_a_while_comes_back_with_its_counters(tell):
    sandbox, api = tell()
    sandbox.call("PUT", "/rules/r", {"fault": {"error": "NOT_FOUND"}})
    assert api.get(LIST).status == 404
    sandbox.call("PUT", "/rules/r", {"fault": {"error": "INTERNAL_ERROR"}, "ttl": "30s"})
    assert api.get(LIST).status == 500
    sandbox.clock.advance("30s")
    assert api.get(LIST).status == 404
    assert sandbox.call("GET", "/rules/r")["matched"] == 2


def test_a_change_with_a_ttl_is_undone_by_itself(tell):
    sandbox, api = tell(rules=[{"id": "noise", "times": {"every": 2}, "fault": {"status": 503}}])
    sandbox.call("PATCH", "/rules/noise", {"times": {"every": 1}, "ttl": "30s"})
    assert [api.get(LIST).status for _ in range(2)] == [503, 503]
    sandbox.clock.advance("30s")
    assert [api.get(LIST).status for _ in range(2)] == [200, 503]
    assert "ttl" not in sandbox.call("GET", "/rules/noise")["rule"]


def test_a_change_for_a_while_of_a_rule_for_a_while_gives_back_what_was_left(tell):
    sandbox, api = tell()
    sandbox.inject(error="INTERNAL_ERROR", ttl="1m", id="r")
    sandbox.call("PATCH", "/rules/r", {"fault": {"status": 503}, "ttl": "10s"})
    assert api.get(LIST).status == 503
    sandbox.clock.advance("10s")
    assert api.get(LIST).status == 500
    sandbox.clock.advance("50s")
    assert api.get(LIST).status == 200


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"when": {"phase": "brwnout"}}, "no phase is called 'brwnout', did you mean 'brownout'?"),
        ({"when": {"after": "10s", "until": "10s"}}, "must have an after that is before its until"),
        ({"probability": {"from": 0, "to": 1}}, "is a ramp, and needs a phase: when: {phase: NAME}"),
        (
            {"probability": {"from": 0, "to": 1}, "when": {"phase": "rest"}},
            "is a ramp, and needs a phase with `for`: rest has none",
        ),
        ({"probability": {"from": 0, "too": 1}}, "probability.too: unknown key, did you mean 'to'?"),
        ({"ttl": 5}, "needs a unit: write 5s or 5ms"),
    ],
)
def test_a_rule_that_does_not_fit_the_story_is_refused(tell, words, complaint):
    sandbox, _ = tell(phases=[{"name": "brownout", "for": "10s"}, {"name": "rest"}])
    with pytest.raises(ControlError) as refusal:
        sandbox.inject(error="NOT_FOUND", **words)
    assert complaint in str(refusal.value)


def test_an_injected_rule_outlives_the_story_whose_phase_it_names(tell):
    sandbox, api = tell(phases=[{"name": "a"}])
    sandbox.inject(status=503, when={"phase": "a"}, id="r")
    assert api.get(LIST).status == 503
    sandbox.use("calm")
    assert api.get(LIST).status == 200
    assert sandbox.requests[-1].decisions[0].reason == "no phases, not a"
