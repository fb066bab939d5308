"""The README says what is true: its tables are made from the code, its examples run.

`python tests/test_docs.py` writes the tables anew."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import _pytest.config
import click
import pytest
import yaml

from cnx_mock import MockServer
from cnx_mock.api import readings
from cnx_mock.api.operation import Operation
from cnx_mock.audit import control as audit
from cnx_mock.audit.checks import checks
from cnx_mock.cli.main import cli
from cnx_mock.http import control
from cnx_mock.scenario.gallery import gallery, load
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.services.worlds import load as load_fixture
from cnx_mock.services.worlds import shipped_fixtures
from cnx_mock.settings import Settings, table
from cnx_mock.text.source import read
from tests.commands import COMMAND
from tests.commands import run as run_command
from tests.programs.client_matrix import table as matrix_table
from tests.scenario.client_table import table as client_table

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
CAREFUL = ROOT / "tests" / "audit" / "clients" / "careful.py"


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


def _checks() -> str:
    rows = [f"| `{each.code}` | {each.title}{', when asked by `--also`' * each.on_request} |" for each in checks()]
    return "\n".join(["| code | |", "|---|---|", *rows])


def _careful() -> str:
    source = CAREFUL.read_text()
    return f"```python\n{source[source.index('import os') : source.index('def run(')].rstrip()}\n```"


TABLES = {
    "careful": _careful,
    "checks": _checks,
    "clients": client_table,
    "matrix": matrix_table,
    "fixtures": _fixtures,
    "gallery": _gallery,
    "control": lambda: _operations([op for each in (*control.RESOURCES, audit.resource) for op in each.operations]),
    "routes": _routes,
    "options": table,
    "readings": readings.table,
}


def written(text: str) -> str:
    """The text with every table made anew."""
    for name, make in TABLES.items():
        pattern = rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, partial(_filled, make()), text, flags=re.DOTALL)
    return text


def _filled(table: str, found: re.Match[str]) -> str:
    return f"{found[1]}{table}\n{found[2]}"


def blocks(kind: str) -> list[str]:
    """The README's code blocks of one kind."""
    return re.findall(rf"```{kind}\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_the_tables_are_those_of_the_code() -> None:
    assert README.read_text() == written(README.read_text()), "run python tests/test_docs.py"


def files(kind: str) -> dict[str, str]:
    """The README's code blocks of one kind that are files, by the name in the comment at their top."""
    named = ((re.match(r"(?:#!.*\n)?(?:#|//) ([\w./-]+)", text), text) for text in blocks(kind))
    return {found[1].rstrip(":"): text for found, text in named if found}


def test_the_scenarios_in_the_readme_are_good() -> None:
    for text in set(blocks("yaml")) - set(files("yaml").values()):
        assert read_scenario(read(text, "README.md").data, operations()).rules


def test_the_curls_in_the_readme_create_an_instance_and_meet_a_fault(server: MockServer) -> None:
    commands = [text for text in blocks("console") if text.startswith("$ curl")]
    statuses = []
    for command in commands:
        text = command.removeprefix("$ ").replace("\\\n", " ").replace("http://127.0.0.1:4269", server.url)
        done = subprocess.run(
            [*shlex.split(text), "-s", "-w", "%{http_code}"], capture_output=True, text=True, check=True
        )
        statuses.append(done.stdout[-3:])
    assert statuses == ["201", "429"]


def test_the_python_in_the_readme_runs(pytester: pytest.Pytester) -> None:
    tests, script, intercepting = (text for text in blocks("python") if text not in _careful())
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(test_readme=tests, test_intercepting=intercepting, script=script)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=3)
    assert pytester.runpython(pytester.path / "script.py").ret == 0


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`cnx-mock run` in a folder."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CNX_MOCK_")}
    command = [COMMAND, "run", *words]
    return run_command(command, cwd=folder, capture_output=True, text=True, timeout=120, env=environ, check=False)


def test_the_deploy_script_in_the_readme_leaves_two_instances(tmp_path: Path) -> None:
    script = tmp_path / "deploy.sh"
    script.write_text(files("sh")["deploy.sh"])
    script.chmod(0o755)
    [shown] = [text for text in blocks("console") if "./deploy.sh" in text]
    command, *lines = shown.splitlines()
    done = run(tmp_path, *shlex.split(command.removeprefix("$ cnx-mock run ")))
    assert done.returncode == 3

    def known(text: str) -> str:
        return re.sub(r"inst_[0-9a-f]{16}", "inst_…", text)

    ours = [line for line in lines if line.startswith("cnx-mock: ")]
    assert [known(line) for line in done.stderr.splitlines() if line.startswith("cnx-mock: ")][: len(ours)] == [
        known(line) for line in ours
    ]


@pytest.mark.parametrize(("kind", "name", "tool"), [("js", "list.mjs", ["node"]), ("go", "list.go", ["go", "run"])])
def test_the_programs_in_the_readme_list_instances(kind: str, name: str, tool: list[str], tmp_path: Path) -> None:
    if shutil.which(tool[0]) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {tool[0]}")
    (tmp_path / name).write_text(files(kind)[name])
    done = run(tmp_path, "--fixture", "small-team", "--", *tool, name)
    assert (done.returncode, len(done.stdout.split())) == (0, 5), done.stderr


def commands(value: object) -> list[list[str]]:
    """Every `cnx-mock` command, and every `pytest` one, in a document of YAML."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in commands(each)]
    if isinstance(value, list) and "cnx-mock" in value:
        return [[str(word) for word in value[value.index("cnx-mock") :]]]
    if isinstance(value, list):
        return [found for each in value for found in commands(each)]
    return [shlex.split(value)] if isinstance(value, str) and value.startswith(("cnx-mock ", "pytest ")) else []


def understood(words: list[str]) -> None:
    """Raise for a command line that the command, or pytest with our plugin, would refuse."""
    if words[0] == "pytest":
        config = _pytest.config.get_config()
        config.pluginmanager.import_plugin("cnx_mock.pytest_plugin.plugin")
        config._parser.parse(words[1:])
        return
    context = click.Context(cli)
    name, command, rest = cli.resolve_command(context, words[1:])
    assert command is not None
    command.make_context(name, rest, parent=context)


def test_the_jobs_and_services_in_the_readme_use_commands_as_they_are() -> None:
    jobs = files("yaml")
    assert set(jobs) == {".github/workflows/test.yml", ".gitlab-ci.yml", "compose.yaml"}
    found = {name: commands(yaml.safe_load(text)) for name, text in jobs.items()}
    assert [len(each) for each in found.values()] == [2, 2, 1]
    services = yaml.safe_load(jobs["compose.yaml"])["services"]
    served = ["cnx-mock", *services["cloudnexus"]["command"]]
    for words in [*(words for each in found.values() for words in each), served]:
        understood(words)


def test_the_dockerfile_in_the_readme_serves() -> None:
    lines = dict(line.split(" ", 1) for line in files("dockerfile")["Dockerfile"].splitlines()[1:])
    understood([*json.loads(lines["ENTRYPOINT"]), *json.loads(lines["CMD"])])
    assert lines["EXPOSE"] == str(Settings().port)


def test_a_command_that_is_wrong_would_be_noticed() -> None:
    for words in (["cnx-mock", "serve", "--hots", "0.0.0.0"], ["cnx-mock", "rnu"]):
        with pytest.raises(click.UsageError):
            understood(words)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text()):
        assert target.startswith("https://") or (ROOT / target).exists()


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
    sys.exit(0)
