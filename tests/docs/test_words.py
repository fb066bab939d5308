"""Plain words: the hand-written pages and the help have no long sentence, and none of the words that are dialect.

A reader whose first language is not English is the measure. The words below were all over the older texts.
"""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from cnx_mock import Settings
from tests.docs.generate import ROOT

LONGEST = 32
"""The most words of a sentence, or of a part of one that ends in a colon or a semicolon."""
DIALECT = re.compile(
    r"\b(whoever|anew|that which|to be had|lives? by (it|this)|(is|are) no (URL|name|number|list|text)\b|in force"
    r"|what came of|of which (the|each|one)|(let|keep|allow|do|read) so (many|long|often))\b",
    re.IGNORECASE,
)


def pages() -> Iterator[Path]:
    """The pages that are written by hand."""
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))
    yield from (path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference")


def prose(text: str) -> Iterator[str]:
    """The sentences of a page, without code, tables and headings; a piece of code counts as one word."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = ["" if re.match(r"\||#|<!--|!\[| {4}", line) else line for line in text.splitlines()]
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:- |\d+\. ))", "\n".join(lines)):
        flat = re.sub(r"`[^`]*`", "CODE", " ".join(paragraph.split()))
        yield from re.split(r"(?<=[.!?:;])\s|(?<=\.\*\*)\s", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", flat))


def found(sentences: Iterator[str]) -> list[str]:
    return [each for each in sentences if len(each.split()) > LONGEST or DIALECT.search(each)]


def test_pages_have_short_sentences_in_plain_words() -> None:
    assert {path.name: bad for path in pages() if (bad := found(prose(path.read_text(encoding="utf-8"))))} == {}


def test_options_are_described_in_plain_words() -> None:
    assert found(each.metadata["help"] for each in fields(Settings)) == []


def test_a_long_sentence_and_dialect_are_found() -> None:
    assert found(prose("Whoever reads this.\n\n" + "word " * 33 + "end.\n\n- Short. `a b c`: fine.")) == [
        "Whoever reads this.",
        "word " * 33 + "end.",
    ]
