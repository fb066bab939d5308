"""Validation: every problem of some data at once, each in plain words and with its place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cnx_mock.api.declarations import BaseModel, ConfigDict
from cnx_mock.api.errors import ValidationFailed
from cnx_mock.api.synonyms import meant
from cnx_mock.errors import Path, Problem
from cnx_mock.text.plural import counted
from cnx_mock.text.suggestions import did_you_mean, one_of, unknown
from cnx_mock.world.keys import TEST_KEY_FORM, TEST_KEY_PATTERN

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


class Declared(BaseModel):
    """Base of every declared input. Unknown names and values of another type are errors; docstrings of fields are their
    descriptions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


M = TypeVar("M", bound=BaseModel)

_FORMS = {TEST_KEY_PATTERN: f"be {TEST_KEY_FORM}"}
"""What a pattern that people meet stands for."""

_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda c: "is required",
    "string_type": lambda c: "must be a string",
    "int_type": lambda c: "must be an integer",
    "int_from_float": lambda c: "must be an integer",
    "float_type": lambda c: "must be a number",
    "bool_type": lambda c: "must be true or false",
    "list_type": lambda c: "must be an array",
    "tuple_type": lambda c: "must be an array",
    "dict_type": lambda c: "must be an object",
    "model_type": lambda c: "must be an object",
    "model_attributes_type": lambda c: "must be an object",
    "none_required": lambda c: "must be null",
    "string_pattern_mismatch": lambda c: f"must {_FORMS.get(c['pattern']) or 'match ' + c['pattern']}",
    "string_too_short": lambda c: f"must have at least {counted(c['min_length'], 'character')}",
    "string_too_long": lambda c: f"must have at most {counted(c['max_length'], 'character')}",
    "too_short": lambda c: f"must have at least {counted(c['min_length'], 'item')}",
    "too_long": lambda c: f"must have at most {counted(c['max_length'], 'item')}",
    "greater_than_equal": lambda c: f"must be at least {c['ge']}",
    "greater_than": lambda c: f"must be above {c['gt']}",
    "less_than_equal": lambda c: f"must be at most {c['le']}",
    "less_than": lambda c: f"must be below {c['lt']}",
    "string_unicode": lambda c: "must be a string without half characters (lone surrogates)",
    "invalid_key": lambda c: "is not a string: every key must be one",
    "finite_number": lambda c: "must be a finite number",
    "value_error": lambda c: str(c["error"]),
}


def problems(error: "ValidationError", model: type[BaseModel], data: Any, noun: str = "field") -> list[Problem]:
    """Return every problem of a failed validation.

    `noun` is what the format calls a name: the `field` of a body, or the `key` of a file.
    """
    return [_problem(details, model, data, noun) for details in error.errors(include_url=False)]


def attempt(model: type[M], data: Any, noun: str = "field", context: Any = None) -> tuple[M | None, list[Problem]]:
    """Return the validated data and no problem, or None and every problem with the data."""
    try:
        return model.model_validate(data, context=context), []
    except ValueError as error:  # pydantic's ValidationError: it makes one of every ValueError of a check
        return None, problems(cast("ValidationError", error), model, data, noun)


def validated(
    model: type[M], data: dict[str, Any], context: Any, found: list[Problem], lenient: bool = False
) -> M | None:
    """Return the validated data. If it is wrong, return None and add every problem to `found`.

    With `lenient`, unknown names are ignored, at any depth.
    """
    try:
        return model.model_validate(data, context=context)
    except ValueError as error:  # pydantic's ValidationError: see `attempt`
        wrong = problems(cast("ValidationError", error), model, data)
    unknown = [each.path for each in wrong if each.at_key]
    if lenient and unknown:
        return validated(model, _without(data, set(unknown), ()), context, found, lenient)
    found += wrong
    return None


def _without(data: Any, paths: set[Path], here: Path) -> Any:
    """Return a copy of the data without the values at these paths. `here` is the path of `data` itself."""
    if isinstance(data, dict):
        return {k: _without(v, paths, (*here, k)) for k, v in data.items() if (*here, k) not in paths}
    if isinstance(data, list):
        return [_without(each, paths, (*here, index)) for index, each in enumerate(data)]
    return data


