"""The command `cnx-mock` beside `serve`: what it prints, and with which status it ends."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import __version__
from cnx_mock.scenario.gallery import gallery
from cnx_mock.services import operations
from tests import commands
from tests.commands import COMMAND


def run(*command: object, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CNX_MOCK_")}
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment} | more
    return commands.run([command[0], *map(str, command[1:])], text=True, timeout=30, check=False, **options)


def printed(*arguments: str, **more: Any) -> str:
    """What the command prints when all is well."""
    done = run(COMMAND, *arguments, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(*arguments: str, **more: Any) -> str:
    """What the command says when it cannot."""
    done = run(COMMAND, *arguments, **more)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr


# ---- the command itself


def test_help_has_examples_and_every_command() -> None:
    shown = printed("--help")
    assert "Examples:\n    cnx-mock serve\n" in shown
    for command in ("completion", "env", "routes", "run", "scenarios", "serve"):
        assert f"\n  {command} " in shown


def test_the_help_of_serve_has_examples_flags_variables_and_defaults() -> None:
    shown = " ".join(printed("serve", "-h").split())
    assert "cnx-mock serve --port 8080" in shown
    assert "--port PORT Listen on this port; 0 takes a free one. [env var: CNX_MOCK_PORT; default: 4269]" in shown


def test_python_dash_m_is_the_command() -> None:
    done = run(sys.executable, "-m", "cnx_mock", "--version")
    assert (done.returncode, done.stdout) == (0, f"cnx-mock {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["srve"], "No such command 'srve'. Did you mean 'serve'?"),
        (["scenarios", "chek"], "Did you mean one of: 'check', 'schema'?"),
        (["serve", "--scenari", "calm"], "No such option '--scenari'. Did you mean '--scenario'?"),
        (["completion", "powershell"], "'powershell' is not one of 'bash', 'zsh', 'fish'."),
        (["rules", "add"], "No such command 'add'. cnx-mock rules has clear, list, remove."),
        (["clock", "45s"], "No such command '45s'. cnx-mock clock has advance, freeze, set, show, speed, unfreeze."),
        (["journal", "--url", "x"], "--url is an option of export, follow: write it after the command."),
        (["help"], "No such command 'help'. Write `cnx-mock --help`."),
        (["help", "run"], "No such command 'help'. Write `cnx-mock run --help`."),
        (["version"], "No such command 'version'. Write `cnx-mock --version`."),
        (["start"], "No such command 'start'. Write `cnx-mock serve`."),
        (["serve", "8080"], "serve takes no argument '8080'; a port is written --port 8080"),
        (["serve", "calm"], "serve takes no argument 'calm'; a scenario is written --scenario calm"),
        (["serve", "story.yaml"], "serve takes no argument 'story.yaml'; a scenario is written --scenario story.yaml"),
        (["serve", "now"], "serve takes no argument 'now'"),
        (["ca", "path", "--ca-dir", "x"], "--ca-dir is an option of cnx-mock ca: write it before path."),
        (["env", "--json", "--shell", "fish"], "--shell, --json and --dotenv are different forms: give one of them"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_right_one(arguments: list[str], hint: str) -> None:
    assert hint in refused(*arguments)


def test_what_is_cut_short_by_a_pager_ends_quietly(tmp_path: Path) -> None:
    """`cnx-mock routes | true`: the reader is gone before the first line."""
    read, write = os.pipe()
    os.close(read)
    done = run(COMMAND, "routes", stdout=write, cwd=tmp_path)
    os.close(write)
    assert done.stderr == ""


# ---- completion


def test_bash_completes_commands_and_gallery_options() -> None:
    """The script is loaded into a real bash, which then asks what it would ask after a Tab."""
    script = printed("completion", "bash")
    asked = 'COMP_WORDS=(cnx-mock sce); COMP_CWORD=1; _cnx_mock_completion cnx-mock; echo "${COMPREPLY[@]}"'
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    done = run(shutil.which("bash"), "-c", f"{script}\n{asked}", env={**os.environ, "PATH": path})
    assert (done.stdout, done.stderr) == ("scenarios\n", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_a_script_too(shell: str) -> None:
    assert f"_CNX_MOCK_COMPLETE={shell}_complete" in printed("completion", shell)


# ---- routes


def test_routes_lists_every_endpoint_with_what_it_stands_on() -> None:
    rows = [line.split() for line in printed("routes").splitlines()]
    assert rows[0] == ["METHOD", "PATH", "OPERATION", "SCOPE", "PROVENANCE"]
    assert ["POST", "/v1/instances", "instances.create", "instances:write", "documented"] in rows
    assert ["GET", "/v1/plans", "plans.list", "-", "added"] in rows
    assert [row[2] for row in rows[1:]] == [operation.name for operation in operations()]


# ---- scenarios


def test_the_gallery_is_listed_with_what_each_story_is_about() -> None:
    lines = printed("scenarios", "list").splitlines()
    assert [line.split()[0] for line in lines] == gallery()
    assert "lost-response         The first create happens, but its answer never arrives." in lines


def test_a_scenario_is_shown_as_its_file_comments_and_all() -> None:
    assert printed("scenarios", "show", "lost-response").startswith("# The first create is committed")


def test_an_unknown_scenario_is_answered_with_a_known_one() -> None:
    assert "no scenario is called 'clam', did you mean 'calm'?" in refused("scenarios", "show", "clam")


def test_the_whole_gallery_is_good() -> None:
    assert printed("scenarios", "check").count(": good (") == len(gallery())


def test_check_names_every_problem_of_every_file_and_still_checks_the_rest(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "wrld: {balance: $5}\n"
        "rules:\n"
        "  - match: {operation: instances.crate}\n"
        "    times: no\n"
        "    fault: {error: INTERNAL_ERRO, latency: 200}\n"
    )
    (tmp_path / "broken.yaml").write_text("rules:\n\t- fault: {}\n")
    done = run(COMMAND, "scenarios", "check", "bad.yaml", "nowhere", "broken.yaml", "lost-response", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == "lost-response: good (1 rule)\n"
    problems = [
        line for line in done.stderr.splitlines() if line.startswith(("bad.yaml:", "broken.yaml:", "cnx-mock:"))
    ]
    assert [line.split(": ")[0] for line in problems] == [
        "bad.yaml:1:1",
        "bad.yaml:3:24",
        "bad.yaml:4:12",
        "bad.yaml:5:20",
        "bad.yaml:5:44",
        "cnx-mock",
        "broken.yaml:2:1",
    ]
    assert "unknown key 'wrld', did you mean 'world'?" in problems[0]
    assert "did you mean 'instances.create'?" in problems[1]
    assert "did you mean 'INTERNAL_ERROR'?" in problems[3]
    assert "needs a unit" in problems[4]
