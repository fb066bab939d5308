"""`cnx-mock fixtures`: the worlds that come with the package, and your own files."""

import click

from cnx_mock.cli import completions
from cnx_mock.cli.lazy import Group
from cnx_mock.cli.output import print_table
from cnx_mock.cli.yaml_files import check, show
from cnx_mock.services.worlds import find, load, shipped_fixtures
from cnx_mock.text.plural import counted


@click.group(cls=Group)
def fixtures() -> None:
    """List, show and check fixtures: worlds to start from."""


@fixtures.command("list")
def list_fixtures() -> None:
    """List the fixtures that come with the package."""
    print_table([(name, load(name).description) for name in shipped_fixtures()])


@fixtures.command("show")
@click.argument("name", metavar="NAME|PATH", shell_complete=completions.fixtures)
def show_fixture(name: str) -> None:
    """Print a fixture's file."""
    show(find(name))


@fixtures.command("check")
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...", shell_complete=completions.fixtures)
def check_fixtures(names: tuple[str, ...]) -> None:
    """Report every error in fixture files.

    Without names, the fixtures of the package are checked. The exit status is 2 if anything is wrong.
    """
    check(names or shipped_fixtures(), lambda name: counted(len(load(name).document.accounts), "account"))
