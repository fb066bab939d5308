"""The JSON Schema of scenario files: with it an editor completes, explains and marks keys and values."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from cnx_mock.api.errors import catalogue
from cnx_mock.scenario.gallery import find, gallery
from cnx_mock.scenario.json_schema import schema
from cnx_mock.services import operations
from cnx_mock.text.source import read, read_file
from tests.cases import cases
from tests.docs.snippets import snippets

SCHEMA = schema(operations())
CHECK = jsonschema_rs.Draft202012Validator(SCHEMA)


def undescribed(node: Any, path: str = "") -> Iterator[str]:
    """Yield every property of a schema that has no description."""
    if isinstance(node, dict):
        for name, declared in node.get("properties", {}).items():
            if isinstance(declared, dict) and not declared.get("description"):
                yield f"{path}/{name}"
        for name, child in node.items():
            yield from undescribed(child, f"{path}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from undescribed(child, f"{path}/{index}")


def wrong(text: str) -> list[str]:
    """The places that an editor marks."""
    return ["/".join(map(str, error.instance_path)) for error in CHECK.iter_errors(read(text, "story").data)]


def test_it_is_a_schema_of_2020_12() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(SCHEMA)


def test_every_key_has_a_description() -> None:
    assert list(undescribed(SCHEMA)) == []


def test_an_editor_completes_operations_and_error_codes() -> None:
    names, _ = SCHEMA["$defs"]["MatchModel"]["properties"]["operation"]["anyOf"][0]["anyOf"]
    assert names["enum"] == [operation.name for operation in operations()]
    assert SCHEMA["$defs"]["Fault"]["properties"]["error"]["enum"] == sorted(catalogue())


@cases("name", gallery())
def test_every_story_of_the_gallery_fits(name: str) -> None:
    assert [error.message for error in CHECK.iter_errors(read_file(find(name)).data)] == []


def test_every_example_of_the_documentation_fits() -> None:
    examples = [each.text for each in snippets("yaml") if "rules:" in each.text and not each.name]
    assert examples
    assert [wrong(text) for text in examples] == [[] for _ in examples]


@cases(
    "rule",
    [
        "{fault: {latency: 2s}}",
        "{fault: {latency: [1s, 2s]}}",
        "{fault: {latency: {median: 80ms, p99: 2s, max: 5s}}}",
        "{fault: {headers: {set: {Retry-After: 3}, remove: [X-RateLimit-Reset]}}}",
        "{fault: {body: {truncate: 0.5}, drip: {chunks: 5, over: 2s}}}",
        "{fault: {body: {corrupt: 8B}, bandwidth: 20KB/s}}",
        "{fault: {provisioning: {delay: never, then: stopped}, stale: 5s}}",
        "{fault: {status: 503, message: no, details: {a: b}, retry_after: 2s}}",
        "{fault: {status: 503}, times: {skip: 2, take: 1}, per: resource}",
        "{fault: {status: 503}, times: {every: 5}}",
        "{fault: {status: 503}, times: {only: [1, 4]}}",
        "{fault: {status: 503}, probability: {from: 0.0, to: 0.4}, when: {phase: [a, '!b'], after: 1s, until: 2s}}",
        "{sequence: [{error: RATE_LIMITED}, pass], then: repeat, ttl: 5s}",
        "{fault: {status: 503}, match: {operation: ['instances.*', '!instances.delete', plans.list]}}",
        "{fault: {status: 503}, match: {query: {status: [running, null]}, header: {X-A: 3}, body: {/tags/0: '!web'}}}",
    ],
)
def test_what_the_language_takes_the_schema_takes(rule: str) -> None:
    assert wrong(f"rules: [{rule}]") == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("rules: [{fault: {status: 500}, match: {operation: instances.crate}}]", "rules/0/match/operation"),
        (
            "rules: [{fault: {status: 500}, match: {operation: [plans.list, instances.crate]}}]",
            "rules/0/match/operation",
        ),
        ("rules: [{fault: {status: 500}, sequence: [pass]}]", "rules/0"),
        ("phases: [{name: a, for: 1s, until: {requests: 3}}]", "phases/0"),
    ],
)
def test_what_it_marks_beside_keys_and_kinds(text: str, place: str) -> None:
    assert wrong(text) == [place]
