"""Work on what comes from outside grows with its size, not with the square of it.

Nothing is timed: the lines of Python that run are counted, for so many items and for twice as many.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from cnx_mock.errors import ScenarioError
from cnx_mock.scenario.engine import Engine
from cnx_mock.scenario.lint import lint
from cnx_mock.scenario.request import ApiRequest, RequestHeaders, RequestTarget
from cnx_mock.scenario.scenario import Scenario, read_scenario
from cnx_mock.services import operations
from cnx_mock.world.chance import Chance
from tests.cases import cases

N = 70
MOST = 2.15
"""How much more work twice as many items may be: exactly 2 is linear, 4 is quadratic. At N items this finds the square
if it is a twelfth of the work."""


def lines(work: Callable[[], object]) -> int:
    """Return how many lines of Python run, each turn of a loop among them."""
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(prepare: Callable[[int], Callable[[], object]]) -> float:
    """Return how much more work twice as many items are. What `prepare` itself does is not counted."""
    prepare(2)()  # what is done once
    return lines(prepare(2 * N)) / lines(prepare(N))


FAULT = {"fault": {"status": 500}}
RULES: dict[str, Callable[[int], dict[str, Any]]] = {
    "the same match": lambda number: FAULT,
    "other paths": lambda number: {"match": {"path": f"/v1/instances/{number}"}, **FAULT},
    "other headers": lambda number: {"match": {"header": {f"X-{number}": "a"}}, **FAULT},
    "other words of a header": lambda number: {"match": {"header": {"X-Team": str(number)}}, **FAULT},
    "other queries": lambda number: {"match": {"operation": "instances.list", "query": {"limit": number}}, **FAULT},
    "two of one field and one of another": lambda number: {
        "match": {"query": {"limit": number % 2}, "header": {"X-Team": str(number)}},
        **FAULT,
    },
    "that may fire": lambda number: {"match": {"operation": "instances.*"}, "probability": 0.5, **FAULT},
    "other resources": lambda number: {"match": {"resource": f"inst_{number:016x}"}, **FAULT},
    "in other phases": lambda number: {"when": {"phase": f"phase-{number % 7}"}, **FAULT},
    "sequences": lambda number: {"sequence": [{"status": 500}, "pass"], "match": {"path": f"/v1/plans/{number}"}},
}


def scenario(kind: str, size: int) -> Scenario:
    phases = [{"name": f"phase-{number}", "for": "1s"} for number in range(7)]
    rules = [{"id": f"rule-{number}", **RULES[kind](number)} for number in range(size)]
    return read_scenario({"phases": phases, "rules": rules}, operations())


@pytest.mark.slow
@cases("kind", RULES)
def test_reading_rules(kind: str) -> None:
    assert growth(lambda size: lambda: scenario(kind, size)) < MOST


@pytest.mark.slow
@cases("kind", RULES)
def test_linting_rules(kind: str) -> None:
    def prepare(size: int) -> Callable[[], object]:
        read = scenario(kind, size)
        return lambda: lint(read, operations())

    assert growth(prepare) < MOST


@pytest.mark.slow
@cases("kind", RULES)
def test_arming_rules_and_asking_them(kind: str) -> None:
    def prepare(size: int) -> Callable[[], object]:
        read = scenario(kind, size)
        operation = next(each for each in operations() if each.name == "instances.list")
        target = RequestTarget("GET", "/v1/instances", "limit=7", operation)
        request = ApiRequest(target, RequestHeaders([]))

        def work() -> None:
            engine = Engine(Chance(0, "test"), read, lambda: 0, operations())
            for _ in range(3):
                engine.ask(request, 0)

        return work

    assert growth(prepare) < MOST


WRONG: dict[str, Callable[[int], Any]] = {
    "unknown keys": lambda size: {f"rule{number}": 1 for number in range(size)},
    "unknown operations": lambda size: {
        "rules": [{"match": {"operation": f"instance.{number}"}, **FAULT} for number in range(size)]
    },
    "expectations of rules that are not there": lambda size: {  # more rules than one name is compared with
        "rules": [{"id": f"rule-{number}", **FAULT} for number in range(100 + size)],
        "expect": {"fired": {f"rule_{number}": 1 for number in range(size)}},
    },
    "phases that are not there": lambda size: {
        "phases": [{"name": "first", "for": "1s"}, {"name": "last"}],
        "rules": [{"when": {"phase": f"phase{number}"}, **FAULT} for number in range(size)],
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRONG)
def test_refusing_a_scenario(kind: str) -> None:
    def prepare(size: int) -> Callable[[], object]:
        data = WRONG[kind](size)

        def work() -> None:
            with pytest.raises(ScenarioError):
                read_scenario(data, operations())

        return work

    assert growth(prepare) < MOST
