"""A fault in the request's own header: `X-CNX-Mock-Fault: error=RATE_LIMITED; retry_after=2s; at=after`, with the words
of `inject`; or one JSON object with the keys of a rule."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson

from cnx_mock.api.operation import Operation
from cnx_mock.errors import Problem, ScenarioError, SourceError
from cnx_mock.scenario.own_text import rule_value
from cnx_mock.scenario.phases import Phase
from cnx_mock.scenario.request import FAULT_HEADER
from cnx_mock.scenario.rule import Rule, read_rule, rule_document

NAME = FAULT_HEADER
"""The header, in lower case."""

_DISPLAYED = "X-CNX-Mock-Fault"

_OPEN = {"{": "}", "[": "]"}


def rule(given: Sequence[str], operations: Collection[Operation], phases: Sequence[Phase]) -> Rule:
    """Return the rule that a request's fault header declares. Raises ScenarioError if it cannot be used, or is there
    twice."""
    if len(given) > 1:
        raise _wrong("is given twice: put everything into one header")
    is_json = given[0].lstrip().startswith("{")
    data = _json_object(given[0]) if is_json else _pairs(given[0])
    try:
        return read_rule(data if is_json else rule_document(data), operations, "header", phases)
    except ScenarioError as error:
        raise _wrong("; ".join(problem.named for problem in error.problems)) from None


def _json_object(text: str) -> dict[str, Any]:
    try:
        data: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _wrong(f"is not JSON: {error}") from None
    return data


def _pairs(text: str) -> dict[str, Any]:
    """Read `key=value; key=value`; a value is written as in a YAML file. Raises ScenarioError."""
    pairs: dict[str, Any] = {}
    for part in filter(str.strip, _parts(text)):
        key, equals, value = (each.strip() for each in part.partition("="))
        if not equals or not key:
            raise _wrong(f"{part.strip()!r} is not key=value: write error=RATE_LIMITED; retry_after=2s")
        if key in pairs:
            raise _wrong(f"has {key} twice")
        try:
            pairs[key] = flat_value(key, value, _DISPLAYED)
        except SourceError as error:
            raise _wrong(f"{key}: {error.problems[0].message}") from None
    if not pairs:
        raise _wrong("is empty: write error=RATE_LIMITED; retry_after=2s")
    return pairs


def flat_value(key: str, text: str, place: str) -> Any:
    """Return the value of one key of a rule or of its fault, written as in a YAML file. Raises SourceError, which names
    the place."""
    from cnx_mock.text.source import read  # lazy: it is only for a header that is not JSON

    source = read(text, place)
    if source.problems:
        raise source.error()
    return rule_value(source, key)


def _parts(text: str) -> Iterator[str]:
    """Split at semicolons, except those in quotes, brackets or braces. Raises ScenarioError."""
    closing: list[str] = []
    begun = 0
    for place, character in enumerate(text):
        if closing and character == closing[-1]:
            closing.pop()
        elif closing and closing[-1] in "\"'":
            continue
        elif character in "\"'":
            closing.append(character)
        elif character in _OPEN:
            closing.append(_OPEN[character])
        elif character == ";" and not closing:
            yield text[begun:place]
            begun = place + 1
    if closing:
        raise _wrong(f"{closing[0]} is missing in {text[begun:].strip()[:40]!r}")
    yield text[begun:]


def _wrong(message: str) -> ScenarioError:
    return ScenarioError([Problem((_DISPLAYED,), message)])
