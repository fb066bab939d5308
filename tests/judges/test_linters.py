"""Two linters have nothing to say of the document: Spectral with its rules for OpenAPI, and Redocly."""

import json
from pathlib import Path

import pytest

from cnx_mock.http import reference
from tests.judges.node import installed, run
from tests.judges.test_document import VARIANTS

pytestmark = [pytest.mark.judge, pytest.mark.slow]


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder with the commands of the packages."""
    return installed("node-linters", "@stoplight/spectral-cli@6.16.3", "@redocly/cli@2.77.0")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A file for every surface, and for every option of every reading."""
    folder = tmp_path_factory.mktemp("documents")
    found = []
    for number, (readings, surface) in enumerate(VARIANTS.values()):
        found.append(folder / f"document-{number}.json")
        found[-1].write_text(json.dumps(reference.document(surface, readings, ["http://127.0.0.1:4269"])))
    return found


def test_spectral_is_quiet(tools: Path, documents: list[Path]) -> None:
    rules = documents[0].with_name("spectral.yaml")
    rules.write_text('extends: ["spectral:oas"]\n')
    strict = ("--ruleset", str(rules), "--fail-severity", "hint")
    printed = run(tools / "spectral", "lint", *strict, *documents, cwd=documents[0].parent)
    assert printed.strip() == "No results with a severity of 'hint' or higher found!"


def test_redocly_is_quiet(tools: Path, documents: list[Path]) -> None:
    lint = (tools / "redocly", "lint", "--extends", "recommended")
    printed = run(*lint, *documents, cwd=documents[0].parent, env={"REDOCLY_TELEMETRY": "off"})
    assert "Your API descriptions are valid" in printed
    assert "warning was generated" not in printed.lower()
