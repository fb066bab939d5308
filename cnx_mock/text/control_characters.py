"""Control characters in text for people: shown as escapes, so that text from outside cannot control a terminal, hide
other text, or begin a new line.

These are C0 and DEL (ECMA-48), C1, the separators of lines and paragraphs, and the characters that change the
direction of text (Unicode's UAX #9), with which a text can look like another one (CVE-2021-42574). Lone surrogates
and noncharacters are among them: they cannot be written, or not read again.
"""

import re

from cnx_mock.text.regex import regex

_ANY = "\x00-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff"
_CONTROL = regex(f"[{_ANY}]")
_WITHIN_LINES = regex(f"(?![\t\n])[{_ANY}]")


def visible(text: str) -> str:
    """Return the text with its control characters as escapes such as `\\u001b`. Line ends and tabs stay."""
    return text if text.isascii() and text.isprintable() else _WITHIN_LINES.sub(_escape, text)


def visible_line(text: str) -> str:
    """Return the text as one line: with its control characters as escapes, line ends and tabs too."""
    return text if text.isascii() and text.isprintable() else _CONTROL.sub(_escape, text)


def first_control(text: str) -> str | None:
    """Return the first control character of a text as it is named, such as `U+001B`; None if it has none."""
    found = _CONTROL.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
