"""A fault in the request's own header: `X-CNX-Mock-Fault: error=RATE_LIMITED; retry_after=2s; at=after`, with the words
of `inject`; or one JSON object with the keys of a rule."""

import re
from collections.abc import Collection, Sequence
from typing import Any

import orjson

from cnx_mock.api.operation import Operation
from cnx_mock.scenario.phases import Phase
from cnx_mock.scenario.rule import DocumentError, Rule, read_rule, rule_document
from cnx_mock.text.findings import Problem, SourceError
from cnx_mock.text.source import read

NAME = b"x-cnx-mock-fault"
"""The header, in lower case."""

_SPELT = "X-CNX-Mock-Fault"

_PART = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\[[^\]]*\]|\{(?:[^{}]|\{[^{}]*\})*\}|[^;"'\[{])+""")
"""A pair up to the next semicolon that stands in no quotes, brackets or braces."""


def rule(given: Sequence[str], operations: Collection[Operation], phases: Sequence[Phase]) -> Rule:
    """The rule that a request's headers (one, or it is wrong) declare. Raises DocumentError."""
    if len(given) > 1:
        raise _wrong("is there twice: put everything into one")
    document = _json(given[0]) if given[0].lstrip().startswith("{") else rule_document(_pairs(given[0]))
    try:
        return read_rule(document, operations, "header", phases)
    except DocumentError as error:
        raise _wrong("; ".join(problem.named for problem in error.problems)) from None


def _json(text: str) -> dict[str, Any]:
    try:
        data: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _wrong(f"is no JSON: {error}") from None
    return data


def _pairs(text: str) -> dict[str, Any]:
    """`key=value; key=value`; a value is written as in a YAML file."""
    pairs: dict[str, Any] = {}
    for part in _parts(text):
        key, equals, value = (each.strip() for each in part.partition("="))
        if not equals or not key:
            raise _wrong(f"{part.strip()!r} is no key=value: write error=RATE_LIMITED; retry_after=2s")
        if key in pairs:
            raise _wrong(f"has {key} twice")
        try:
            pairs[key] = read(value, _SPELT).data
        except SourceError as error:
            raise _wrong(f"{key}: {error.findings[0].message}") from None
    if not pairs:
        raise _wrong("is empty: write error=RATE_LIMITED; retry_after=2s")
    return pairs


def _parts(text: str) -> list[str]:
    found, end = [], 0
    while end < len(text):
        match = _PART.match(text, end)
        if match is None and text[end] != ";":
            raise _wrong(f"{text[end : end + 20]!r} opens something that nothing closes")
        if match is not None:
            found.append(match[0])
        end = match.end() if match is not None else end + 1
    return [part for part in found if part.strip()]


def _wrong(message: str) -> DocumentError:
    return DocumentError([Problem((_SPELT,), message)])
