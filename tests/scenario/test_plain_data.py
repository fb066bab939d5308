"""Scenarios given as Python data: what a YAML file cannot hold is an error too, in our words and at its place."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from cnx_mock.api.validation import problems
from cnx_mock.errors import Problem, ScenarioError
from cnx_mock.scenario.models import ScenarioModel
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from tests.cases import cases

RULE: dict[Any, Any] = {"fault": {"status": 500}}
ENDLESS: dict[str, Any] = {}
ENDLESS["world"] = ENDLESS


@cases(
    ("data", "expected"),
    [
        ({"name": "\ud800"}, ["name: must be a string without half characters (lone surrogates)"]),
        ({"name": b"x"}, ["name: must be a string"]),
        ({"seed": Decimal(3)}, ["seed: must be an integer"]),
        ({"seed": 10**5000}, ["seed: must be below 9223372036854775808"]),
        ({1: 2}, ["[1]: is not a string: every key must be one"]),
        ({"world": {1: 2}}, ["world[1]: is not a string: every key must be one"]),
        (
            {"world": {"readings": {1: 2}}},
            ["world.readings[1]: must be a string", "world.readings[1]: is not a reading: see `cnx-mock readings`"],
        ),
        (
            {"expect": {"fired": {1: 1}}},
            ["expect.fired[1]: must be a string", "expect.fired[1]: is not the id of a rule"],
        ),
        ({"rules": [{**RULE, "match": {"query": {1: 2}}}]}, ["rules[0].match.query[1]: must be a string"]),
        ({"rules": (RULE,)}, ["rules: must be an array"]),
        (
            ENDLESS,
            ["world.world: unknown key (known: balance, clock, fixture, plan, quotas, rate_limit, readings)"],
        ),
    ],
)
def test_what_no_file_can_hold_is_an_error_at_its_place(data: dict[Any, Any], expected: list[str]) -> None:
    with pytest.raises(ScenarioError) as error:
        read_scenario(data, operations())
    assert str(error.value).splitlines() == expected


def test_a_key_of_a_fault_that_is_not_text_is_unknown() -> None:
    with pytest.raises(ScenarioError, match=r"rules\[0\]\.fault\[3\]: unknown key \(known: "):
        read_scenario({"rules": [{"fault": {3: 4}}]}, operations())


def test_an_error_that_pydantic_does_not_have_yet_still_begins_with_our_words() -> None:
    unknown = PydanticCustomError("from_the_future", "Input should be from the future")
    error = ValidationError.from_exception_data("", [InitErrorDetails(type=unknown, loc=("name",), input="x")])
    assert problems(error, ScenarioModel, {"name": "x"}) == [
        Problem(("name",), "is not valid (Input should be from the future)")
    ]
