"""Numbers with their nouns."""

import pytest

from cnx_mock.text.plural import counted, pluralized


@pytest.mark.parametrize(("number", "text"), [(0, "0 rules"), (1, "1 rule"), (2, "2 rules")])
def test_a_noun_goes_with_its_number(number: int, text: str) -> None:
    assert counted(number, "rule") == text


def test_a_plural_of_its_own_is_used_when_there_are_several() -> None:
    assert counted(1, "reply", "replies") == "1 reply"
    assert counted(3, "reply", "replies") == "3 replies"
    assert pluralized(0, "reply", "replies") == "replies"
