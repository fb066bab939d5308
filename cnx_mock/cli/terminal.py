"""What the terminal can show: colour or none, how wide, ASCII or more. All output for people uses this module."""

import os
from typing import Protocol

import click

from cnx_mock.text.control_characters import visible, visible_line
from cnx_mock.text.live_keys import masked_text

COLUMNS = 120
"""The width of text without a terminal."""

_ASCII = str.maketrans({"…": "...", "×": "x", "→": "->", "·": "*", "–": "-", "’": "'", "≥": ">=", "≤": "<="})


class Stream(Protocol):
    """What may be a terminal."""

    def isatty(self) -> bool:
        """Return whether it is one."""


def wants_colour(stream: Stream) -> bool:
    """Return whether a stream is to be coloured: a terminal that can, and no NO_COLOR (see no-color.org)."""
    return is_live(stream) and not os.environ.get("NO_COLOR")


def is_live(stream: Stream) -> bool:
    """Return whether a stream is a terminal on which the cursor can move."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """Return the width of text: COLUMNS, or the terminal's width, or 120."""
    import shutil  # lazy: a server that nobody reads on a terminal starts without it

    return shutil.get_terminal_size((COLUMNS, 24)).columns


def is_ascii() -> bool:
    """Return whether the locale is C or POSIX by name, which asks for ASCII alone."""
    found = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "")
    return found in ("C", "POSIX")


def shown(text: str) -> str:
    """Return the text as it is shown to people: without live keys, with control characters as escapes, and with
    characters of the locale only. Not for JSON and other data. Line ends stay."""
    return in_locale(visible(masked_text(text)))


def shown_line(text: str) -> str:
    """Return the text as `shown` does, and as one line."""
    return in_locale(visible_line(masked_text(text)))


def in_locale(text: str) -> str:
    """Return the text in the characters that the locale has."""
    if not is_ascii():
        return text
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def painted(text: str, colour: str, wanted: bool) -> str:
    """Return the text in a colour of click's, or as it is if no colour is wanted."""
    return click.style(text, fg=colour) if wanted and colour else text
