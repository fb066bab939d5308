"""A fixture that writes scenario files."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A scenario file in the current folder, so that findings show its bare name."""
    monkeypatch.chdir(tmp_path)

    def story(text: str, name: str = "story.yaml") -> Path:
        path = Path(name)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return story
