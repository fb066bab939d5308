"""YAML text → the parser's events. Its errors become sentences of ours.

PyYAML has two parsers, libyaml and one in Python. Their messages differ from each other, and from version to version.
So the sentences below follow from the text alone: from the character where the parser stopped, and from the character
where the value begins that it was reading.
"""

import re
from collections.abc import Iterator

import yaml

from cnx_mock.text.positions import Position, one_line, position

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML built without libyaml has only the slower one

_TOO_LARGE = re.compile(r"\\U(?!000|0010)[0-9a-fA-F]{8}")
_CLOSED_QUOTE = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^']|'')*'", re.DOTALL)
_LONGEST_ESCAPE_SIGN = 2  # "\U": the parser stops at most this far behind the backslash

_COLLECTIONS = {"[": ("list", "]"), "{": ("map", "}")}

_ALONE = {  # a character that cannot be where it is → why
    ":": "a colon is not allowed here; put a string with a colon in quotes, or check the indentation",
    "-": "a list cannot begin here; begin it on a line of its own, or put a string with a hyphen in quotes",
}
_BEHIND = {  # the character at the beginning of a value → what is wrong behind it
    "|": "this cannot follow '|'; begin the text on the next line",
    ">": "this cannot follow '>'; begin the text on the next line",
    "&": "a name must follow '&'; put a string that begins with '&' in quotes",
    "*": "a name must follow '*'; put a string that begins with '*' in quotes",
}
_TAG = "tags are not supported; put a string that begins with '!' in quotes"
WRONG_ESCAPE = r"this escape does not stand for a character; write \\ for a backslash"


class ParserError(Exception):
    """The parser cannot continue. `index` is where it stopped in the text, `at` is where to point; the message is
    ours."""

    def __init__(self, index: int, at: Position, message: str) -> None:
        self.index, self.at, self.message = index, at, message
        super().__init__(message)


def events(text: str) -> Iterator[yaml.Event]:
    """Yield the parser's events, one at a time. Raises ParserError."""
    try:
        yield from yaml.parse(text, Loader=_PARSER)
    except yaml.YAMLError as error:
        raise _explained(error, text) from None  # the parser's own error says no more
    except (ValueError, OverflowError):  # the parser in Python raises them for "\UFFFFFFFF", without a position
        match = _TOO_LARGE.search(text)
        index = match.start() if match else 0
        raise ParserError(index, position(text, index), WRONG_ESCAPE) from None


def _explained(error: yaml.YAMLError, text: str) -> ParserError:
    """Return our error for one of the parser's."""
    problem, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    mark = problem or context
    if mark is None:
        return ParserError(0, (1, 1), f"this is not YAML: {one_line(str(error))}")
    start = context.index if context else None
    if text[mark.index : mark.index + 1] == "\t":
        index, message = mark.index, "a tab is not allowed here; indent with spaces"
    elif isinstance(error, yaml.scanner.ScannerError):
        index, message = _in_a_value(text, mark.index, start)
    else:
        index, message = mark.index, _between_values(text, mark.index, start)
    if not message:
        message = f"this is not YAML: {one_line(str(getattr(error, 'problem', None) or error))}"
    # The parsers disagree on where a text ends: point at the end of what can be seen.
    return ParserError(mark.index, position(text, min(index, len(text.rstrip()))), message)


def _in_a_value(text: str, index: int, start: int | None) -> tuple[int, str]:
    """Return where to point, and what to say, if the characters of a value are wrong; ``""`` if we do not know."""
    here, first = text[index : index + 1], text[start : start + 1] if start is not None else ""
    if first == "!":
        return start or 0, _TAG
    if here and here in "@`%":
        return index, f"a value cannot begin with {here!r}; put it in quotes"
    if start is None:
        return index, _ALONE.get(here, "")
    if first in _BEHIND:
        return index, _BEHIND[first]
    if first in ("'", '"'):
        closed = _CLOSED_QUOTE.match(text, start)
        if closed is None or index < closed.end():
            return _in_quotes(text, index, start)
    return start, "a colon is missing in this line: write 'key: value', or check the indentation"


def _in_quotes(text: str, index: int, start: int) -> tuple[int, str]:
    backslash = text.rfind("\\", start, index + 1)
    if backslash >= 0 and index - backslash <= _LONGEST_ESCAPE_SIGN and index < len(text):
        return backslash, WRONG_ESCAPE
    return index, f"the quoted text{_begun(text, index, start)} is not closed"


def _between_values(text: str, index: int, start: int | None) -> str:
    """Return what to say if a value is not where it must be: in the list or map that begins at `start`."""
    here = text[index : index + 1]
    if start is None:
        return "this does not belong to what is before it; check the indentation and the quotes"
    if index == start:
        if not here or here in ",]}":
            return f"a value is missing before {here!r}" if here else "a value is missing at the end"
        if here == "!":
            return _TAG
        return "a value cannot begin here; check the indentation, or put the text in quotes"
    first, begun = text[start], _begun(text, index, start)
    if first in _COLLECTIONS:
        kind, closing = _COLLECTIONS[first]
        return f"the {kind}{begun} needs ',' or '{closing}' here"
    return (
        f"this does not fit into the {'list' if first == '-' else 'map'}{begun}; check the indentation and the quotes"
    )


def _begun(text: str, index: int, start: int) -> str:
    """Return on which line a value begins, if that is not the line of `index`."""
    line = position(text, start)[0]
    return "" if line == position(text, min(index, len(text.rstrip())))[0] else f" that begins on line {line}"
