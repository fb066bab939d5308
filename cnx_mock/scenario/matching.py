"""Which requests a rule means. A matcher never just says no: it names the field that differs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

from cnx_mock.scenario.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Difference:
    """Why a rule does not mean a request."""

    field: str
    actual: str
    expected: str

    def __str__(self) -> str:
        return f"{self.field} is {self.actual}, not {self.expected}"


class Pattern:
    """Words to compare with: any of them will do, `*` stands for anything, `!` in front excludes."""

    def __init__(self, given: object) -> None:
        words = given if isinstance(given, list) else [given]
        self.words = tuple(words)
        self._exact = [word for word in words if not isinstance(word, str)]
        texts = [word for word in words if isinstance(word, str)]
        self._wanted = [_glob(word) for word in texts if not word.startswith("!")]
        self._unwanted = [_glob(word[1:]) for word in texts if word.startswith("!")]

    def __str__(self) -> str:
        return " or ".join(_shown(word) for word in self.words)

    def matches(self, value: object) -> bool:
        """Whether the value is one of the words. Texts match as globs; numbers, truth and null only themselves."""
        text = value if isinstance(value, str) else None
        if text is not None and any(pattern.fullmatch(text) for pattern in self._unwanted):
            return False
        if not self._wanted and not self._exact:
            return True
        if text is not None and any(pattern.fullmatch(text) for pattern in self._wanted):
            return True
        return any(type(value) is type(word) and value == word for word in self._exact)


def _glob(word: str) -> re.Pattern[str]:
    return re.compile(translate(re.sub(r"[\[\]?]", r"[\g<0>]", word)))


def _shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _json(value: object) -> str:
    """A value of a body, so that 5 and "5" do not look alike; what is nested may be nested deeper than we could go."""
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
                return Difference("operation", _shown(name), str(self.operation))
        if self.method is not None and not self.method.matches(exchange.method):
            return Difference("method", exchange.method, str(self.method))
        if self.path is not None and not self.path.matches(exchange.path):
            return Difference("path", _shown(exchange.path), str(self.path))
        return self._body_difference(exchange.json()) if self.body else None

    def _body_difference(self, data: Any) -> Difference | None:
        for name, pattern in self.body:
            found, value = pick(data, name)
            if not found or not pattern.matches(value):
                expected = " or ".join(_json(word) for word in pattern.words)
                return Difference(f"body {name}", _json(value) if found else "missing", expected)
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
