"""Suggestions in error messages."""

import pytest

from cnx_mock.text.suggestions import did_you_mean, one_of

FAULTS = ("latency", "connection", "Retry-After")


@pytest.mark.parametrize(
    ("word", "known"), [("latancy", "latency"), ("LATENCY", "latency"), ("retry-afer", "Retry-After")]
)
def test_the_nearest_known_word_is_suggested_in_its_own_spelling(word: str, known: str) -> None:
    assert did_you_mean(word, FAULTS) == f", did you mean '{known}'?"


@pytest.mark.parametrize("word", ["", "banana", "x" * 1_000_000, 1, None])
def test_nothing_is_suggested_when_nothing_is_near(word: object) -> None:
    assert did_you_mean(word, FAULTS) == ""


def test_huge_known_words_are_not_compared() -> None:
    assert did_you_mean("x" * 200, ["x" * 1_000_000]) == ""


def test_choices_keep_their_order() -> None:
    assert one_of(["starter", "pro", "enterprise"]) == "starter, pro, enterprise"
