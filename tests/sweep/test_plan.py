"""The plan: which faults apply to which calls, and the scenario of each cell."""

from typing import Any

import pytest

from cnx_mock.errors import SweepPlanError
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.sweep.plan import FAULTS, check_operations, plan_cells, sample_cells, select_faults
from cnx_mock.sweep.swept_call import SweptCall, swept_calls
from tests.cases import cases

CREATE = SweptCall(
    operation="instances.create",
    ordinal=1,
    method="POST",
    path="/v1/instances",
    commits=True,
    provisions=True,
    charges=True,
)
READ = SweptCall(operation="instances.get", ordinal=2, method="GET", path="/v1/instances/{id}", follows=True)
PLANS = SweptCall(operation="plans.list", ordinal=1, method="GET", path="/v1/plans")
DELETE = SweptCall(
    operation="instances.delete", ordinal=1, method="DELETE", path="/v1/instances/{id}", commits=True, answered=False
)

EVERY = ["error", "outage", "down", "reset", "rate-limit", "rate-limit-date", "gateway", "revoked", "hang"]
BODY = ["truncate", "bad-json"]
AFTER = ["error-after", "reset-after", "hang-after", "delivered-twice"]


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (CREATE, {*EVERY, *AFTER, *BODY, "no-credits", "never-ready"}),
        (READ, {*EVERY, *BODY, "stale"}),
        (PLANS, {*EVERY, *BODY}),
        (DELETE, {*EVERY, *AFTER}),
    ],
)
def test_a_call_gets_every_default_fault_that_applies_to_it(call: SweptCall, names: set[str]) -> None:
    assert {cell.fault.name for cell in plan_cells([call], select_faults([]))} == names


def test_a_fault_that_takes_longer_than_a_run_may_is_used_only_if_it_is_named() -> None:
    default = [fault for fault in FAULTS if fault.by_default]
    assert select_faults([]) == default
    assert [fault.name for fault in default if fault not in select_faults([], limit=61)] == ["drip"]
    assert select_faults([], limit=62) == default
    assert [fault.name for fault in select_faults(["drip", "error"], limit=5)] == ["error", "drip"]


def test_only_the_first_read_and_the_first_change_with_a_body_drip() -> None:
    def each(operation: str, method: str, status: int = 200) -> dict[str, Any]:
        body = None if status == 204 else "{}"
        more = {"committed": method != "GET", "faults": [], "query": "", "request_body": None}
        return {"operation": operation, "method": method, "status": status, "response_body": body, **more}

    deletes, creates = each("instances.delete", "DELETE", 204), each("instances.create", "POST", 201)
    reads = [each("plans.list", "GET"), each("instances.list", "GET"), each("plans.list", "GET")]
    calls = swept_calls([reads[0], deletes, creates, *reads[1:], creates])
    cells = plan_cells(calls, select_faults(["drip", "error"]), pairs=True)
    assert [cell.name for cell in cells if cell.seconds] == ["plans.list-1-drip", "instances.create-1-drip"]


@cases("cell", plan_cells([CREATE, READ, DELETE], FAULTS, pairs=True), ids=lambda cell: cell.name)
def test_every_cell_is_a_good_scenario(cell: object) -> None:
    scenario = read_scenario(cell.document(), operations())  # type: ignore[attr-defined]
    assert [rule.id for rule in scenario.rules] == [rule["id"] for rule in cell.rules]  # type: ignore[attr-defined]


def test_a_rule_applies_to_the_call_with_its_number() -> None:
    [cell] = plan_cells([READ], select_faults(["error"]))
    [rule] = cell.document()["rules"]
    assert (rule["match"], rule["times"]) == ({"operation": "instances.get"}, {"only": [2]})
    [outage] = plan_cells([READ], select_faults(["outage"]))
    assert outage.document()["rules"][0]["times"] == {"skip": 1, "take": 5}


def test_operations_are_chosen_by_pattern() -> None:
    cells = plan_cells([CREATE, READ, PLANS], select_faults(["error"]), ["instances.*"])
    assert [cell.call.operation for cell in cells] == ["instances.create", "instances.get"]


def test_pairs_are_faults_at_two_calls() -> None:
    cells = plan_cells([CREATE, READ], select_faults(["error", "reset"]), pairs=True)
    assert len(cells) == 4 + 4
    assert all(len({call for call, _ in cell.injections}) == 2 for cell in cells[4:])


def test_of_too_many_the_seed_draws_and_single_faults_come_first() -> None:
    cells = plan_cells([CREATE, READ], select_faults([]), pairs=True)
    few = sample_cells(cells, 5, 7)
    assert len(few) == 5
    assert all(len(cell.injections) == 1 for cell in few)
    assert sample_cells(cells, 5, 7) == few
    assert sample_cells(cells, 5, 8) != few


def test_unknown_names_are_refused_with_a_suggestion() -> None:
    with pytest.raises(SweepPlanError, match="no fault is called 'rest', did you mean 'reset'"):
        select_faults(["rest"])
    with pytest.raises(
        SweepPlanError, match="no operation is called 'instance.create', did you mean 'instances.create'"
    ):
        check_operations(["instance.create"], operations())


def test_a_fault_lasts_if_it_affects_several_calls() -> None:
    lasting = {cell.fault.name for cell in plan_cells([CREATE, READ], FAULTS) if cell.lasts}
    assert lasting == {"outage", "down", "no-credits"}
