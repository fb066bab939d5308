"""Control characters are shown, and have no effect."""

import pytest

from cnx_mock.text.control_characters import first_control, visible, visible_line
from tests.cases import cases


@cases("code", [0x00, 0x07, 0x08, 0x0D, 0x1B, 0x7F, 0x85, 0x9B, 0x9D, 0x2028, 0x202E, 0x2066, 0x2069])
def test_a_control_character_is_shown_as_its_number(code: int) -> None:
    assert visible(f"a{chr(code)}b") == visible_line(f"a{chr(code)}b") == f"a\\u{code:04x}b"
    assert first_control(f"a{chr(code)}b") == f"U+{code:04X}"


def test_line_ends_and_tabs_stay_if_the_text_may_have_lines() -> None:
    assert visible("a\n\tb") == "a\n\tb"
    assert visible_line("a\n\tb") == "a\\u000a\\u0009b"


@pytest.mark.parametrize("text", ["", "plain", "naïve – 東京 👩‍🚀 שלום العربية"])
def test_other_text_stays(text: str) -> None:
    assert visible(text) == visible_line(text) == text
    assert first_control(text) is None
