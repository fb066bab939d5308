"""The reference, and the tables in the guides, made from the code. `make docs` runs this."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import readme
from tests.docs import control_plane, declared, endpoints, python_api, recording, rooms
from tests.programs.client_matrix import table as matrix_table

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

PAGES: dict[str, Callable[[], str]] = {
    "reference/endpoints.md": endpoints.endpoints,
    "reference/scenario-files.md": declared.scenario_files,
    "reference/faults.md": declared.fault_page,
    "reference/readings.md": declared.readings_page,
    "reference/options.md": declared.options_page,
    "reference/commands.md": declared.commands_page,
    "reference/control-plane.md": control_plane.control_page,
    "reference/audit-checks.md": declared.checks_page,
    "reference/sweep.md": declared.sweep_page,
    "reference/python-api.md": python_api.api_page,
    "reference/pytest.md": python_api.pytest_page,
    "reference/errors.md": python_api.errors_page,
    "explanation/rooms.svg": rooms.drawing,
}
"""Files that are generated as a whole."""

TABLES: dict[str, Callable[[], str]] = {
    "careful": declared.careful,
    "checks": declared.checks,
    "fixtures": declared.fixtures,
    "law": rooms.law,
    "matrix": matrix_table,
    "recipes": declared.recipes,
    "rooms": rooms.rooms,
    "scenarios": declared.scenarios,
    "verdicts": declared.verdicts,
    "benchmark": readme.section,
}
"""Tables inside pages that people write, between `<!-- NAME -->` and `<!-- /NAME -->`. (`<!-- scenario NAME -->` is a
scenario's file, `<!-- source MODULE:NAME -->` a part of our source.)"""


RECORDED: dict[str, Callable[[], str]] = {"demo.svg": recording.recording}
"""Files that are made by running commands. It takes seconds: a test of their own holds them equal."""


def pages() -> list[Path]:
    """Every page that people read, and write."""
    return [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted(DOCS.rglob("*.md"))]


def filled(text: str) -> str:
    """The text with everything between markers made anew."""
    return re.sub(r"(<!-- ([\w:. -]+) -->\n).*?(<!-- /\2 -->)", _filled, text, flags=re.DOTALL)


def _filled(found: re.Match[str]) -> str:
    kind, _, name = found[2].partition(" ")
    made = {"scenario": declared.scenario_file, "source": declared.source}[kind](name) if name else TABLES[kind]()
    return f"{found[1]}\n{made}\n\n{found[3]}"


def outdated() -> dict[Path, str]:
    """The files that are not as the code has them, each with the text that it should have."""
    wanted = {DOCS / name: make() for name, make in PAGES.items()}
    wanted[ROOT / "cnx_mock/cli/help_text.py"] = declared.help_module()
    wanted |= {path: filled(path.read_text("utf-8")) for path in pages() if path not in wanted}
    return {path: text for path, text in wanted.items() if is_outdated(path, text)}


def is_outdated(path: Path, text: str) -> bool:
    """Whether a file does not have this text."""
    return not path.exists() or path.read_text("utf-8") != text


if __name__ == "__main__":
    recorded = {DOCS / name: make() for name, make in RECORDED.items()}
    for path, text in (outdated() | {path: text for path, text in recorded.items() if is_outdated(path, text)}).items():
        path.write_text(text, "utf-8")
        print(f"wrote {path.relative_to(ROOT)}", file=sys.stderr)  # noqa: T201
