"""What a client's run came to, judged on journals and states that no process has made."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cnx_mock.demo.outcome import LaneOutcome, monthly_cost
from cnx_mock.demo.rehearsal import can_be_swept, judge_show
from cnx_mock.programs.start import ProgramResult
from cnx_mock.sweep.trial import RunResult
from tests.cases import cases

Made = tuple[str, str]
"""A kind and a name."""
WEB = ("firewalls", "web")
ONE, TWO, FRONT = ("instances", "web-1"), ("instances", "web-2"), ("load_balancers", "front")
ALL = (WEB, ONE, TWO, FRONT)
FIELDS: dict[str, dict[str, Any]] = {
    "instances": {"plan": "pro"},
    "load_balancers": {"regions": ["us-east-1", "eu-west-1"]},
}


def state(made: Sequence[Made]) -> Mapping[str, Any]:
    """A world with these resources; their ids say which create has made them."""
    account: dict[str, Any] = {}
    for number, (kind, name) in enumerate(made):
        account.setdefault(kind, []).append({"id": f"{kind}_{number}", "name": name, **FIELDS.get(kind, {})})
    return {"accounts": [account]}


def run(*left: Made, status: int | None = 0, calls: bool = True) -> RunResult:
    """A run that created these resources and left them all."""
    entries = [
        {
            "sandbox": "naive",
            "wall": "2026-01-01T00:00:00.000Z",
            "duration_ms": 1.0,
            "delayed_ms": 0.0,
            "operation": f"{kind}.create",
            "method": "POST",
            "path": f"/v1/{kind}",
            "query": "",
            "status": 201,
            "committed": True,
            "created_id": f"{kind}_{number}",
            "faults": [],
            "request_body": json.dumps({"name": name}),
            "response_body": "{}",
        }
        for number, (kind, name) in enumerate(left)
    ]
    read = {**entries[0], "method": "GET", "committed": False, "created_id": None} if entries else READ
    return RunResult(
        ended=ProgramResult(status, 1.0),
        entries=[*entries, read] if calls else [],
        states=[state(left)],
        start=[state(())],
    )


READ = {
    "sandbox": "naive",
    "wall": "2026-01-01T00:00:00.000Z",
    "duration_ms": 1.0,
    "delayed_ms": 0.0,
    "operation": "plans.list",
    "method": "GET",
    "path": "/v1/plans",
    "query": "",
    "status": 200,
    "committed": False,
    "created_id": None,
    "faults": [],
    "request_body": None,
    "response_body": "{}",
}


@pytest.fixture(autouse=True)
def no_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The retries of these journals, which have no times, are not judged."""
    monkeypatch.setattr("cnx_mock.demo.rehearsal.hammering", lambda *_: [])


def outcome(actual: RunResult, fault_free: RunResult | None = None) -> LaneOutcome:
    return judge_show(actual, [fault_free or run(*ALL)] * 2, (), "the naive client")


def counts(found: LaneOutcome) -> tuple[str, int, int, int, int]:
    return found.verdict, found.duplicated, found.leaked, found.lost, found.waste_cents


@cases(
    ("actual", "expected"),
    [
        (run(*ALL), ("survived", 0, 0, 0, 0)),
        (run(*ALL, ONE), ("duplicated", 1, 0, 0, 2920)),
        (run(*ALL, ONE, ONE, FRONT), ("duplicated", 3, 0, 0, 2 * 2920 + 2920)),
        (run(*ALL, ("instances", "forgotten")), ("duplicated", 1, 0, 0, 2920)),
        (run(WEB, ONE, status=1), ("leaked", 0, 2, 0, 2920)),
        (run(WEB, ONE, ONE, status=1), ("leaked", 1, 2, 0, 2 * 2920)),
        (run(WEB, ONE, FRONT), ("lost", 0, 0, 1, 0)),
        (run(status=1), ("failed cleanly", 0, 0, 0, 0)),
        (run(WEB, ONE, status=None), ("hung", 0, 2, 0, 2920)),
    ],
)
def test_a_run_is_counted_and_priced_by_what_it_left(
    actual: RunResult, expected: tuple[str, int, int, int, int]
) -> None:
    assert counts(outcome(actual)) == expected


def test_twins_of_a_client_that_draws_names_are_seen_by_its_creates() -> None:
    fault_free = [run(("instances", "web-a")), run(("instances", "web-b"))]
    found = judge_show(run(("instances", "web-c"), ("instances", "web-d")), fault_free, (), "your client")
    assert counts(found) == ("duplicated", 1, 0, 0, 2920)


def test_the_sentence_says_who_did_what() -> None:
    assert outcome(run(*ALL, ONE)).sentence == "the naive client retried and left 2 instances named web-1"
    assert outcome(run(*ALL)).sentence == "the naive client did its work, and left nothing that it should not leave"


def test_a_client_that_never_called_is_not_judged() -> None:
    silent = run(calls=False)
    assert counts(outcome(silent, silent)) == ("not judged", 0, 0, 0, 0)
    assert "made no calls to the mock" in outcome(silent, silent).sentence
    assert not can_be_swept([silent, silent])


def test_a_client_that_fails_by_itself_is_not_judged() -> None:
    broken = run(WEB, ONE, status=1)
    assert counts(outcome(broken, broken)) == ("not judged", 0, 0, 0, 0)
    assert outcome(broken, broken).sentence == "the naive client fails even without faults (exit status 1)"
    assert not can_be_swept([broken, broken])
    assert can_be_swept([run(*ALL)] * 2)


def test_a_client_that_is_too_slow_by_itself_is_told_so() -> None:
    assert "--timeout" in outcome(run(*ALL), run(*ALL, status=None)).sentence


def test_only_what_a_client_made_itself_is_on_its_bill() -> None:
    before = [state([ONE])]
    after = [
        {
            "accounts": [
                {
                    "instances": [
                        *state([ONE])["accounts"][0]["instances"],
                        {"id": "new", "name": "web-2", "plan": "pro"},
                    ]
                }
            ]
        }
    ]
    assert monthly_cost(before, after) == 4 * 730
