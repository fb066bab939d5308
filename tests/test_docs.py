"""The README says what is true: its tables are made from the code, its examples run.

`python tests/test_docs.py` writes the tables anew."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cnx_mock import MockServer
from cnx_mock.api import readings
from cnx_mock.api.operation import Operation
from cnx_mock.http import control
from cnx_mock.scenario.document import read_scenario
from cnx_mock.scenario.gallery import gallery, load
from cnx_mock.services import operations
from cnx_mock.services.fixtures import load as load_fixture
from cnx_mock.services.fixtures import shipped_fixtures
from cnx_mock.settings import table
from cnx_mock.text.source import read
from tests.scenario.client_table import table as client_table

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"


def _operations(listed: list[Operation]) -> str:
    rows = [f"| `{each.method} {each.path}` | {each.summary.rstrip('.')} |" for each in listed]
    return "\n".join(["| endpoint | |", "|---|---|", *rows])


def _routes() -> str:
    rows = [f"| `{o.method} {o.path}` | `{o.name}` | {o.provenance.kind} |" for o in operations()]
    return "\n".join(["| endpoint | operation | |", "|---|---|---|", *rows])


def _gallery() -> str:
    rows = [f"| `{name}` | {load(name, operations()).description} |" for name in gallery()]
    return "\n".join(["| scenario | |", "|---|---|", *rows])


def _fixtures() -> str:
    rows = [f"| `{name}` | {load_fixture(name).description} |" for name in shipped_fixtures()]
    return "\n".join(["| fixture | |", "|---|---|", *rows])


TABLES = {
    "clients": client_table,
    "fixtures": _fixtures,
    "gallery": _gallery,
    "control": lambda: _operations([op for each in control.RESOURCES for op in each.operations]),
    "routes": _routes,
    "options": table,
    "readings": readings.table,
}


def written(text: str) -> str:
    """The text with every table made anew."""
    for name, make in TABLES.items():
        pattern = rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, lambda found, make=make: f"{found[1]}{make()}\n{found[2]}", text, flags=re.DOTALL)
    return text


def blocks(kind: str) -> list[str]:
    """The README's code blocks of one kind."""
    return re.findall(rf"```{kind}\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_the_tables_are_those_of_the_code() -> None:
    assert README.read_text() == written(README.read_text()), "run python tests/test_docs.py"


def test_the_scenarios_in_the_readme_are_good() -> None:
    for text in blocks("yaml"):
        assert read_scenario(read(text, "README.md").data, operations()).rules


def test_the_curls_in_the_readme_create_an_instance_and_meet_a_fault(server: MockServer) -> None:
    commands = [text for text in blocks("console") if "curl" in text]
    statuses = []
    for command in commands:
        text = command.removeprefix("$ ").replace("\\\n", " ").replace("http://127.0.0.1:4269", server.url)
        done = subprocess.run(
            [*shlex.split(text), "-s", "-w", "%{http_code}"], capture_output=True, text=True, check=True
        )
        statuses.append(done.stdout[-3:])
    assert statuses == ["201", "429"]


def test_the_python_in_the_readme_runs(pytester: pytest.Pytester) -> None:
    tests, script = blocks("python")
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(test_readme=tests, script=script)
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "test_readme.py").assert_outcomes(passed=2)
    assert pytester.runpython("script.py").ret == 0


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text()):
        assert target.startswith("https://") or (ROOT / target).exists()


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
    sys.exit(0)
