"""From what runs did to verdicts: the calls of a run without faults, the cells, and each cell's result."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from cnx_mock.programs.start import ProgramResult
from cnx_mock.sweep.plan import select_faults
from cnx_mock.sweep.results import SweepOptions, SweepResults
from cnx_mock.sweep.swept_call import swept_calls
from cnx_mock.sweep.trial import RunResult
from tests.cases import cases

Entry = dict[str, Any]


def entry(operation: str, method: str, path: str, **more: Any) -> Entry:
    """A request as `GET /_mock/requests` answers it, as far as a sweep reads it."""
    entry = {"status": 200, "committed": False, "query": "", "request_body": None, "response_body": "{}", "faults": []}
    entry |= {"wall": "2026-01-01T00:00:00.000Z", "duration_ms": 1.0, "delayed_ms": 0.0, "created_id": None}
    return {"sandbox": None, "operation": operation, "method": method, "path": path, **entry, **more}


def create(body: str = '{"name": "web-1"}', **more: Any) -> Entry:
    given = {"status": 201, "committed": True, "request_body": body, **more}
    return entry("instances.create", "POST", "/v1/instances", **given)


PLANS = entry("plans.list", "GET", "/v1/plans")
READ = entry("instances.get", "GET", "/v1/instances/inst_1")
DELETE = entry("instances.delete", "DELETE", "/v1/instances/inst_1", status=204, committed=True, response_body=None)
LIMITED = {**PLANS, "status": 429}


def run(
    *entries: Entry, status: int | None = 0, left: Sequence[str] = (), start: Sequence[str] = (), output: str = ""
) -> RunResult:
    """One run: its requests, its exit status, and the names of the instances that it left."""
    return RunResult(
        ended=ProgramResult(status, 1.0, output), entries=entries, states=[world(*left)], start=[world(*start)]
    )


def world(*names: str) -> Mapping[str, Any]:
    instances = [{"id": f"inst_{number}", "name": name, "plan": "pro"} for number, name in enumerate(names)]
    return {"accounts": [{"instances": instances}]}


def injected(cell_rules: Sequence[Mapping[str, Any]], **entry: Any) -> Entry:
    """A create into which the cell's rule injected its fault."""
    return create(faults=[{"rule": rule["id"], "fault": "error"} for rule in cell_rules], **entry)


def judging(*faults: str, first: RunResult, second: RunResult | None = None, **options: Any) -> SweepResults:
    """A sweep that has made its runs without faults. An entry with `hammered` in its query hammers."""
    sweep = SweepResults(
        options=SweepOptions(faults=select_faults(faults), **options),
        check_hammering=lambda entries, *_: ["flat-backoff: #1" for each in entries if each["query"] == "hammered"],
    )
    sweep.plan(first)
    assert list(sweep.compare(first, second or first)) == []
    return sweep


# ---- the calls that can be swept


def test_calls_are_numbered_by_operation_and_know_what_applies_to_them() -> None:
    calls = swept_calls([PLANS, create(), READ, PLANS, DELETE])
    assert [call.title for call in calls] == [
        "GET /v1/plans #1",
        "POST /v1/instances #1",
        "GET /v1/instances/{id} #1",
        "GET /v1/plans #2",
        "DELETE /v1/instances/{id} #1",
    ]
    assert [call.commits for call in calls] == [False, True, False, False, True]
    assert [call.provisions for call in calls] == [False, True, False, False, False]
    assert [call.charges for call in calls] == [False, True, False, False, False]
    assert [call.follows for call in calls] == [False, False, True, True, False]
    assert [call.answered for call in calls] == [True, True, True, True, False]


def test_what_no_rule_sees_is_not_swept() -> None:
    nowhere = entry("", "GET", "/v2/plans", status=404)
    assert [call.title for call in swept_calls([nowhere, LIMITED, PLANS])] == ["GET /v1/plans #1"]
    injected = {**LIMITED, "faults": [{"rule": "limit", "fault": "error=RATE_LIMITED"}]}
    assert [call.ordinal for call in swept_calls([injected, PLANS])] == [1, 2]


# ---- verdicts


@cases(
    ("calls", "run_is", "verdict"),
    [
        (2, {"left": ["web-1", "web-1"]}, "duplicated"),
        (1, {"left": ["web-1", "db-1"], "status": 1}, "leaked"),
        (1, {"left": [], "status": 0}, "lost"),
        (1, {"left": ["web-1"], "status": None}, "hung"),
        (1, {"left": [], "status": 1}, "failed cleanly"),
        (1, {"left": ["web-1"]}, "survived"),
    ],
)
def test_a_cell_is_judged_by_what_its_run_left(calls: int, run_is: dict[str, Any], verdict: str) -> None:
    sweep = judging("error", first=run(create(), left=["web-1"]))
    [cell] = sweep.cells
    result = sweep.judge_cell(cell, run(injected(cell.rules), *[create()] * (calls - 1), **run_is))
    assert (result.verdict, result.fired) == (verdict, True)
    assert sweep.results == {"instances.create-1-error": result}
    assert result.calls == {"instances.create": calls}


def test_a_failure_that_a_test_does_not_allow_is_raised() -> None:
    sweep = judging("error", first=run(PLANS))
    result = sweep.judge_cell(sweep.cells[0], run(PLANS, status=1, output="KeyError: 1"), allowed=False)
    assert (result.verdict, result.output, result.fired) == ("raised", "KeyError: 1", False)


