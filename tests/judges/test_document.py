"""Judges of the OpenAPI document: a validator of another project, and rules for the description of every part.

`python tests/judges/test_document.py` rewrites the snapshot: a change of the API shows up in review.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from cnx_mock import __version__
from cnx_mock.api.readings import READINGS
from cnx_mock.api.surface import Surface
from cnx_mock.http import reference
from tests.openapi_parts import resolved

pytestmark = [pytest.mark.judge, pytest.mark.slow]

SNAPSHOT = Path(__file__).with_name("openapi.snapshot.json")

SURFACES: tuple[Surface, ...] = ("documented", "named", "all")
VARIANTS: dict[str, tuple[dict[str, str], Surface]] = {
    **{surface: ({}, surface) for surface in SURFACES},
    **{
        f"choice {number} of every reading": (
            {each.name: each.options[number] for each in READINGS if number < len(each.options)},
            "all",
        )
        for number in range(1, max(len(each.options) for each in READINGS))
    },
}
"""The document under every surface, and under every option of every reading: readings change different parts of it."""

UNIT = re.compile(
    r"\b(cents|seconds?|percent|MiB|GB|bytes|port|ports|minute|hours|number|items|pages|processors|periods"
    r"|failures|successes|instances|snapshots|firewalls|load balancers|requests)\b",
    re.IGNORECASE,
)
"""The units of numbers: the description of every number has one of these words."""

Part = tuple[str, dict[str, Any]]


@cache
def made(variant: str) -> dict[str, Any]:
    """Return the document as a client gets it."""
    readings, surface = VARIANTS[variant]
    document = reference.document(surface, readings, ["http://127.0.0.1:4269"])
    found: dict[str, Any] = json.loads(json.dumps(document))
    return found


@pytest.fixture(params=VARIANTS, scope="module")
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return made(request.param)


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """The document under the default readings."""
    return made("all")


def every_operation(document: dict[str, Any]) -> Iterator[Part]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def every_parameter(document: dict[str, Any]) -> Iterator[Part]:
    for where, operation in every_operation(document):
        for parameter in (resolved(document, each) for each in operation["parameters"]):
            yield f"{where} ?{parameter['name']}", parameter


def every_header(document: dict[str, Any]) -> Iterator[Part]:
    for where, operation in every_operation(document):
        for status, answer in operation["responses"].items():
            for name, header in resolved(document, answer).get("headers", {}).items():
                yield f"{where} {status} {name}", resolved(document, header)


def every_field(document: dict[str, Any]) -> Iterator[Part]:
    for name, schema in document["components"]["schemas"].items():
        yield from _fields(name, schema)


def _fields(where: str, schema: dict[str, Any]) -> Iterator[Part]:
    for name, field in schema.get("properties", {}).items():
        yield f"{where}.{name}", field
        yield from _fields(f"{where}.{name}", field)


def every_part(document: dict[str, Any]) -> Iterator[Part]:
    yield from every_operation(document)
    yield from every_parameter(document)
    yield from every_header(document)
    yield from every_field(document)


def types(schema: dict[str, Any]) -> set[str]:
    """Return the types that a schema allows."""
    given = schema.get("type", [])
    own = {given} if isinstance(given, str) else set(given)
    return own.union(*(types(each) for each in schema.get("anyOf", ())))


def speaks_for_itself(field: dict[str, Any]) -> bool:
    """Return whether a reader sees what a value looks like: by an example, a choice, or examples of its fields."""
    schema = field.get("schema", field)
    if schema.get("examples") or {"enum", "const"} & schema.keys() or types(schema) == {"boolean"}:
        return True
    inner = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    return any("$ref" in each or "properties" in each for each in inner)


@cache
def validator_of(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema))


def test_the_validator_accepts_it(document: dict[str, Any]) -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_part_is_described(document: dict[str, Any]) -> None:
    assert [where for where, part in every_part(document) if not part.get("description")] == []


def test_every_part_says_where_it_comes_from(document: dict[str, Any]) -> None:
    kinds = {"documented", "named", "implied", "added"}
    marked = {where for where, part in every_part(document) if part.get("x-cnx-provenance") in kinds}
    sourced = {where for where, part in every_part(document) if part.get("x-cnx-source")}
    assert [where for where, _ in every_part(document) if where not in marked & sourced] == []


def test_every_value_is_shown(document: dict[str, Any]) -> None:
    parts = [*every_parameter(document), *every_header(document), *every_field(document)]
    assert [where for where, part in parts if not speaks_for_itself(part)] == []


def test_every_number_says_what_it_counts(document: dict[str, Any]) -> None:
    parts = [*every_parameter(document), *every_header(document), *every_field(document)]
    numbers = [part for part in parts if {"integer", "number"} & types(part[1].get("schema", part[1]))]
    assert [where for where, part in numbers if not UNIT.search(part["description"])] == []


def test_every_amount_of_money_names_its_currency(whole: dict[str, Any]) -> None:
    amounts = [
        (where, f) for where, f in every_field(whole) if re.fullmatch(r"-?\$[\d.]+", str(f.get("examples", [0])[0]))
    ]
    assert amounts
    assert [where for where, field in amounts if "US dollars" not in field["description"]] == []


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    """Every field, every parameter and every header."""
    wrong = []
    for where, part in [*every_parameter(document), *every_header(document), *every_field(document)]:
        schema = part.get("schema", part)
        given = [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else ())]
        if not given:
            continue
        whole = {**schema, "components": document["components"]} if "$ref" in str(schema) else schema
        validator = validator_of(json.dumps(whole))
        wrong += [(where, value) for value in given if not validator.is_valid(value)]
    assert wrong == []


def test_every_error_of_every_operation_has_an_example_that_fits(document: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/ApiError", "components": document["components"]}
    error = jsonschema_rs.Draft202012Validator(schema)
    seen: Counter[str] = Counter()
    for where, operation in every_operation(document):
        refusals = {
            status: resolved(document, answer) for status, answer in operation["responses"].items() if status >= "400"
        }
        assert {"401", "429", "500"} <= refusals.keys(), where
        for status, answer in refusals.items():
            media = answer["content"]["application/json"]
            assert media["schema"] == {"$ref": "#/components/schemas/ApiError"}, (where, status)
            assert media["examples"], (where, status)
            for code, example in media["examples"].items():
                body = resolved(document, example)["value"]
                error.validate(body)
                assert body["error"]["code"] == code
                seen[code] += 1
    assert seen["INTERNAL_ERROR"] == len(list(every_operation(document)))


def test_operation_ids_are_unique(whole: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in every_operation(whole)]
    assert [each for each, times in Counter(ids).items() if times > 1] == []
    assert all(re.fullmatch("(list|get|create|replace|delete)_[a-z_]+", each) for each in ids)


def test_surfaces_are_nested() -> None:
    """Each surface has all operations of the one before it, and more."""
    documented, named, everything = ({where for where, _ in every_operation(made(each))} for each in SURFACES)
    assert documented < named < everything
    assert len(documented) == 4


def snapshot() -> str:
    """Return the default document with one line for each value, and without the version of cnx-mock."""
    text = json.dumps(made("all"), indent=1, ensure_ascii=False)
    return text.replace(f"cnx-mock {__version__}", "cnx-mock") + "\n"


def test_the_document_is_the_one_that_was_reviewed() -> None:
    assert SNAPSHOT.read_text(encoding="utf-8") == snapshot(), "the API has changed: see this file's first lines"


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(), encoding="utf-8")
