"""Which requests a rule means. A matcher never just says no: it names the field that differs."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

from cnx_mock.scenario.exchange import Exchange

_MISSING = object()


@dataclass(slots=True)
class Difference:
    """Why a rule does not mean a request; put into words only when somebody reads it."""

    field: str
    actual: object
    expected: "Pattern"
    spelt: "Callable[[object], str]"

    def __str__(self) -> str:
        expected = " or ".join(self.spelt(word) for word in self.expected.words)
        return f"{self.field} is {self.spelt(self.actual)}, not {expected}"


class Pattern:
    """Words to compare with: any of them will do, `*` stands for anything, `!` in front excludes."""

    def __init__(self, given: object) -> None:
        words = given if isinstance(given, list) else [given]
        self.words = tuple(words)
        self._exact = [word for word in words if not isinstance(word, str)]
        texts = [word for word in words if isinstance(word, str)]
        self._wanted = _globs([word for word in texts if not word.startswith("!")])
        self._unwanted = _globs([word[1:] for word in texts if word.startswith("!")])
        plain = all("*" not in word and not word.startswith("!") for word in texts)
        self._plain = frozenset(texts) if plain and words else None

    def matches(self, value: object) -> bool:
        """Whether the value is one of the words. Texts match as globs; numbers, truth and null only themselves."""
        if isinstance(value, str):
            if self._plain is not None:
                return value in self._plain
            if self._unwanted is not None and self._unwanted.fullmatch(value):
                return False
            if self._wanted is not None and self._wanted.fullmatch(value):
                return True
        if self._wanted is None and not self._exact:
            return True
        return any(type(value) is type(word) and value == word for word in self._exact)


def _globs(words: list[str]) -> re.Pattern[str] | None:
    """One pattern for any of the globs; None where there is none."""
    globs = [translate(re.sub(r"[\[\]?]", r"[\g<0>]", word)) for word in words]
    return re.compile("|".join(globs)) if globs else None


def _shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _json(value: object) -> str:
    """A value of a body, so that 5 and "5" do not look alike; what is nested may be nested deeper than we could go."""
    if value is _MISSING:
        return "missing"
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    return _shown(json.dumps(value, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Match:
    """Everything that must hold; a missing key holds for every request."""

    operation: Pattern | None = None
    method: Pattern | None = None
    path: Pattern | None = None
    body: tuple[tuple[str, Pattern], ...] = ()

    def difference(self, exchange: Exchange) -> Difference | None:
        """The first field that differs, or None where the rule means this request."""
        if self.operation is not None:
            name = exchange.operation.name if exchange.operation else None
            if name is None or not self.operation.matches(name):
                return Difference("operation", name, self.operation, _shown)
        if self.method is not None and not self.method.matches(exchange.method):
            return Difference("method", exchange.method, self.method, _shown)
        return self.difference_of_call(exchange)

    def covers(self, operation: str | None, method: str) -> bool:
        """Whether it can mean calls of this operation by this method: so much is known before any of them comes."""
        if self.operation is not None and (operation is None or not self.operation.matches(operation)):
            return False
        return self.method is None or self.method.matches(method)

    def difference_of_call(self, exchange: Exchange) -> Difference | None:
        """What differs in this one call, where `covers` has said yes."""
        if self.path is not None and not self.path.matches(exchange.path):
            return Difference("path", exchange.path, self.path, _shown)
        return self._body_difference(exchange.json()) if self.body else None

    def _body_difference(self, data: Any) -> Difference | None:
        for name, pattern in self.body:
            found, value = pick(data, name)
            if not found:
                return Difference(f"body {name}", _MISSING, pattern, _json)
            if not pattern.matches(value):
                return Difference(f"body {name}", value, pattern, _json)
        return None


def pick(data: Any, name: str) -> tuple[bool, Any]:
    """The value at a top-level name or a JSON pointer (RFC 6901), and whether there is one."""
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
