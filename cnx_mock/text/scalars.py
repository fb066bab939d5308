"""Unquoted YAML values by the core schema of YAML 1.2, and hints for what older YAML read differently."""

import re

MAX_DIGITS = 100
"""The longest number that is read: `int()` and `str()` raise errors of their own for thousands of digits."""

_SCALAR = re.compile(
    r"""
      (?P<null> ~ | null | Null | NULL | )
    | (?P<bool> true | True | TRUE | false | False | FALSE )
    | (?P<int> [-+]? (?: 0 | [1-9][0-9]* ) )
    | 0o (?P<octal> [0-7]+ )
    | 0x (?P<hexadecimal> [0-9a-fA-F]+ )
    | (?P<float> [-+]? (?: \.[0-9]+ | (?: 0 | [1-9][0-9]* ) (?: \.[0-9]* )? ) (?: [eE][-+]?[0-9]+ )? )
    | (?P<special> [-+]? \.(?: inf | Inf | INF ) | \.(?: nan | NaN | NAN ) )
    """,
    re.VERBOSE,
)

# What the message about a value says if such a value is allowed there.
_BOOLEAN = re.compile("must be true or false")
_NUMBER = re.compile("must be an? (integer|number)")
_TIME = re.compile("must be (a duration|an instant)")

_TRAPS = (  # text that YAML 1.1 read as a boolean, a number or a date; what to write instead, if that is allowed
    (re.compile(r"yes|on|y", re.IGNORECASE), "true", _BOOLEAN),
    (re.compile(r"no|off|n", re.IGNORECASE), "false", _BOOLEAN),
    (re.compile(r"[0-9]+(?::[0-5]?[0-9])+"), "a duration as 1m30s, or a time with its date", _TIME),
    (re.compile(r"[-+]?0[0-7]+"), "a number without leading zeros, or 0o17 for octal", _NUMBER),
    (re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?"), "a number without leading zeros", _NUMBER),
    (re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*"), "a number without underscores", _NUMBER),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "an instant as 2026-01-01T00:00:00Z", re.compile("an instant")),
)


def resolved(text: str) -> str | bool | int | float | None:
    """Return the value of an unquoted scalar: null, a boolean, a number, or `text` itself.

    Raises ValueError if `text` is a number of more than `MAX_DIGITS` characters.
    """
    match = _SCALAR.fullmatch(text)
    if match is None:
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(
            f"a number of {len(text)} characters is too long; use at most {MAX_DIGITS}, or put a string in quotes"
        )
    return _value(str(match.lastgroup), match[match.lastgroup or 0])


def _value(kind: str, text: str) -> bool | int | float | None:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if base := {"int": 10, "octal": 8, "hexadecimal": 16}.get(kind):
        return int(text, base)
    return float(text.replace(".", "") if kind == "special" else text)


def better_spelling(plain: str, message: str) -> str:
    """Return what to write in place of an unquoted text that older YAML did not read as text, or ``""``.

    `message` says what must be there: there is no advice to write what is refused there too.
    """
    found = ((better, allowed) for trap, better, allowed in _TRAPS if trap.fullmatch(plain))
    return next((better for better, allowed in found if allowed.search(message)), "")
