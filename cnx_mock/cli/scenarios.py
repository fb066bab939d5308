"""`cnx-mock scenarios`: the gallery, and files of one's own from the first line to the last."""

import asyncio
from pathlib import Path
from typing import Any

import click

from cnx_mock.cli.errors import refuse, usable
from cnx_mock.cli.yaml_files import check, counted, list_all, show


@click.group()
def scenarios() -> None:
    """The gallery of failure stories, and files of your own."""


@scenarios.command("list")
def list_scenarios() -> None:
    """List the gallery."""
    from cnx_mock.scenario.gallery import gallery, load
    from cnx_mock.services import operations

    known = operations()
    list_all((name, load(name, known)) for name in gallery())


@scenarios.command("show")
@click.argument("name")
def show_scenario(name: str) -> None:
    """Print a scenario's file."""
    from cnx_mock.scenario.gallery import find

    show(lambda: find(name))


@scenarios.command("check")
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...")
def check_scenarios(names: tuple[str, ...]) -> None:
    """Say everything that is wrong with scenario files, and what in them can never happen; without any, with the
    gallery's. Exit status 2 if anything is."""
    from cnx_mock.scenario.gallery import gallery, linted
    from cnx_mock.services import operations
    from cnx_mock.services.worlds import load

    known = operations()

    def look(name: str) -> str:
        scenario, lint = linted(name, known)
        if lint is not None:
            raise lint
        if scenario.world.fixture is not None:
            load(scenario.world.fixture)
        return counted(len(scenario.rules), "rule")

    check(names or gallery(), look)


@scenarios.command("new")
@click.argument("name")
def new(name: str) -> None:
    """Write ./NAME.yaml, a story to begin with; never over a file.

    \b
    Examples:
      cnx-mock scenarios new friday
    """
    from cnx_mock.scenario.template import template

    stem = name.removesuffix(".yaml").removesuffix(".yml")
    text = usable(lambda: template(stem))
    path = Path(f"{stem}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        refuse(f"{path} exists; choose another name, or move it away")
    except OSError as error:
        refuse(f"{path}: {error.strerror}")
    click.echo(f"wrote {path}\n  cnx-mock scenarios check {path}\n  cnx-mock serve --scenario {path}")


@scenarios.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of scenario files, for completion and hover in an editor.

    \b
    Examples:
      cnx-mock scenarios schema > cnx-scenario.schema.json
      and at the head of a file:  # yaml-language-server: $schema=cnx-scenario.schema.json
    """
    import orjson

    from cnx_mock.scenario.json_schema import schema
    from cnx_mock.services import operations

    click.echo(orjson.dumps(schema(operations()), option=orjson.OPT_INDENT_2).decode())


@scenarios.command("explain")
@click.argument("name", metavar="NAME|PATH")
@click.option("--request", required=True, metavar="TEXT", help="Method, path and body: 'POST /v1/instances {…}'.")
@click.option("--header", "headers", multiple=True, metavar="NAME: VALUE", help="A header of the request.")
@click.option("-n", "count", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many such requests.")
@click.option("--age", default="0s", show_default=True, metavar="DURATION", help="How old the sandbox is at the first.")
@click.option("--every", default="0s", show_default=True, metavar="DURATION", help="Time from one to the next.")
@click.option("--seed", default="0", show_default=True, metavar="N", help="Seed of everything drawn by chance.")
def explain(name: str, headers: tuple[str, ...], **options: Any) -> None:
    """Say what would become of the next requests under a scenario, rule by rule. Nothing waits, and no server is
    needed.

    \b
    Examples:
      cnx-mock scenarios explain lost-response -n 2 --request 'DELETE /v1/instances/inst_0000000000000000'
      cnx-mock scenarios explain brownout --age 45s --every 10s -n 5 --request 'GET /v1/instances'
    """
    from cnx_mock.cli.explain import Request, explained

    request = usable(lambda: Request.parsed(options["request"], headers))
    timing = (options["count"], options["age"], options["every"], options["seed"])
    for line in usable(lambda: asyncio.run(explained(name, request, *timing))):
        click.echo(line)
