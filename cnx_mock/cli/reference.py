"""`cnx-mock routes`, `readings` and `openapi`: what the mock serves, for people and for programs."""

from typing import Literal

import click
import orjson

from cnx_mock.api.openapi import document
from cnx_mock.api.readings import READINGS, in_force, parsed
from cnx_mock.api.surface import served
from cnx_mock.cli.output import print_table, print_wrapped
from cnx_mock.services import operations


@click.command()
def routes() -> None:
    """List every endpoint.

    The columns are its method, its path, its operation, the scope that a key needs for it, and its provenance: how
    much of it the API reference says.
    """
    rows = [(o.method, o.path, o.name, o.scope or "-", o.provenance.kind) for o in operations()]
    print_table(rows, head=("METHOD", "PATH", "OPERATION", "SCOPE", "PROVENANCE"), optional=("PROVENANCE", "SCOPE"))


@click.command()
def readings() -> None:
    """List the ambiguities of the API reference and their possible readings.

    Each has a name and options, of which the first is the default; then follow the words of the reference, and the
    reason for the default.

    \b
    Examples:
      cnx-mock serve --reading delete-answer=204 --reading list-envelope=bare
    """
    for each in READINGS:
        print_wrapped(f"{each.name}: {', '.join(each.options)}\n    {each.words}\n    {each.why}")


@click.command()
@click.option("--surface", type=click.Choice(["documented", "named", "all"]), default="all", show_default=True)
@click.option("--reading", "chosen", multiple=True, metavar="NAME=VALUE", help="What an ambiguous sentence means.")
def openapi(surface: Literal["documented", "named", "all"], chosen: tuple[str, ...]) -> None:
    """Print the OpenAPI document."""
    found = document(served(operations(), surface), in_force(parsed(chosen)), surface)
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
