"""A declaration written with the words of `api.declarations` is the model that pydantic itself makes of it."""

import subprocess
import sys
from threading import Thread
from types import GenericAlias
from typing import Annotated, Any, ClassVar, Literal

import pydantic
import pytest

from cnx_mock.api import declarations as words
from cnx_mock.api.declarations import later, made, model_of, unset
from tests.cases import cases


def even(number: int) -> int:
    if number % 2:
        raise ValueError("must be even")
    return number


def declared(by: Any) -> Any:
    """The same three classes, written with the words of one module or of the other."""
    Even = Annotated[int, by.Field(ge=0), by.AfterValidator(even)]

    OrNone = Annotated[int | None, by.BeforeValidator(lambda value: value), by.WithJsonSchema({"type": "integer"})]

    class Inner(by.BaseModel):  # type: ignore[misc]
        """Something inside."""

        model_config = by.ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"size": 2}]})
        kind: ClassVar[str] = "inner"
        size: Even

    class Outer(Inner):
        """Something outside."""

        more: OrNone = None
        inner: Inner | None = None
        many: Annotated[list[Inner], by.Field(max_length=2)] = []
        named: dict[str, tuple[Even, ...]] = {}
        word: Literal["a", "b"] = "a"
        other: Annotated[str, by.Field(alias="from", examples=["x"])] = "x"

        @by.model_validator(mode="after")
        def _check(self) -> Any:
            if self.word == "b" and self.inner is None:
                raise ValueError("b needs inner")
            return self

        def shown(self) -> str:
            return f"{self.kind} {self.word}"

    class Root(by.RootModel[dict[str, Inner]]):  # type: ignore[misc]
        """Any number of them."""

    return Outer, Root


OURS, THEIRS = declared(words), declared(pydantic)

GIVEN: list[Any] = [
    {},
    {"size": 2},
    {"size": 2, "inner": {"size": 4}, "many": [{"size": 2}], "named": {"x": (2, 4)}, "word": "b", "from": "y"},
    {"inner": {"size": 3}, "many": [{}, {}, {}], "word": "c", "unknown": 1},
    {"size": 0, "word": "b"},
    {"size": 7, "more": None, "named": {"x": [1]}, "inner": None},
    [],
    None,
]


def outcome(model: Any, given: Any) -> Any:
    try:
        return model.model_validate(given).model_dump()
    except pydantic.ValidationError as error:
        return error.errors(include_url=False, include_context=False)


@cases("given", GIVEN, ids=str)
def test_both_accept_the_same_and_refuse_with_the_same_errors(given: Any) -> None:
    assert outcome(OURS[0], given) == outcome(THEIRS[0], given)


@cases("given", [{}, {"a": {"size": 2}}, {"a": {"size": 1}}, {"a": 1}, 5], ids=str)
def test_both_root_models_as_well(given: Any) -> None:
    assert outcome(OURS[1], given) == outcome(THEIRS[1], given)


@pytest.mark.parametrize("place", [0, 1])
def test_both_have_the_same_schema(place: int) -> None:
    assert OURS[place].model_json_schema() == THEIRS[place].model_json_schema()


def test_a_model_is_made_once_and_its_instances_are_the_declarations() -> None:
    model = model_of(OURS[0])
    assert model_of(OURS[0]) is model
    assert made(GenericAlias(list, (OURS[0],))) == GenericAlias(list, (model,))
    assert isinstance(OURS[0](size=2), OURS[0])
    assert issubclass(model, pydantic.BaseModel)


def test_threads_that_ask_at_once_get_one_model() -> None:
    outer, _ = declared(words)
    found: list[Any] = []
    threads = [Thread(target=lambda: found.append(model_of(outer))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


class Filter(words.BaseModel):
    """A query."""

    page: Annotated[int, words.Field(ge=1)] = 1
    """The number of the page."""
    tags: list[str] = later(list)

    def first(self) -> bool:
        return self.page == 1


class Plain(words.BaseModel):
    page: Annotated[int, words.Field(ge=1)] = 1

    def first(self) -> bool:
        return self.page == 1


class Needed(Plain):
    name: str


def test_the_docstring_of_a_field_is_its_description() -> None:
    assert Filter.model_fields["page"].description == "The number of the page."
    assert Filter.model_fields["tags"].description is None


def test_plain_defaults_need_no_model_and_anything_else_does() -> None:
    nothing = unset(Plain)
    assert (nothing.page, nothing.first()) == (1, True)
    assert unset(Filter) is None
    assert unset(Needed) is None
    assert unset(OURS[1]) is None


def test_lists_of_such_defaults_are_not_shared() -> None:
    class Tagged(words.BaseModel):
        tags: list[str] = []

    unset(Tagged).tags.append("mine")
    assert unset(Tagged).tags == []


def test_a_default_that_is_made_later_is_made_with_the_model() -> None:
    assert Filter().tags == []


def test_words_and_classes_load_no_pydantic() -> None:
    source = """
import sys
from typing import Annotated
from cnx_mock.api.declarations import BaseModel, Field, unset
class Query(BaseModel):
    page: Annotated[int, Field(ge=1)] = 1
assert unset(Query).page == 1
assert "pydantic" not in sys.modules
assert Query(page=2).page == 2
assert "pydantic" in sys.modules
"""
    subprocess.run([sys.executable, "-c", source], check=True, timeout=30)
