"""`cnx-mock state`: the whole world of a sandbox of a running server, saved, loaded and reset."""

import click
import orjson

from cnx_mock.cli import completions
from cnx_mock.cli.target import DefaultGroup, Target, target_options
from cnx_mock.text.plural import counted


@click.group(cls=DefaultGroup, default="show")
def state() -> None:
    """Save, load or reset the world of a running server's sandbox.

    Without a command, the world is shown.

    \b
    Examples:
      cnx-mock state show > world.json
      cnx-mock state load world.json
      cnx-mock state load small-team
      cnx-mock state reset
    """


@state.command()
@target_options
def show(url: str, key: str) -> None:
    """Print the whole sandbox as a fixture in JSON, with its clock.

    `cnx-mock state load` and `--fixture` take it.
    """
    world = Target(url, key).call("GET", "/state", dict)
    click.echo(orjson.dumps(world, option=orjson.OPT_INDENT_2).decode())


@state.command()
@click.argument("name", metavar="NAME|PATH", shell_complete=completions.fixtures)
@target_options
def load(name: str, url: str, key: str) -> None:
    """Replace the whole world with a fixture: one of the package, or a file."""
    from cnx_mock.python_api.inputs import fixture_document  # lazy: it reads files with the whole language

    accounts = Target(url, key).call("PUT", "/state", lambda world: world["accounts"], fixture_document(name))
    number = sum(len(each.get("instances", ())) for each in accounts)
    click.echo(f"loaded {name}: {counted(number, 'instance')}")


@state.command()
@target_options
def reset(url: str, key: str) -> None:
    """Reset the sandbox to its initial state: world, rules, clock, rate limit and journal."""
    Target(url, key).call("POST", "/reset", dict)
    click.echo("reset")
