"""`cnx-mock scenario use`, `drop`, and `show` without a name: the scenario of a sandbox of a running server."""

from collections.abc import Sequence
from typing import Any

import click
import yaml

from cnx_mock.cli import completions
from cnx_mock.cli.program_settings import read_with_warnings
from cnx_mock.cli.target import Target, target_options
from cnx_mock.cli.terminal import shown
from cnx_mock.http.recipe import fixture_of
from cnx_mock.python_api.inputs import scenario_document
from cnx_mock.scenario.scenario import stacked
from cnx_mock.services import operations


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME|PATH...", shell_complete=completions.scenarios)
@target_options
def use(names: Sequence[str], url: str, key: str) -> None:
    """Use a scenario in a running server's sandbox.

    It replaces the current scenario; injected rules stay. Several scenarios are combined, as with `serve --scenario`.
    Files are read on this machine, so the server may run on another one.

    \b
    Examples:
      cnx-mock scenario use flaky-network
      cnx-mock scenario use ./friday.yaml
    """
    scenarios = read_with_warnings(names)
    for each in scenarios:
        fixture_of(each)
    scenario = stacked(scenarios, operations())
    click.echo(Target(url, key).call("PUT", "/scenario", _line, scenario_document(scenario)))


@click.command()
@target_options
def drop(url: str, key: str) -> None:
    """Remove the scenario of a running server's sandbox. Injected rules stay."""
    Target(url, key).call("DELETE", "/scenario", _line)
    click.echo("no scenario is active")


def written(target: Target) -> str:
    """Return the current scenario as a file has it, with the phase that it is in. Raises what `ask` raises."""
    return target.call("GET", "/scenario", _as_file)


def _line(state: dict[str, Any]) -> str:
    return shown(f"{state['name']}: {state['description']}" if state["description"] else str(state["name"]))


def _as_file(state: dict[str, Any]) -> str:
    phase = state["phase"]
    head = f"# in phase {phase['name']} since {phase['since']}\n" if phase else ""
    document = {"name": state["name"]} | {name: value for name, value in state["scenario"].items() if value}
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
