"""Which of its requests a rule takes: every form of `times`, counted together or by resource, and sequences."""

import pytest

from cnx_mock import ControlError, Sandbox
from tests.cases import cases
from tests.conftest import Client

LIST = "/v1/instances"


def statuses(api: Client, calls: int, path: str = LIST) -> list[int]:
    return [api.get(path).status for _ in range(calls)]


def reasons(sandbox: Sandbox, rule_id: str) -> list[str]:
    """What the journal says of a rule, request by request."""
    return [each.reason for entry in sandbox.requests for each in entry.decisions if each.rule == rule_id]


@cases(
    ("times", "struck"),
    [
        (2, [1, 2]),
        ({"take": 2}, [1, 2]),
        ({"skip": 2}, [3, 4, 5, 6, 7, 8, 9, 10]),
        ({"skip": 2, "take": 1}, [3]),
        ({"every": 3}, [3, 6, 9]),
        ({"every": 1}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ({"only": [4, 1]}, [1, 4]),
    ],
)
def test_each_form_strikes_the_requests_that_it_names(sandbox, api, times, struck):
    rule = sandbox.inject("instances.list", error="INTERNAL_ERROR", times=times)
    assert [n for n, status in enumerate(statuses(api, 10), 1) if status == 500] == struck
    assert (rule.matched, rule.fired) == (10, len(struck))


@cases(
    ("times", "said"),
    [
        (1, "match 2, beyond times 1"),
        ({"skip": 2, "take": 1}, "match 2, not in times {skip: 2, take: 1}"),
        ({"skip": 2}, "match 2, not in times {skip: 2}"),
        ({"every": 5}, "match 2, not in times {every: 5}"),
        ({"only": [4, 1]}, "match 2, not in times {only: [1, 4]}"),
    ],
)
def test_the_journal_says_why_it_was_not_struck(sandbox, api, times, said):
    sandbox.inject("instances.list", error="INTERNAL_ERROR", times=times, id="r", optional=True)
    statuses(api, 2)
    assert reasons(sandbox, "r")[1] == said


def test_fail_twice_then_succeed_is_one_rule(sandbox, api):
    sandbox.inject("instances.create", error="INTERNAL_ERROR", times=2)
    body = {"name": "a", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
    assert [api.post(LIST, body).status for _ in range(3)] == [500, 500, 201]


def test_by_resource_every_id_has_a_count_of_its_own(sandbox, api):
    first, second = api.create()["id"], api.create()["id"]
    rule = sandbox.inject("instances.get", error="INTERNAL_ERROR", times=1, per="resource")
    assert statuses(api, 2, f"{LIST}/{first}") == [500, 200]
    assert statuses(api, 2, f"{LIST}/{second}") == [500, 200]
    assert (rule.matched, rule.fired) == (4, 2)


def test_by_resource_calls_without_an_id_count_together(sandbox, api):
    sandbox.inject(error="INTERNAL_ERROR", times=1, per="resource", match={"method": "GET"})
    assert statuses(api, 2) == [500, 200]


def test_by_resource_draws_do_not_depend_on_other_resources(server, client):
    def outcomes(name: str, others: bool) -> list[int]:
        sandbox = server.sandbox(name=name)
        api = client(sandbox.url, sandbox.api_key)
        ids = [api.create()["id"] for _ in range(2)]
        sandbox.inject("instances.get", error="INTERNAL_ERROR", times=50, per="resource", probability=0.5)
        seen = []
        for _ in range(20):
            if others:
                api.get(f"{LIST}/{ids[1]}")
            seen.append(api.get(f"{LIST}/{ids[0]}").status)
        return seen

    alone = outcomes("one and the same", others=False)
    assert set(alone) == {200, 500}
    assert outcomes("one and the same", others=True) == alone


# ---- sequences


SCRIPT = [{"error": "RATE_LIMITED", "retry_after": "3s"}, "pass", {"error": "NOT_FOUND"}]


@pytest.mark.parametrize(
    ("then", "seen"),
    [
        (None, [429, 200, 404, 200, 200, 200, 200]),
        ("pass", [429, 200, 404, 200, 200, 200, 200]),
        ("repeat", [429, 200, 404, 429, 200, 404, 429]),
        ("last", [429, 200, 404, 404, 404, 404, 404]),
    ],
)
def test_a_sequence_says_what_happens_one_after_the_other(sandbox, api, then, seen):
    rule = sandbox.inject("instances.list", sequence=SCRIPT, then=then)
    assert statuses(api, 7) == seen
    assert (rule.matched, rule.fired) == (7, 7 - seen.count(200))


def test_the_journal_says_which_step_it_was(sandbox, api):
    sandbox.inject("instances.list", sequence=SCRIPT, id="s")
    statuses(api, 4)
    assert reasons(sandbox, "s") == [
        "match 1, step 1 of 3",
        "match 2, step 2 of 3: pass",
        "match 3, step 3 of 3",
        "match 4, step 4 of 3: pass",
    ]


def test_times_say_which_requests_take_a_step(sandbox, api):
    sandbox.inject("instances.list", sequence=[{"status": 501}, {"status": 502}], times={"skip": 1})
    assert statuses(api, 4) == [200, 501, 502, 200]


def test_by_resource_every_id_has_its_own_way_through_the_sequence(sandbox, api):
    ids = [api.create()["id"] for _ in range(2)]
    sandbox.inject("instances.get", sequence=[{"status": 501}, {"status": 502}], per="resource")
    assert [api.get(f"{LIST}/{each}").status for each in (*ids, *ids)] == [501, 501, 502, 502]


def test_a_step_may_have_shapers_and_an_outcome(sandbox, api):
    sandbox.inject("instances.list", sequence=[{"latency": "1ms", "error": "NOT_FOUND"}])
    assert statuses(api, 1) == [404]
    assert [each.fault for each in sandbox.requests[-1].faults] == ["latency=1ms", "error=NOT_FOUND"]


@cases(
    ("words", "complaint"),
    [
        ({"times": 0}, "times: must be at least 1"),
        ({"times": {}}, "times: must have skip and take, or every, or only"),
        ({"times": {"skip": 1, "every": 2}}, "times: must have skip and take, or every, or only"),
        ({"times": {"only": []}}, "times.only: must have at least 1 item"),
        ({"times": {"evry": 2}}, "times.evry: unknown key, did you mean 'every'?"),
        ({"per": "resource"}, "per: has no effect without times"),
        ({"then": "last"}, "then: has no effect without sequence"),
        ({"times": 1, "per": "account"}, "per: must be one of: sandbox, resource"),
    ],
)
def test_what_cannot_be_used_is_an_error(sandbox, words, complaint):
    with pytest.raises(ControlError) as refusal:
        sandbox.inject(error="NOT_FOUND", **words)
    assert complaint in str(refusal.value)
