"""API keys, spelt once: what a test key looks like, and the digits that name a sandbox.

The reference: "API keys with cnx_live_ prefix affect production resources. Use cnx_test_ for sandbox environments." Its
own example shows 32 hex digits behind the prefix.
"""

import re

TEST_PREFIX = "cnx_test_"
LIVE_PREFIX = "cnx_live_"

TEST_KEY_PATTERN = "^cnx_test_[0-9a-f]{32}$"
"""A whole test key, as a JSON schema and pydantic take it."""

EXAMPLE_DIGITS = "4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
EXAMPLE_KEY = TEST_PREFIX + EXAMPLE_DIGITS
"""The reference's own example as a test key; `cnx-mock serve` prints it."""

_TEST_KEY = re.compile(r"cnx_test_([0-9a-f]{32})")


def test_key(digits: str) -> str:
    """Return the test key that ends in these 32 hex digits."""
    return TEST_PREFIX + digits


def is_test_key(text: str) -> bool:
    """Return whether the text is one well-formed test key and nothing else."""
    return _TEST_KEY.fullmatch(text) is not None


def digits_of(key: str) -> str:
    """Return the digits of a well-formed test key."""
    return key.removeprefix(TEST_PREFIX)
