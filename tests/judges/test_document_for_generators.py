"""What client generators and importers need of the document: names, defaults, numbers and examples."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from tests.judges.test_document import Part, document, every_operation, every_parameter

__all__ = ["document"]

pytestmark = [pytest.mark.judge, pytest.mark.slow]

_DATA = ("default", "const", "examples", "example")


def every_schema(document: dict[str, Any]) -> Iterator[Part]:
    """Yield every schema at any depth, with its place."""
    for name, schema in document["components"]["schemas"].items():
        yield from _inside(name, schema)
    for where, parameter in every_parameter(document):
        yield from _inside(where, parameter["schema"])


def _inside(where: str, schema: Any) -> Iterator[Part]:
    if isinstance(schema, dict):
        yield where, schema
        for word, value in schema.items():
            if word not in _DATA:
                yield from _inside(f"{where}.{word}", value)
    elif isinstance(schema, list):
        for number, each in enumerate(schema):
            yield from _inside(f"{where}[{number}]", each)


def every_body(document: dict[str, Any]) -> Iterator[Part]:
    """Yield the media type of every request and of every success that has a body."""
    for where, operation in every_operation(document):
        if "requestBody" in operation:
            yield f"{where} request", operation["requestBody"]["content"]["application/json"]
        for status, answer in operation["responses"].items():
            if status < "400" and "content" in answer:
                yield f"{where} {status}", answer["content"]["application/json"]


def fits(document: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    return jsonschema_rs.is_valid({**schema, "components": document["components"]}, value)


def test_every_enum_and_every_object_has_a_name(document: dict[str, Any]) -> None:
    """Otherwise generators number them: `Status1`, `InlineObject2`."""
    names = document["components"]["schemas"]
    unnamed = [
        where for where, each in every_schema(document) if where not in names and {"enum", "properties"} & each.keys()
    ]
    assert unnamed == []
    inline = [where for where, media in every_body(document) if "$ref" not in media["schema"] and media["example"]]
    assert inline == []


def test_names_are_those_of_the_cloud_and_of_no_language(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"]
    assert {"ApiError", "InstanceStatus", "InstancePlan"} <= names.keys()
    assert not {"Error", "Exception", "Object", "Map", "Storage", "Target", "Endpoint", "Network", "Memory"} & set(
        names
    )
    assert [name for name, times in Counter(name.lower() for name in names).items() if times > 1] == []


def test_no_two_enums_share_a_constant(document: dict[str, Any]) -> None:
    """Go has one name space for the constants of all enums."""
    schemas = document["components"]["schemas"].values()
    constants: Counter[str] = Counter()
    for each in schemas:
        constants.update(each.get("x-enum-varnames") or [value.upper() for value in each.get("enum", ())])
    assert [name for name, times in constants.items() if times > 1] == []


def test_every_default_is_plain(document: dict[str, Any]) -> None:
    """An object as the default beside a `$ref` makes Go that does not compile; null and lists say nothing."""
    defaults = [(where, each["default"]) for where, each in every_schema(document) if "default" in each]
    assert [found for found in defaults if not isinstance(found[1], str | int)] == []


def test_null_is_a_type_beside_a_plain_type(document: dict[str, Any]) -> None:
    unions = [(where, each["anyOf"]) for where, each in every_schema(document) if "anyOf" in each]
    assert [found for found in unions if ["$ref" in branch for branch in found[1]] != [True, False]] == []


def test_every_integer_says_its_width(document: dict[str, Any]) -> None:
    integers = [(where, each) for where, each in every_schema(document) if "integer" in str(each.get("type"))]
    wide = {where for where, each in integers if each["format"] == "int64"}
    assert integers
    assert [where for where, each in integers if (where in wide) == ("maximum" in each)] == []


def test_every_request_and_every_success_has_an_example_that_fits(document: dict[str, Any]) -> None:
    bodies = list(every_body(document))
    assert [where for where, media in bodies if "example" not in media] == []
    assert [where for where, media in bodies if not fits(document, media["schema"], media["example"])] == []


def test_every_parameter_has_an_example_that_fits(document: dict[str, Any]) -> None:
    parameters = list(every_parameter(document))
    assert [where for where, each in parameters if not fits(document, each["schema"], each["example"])] == []


def test_the_judge_of_examples_would_see_a_wrong_one(document: dict[str, Any]) -> None:
    where, media = next(every_body(document))
    assert not fits(document, media["schema"], {"no": "such"}), where
