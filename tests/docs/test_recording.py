"""The recordings in the pages are what the commands show today."""

import re

import pytest

from tests.docs.generate import DOCS, RECORDED

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_is_what_its_command_shows(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == RECORDED[name](), "run make docs"


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_needs_nothing_from_elsewhere(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    assert re.findall(r"https?://[^\"' )]+", text) == ["http://www.w3.org/2000/svg"]
    assert "font-face" not in text
    assert len(text) < 60_000
