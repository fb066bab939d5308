"""Every code block in the README and in the documentation runs."""

import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import _pytest.config
import click
import pytest
import yaml

from cnx_mock import MockServer, Settings
from cnx_mock.cli.main import cli
from cnx_mock.scenario.gallery import parse
from cnx_mock.scenario.lint import lint
from cnx_mock.services import operations
from cnx_mock.text.source import read
from tests.commands import COMMAND, run
from tests.docs import declared
from tests.docs.generate import ROOT
from tests.docs.snippets import Snippet, files, snippets
from tests.pytest_plugin.conftest import without_others

pytestmark = pytest.mark.slow

RUN_HERE = {"python", "yaml", "console", "powershell", "sh", "js", "go", "dockerfile"}
OUTPUT = "text"
"""The kind of blocks that only show what something looks like."""

CI_FILES = {".github/workflows/test.yml", ".gitlab-ci.yml", "compose.yaml"}
SETUP = {"python3", "py", "pip", "pipx", ".", ".venv/bin/pip", ".venv\\Scripts\\pip", ".venv\\Scripts\\Activate.ps1"}
"""Commands that install. A test must not do that; the CI does, from the wheel."""


def test_every_kind_of_block_is_run() -> None:
    assert {each.kind for each in snippets()} <= {*RUN_HERE, OUTPUT}


def test_every_file_has_a_name_of_its_own() -> None:
    names = [each.name for each in snippets() if each.name not in ("", "script.py", "deploy.sh")]
    assert len(names) == len(set(names))


# ---- Python


@pytest.mark.slow
def test_the_tests_in_the_pages_pass(server: MockServer, pytester: pytest.Pytester) -> None:
    # `server` has TLS: it loads cryptography here, which pytester would load a second time, with types of its own
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    written = {**files("python"), "test_readme.py": _of_the_readme()}
    apart = pytester.mkdir("apart") / "test_settings.py"  # it has a server of its own
    apart.write_text(written.pop(apart.name))
    tests = {name: text for name, text in written.items() if name.startswith(("test_", "cloud.", "conftest."))}
    for name, text in tests.items():
        pytester.makepyfile(**{name.removesuffix(".py"): text})
    count = sum(len(re.findall(r"^def test_", text, flags=re.MULTILINE)) for text in tests.values())
    again = tests["test_scenarios.py"].count('"rate-limited", "credits-run-out"')  # one test, once under each
    assert count > 30
    options = ["-p", "no:cacheprovider", *without_others(but=("asyncio",))]
    pytester.runpytest_inprocess(*options, "--ignore=apart").assert_outcomes(passed=count + again)
    pytester.runpytest_inprocess(*options, apart).assert_outcomes(passed=1)


@pytest.mark.slow
def test_a_test_of_the_pages_can_be_swept(server: MockServer, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_swept=files("python")["test_swept.py"])
    options = ["-p", "no:cacheprovider", *without_others()]
    done = pytester.runpytest_inprocess(*options, "--cnx-sweep", "--cnx-sweep-faults", "error,reset")
    assert done.ret == 0


def _of_the_readme() -> str:
    [text] = [each.text for each in snippets("python") if each.page.name == "README.md"]
    return text


