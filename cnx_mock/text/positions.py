"""Places in a text as line and column, and the error for a YAML file that cannot be used."""

import re
from collections.abc import Iterable

from cnx_mock.errors import SourceError, SourceProblem
from cnx_mock.text.control_characters import visible_line
from cnx_mock.text.live_keys import masked_text

Position = tuple[int, int]
"""Line and column, both from 1."""

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML counts as a line break; `str.splitlines()` knows others."""

NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML does not allow, and that are not safe to print on a terminal."""

_UNSAFE = re.compile(f"{NOT_TEXT.pattern}|[\u061c\u202a-\u202e\u2066-\u2069]")
"""Those, and the characters with which one text can look like another."""

_LONGEST_QUOTE = 60


def position(text: str, index: int) -> Position:
    """Return the position of the character at `index`, from 0."""
    lines = LINE_BREAK.split(text[:index])
    return len(lines), len(lines[-1]) + 1


def source_error(problems: Iterable[SourceProblem], text: str) -> SourceError:
    """Return the error for these problems, with `text` as lines that are safe to print on a terminal."""
    return SourceError(problems, LINE_BREAK.split(_UNSAFE.sub("\ufffd", masked_text(text))))


def error_at(text: str, file: str, at: Position, message: str) -> SourceError:
    """Return the error for a single problem."""
    return source_error([SourceProblem(file, *at, message)], text)


def quoted(text: str) -> str:
    """Return `text` in quotes for a message, cut off when it is long."""
    return repr(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")


def one_line(message: str) -> str:
    """Return `message` as one line that is safe to show: its line breaks are spaces."""
    return visible_line(masked_text(" ".join(LINE_BREAK.split(message))))
