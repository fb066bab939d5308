"""The command `cnx-mock`."""

import atexit
import os
import signal
import sys
from dataclasses import fields
from typing import Any, Literal

import click

from cnx_mock import __version__
from cnx_mock.cli.audit import audit, journal
from cnx_mock.cli.ca import ca
from cnx_mock.cli.env import env
from cnx_mock.cli.errors import refuse, usable
from cnx_mock.cli.fixtures import fixtures
from cnx_mock.cli.options import settings_options
from cnx_mock.cli.run import run
from cnx_mock.cli.scenarios import scenarios
from cnx_mock.cli.shrink import shrink
from cnx_mock.cli.sweep import sweep
from cnx_mock.errors import SettingsError
from cnx_mock.settings import Settings, foreign

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> None:
    """Run the command."""
    atexit.register(_drop_unread)
    for name in foreign(os.environ):
        click.echo(f"cnx-mock: ignoring {name}={os.environ.pop(name)}: Kubernetes or compose set it", err=True)
    cli(prog_name="cnx-mock")


def _drop_unread() -> None:
    """Drop what stderr still holds if nobody reads it: Python would flush it once more, and exit with 120."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="cnx-mock", message="%(prog)s %(version)s")
def cli() -> None:
    """A local sandbox of the CloudNexus API that breaks on cue.

    \b
    Examples:
      cnx-mock serve
      cnx-mock serve --scenario flaky-network --seed 7
      cnx-mock run --scenario lost-response -- ./deploy.sh
      cnx-mock scenarios check my-story.yaml
      cnx-mock sweep -- python deploy.py
      cnx-mock routes
      cnx-mock audit
    """


cli.add_command(scenarios)
cli.add_command(fixtures)
cli.add_command(ca)
cli.add_command(env)
cli.add_command(run)
cli.add_command(audit)
cli.add_command(journal)
cli.add_command(sweep)
cli.add_command(shrink)


@cli.command()
@settings_options(*(each.name for each in fields(Settings)))
def serve(**options: Any) -> None:
    """Serve the API until Ctrl-C.

    \b
    Examples:
      cnx-mock serve --port 8080
      cnx-mock serve --scenario insufficient-credits
      cnx-mock serve --tls                 HTTPS too; see `cnx-mock ca install-hint`
      cnx-mock serve --json --quiet        one JSON line when ready
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # nothing to tidy up yet; an exception could end in some C library
        signal.signal(number, lambda *_: os._exit(0))
    try:
        settings = Settings(**options)
    except SettingsError as error:
        refuse(str(error))
    from cnx_mock.cli.serve import serve_forever

    usable(lambda: serve_forever(settings))


@cli.command()
def routes() -> None:
    """List every endpoint: method, path, operation, scope, and how well founded it is."""
    from cnx_mock.services import operations

    rows: list[tuple[str, ...]] = [("METHOD", "PATH", "OPERATION", "SCOPE", "PROVENANCE")]
    rows += [(o.method, o.path, o.name, o.scope or "-", o.provenance.kind) for o in operations()]
    for row in rows:
        click.echo("  ".join(f"{cell:{width}}" for cell, width in zip(row, _widths(rows), strict=True)).rstrip())


@cli.command()
def readings() -> None:
    """List the reference's ambiguities: each reading, its words, its options (the default first), and why.

    \b
    Examples:
      cnx-mock serve --reading delete-answer=204 --reading list-envelope=bare
    """
    from cnx_mock.api.readings import READINGS

    for each in READINGS:
        click.echo(f"{each.name}: {', '.join(each.options)}\n    {each.words}\n    {each.why}")


@cli.command()
@click.option("--surface", type=click.Choice(["documented", "named", "all"]), default="all", show_default=True)
@click.option("--reading", "chosen", multiple=True, metavar="NAME=VALUE", help="What an ambiguous sentence means.")
def openapi(surface: Literal["documented", "named", "all"], chosen: tuple[str, ...]) -> None:
    """Print the OpenAPI document."""
    import orjson

    from cnx_mock.api.openapi import document
    from cnx_mock.api.readings import in_force, parsed
    from cnx_mock.api.surface import served
    from cnx_mock.services import operations

    readings = usable(lambda: in_force(parsed(chosen)))
    found = document(served(operations(), surface), readings, surface)
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script.

    \b
    Examples:
      source <(cnx-mock completion bash)
      cnx-mock completion fish > ~/.config/fish/completions/cnx-mock.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, "click has all three"
    click.echo(kind(cli, {}, "cnx-mock", "_CNX_MOCK_COMPLETE").source())


def _widths(rows: list[tuple[str, ...]]) -> list[int]:
    return [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
