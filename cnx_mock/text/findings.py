"""What is wrong in a document, and where: problems by path, findings by line and column, the error that carries
them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]

_WINDOW = 100  # characters of a long source line that an excerpt shows
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML counts as one, unlike str.splitlines()
NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place in a document; `at_key` points at the key rather than at its value."""

    path: Path
    message: str
    at_key: bool = False

    @property
    def named(self) -> str:
        """The message with the key's name in it."""
        name = self.path[-1] if self.path else None
        if self.message.startswith("unknown key"):
            return self.message.replace("unknown key", f"unknown key '{name}'", 1)
        return f"'{name}' {self.message}" if isinstance(name, str) else self.message


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is wrong at a place in a file; line and column count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class SourceError(ValueError):
    """A document is refused, with everything found in it; ``str()`` has one line for each finding."""

    def __init__(self, findings: Iterable[Finding], text: str) -> None:
        self.findings = tuple(sorted(set(findings)))
        self.text = text
        super().__init__(self.findings, text)  # the arguments again: pickle rebuilds the error from them

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))

    def excerpt(self) -> str:
        """Return each finding, followed by its line of the source and a caret below the column."""
        lines = LINE_BREAK.split(self.text)
        shown = (lines[each.line - 1] if each.line <= len(lines) else "" for each in self.findings)
        return "\n".join(f"{each}{_caret(line, each.column)}" for each, line in zip(self.findings, shown, strict=True))


def _caret(line: str, column: int) -> str:
    first = max(0, column - 1 - _WINDOW // 2) if len(line) > _WINDOW else 0
    before = NOT_TEXT.sub("\ufffd", line[first : column - 1])  # an escape sequence must not reach the terminal
    after = NOT_TEXT.sub("\ufffd", line[column - 1 : first + _WINDOW])
    if not (before + after).strip():
        return ""
    left, right = "…" if first else "", "…" if first + _WINDOW < len(line) else ""
    blank = re.sub(r"[^\t]", " ", left + before)
    return f"\n    {left}{before}{after}{right}\n    {blank}^"