def _problem(details: "ErrorDetails", model: type[BaseModel], data: Any, noun: str) -> Problem:
    kind, context = details["type"], details.get("ctx", {})
    path = _path(details["loc"], data)
    if kind == "extra_forbidden":
        known = _names(model, path[:-1])
        key = str(details["loc"][-1])
        message = unknown(noun, key, known) if noun == "key" else f"unknown {noun}{meant(key, known)}"
        return Problem(path, message, at_key=True)
    if details["loc"][-1:] == ("[key]",):
        if kind != "literal_error":
            return Problem(path, _in_words(details), at_key=True)
        words = _quoted(context["expected"])
        return Problem(path, f"unknown {noun}{did_you_mean(str(path[-1]), words)}", at_key=True)
    if kind == "missing":
        return Problem((*path, details["loc"][-1]), "is required")
    if details["loc"] != path and details["loc"][-1] in _names(model, path):
        path = (*path, details["loc"][-1])  # a default that does not go with what was given
    if kind == "literal_error":
        return Problem(path, f"must be one of: {one_of(_quoted(context['expected']), details['input'])}")
    example = _example(model, path) if kind == "model_type" else ""
    if kind == "list_type" and noun == "key" and isinstance(details["input"], Mapping):
        example = ": begin each item with a dash"
    return Problem(path, _in_words(details) + example)


def _in_words(details: "ErrorDetails") -> str:
    """Return our message for one of pydantic's errors; ours comes first for a kind that we do not know, too."""
    words_for = _WORDS.get(details["type"])
    return words_for(details.get("ctx", {})) if words_for else f"is not valid ({details['msg']})"


def _path(loc: tuple[int | str, ...], data: Any) -> Path:
    """Return the parts of pydantic's location that are places in the data; the others are branches of a union."""
    path: list[int | str] = []
    for part in loc:
        inside = data if isinstance(data, Mapping) else dict(enumerate(data)) if isinstance(data, list) else {}
        if part in inside:
            data = inside[part]
            path.append(part)
    return tuple(path)


def _quoted(expected: str) -> list[str]:
    """Return the words in pydantic's `'a', 'b' or 'c'`."""
    return expected.split("'")[1::2]


@lru_cache(maxsize=256)
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _names(model: type[BaseModel], path: Path) -> list[str]:
    """Return the names that the declaration allows at a place."""
    return sorted(name for node in _declared(model, path) for name in node.get("properties", {}))


def _example(model: type[BaseModel], path: Path) -> str:
    """Return how the object at a place is written: `: {requests: 20}`; empty if its declaration has no example."""
    given = [example for node in _declared(model, path) for example in node.get("examples", ())]
    pairs = given[0].items() if given and isinstance(given[0], dict) else ()
    return f": {{{', '.join(f'{key}: {value}' for key, value in pairs)}}}" if pairs else ""


def _declared(model: type[BaseModel], path: Path) -> list[dict[str, Any]]:
    """Return the parts of the declaration's schema that describe a place."""
    schema = _schema(model)
    nodes = [schema]
    for part in path:
        flat = [branch for node in nodes for branch in _branches(node, schema)]
        if isinstance(part, int):
            nodes = [node["items"] for node in flat if "items" in node]
        else:
            nodes = [node["properties"][part] for node in flat if part in node.get("properties", {})]
    return [branch for node in nodes for branch in _branches(node, schema)]


def _branches(node: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _branches(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    for word in ("anyOf", "oneOf", "allOf"):
        for branch in node.get(word, ()):
            yield from _branches(branch, schema)
    yield node


def spelling(path: Path) -> str:
    """Return a place as the API writes it: `rules[0].ports`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "body"


def failed(found: Sequence[Problem]) -> ValidationFailed:
    """Return the API's error for these problems, with one entry for each field."""
    return ValidationFailed(**{spelling(problem.path): problem.message for problem in found})
