"""`cnx-mock scenarios` and `cnx-mock fixtures`: what comes with the package, and files of one's own."""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import click

from cnx_mock.faces.refusal import BAD, complaint, usable


@click.group()
def scenarios() -> None:
    """The gallery of failure stories, and files of your own."""


@click.group()
def fixtures() -> None:
    """Worlds to start from, and files of your own."""


@scenarios.command("list")
def list_scenarios() -> None:
    """List the gallery."""
    from cnx_mock.scenario.gallery import gallery

    _list((name, _scenario(name)) for name in gallery())


@fixtures.command("list")
def list_fixtures() -> None:
    """List the fixtures that come with the package."""
    from cnx_mock.services.fixtures import load, shipped_fixtures

    _list((name, load(name)) for name in shipped_fixtures())


@scenarios.command("show")
@click.argument("name")
def show_scenario(name: str) -> None:
    """Print a scenario's file."""
    from cnx_mock.scenario.gallery import find

    _show(lambda: find(name))


@fixtures.command("show")
@click.argument("name")
def show_fixture(name: str) -> None:
    """Print a fixture's file."""
    from cnx_mock.services.fixtures import find

    _show(lambda: find(name))


@scenarios.command("check")
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...")
def check_scenarios(names: tuple[str, ...]) -> None:
    """Say everything that is wrong with scenario files; without any, with the gallery's. Exit status 2 if anything
    is."""
    from cnx_mock.scenario.gallery import gallery

    _check(names or gallery(), lambda name: _count(len(_scenario(name).rules), "rule"))


@fixtures.command("check")
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...")
def check_fixtures(names: tuple[str, ...]) -> None:
    """Say everything that is wrong with fixture files; without any, with the package's. Exit status 2 if anything
    is."""
    from cnx_mock.services.fixtures import load, shipped_fixtures

    _check(names or shipped_fixtures(), lambda name: _count(len(load(name).document.accounts), "account"))


def _scenario(name: str) -> Any:
    from cnx_mock.scenario.gallery import load
    from cnx_mock.services import operations

    return load(name, operations())


def _list(items: Iterable[tuple[str, Any]]) -> None:
    rows = list(items)
    width = max(len(name) for name, _ in rows)
    for name, item in rows:
        click.echo(f"{name:{width}}  {item.description}")


def _show(find: Callable[[], Any]) -> None:
    from cnx_mock.text.source import read_file

    click.echo(usable(lambda: read_file(find()).text), nl=False)


def _check(names: Iterable[str], look: Callable[[str], str]) -> None:
    bad = False
    for name in names:
        seen, wrong = complaint(partial(look, name))
        bad = bad or wrong is not None
        click.echo(wrong or f"{name}: good ({seen})", err=wrong is not None)
    if bad:
        sys.exit(BAD)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
