"""API keys: how they are written, and how much of them is shown."""

import re

import pytest

from cnx_mock.world import keys
from cnx_mock.world.account import MAGIC_KEYS
from tests.cases import cases

KEY = keys.EXAMPLE_KEY


def test_every_magic_key_is_a_whole_test_key() -> None:
    assert all(keys.is_test_key(keys.test_key(digits)) for digits in MAGIC_KEYS)
    assert all(re.search(keys.TEST_KEY_PATTERN, keys.test_key(digits)) for digits in MAGIC_KEYS)


@cases("text", ["", KEY[:-1], KEY + "0", KEY.upper(), " " + KEY, "cnx_live_" + "0" * 32])
def test_anything_else_is_not_a_test_key(text: str) -> None:
    assert not keys.is_test_key(text)


def test_the_digits_of_a_key_make_the_key_again() -> None:
    assert keys.test_key(keys.digits_of(KEY)) == KEY


@pytest.mark.parametrize("text", [KEY, KEY.upper(), f'{{"a":"{KEY}"}}', f"{KEY},{KEY}"])
def test_of_a_test_key_only_the_end_is_shown(text: str) -> None:
    shown = keys.shorten_test_keys(text)
    assert keys.EXAMPLE_DIGITS[:-4] not in shown.lower()
    assert shown.lower().count(keys.short_test_key(keys.EXAMPLE_DIGITS)) == text.lower().count(KEY)
