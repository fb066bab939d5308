"""Markdown that a forge and the site's generator show alike."""

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell may have line breaks and `|`, in code or not."""
    lines = [_row(head), "|" + "---|" * len(head), *(_row([_cell(each) for each in row]) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "|" + "|".join(f" {cell} ".replace("  ", " ") for cell in cells) + "|"


def _cell(text: str) -> str:
    """One line. A `|` in code is written as an entity: generators disagree on how it is escaped there."""
    line = " ".join(text.split())
    line = re.sub(r"`([^`]*\|[^`]*)`", lambda found: f"<code>{entities(found[1])}</code>", line)
    return line.replace("|", "\\|")


def entities(text: str) -> str:
    """The text with the signs that HTML or a table would take for its own as entities."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;")):
        text = text.replace(sign, entity)
    return text


def code(words: Iterable[object]) -> str:
    """Words as code, in a row: `a`, `b`."""
    return ", ".join(f"`{word}`" for word in words)


def fenced(kind: str, text: str) -> str:
    """A block of code."""
    return f"```{kind}\n{text.rstrip()}\n```"


def slug(heading: str) -> str:
    """The anchor that a forge gives to a heading."""
    plain = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", lambda found: found[1] or "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def sentence(text: str) -> str:
    """The text in one line, with a full stop."""
    line = " ".join(text.split())
    return line if not line or line.endswith((".", "?", "!", ":", ".)")) else f"{line}."


def capital(text: str) -> str:
    """The text with a capital letter in front."""
    return text[:1].upper() + text[1:]


def page(title: str, *parts: str) -> str:
    """A generated page."""
    mark = "<!-- Made from the code by `make docs`: change the declarations, not this file. -->"
    return "\n\n".join([mark, f"# {title}", *(part for part in parts if part)]) + "\n"
