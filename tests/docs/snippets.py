"""The code blocks of the pages: where they are, what kind they are, and which file they are."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.docs.generate import ROOT, pages

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"(?:#!.*\n)?(?:#|//) ([\w./-]+\.\w+|Dockerfile)(?::.*)?\n")
NOT_RUN = ("CONTRIBUTING.md", "CHANGELOG.md", "architecture.md")
"""Pages whose blocks are taken from our own code, or that have none."""


@dataclass(frozen=True)
class Snippet:
    """A code block."""

    page: Path
    line: int
    kind: str
    text: str

    @property
    def name(self) -> str:
        """The file that it is, by the comment in its first line; "" if it is none."""
        found = _NAME.match(self.text)
        return found[1] if found else ""

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """The commands of a console block, each with the lines that it prints."""
        found: list[tuple[str, list[str]]] = []
        for line in self.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            elif found:
                found[-1][1].append(line)
        return found


def snippets(*kinds: str) -> list[Snippet]:
    """The blocks of these kinds, or all of them, on every page."""
    found = []
    for page in pages():
        text = page.read_text("utf-8")
        for each in _BLOCK.finditer(text) if page.name not in NOT_RUN else ():
            if not kinds or each[1] in kinds:
                found.append(Snippet(page, text.count("\n", 0, each.start()) + 1, each[1], each[2]))
    return found


def files(*kinds: str) -> dict[str, str]:
    """The blocks that are files, by name."""
    return {each.name: each.text for each in snippets(*kinds) if each.name}