SCRIPTS = [each for each in snippets("python") if each.name == "script.py"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.where))
def test_the_scripts_in_the_pages_run(script: Snippet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.py").write_text(script.text)
    runpy.run_path(str(tmp_path / "script.py"), run_name="__main__")
    assert "127.0.0.1" in capsys.readouterr().out


def test_every_python_block_is_run() -> None:
    careful = declared.careful().removeprefix("```python\n").removesuffix("```")
    others = [
        each.where
        for each in snippets("python")
        if not each.name.startswith(("test_", "script.", "cloud.", "conftest.", "deploy."))
        and each.text not in (_of_the_readme(), careful)  # tests/audit runs the careful client
    ]
    assert others == []


# ---- YAML


def test_the_scenarios_in_the_pages_are_good() -> None:
    for each in snippets("yaml"):
        if not each.name:
            scenario = parse(read(each.text, each.where), operations(), "page")
            assert lint(scenario, operations()) == [], each.where


def commands(value: object) -> list[list[str]]:
    """Every `cnx-mock` command, and every `pytest` one, in a document of YAML."""
    if isinstance(value, dict):
        return [found for each in value.values() for found in commands(each)]
    if isinstance(value, list) and "cnx-mock" in value:
        return [[str(word) for word in value[value.index("cnx-mock") :]]]
    if isinstance(value, list):
        return [found for each in value for found in commands(each)]
    return [shlex.split(value)] if isinstance(value, str) and value.startswith(("cnx-mock ", "pytest ")) else []


def test_the_jobs_and_services_use_commands_as_they_are() -> None:
    jobs = {name: text for name, text in files("yaml").items() if name in CI_FILES}
    assert set(jobs) == CI_FILES
    found = {name: commands(yaml.safe_load(text)) for name, text in jobs.items()}
    assert [len(found[name]) for name in sorted(found)] == [2, 2, 1]
    services = yaml.safe_load(jobs["compose.yaml"])["services"]
    served = ["cnx-mock", *services["cloudnexus"]["command"]]
    for words in [*(words for each in found.values() for words in each), served]:
        understood(words)


def test_the_dockerfile_serves() -> None:
    lines = dict(line.split(" ", 1) for line in files("dockerfile")["Dockerfile"].splitlines()[1:])
    understood([*json.loads(lines["ENTRYPOINT"]), *json.loads(lines["CMD"])])
    assert lines["EXPOSE"] == str(Settings().port)


# ---- commands


def understood(words: list[str]) -> None:
    """Raise for a command line that the command, or pytest with our plugin, would refuse."""
    if words[0] == "pytest":
        config = _pytest.config.get_config()
        config.pluginmanager.import_plugin("cnx_mock.pytest_plugin.plugin")
        config._parser.parse(words[1:])
        return
    command: click.Command = cli
    context = click.Context(cli)
    rest = words[1:]
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        if not isinstance(command, click.Group):
            command.make_context(name, rest, parent=context)


def test_a_command_that_is_wrong_would_be_noticed() -> None:
    for words in (["cnx-mock", "serve", "--hots", "0.0.0.0"], ["cnx-mock", "rnu"], ["cnx-mock", "ca", "pathh"]):
        with pytest.raises(click.UsageError):
            understood(words)


LINES = [(each, line) for each in snippets("console") for line, _ in each.commands]
LINES += [(each, line) for each in snippets("powershell") for line in each.text.splitlines()]


def test_every_command_in_the_pages_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traffic.har").write_text("{}")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for snippet, line in LINES:
        words = shlex.split(re.split(r" [>|] ", inner(line))[0], posix="\\" not in line)
        name = re.sub(r"^\.venv.(bin|Scripts).(?=cnx-mock)", "", words[0])
        if name == "make":
            assert re.search(rf"^{words[1]}:", makefile, flags=re.MULTILINE), snippet.where
        elif name in ("cnx-mock", "pytest"):
            understood([name, *words[1:]])
        else:
            assert name in (*SETUP, "curl"), snippet.where


def inner(line: str) -> str:
    """The command inside `eval "$(…)"`."""
    found = re.fullmatch(r'eval "\$\((.*)\)"', line)
    return found[1] if found else line


def test_every_curl_in_the_pages_gets_an_answer(server: MockServer, tmp_path: Path) -> None:
    statuses = {}
    lines = {line: each for each, line in LINES if line.startswith("curl") and each.page.name != "control-plane.md"}
    for line, snippet in lines.items():
        command = shlex.split(line.replace(f"http://127.0.0.1:{Settings().port}", server.url))
        done = subprocess.run(
            [*command, "-s", "-w", "%{http_code}", "-o", tmp_path / "answer"],
            capture_output=True,
            text=True,
            check=True,
        )
        statuses[snippet.where.partition(":")[0], line[-20:]] = done.stdout
    assert sorted(statuses.values()) == ["200", "200", "201", "429"]


# ---- commands whose output is shown


def shown() -> dict[str, list[str]]:
    """Every command with output, and the lines that some page shows of it."""
    found: dict[str, list[str]] = {}
    for each in snippets("console"):
        for line, output in each.commands:
            if output:
                found.setdefault(line, []).extend(output)
    return found


def test_what_serve_is_shown_to_say_is_its_greeting() -> None:
    assert shown()["cnx-mock serve"] == [
        f"cnx-mock serves the CloudNexus API at http://{Settings().host}:{Settings().port}"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in shown() if line != "cnx-mock serve"])
def test_what_a_command_is_shown_to_print_is_what_it_prints(line: str, tmp_path: Path) -> None:
    for name in ("deploy.sh", "deploy.py", "typo.yaml"):
        (tmp_path / name).write_text(files()[name])
        (tmp_path / name).chmod(0o755)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CNX_MOCK_")} | {"PATH": path}
    words = shlex.split(line)
    assert words[0] == "cnx-mock"
    done = run(
        [COMMAND, *words[1:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**environ, "NO_COLOR": "1", "COLUMNS": "200"},
        check=False,
    )
    printed = [plain(each) for each in (done.stdout + done.stderr).splitlines()]
    assert [each for each in map(plain, shown()[line]) if each not in printed] == [], done.stdout + done.stderr


ONE_INSTANCE = """#!/bin/sh
call() {
    curl -sS --fail "$CLOUDNEXUS_BASE_URL/v1/instances" -H "Authorization: Bearer $CLOUDNEXUS_API_KEY" "$@"
}
BODY='{"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}'
call | grep -q web-1 || call -o created.json -H "Content-Type: application/json" -d "$BODY" || ./deploy.sh
"""
"""A deploy that is meant to leave one instance, and looks before it creates it again."""

CI_RUNS = [words for text in files("yaml").values() for words in commands(yaml.safe_load(text)) if "run" in words[:2]]


@pytest.mark.slow
@pytest.mark.parametrize("words", CI_RUNS, ids=" ".join)
def test_a_careful_deploy_passes_in_the_jobs_of_the_pages(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "deploy.sh").write_text(ONE_INSTANCE)
    (tmp_path / "deploy.sh").chmod(0o755)
    done = run([COMMAND, *words[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_scenario_of_the_readme_is_good_as_its_command_says(tmp_path: Path) -> None:
    [text] = [each.text for each in snippets("yaml") if each.page.name == "README.md"]
    (tmp_path / "bad-morning.yaml").write_text(text)
    [line] = [line for each, line in LINES if each.page.name == "README.md" and "scenarios check" in line]
    done = run([COMMAND, *shlex.split(line)[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def plain(line: str) -> str:
    """A line without what differs from run to run."""
    line = re.sub(r"inst_[0-9a-f]{16}", "inst_…", line)
    line = re.sub(r"curl: \(56\) .*", "curl: (56)", line)  # curl's own words change
    return " ".join(line.split())


# ---- other languages


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize(("kind", "name", "tool"), [("js", "list.mjs", ["node"]), ("go", "list.go", ["go", "run"])])
def test_the_programs_in_the_pages_list_instances(kind: str, name: str, tool: list[str], tmp_path: Path) -> None:
    if shutil.which(tool[0]) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {tool[0]}")
    (tmp_path / name).write_text(files(kind)[name])
    command = [COMMAND, "run", "--fixture", "small-team", "--", *tool, name]
    done = run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, len(done.stdout.split())) == (0, 5), done.stderr