def test_retries_are_judged_by_the_audit() -> None:
    sweep = judging("error", first=run(PLANS))
    result = sweep.judge_cell(sweep.cells[0], run({**PLANS, "query": "hammered"}))
    assert (result.verdict, result.hammering) == ("hammered", ["flat-backoff: #1"])


def test_what_was_there_before_is_not_left_by_a_failed_run() -> None:
    first = run(DELETE, start=["old"])
    sweep = judging("error", first=first)
    assert sweep.judge_cell(sweep.cells[0], run(DELETE, left=["old"], start=["old"], status=1)).verdict == (
        "failed cleanly"
    )
    assert sweep.judge_cell(sweep.cells[0], run(DELETE, left=["old"], start=["old"])).verdict == "leaked"


CREATED = create(created_id="inst_0")


@pytest.mark.parametrize(("allow_partial", "verdict"), [(False, "leaked"), (True, "failed cleanly")])
def test_what_a_failed_run_has_created_is_left_behind_unless_that_is_allowed(allow_partial: bool, verdict: str) -> None:
    sweep = judging("error", first=run(CREATED, PLANS, left=["web-1"]), allow_partial=allow_partial)
    cell = next(each for each in sweep.cells if each.call.operation == "plans.list")
    assert sweep.judge_cell(cell, run(CREATED, PLANS, left=["web-1"], status=1)).verdict == verdict


def test_what_a_test_put_there_itself_is_not_left_by_its_client() -> None:
    sweep = judging("error", first=run(PLANS, left=["added"]))
    assert sweep.judge_cell(sweep.cells[0], run(PLANS, left=["added"], status=1)).verdict == "failed cleanly"


@pytest.mark.parametrize(
    ("fault", "path", "verdict"),
    [
        ("down", "/v1/instances/inst_0", "failed cleanly"),
        ("outage", "/v1/instances/inst_0", "failed cleanly"),
        ("down", "/v1/instances/inst_1", "leaked"),
        ("error", "/v1/instances/inst_0", "leaked"),
    ],
)
def test_a_lasting_fault_that_refuses_every_delete_is_not_held_against_the_client(
    fault: str, path: str, verdict: str
) -> None:
    sweep = judging(fault, first=run(CREATED, DELETE))
    cell = next(each for each in sweep.cells if each.call.operation == "instances.delete")
    struck = [{"rule": rule["id"], "fault": "error"} for rule in cell.rules]
    refused = {**DELETE, "path": path, "status": 500, "committed": False, "faults": struck}
    assert sweep.judge_cell(cell, run(CREATED, refused, left=["web-1"], status=1)).verdict == verdict


# ---- two runs without faults


def compared(first: RunResult, second: RunResult) -> list[str]:
    """The lines about two runs without faults."""
    sweep = SweepResults(options=SweepOptions(faults=select_faults([])), check_hammering=lambda *_: [])
    sweep.plan(first)
    return [line.strip() for line in sweep.compare(first, second)]


def test_two_equal_runs_need_no_word() -> None:
    one = run(create(), {**READ, "path": "/v1/instances/inst_0123456789abcdef"}, left=["web-1"])
    two = run(create(), {**READ, "path": "/v1/instances/inst_fedcba9876543210"}, left=["web-1"])
    assert compared(one, two) == []


def test_the_differences_of_two_runs_are_named() -> None:
    one = run(PLANS, create(), READ, left=["web-a"])
    two = run(PLANS, PLANS, create('{"name": "web-2"}'), {**READ, "query": "limit=5"}, left=["web-b"])
    assert compared(one, two) == [
        "two runs without faults differ: calls are identified by operation and number",
        "GET /v1/plans was called once, then 2 times",
        "POST /v1/instances #1 was sent with a different body",
        "GET /v1/instances/{id} #1 was sent with a different address",
        "the name of the instances that are left",
        "random values are not compared; to compare them, use a seed or fixed names in CMD",
    ]


def test_fields_that_vary_are_not_judged() -> None:
    first, second = run(create(), left=["web-a"]), run(create(), left=["web-b"])
    sweep = SweepResults(options=SweepOptions(faults=select_faults(["error"])), check_hammering=lambda *_: [])
    sweep.plan(first)
    assert list(sweep.compare(first, second))
    assert sweep.judge_cell(sweep.cells[0], run(create(), left=["web-c"])).verdict == "survived"
    assert sweep.judge_cell(sweep.cells[0], run(create(), left=["web-c", "web-d"])).verdict == "leaked"


def test_hammering_without_faults_is_reported_and_not_blamed_on_a_fault() -> None:
    first = run({**PLANS, "query": "hammered"})
    sweep = SweepResults(
        options=SweepOptions(faults=select_faults(["error"])),
        check_hammering=lambda *_: ["flat-backoff: #1"],
    )
    sweep.plan(first)
    assert list(sweep.compare(first, first)) == ["without any fault: flat-backoff: #1"]


# ---- how many


def test_no_more_cells_than_wished() -> None:
    sweep = judging("error", "reset", first=run(PLANS, create()), pairs=True, most=5)
    assert (len(sweep.cells), sweep.left_out) == (5, 3)
