"""Suggestions in error messages."""

import pytest

from cnx_mock.text.suggestions import did_you_mean, did_you_mean_operation, nearest, one_of
from tests.cases import cases

FAULTS = ("latency", "connection", "Retry-After")


@cases(("word", "known"), [("latancy", "latency"), ("LATENCY", "latency"), ("retry-afer", "Retry-After")])
def test_the_nearest_known_word_is_suggested_in_its_own_spelling(word: str, known: str) -> None:
    assert did_you_mean(word, FAULTS) == f", did you mean '{known}'?"


@cases(("word", "meant"), [("flaky", "flaky-network"), ("Slow-P", "slow-provisioning"), ("slow", None), ("fl", None)])
def test_the_only_word_that_begins_so_is_meant(word: str, meant: str | None) -> None:
    assert nearest(word, ["flaky-network", "slow-provisioning", "slow-then-stuck"]) == meant


@cases("word", ["", "banana", "x" * 1_000_000, 1, None])
def test_nothing_is_suggested_when_nothing_is_near(word: object) -> None:
    assert did_you_mean(word, FAULTS) == ""


def test_huge_known_words_are_not_compared() -> None:
    assert did_you_mean("x" * 200, ["x" * 1_000_000]) == ""


def test_choices_keep_their_order() -> None:
    assert one_of(["starter", "pro", "enterprise"]) == "starter, pro, enterprise"


@pytest.mark.parametrize("given", ["Pro", "pr"])
def test_a_suggestion_does_not_read_like_one_more_choice(given: str) -> None:
    assert one_of(["starter", "pro", "enterprise"], given) == "starter, pro, enterprise; did you mean 'pro'?"


@cases("given", [None, 5, "banana", ["pro"]])
def test_choices_end_without_a_suggestion_when_nothing_is_near(given: object) -> None:
    assert one_of(["starter", "pro"], given) == "starter, pro"


OPERATIONS = ("instances.list", "instances.get", "instances.delete", "plans.list", "plans.get")


@cases(
    ("word", "hint"),
    [
        ("instances.delet", ", did you mean 'instances.delete'?"),
        ("instance.delete", ", did you mean 'instances.delete'?"),
        ("instance.*", ", did you mean 'instances.*'?"),
        ("instances.destroy", " (instances has instances.list, instances.get, instances.delete)"),
        ("plan.delete", " (plans has plans.list, plans.get)"),
        ("volumes.attach", ""),
        ("", ""),
    ],
)
def test_an_operation_is_suggested_only_for_its_own_resource(word: str, hint: str) -> None:
    assert did_you_mean_operation(word, OPERATIONS) == hint
