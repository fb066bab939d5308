"""The command line imports what it needs and no more."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import IO
from urllib.request import Request, urlopen

import click
import pytest
from click.shell_completion import ShellComplete

from cnx_mock.cli import scenarios, sweep, sweep_program
from cnx_mock.cli.help_text import TEXTS
from cnx_mock.cli.lazy import LazyCommand, LazyGroup
from cnx_mock.cli.main import COMMANDS, cli
from tests.cases import cases


def modules_after(source: str) -> set[str]:
    """The modules that are loaded after this source has run in a new Python."""
    script = f"import json, sys\n{source}\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@cases("name", COMMANDS)
def test_the_table_of_commands_agrees_with_the_commands(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=200).rstrip(".") == COMMANDS[name].help.rstrip(".")


def test_the_lazy_command_of_a_group_agrees_as_well() -> None:
    group = scenarios.scenarios
    explain = group.get_command(click.Context(group), "explain")
    assert explain is not None
    assert explain.get_short_help_str(limit=200).rstrip(".") == scenarios._LAZY["explain"].help.rstrip(".")


def test_help_lists_every_command_and_imports_none() -> None:
    loaded = modules_after("from cnx_mock.cli.main import cli\ncli(['--help'], standalone_mode=False)")
    assert not loaded & {lazy.module for lazy in COMMANDS.values()}
    assert not loaded & {"pydantic", "starlette", "uvicorn", "yaml", "rich", "cryptography"}


# ---- what a start may load

PACKAGES = {"click", "cnx_mock", "httptools", "orjson", "starlette", "uvicorn", "uvloop"}
"""Everything outside the standard library that a server loads before its first answer. (Of starlette it is `types`.)"""

ROOMS = {
    *("api", "asgi", "cli", "dataclass", "errors", "http", "net", "scenario", "services", "settings", "text", "world")
}

NOT_AT_START = {
    *("cnx_mock.api.openapi", "cnx_mock.api.schemas", "cnx_mock.cli.watch", "cnx_mock.http.docs.files"),
    *("cnx_mock.http.reference", "cnx_mock.http.site", "cnx_mock.scenario.gallery", "cnx_mock.scenario.json_schema"),
    *("cnx_mock.scenario.lint", "cnx_mock.scenario.template", "cnx_mock.text.builder", "cnx_mock.text.parser"),
    *("cnx_mock.text.positions", "cnx_mock.text.source", "starlette.applications", "starlette.requests"),
    *("cnx_mock.net.certificates", "cnx_mock.net.signing", "cnx_mock.net.tls_names"),
    *("uvicorn.config", "uvicorn.main", "uvicorn.server", "uvicorn.supervisors"),
    *("configparser", "decimal", "email.utils", "fractions", "http.client", "importlib.metadata"),
    *("importlib.resources", "logging.config", "multiprocessing", "pickle", "random", "shutil", "socketserver"),
    *("statistics", "tempfile", "zoneinfo"),
}
"""Modules that are easily loaded by mistake, and cost milliseconds."""

MODULES_OF_A_RUN = {
    *("cnx_mock.net.certificates", "cnx_mock.net.tls_names"),
    *("email.utils", "http.client", "random", "shutil", "tempfile"),
}
"""What `run` loads in addition: it serves HTTPS, makes folders for the program, and asks its own control plane."""


def imported_by(*arguments: str, until: Callable[[IO[str]], object]) -> set[str]:
    """The modules that `cnx-mock` has imported when `until`, which gets its stdout, is done."""
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "cnx_mock", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    with process:
        assert process.stdout is not None
        until(process.stdout)
        process.terminate()
        _, said = process.communicate(timeout=30)
    return {line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")}


def get_a_list(stdout: IO[str]) -> None:
    ready = json.loads(stdout.readline())
    request = Request(f"{ready['url']}/v1/instances", headers={"Authorization": f"Bearer {ready['api_key']}"})
    with urlopen(request, timeout=30) as answer:
        assert json.load(answer)["data"] == []


@pytest.mark.slow
def test_a_server_has_loaded_only_this_when_it_gives_its_first_answer() -> None:
    loaded = imported_by("serve", "--port", "0", "--json", "--quiet", until=get_a_list)
    installed = packages_distributions().keys() - {"_distutils_hack"}  # setuptools puts it into every Python
    assert {name.partition(".")[0] for name in loaded} & installed <= PACKAGES
    assert {name.split(".")[1] for name in loaded if name.startswith("cnx_mock.")} <= ROOMS
    assert {name for name in loaded if name.startswith("starlette")} <= {"starlette", "starlette.types"}
    assert {name for name in loaded if name.startswith("cnx_mock.http.control.")} <= {
        "cnx_mock.http.control.guard",
        "cnx_mock.http.control.plane",
    }
    assert not loaded & NOT_AT_START


def test_no_module_compiles_a_regular_expression_while_it_is_imported() -> None:
    source = """
