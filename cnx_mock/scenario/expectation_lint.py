"""Expectations that can never be met: about rules, fields and values that do not exist."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cnx_mock.api.operation import Operation
from cnx_mock.errors import Path, Problem
from cnx_mock.scenario.matching import Pattern
from cnx_mock.text.suggestions import did_you_mean, one_of
from cnx_mock.world.kinds import MADE


def expectation_problems(data: Any, operations: Collection[Operation]) -> Iterator[Problem]:
    """Yield what is wrong with the `expect` of a scenario's plain data. `operations` show which fields resources
    have."""
    expect = data.get("expect") if isinstance(data, Mapping) else None
    if not isinstance(expect, Mapping):
        return
    yield from _fired_problems(expect.get("fired"), _rule_ids(data.get("rules")))
    reads = {operation.name: operation for operation in operations}
    for kind in MADE:
        read = reads.get(f"{kind.plural}.get")
        if read is not None:
            for path, item in _items(expect.get(kind.plural)):
                yield from _field_problems(("expect", kind.plural, *path), item, read.answer_type)


def _rule_ids(rules: Any) -> dict[str, None]:
    """Return the ids of all rules, in order."""
    listed = enumerate(rules if isinstance(rules, list) else ())
    ids = (each.get("id", f"rule-{index + 1}") for index, each in listed if isinstance(each, Mapping))
    return {each: None for each in ids if isinstance(each, str)}


def _fired_problems(fired: Any, ids: Collection[str]) -> Iterator[Problem]:
    """Expectations about rules that do not exist."""
    for rule_id in fired if isinstance(fired, Mapping) else ():
        if rule_id not in ids:
            message = f"is not the id of a rule{did_you_mean(rule_id, ids)}"
            yield Problem(("expect", "fired", rule_id), message, at_key=True)


def _items(expected: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield what is expected of single resources, each with its place."""
    before: Path = ()
    if isinstance(expected, Mapping):
        before, expected = ("at_least",), expected.get("at_least")
    for index, each in enumerate(expected if isinstance(expected, list) else ()):
        if isinstance(each, Mapping):
            yield (*before, index), each


def _field_problems(place: Path, item: Mapping[str, Any], shape: type) -> Iterator[Problem]:
    """Fields that such a resource does not have, and values that they never have."""
    declared = get_type_hints(shape)
    for name, wanted in item.items():
        if name not in declared:
            message = f"unknown field{did_you_mean(str(name), declared)} (there are {one_of(sorted(declared))})"
            yield Problem((*place, name), message, at_key=True)
        elif get_origin(declared[name]) is Literal:
            values = get_args(declared[name])
            if not any(map(Pattern(wanted).matches, values)):
                yield Problem((*place, name), f"must be one of: {one_of(list(values), wanted)}")
