"""`cnx-mock routes`, `readings` and `openapi`: what the mock serves, for people and for programs."""

from typing import Literal

import click
import orjson
import yaml

from cnx_mock.api.readings import READINGS, in_force, parsed
from cnx_mock.cli import completions
from cnx_mock.cli.output import print_table, print_wrapped
from cnx_mock.cli.param_types import DEFAULT_URL
from cnx_mock.errors import UsageError
from cnx_mock.http.reference import document
from cnx_mock.net.addresses import is_server_url
from cnx_mock.services import operations


@click.command()
def routes() -> None:
    """List every endpoint.

    The columns are the method, the path, the operation, the scope that a key needs, and the provenance: how much of the
    endpoint is in the API reference.
    """
    rows = [(o.method, o.path, o.name, o.scope or "-", o.provenance.kind) for o in operations()]
    print_table(rows, head=("METHOD", "PATH", "OPERATION", "SCOPE", "PROVENANCE"), optional=("PROVENANCE", "SCOPE"))


@click.command()
def readings() -> None:
    """List the ambiguities of the API reference and their possible readings.

    Each has a name and its options; the first option is the default. Below are the words of the reference, and the
    reason for the default.

    \b
    Examples:
      cnx-mock serve --reading delete-answer=204 --reading list-envelope=bare
    """
    for each in READINGS:
        print_wrapped(f"{each.name}: {', '.join(each.options)}\n    {each.words}\n    {each.why}")


def _server_urls(context: click.Context, param: click.Parameter, given: tuple[str, ...]) -> list[str]:
    """Return the URLs without a slash at the end. Raises UsageError for what is not the URL of a server."""
    for url in given:
        if url != "/" and not is_server_url(url):
            raise UsageError(f"--server: {url!r} is not the URL of a server: write one like {DEFAULT_URL}, or /")
    return [url if url == "/" else url.rstrip("/") for url in given]


@click.command()
@click.option(
    "--surface",
    type=click.Choice(["documented", "named", "all"]),
    default="all",
    show_default=True,
    help="Describe the four `documented` operations, also the `named` ones of the reference, or `all`.",
)
@click.option(
    "--reading",
    "chosen",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=completions.readings,
    help="Choose the meaning of an ambiguous sentence of the reference; may be repeated.",
)
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="URL",
    default=[DEFAULT_URL],
    show_default=True,
    callback=_server_urls,
    help="Name this server in the document; may be repeated, and clients use the first one.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "yaml"]),
    default="json",
    show_default=True,
    help="Print the document in this form.",
)
def openapi(
    surface: Literal["documented", "named", "all"], chosen: tuple[str, ...], servers: list[str], form: str
) -> None:
    """Print the OpenAPI document.

    \b
    Examples:
      cnx-mock openapi --server http://localhost:8080 > cloudnexus.json
      cnx-mock openapi --format yaml > cloudnexus.yaml
    """
    found = document(surface, in_force(parsed(chosen)), servers)
    text = orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
    if form == "yaml":
        plain = orjson.loads(text)  # without it, parts that are the same object would become anchors and aliases
        text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120).rstrip("\n")
    click.echo(text)
