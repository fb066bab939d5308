"""Which requests a rule matches. If a request does not match, the result names the field that differs."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import translate
from typing import Any

from cnx_mock.api.parsing import query_values
from cnx_mock.dataclass import dataclass
from cnx_mock.scenario.request import ApiRequest, RequestTarget

_MISSING = object()


@dataclass(slots=True)
class Difference:
    """Why a rule does not match a request. The words are made only when they are read."""

    field: str
    actual: object
    expected: "Pattern"
    shown: "Callable[[object], str]"

    def __str__(self) -> str:
        expected = " or ".join(self.shown(word) for word in self.expected.words)
        return f"{self.field} is {self.shown(self.actual)}, not {expected}"


class Pattern:
    """What a value must be: one of several words, in which `*` stands for any text. A word after `!` is excluded."""

    def __init__(self, given: object) -> None:
        words = given if isinstance(given, list) else [given]
        self.words = tuple(words)
        self._exact = [word for word in words if not isinstance(word, str)]
        texts = [word for word in words if isinstance(word, str)]
        wanted = [word for word in texts if not word.startswith("!")]
        plain = len(wanted) == len(texts) and not any("*" in word for word in texts)
        self.plain = frozenset(texts) if plain and words else None
        """The allowed values, if none of them is a glob."""
        self._wanted = _globs([] if plain else wanted)
        self._unwanted = _globs([word[1:] for word in texts if word.startswith("!")])
        self._only_excludes = not wanted and not self._exact
        self.absent = None in words
        """Whether it matches an absent value: null is one of the words."""

    def matches(self, value: object) -> bool:
        """Whether the value matches. Texts are compared as globs; a number, a boolean or null matches only itself (1.0
        is 1)."""
        if isinstance(value, str):
            if self.plain is not None:
                return value in self.plain
            if self._unwanted is not None and self._unwanted.fullmatch(value):
                return False
            if self._wanted is not None and self._wanted.fullmatch(value):
                return True
        if self._only_excludes:
            return True
        return any(_same(value, word) for word in self._exact)

    def matches_item(self, values: list[Any]) -> bool:
        """Whether one of the values matches, and none of them is excluded."""
        if self._unwanted is not None and any(
            isinstance(each, str) and self._unwanted.fullmatch(each) for each in values
        ):
            return False
        return any(self.matches(each) for each in values) or self._only_excludes


def _same(value: object, word: object) -> bool:
    """Whether two values that are not texts are the same in JSON: 1 is 1.0, and is not true."""
    kinds = [float if type(each) is int else type(each) for each in (value, word)]
    return kinds[0] is kinds[1] and value == word


def _globs(words: list[str]) -> re.Pattern[str] | None:
    """Return one pattern that matches any of the globs; None if there are no globs."""
    globs = [translate(re.sub(r"[\[\]?]", r"[\g<0>]", word)) for word in words]
    return re.compile("|".join(globs)) if globs else None


def _shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _text(value: object) -> str:
    """Return a value of a query or a header for a message."""
    return "missing" if value is _MISSING or value is None else _shown(value)


def _json(value: object) -> str:
    """Return a value of a body for a message: as JSON, so that 5 and "5" differ.

    A list or an object is not shown: it may be nested too deeply for `json`.
    """
    if value is _MISSING:
        return "missing"
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    return _shown(json.dumps(value, ensure_ascii=False))


PlainWords = tuple[tuple[str, frozenset[str]], ...]
"""Some of what a body must have, by name, in a form that is quick to look at."""

NamedPatterns = tuple[tuple[str, Pattern], ...]
"""What values must be, by their names."""


@dataclass(frozen=True, slots=True)
class Match:
    """Everything that a request must have. None, or an empty tuple, means that the rule does not look at that field."""

    operation: Pattern | None = None
    method: Pattern | None = None
    path: Pattern | None = None
    resource: Pattern | None = None
    query: NamedPatterns = ()
    header: NamedPatterns = ()
    body: NamedPatterns = ()

    def covers(self, operation: str | None, method: str) -> bool:
        """Whether calls of this operation, by this method, can match. This is known before any call arrives.

        `operation` is its name; None for a path that belongs to no operation.
        """
        if self.operation is not None and (operation is None or not self.operation.matches(operation)):
            return False
        return self.method is None or self.method.matches(method)

    def covers_target(self, target: RequestTarget) -> bool:
        """Whether requests for this target can match, whatever their headers and bodies are."""
        operation = target.operation.name if target.operation else None
        return self.covers(operation, target.method) and next(self._in_target(target), None) is None

    def difference(self, request: ApiRequest) -> Difference | None:
        """Return the first field that differs; None if the request matches."""
        return next(self.differences(request), None)

    def plain_words(self) -> PlainWords:
        """Return the top-level names that the body must have, each with its allowed values. A body that has another
        text there does not match, whatever else it has."""
        return tuple((name, wanted.plain) for name, wanted in self.body if wanted.plain and name[:1] != "/")

    def matches_content(self, request: ApiRequest) -> bool:
        """Whether a request matches whose target is covered."""
        if not self.header and not self.body:
            return True  # most rules
        return next(self._in_content(request), None) is None

    def differences(self, request: ApiRequest) -> Iterator[Difference]:
        """Yield every field that differs."""
        if self.operation is not None:
            name = request.operation.name if request.operation else None
            if name is None or not self.operation.matches(name):
                yield Difference("operation", name, self.operation, _shown)
        if self.method is not None and not self.method.matches(request.method):
            yield Difference("method", request.method, self.method, _shown)
        yield from self._in_target(request.target)
        yield from self._in_content(request)

    def _in_target(self, target: RequestTarget) -> Iterator[Difference]:
        if self.path is not None and not self.path.matches(target.path):
            yield Difference("path", target.path, self.path, _shown)
        if self.resource is not None:
            resource = target.resource
            if not (self.resource.absent if resource is None else self.resource.matches(resource)):
                yield Difference("resource", resource, self.resource, _shown)
        if self.query:
            given = query_values(target.query)
            yield from _texts("query", self.query, lambda name: given.get(name, []))

    def _in_content(self, request: ApiRequest) -> Iterator[Difference]:
        if self.header:
            yield from _texts("header", self.header, lambda name: request.header_values(name.lower().encode()))
        if self.body:
            yield from _values(self.body, request.json())

    def __len__(self) -> int:
        """Return how many fields the rule looks at."""
        single = (self.operation, self.method, self.path, self.resource)
        return sum(each is not None for each in single) + len(self.query) + len(self.header) + len(self.body)

    def __bool__(self) -> bool:
        """Return True: a match without any field matches every request, although its length is 0."""
        return True


def _texts(kind: str, wanted: NamedPatterns, given: Callable[[str], list[str]]) -> Iterator[Difference]:
    """Yield what differs in a query or in headers. A name may have several values: one that matches is enough."""
    for name, pattern in wanted:
        values = given(name)
        if not (any(pattern.matches(value) for value in values) if values else pattern.absent):
            yield Difference(f"{kind} {name}", values[0] if values else _MISSING, pattern, _text)


def _values(wanted: NamedPatterns, data: Any) -> Iterator[Difference]:
    """Yield what differs in a body. A list matches if one of its items does, and none of them is excluded."""
    for name, pattern in wanted:
        found, value = pick(data, name)
        if not found:
            if not pattern.absent:
                yield Difference(f"body {name}", _MISSING, pattern, _json)
        elif not (pattern.matches_item(value) if isinstance(value, list) else pattern.matches(value)):
            yield Difference(f"body {name}", value, pattern, _json)


def lacks(data: Any, plain: PlainWords) -> bool:
    """Whether a body has another text under one of the names. This is how most rules about bodies do not match."""
    if type(data) is dict:
        for name, words in plain:
            value = data.get(name)
            if type(value) is str and value not in words:
                return True
    return False


def pick(data: Any, name: str) -> tuple[bool, Any]:
    """Return whether there is a value at a top-level name or a JSON pointer (RFC 6901), and the value."""
    steps: Sequence[str] = [name]
    if name.startswith("/"):
        steps = [step.replace("~1", "/").replace("~0", "~") for step in name[1:].split("/")]
    for step in steps:
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list) and step.isascii() and step.isdigit() and int(step[:9]) < len(data):
            data = data[int(step[:9])]
        else:
            return False, None
    return True, data
