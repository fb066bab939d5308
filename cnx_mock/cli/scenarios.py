"""`cnx-mock scenarios`: list, check, write and explain scenarios."""

from pathlib import Path

import click
import orjson
from click.core import ParameterSource

from cnx_mock.cli import completions
from cnx_mock.cli.lazy import LazyCommand, LazyGroup
from cnx_mock.cli.output import print_table
from cnx_mock.cli.target import Target, target_options
from cnx_mock.cli.yaml_files import check, show
from cnx_mock.errors import UsageError
from cnx_mock.http.recipe import fixture_of
from cnx_mock.scenario.gallery import find, gallery, linted, load
from cnx_mock.scenario.json_schema import schema
from cnx_mock.scenario.template import EXPLAIN, template
from cnx_mock.services import operations
from cnx_mock.text.files import check_file_name, create_file
from cnx_mock.text.plural import counted

_LAZY = {
    "drop": LazyCommand("cnx_mock.cli.scenario_in_force", "drop", "Remove the scenario of a running server's sandbox."),
    "explain": LazyCommand(
        "cnx_mock.cli.explain", "explain", "Predict what a scenario does to the next requests, rule by rule."
    ),
    "use": LazyCommand("cnx_mock.cli.scenario_in_force", "use", "Use a scenario in a running server's sandbox."),
}
"""Those that need a whole server, here or elsewhere."""


@click.group(cls=LazyGroup, lazy=_LAZY)
def scenarios() -> None:
    """List, check and write scenarios, and change the one of a running server.

    `use`, `drop`, and `show` without a name are about a running server. `cnx-mock scenario` is the same command.
    """


@scenarios.command("list")
def list_scenarios() -> None:
    """List the gallery."""
    known = operations()
    print_table([(name, load(name, known).description) for name in gallery()])


@scenarios.command("show")
@click.argument("name", required=False, metavar="[NAME|PATH]", shell_complete=completions.scenarios)
@target_options
@click.pass_context
def show_scenario(context: click.Context, /, name: str | None, url: str, key: str) -> None:
    """Print a scenario's file; without a name, the current scenario of a running server's sandbox."""
    if name is None:
        from cnx_mock.cli.scenario_in_force import written  # lazy: a file can be shown without the client of a server

        click.echo(written(Target(url, key)), nl=False)
        return
    if ParameterSource.COMMANDLINE in map(context.get_parameter_source, ("url", "key")):
        raise UsageError(f"leave {name} out to show the current scenario of a server, or leave --url and --key out")
    show(find(name))


@scenarios.command("check")
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...", shell_complete=completions.scenarios)
def check_scenarios(names: tuple[str, ...]) -> None:
    """Report every error in scenario files, and every rule that can never fire.

    Without names, the gallery is checked. The exit status is 2 if anything is wrong.
    """
    check(names or gallery(), _checked)


def _checked(name: str) -> str:
    """Return a summary of a scenario. Raises SourceError for errors in it, and for rules that can never fire."""
    scenario, lint = linted(name, operations())
    if lint is not None:
        raise lint
    fixture_of(scenario)
    return counted(len(scenario.rules), "rule")


@scenarios.command("new")
@click.argument("name")
def new(name: str) -> None:
    """Write ./NAME.yaml, a scenario to start from; an existing file is not overwritten.

    \b
    Examples:
      cnx-mock scenarios new friday
    """
    stem = name.removesuffix(".yaml").removesuffix(".yml")
    text = template(stem)
    path = Path(f"{stem}.yaml")
    check_file_name(path)
    try:
        create_file(path, text.encode())
    except FileExistsError:
        raise UsageError(f"{path} exists; choose another name, or move it away") from None
    lines = (f"check {path}", f"explain {path} {EXPLAIN}")
    click.echo("\n".join([f"wrote {path}", *(f"  cnx-mock scenarios {each}" for each in lines)]))
    click.echo(f"  cnx-mock serve --scenario {path}")


@scenarios.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of scenario files, for completion and hover in an editor.

    \b
    Examples:
      cnx-mock scenarios schema > cnx-scenario.schema.json
      and at the head of a file:  # yaml-language-server: $schema=cnx-scenario.schema.json
    """
    click.echo(orjson.dumps(schema(operations()), option=orjson.OPT_INDENT_2).decode())