import json, re, sys
compiled, compile = [], re.compile
def remember(pattern, flags=0):
    compiled.append((sys._getframe(1).f_globals["__name__"], str(pattern)))
    return compile(pattern, flags)
re.compile = remember
import cnx_mock.cli.serve, cnx_mock.cli.serve_forever
print(json.dumps([each for each in compiled if each[0].startswith("cnx_mock")]))
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.slow
def test_a_run_without_a_call_has_loaded_no_more_than_a_server_and_its_own(tmp_path: Path) -> None:
    command = ("run", "--ca-dir", str(tmp_path), "--", "true")
    first = imported_by(*command, until=lambda stdout: stdout.read())
    assert "cryptography" in first, "the first run makes the CA"
    loaded = imported_by(*command, until=lambda stdout: stdout.read())
    installed = packages_distributions().keys() - {"_distutils_hack"}
    assert {name.partition(".")[0] for name in loaded} & installed <= PACKAGES
    ours = {name.split(".")[1] for name in loaded if name.startswith("cnx_mock.")}
    assert ours <= ROOMS | {"dashboard", "programs", "python_api", "sweep"}
    few = {"cnx_mock.sweep", "cnx_mock.sweep.state", "cnx_mock.sweep.varying"}
    assert {name for name in loaded if name.startswith("cnx_mock.sweep")} <= few
    assert not loaded & (NOT_AT_START - MODULES_OF_A_RUN)


@pytest.mark.parametrize("option", ["--version", "--help", "-h"])
def test_version_and_help_are_printed_before_click_is_loaded(option: str) -> None:
    loaded = imported_by(option, until=lambda stdout: stdout.read())
    assert {name for name in loaded if name.startswith("cnx_mock")} == {
        *("cnx_mock", "cnx_mock.cli", "cnx_mock.cli.entry", "cnx_mock.cli.help_text")
    }
    assert not loaded & {"click", "dataclasses", "logging", "pathlib"}


@pytest.mark.parametrize("columns", TEXTS)
def test_the_help_that_is_printed_at_once_is_clicks_own(columns: int) -> None:
    command, env = [sys.executable, "-m", "cnx_mock", "--help"], {**os.environ, "COLUMNS": str(columns)}
    by_click = subprocess.run(command, env=env, capture_output=True, check=True, timeout=30).stdout
    assert by_click.decode("ascii").splitlines() == TEXTS[columns].splitlines(), "run make docs"
    del env["COLUMNS"]
    piped = subprocess.run(command, env=env, capture_output=True, check=True, timeout=30).stdout
    assert piped.decode() == TEXTS[80]


def test_the_package_alone_loads_nothing() -> None:
    loaded = modules_after("import cnx_mock")
    assert {name for name in loaded if name.startswith("cnx_mock")} == {"cnx_mock"}
    assert not {name.partition(".")[0] for name in loaded} & (PACKAGES - {"cnx_mock"} | {"pydantic", "yaml"})


def test_completion_offers_commands_without_importing_them() -> None:
    group = LazyGroup("top", lazy={"one": LazyCommand("no.such.module", "one", "The first."), "two": COMMANDS["run"]})
    offered = ShellComplete(group, {}, "top", "_TOP_COMPLETE").get_completions([], "o")
    assert [(each.value, each.help) for each in offered] == [("one", "The first.")]


def test_a_command_can_be_added_and_removed_as_in_any_group() -> None:
    group = LazyGroup("top", lazy={"run": COMMANDS["run"]})
    group.add_command(click.Command("extra", help="One more."))
    assert group.list_commands(click.Context(group)) == ["extra", "run"]
    assert "extra  One more" in group.get_help(click.Context(group))
    del group.commands["extra"]
    assert (len(group.commands), "extra" in group.commands) == (1, False)


@pytest.mark.parametrize("name", ["run", "serve", "shrink", "sweep"])
def test_the_help_of_a_command_that_starts_servers_imports_no_server(name: str) -> None:
    loaded = modules_after(f"from cnx_mock.cli.main import cli\ncli(['{name}', '--help'], standalone_mode=False)")
    assert not loaded & {"pydantic", "starlette", "uvicorn", "yaml", "rich", "cryptography"}


def test_a_report_may_end_in_whatever_can_be_written() -> None:
    assert set(sweep.SUFFIXES) == set(sweep_program.FORMS)
