"""The command line imports what it needs and no more."""

import json
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from cnx_mock.cli import scenarios, sweep, sweep_program
from cnx_mock.cli.lazy import LazyCommand, LazyGroup
from cnx_mock.cli.main import COMMANDS, cli


def modules_after(source: str) -> set[str]:
    """The modules that are loaded after this source has run in a new Python."""
    script = f"import json, sys\n{source}\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("name", COMMANDS)
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


@pytest.mark.slow
def test_the_server_starts_without_rich() -> None:
    assert "rich" not in modules_after("import cnx_mock.cli.serve_forever")


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
