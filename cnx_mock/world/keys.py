"""API keys: this module knows how a key is spelt, and `text/live_keys.py` how a live one begins.

The reference: "API keys with cnx_live_ prefix affect production resources. Use cnx_test_ for sandbox environments." Its
own example shows 32 hex digits behind the prefix.
"""

import re
from typing import Final, Literal

from cnx_mock.text.live_keys import LIVE_PREFIX
from cnx_mock.text.regex import regex

TestPrefix = Literal["cnx_test_"]
"""The prefix of a test key, as a type."""

TEST_PREFIX: Final[TestPrefix] = "cnx_test_"

KEY_DIGITS = 32
"""How many hex digits stand behind the prefix."""

DIGITS_PATTERN = f"[0-9a-f]{{{KEY_DIGITS}}}"
"""A regular expression for the digits of a key."""

TEST_KEY_PATTERN = f"^{TEST_PREFIX}{DIGITS_PATTERN}$"
"""A regular expression for a whole test key, as JSON Schema and pydantic take it."""

TEST_KEY_FORM = f"{TEST_PREFIX} and {KEY_DIGITS} hex digits"
"""What a test key looks like, in a sentence."""

EXAMPLE_DIGITS = "4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
EXAMPLE_KEY = TEST_PREFIX + EXAMPLE_DIGITS
"""The reference's own example as a test key; `cnx-mock serve` prints it."""

_TEST_KEY = regex(TEST_PREFIX + DIGITS_PATTERN)
_ANY_TEST_KEY = regex(f"({TEST_PREFIX})[0-9a-f]{{{KEY_DIGITS - 4}}}([0-9a-f]{{4}})", re.IGNORECASE)
_BEARER = regex(f"bearer +({TEST_PREFIX}|{LIVE_PREFIX})({DIGITS_PATTERN})".encode(), re.IGNORECASE)


SANDBOX_ID_PATTERN = "^sbx_[0-9a-f]{12}$"
"""A regular expression for the id of a sandbox."""


def sandbox_id(number: int) -> str:
    """Return the id of a sandbox for a 64-bit number: `sbx_` and 12 hex digits."""
    return f"sbx_{number >> 16:012x}"


def test_key(digits: str) -> str:
    """Return the test key that ends in these 32 hex digits."""
    return TEST_PREFIX + digits


def is_test_key(text: str) -> bool:
    """Return whether the text is one well-formed test key and nothing else."""
    return _TEST_KEY.fullmatch(text) is not None


def digits_of(key: str) -> str:
    """Return the digits of a well-formed test key."""
    return key.removeprefix(TEST_PREFIX)


def magic_digits(code: str) -> str:
    """Return the digits that begin with a code and are otherwise zeros: ``245`` and 29 zeros."""
    return code.ljust(KEY_DIGITS, "0")


def bearer_key(header: bytes) -> tuple[str, str] | None:
    """Return the prefix and the digits of the key in an `Authorization: Bearer` header, as they are written.

    None if the header has another form.
    """
    match = _BEARER.fullmatch(header.strip())
    return (match[1].decode(), match[2].decode()) if match else None


def short_test_key(digits: str) -> str:
    """Return a test key as a log may show it: the prefix and the last four digits."""
    return f"{TEST_PREFIX}…{digits[-4:]}"


def is_shortened(text: str) -> bool:
    """Return whether there is a shortened test key in a text."""
    return short_test_key("") in text


def shorten_test_keys(text: str) -> str:
    """Return the text with every test key in it shortened to its prefix and its last four digits."""
    return _ANY_TEST_KEY.sub(r"\1…\2", text)
