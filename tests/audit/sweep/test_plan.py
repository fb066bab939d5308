"""Which faults strike which calls, and the scenarios that make them."""

import pytest

from cnx_mock.audit.sweep.plan import FAULTS, Call, PlanError, check_operations, chosen_faults, planned, sampled
from cnx_mock.scenario.document import read_scenario
from cnx_mock.services import operations

CREATE = Call(
    operation="instances.create",
    ordinal=2,
    method="POST",
    path="/v1/instances",
    commits=True,
    provisions=True,
    charges=True,
)
LIST = Call(operation="instances.list", ordinal=1, method="GET", path="/v1/instances", follows=True)
DELETE = Call(
    operation="instances.delete", ordinal=1, method="DELETE", path="/v1/instances/{id}", commits=True, answered=False
)


def struck(call: Call) -> set[str]:
    return {cell.fault.name for cell in planned([call], chosen_faults([]))}


def test_each_call_gets_the_faults_that_can_strike_it() -> None:
    every = {"error", "outage", "reset", "rate-limit", "hang"}
    after = {"error-after", "reset-after", "hang-after"}
    body = {"truncate", "bad-json"}
    assert struck(CREATE) == every | after | body | {"no-credits", "never-ready"}
    assert struck(LIST) == every | body | {"stale"}
    assert struck(DELETE) == every | after


def test_one_fault_is_there_by_name_only() -> None:
    assert "down" not in {fault.name for fault in chosen_faults([])}
    assert [fault.name for fault in chosen_faults(["down"])] == ["down"]


def test_every_cell_is_a_scenario_that_the_engine_takes() -> None:
    for cell in planned([CREATE, LIST, DELETE], FAULTS, pairs=True):
        read_scenario(cell.document(), operations())


def test_a_rule_strikes_one_call_of_its_operation() -> None:
    [cell] = planned([CREATE], chosen_faults(["reset-after"]))
    [rule] = cell.document()["rules"]
    assert rule["times"] == {"only": [2]}
    assert rule["at"] == "after"
    assert cell.title == "`POST /v1/instances` #2, reset after commit"


def test_operations_are_patterns() -> None:
    faults = chosen_faults(["error"])
    assert [cell.call for cell in planned([CREATE, LIST], faults, ["*.list"])] == [LIST]
    assert [cell.call for cell in planned([CREATE, LIST], faults, ["!*.list"])] == [CREATE]


def test_pairs_strike_two_calls() -> None:
    cells = planned([CREATE, LIST], chosen_faults(["error", "reset"]), pairs=True)
    assert [len(cell.strikes) for cell in cells] == [1] * 4 + [2] * 4


def test_a_sample_keeps_single_faults_and_the_order_and_the_seed_draws_it() -> None:
    cells = planned([CREATE, LIST], chosen_faults([]), pairs=True)
    some = sampled(cells, 5, 7)
    assert some == sampled(cells, 5, 7)
    assert some != sampled(cells, 5, 8)
    assert [cells.index(cell) for cell in some] == sorted(cells.index(cell) for cell in some)
    assert {len(cell.strikes) for cell in some} == {1}
    assert sampled(cells, None, 7) == cells


def test_unknown_names_are_told() -> None:
    with pytest.raises(PlanError, match="did you mean 'hang'"):
        chosen_faults(["hagn"])
    with pytest.raises(PlanError, match="no operation is called"):
        check_operations(["nothing.*"], ["instances.list"])
