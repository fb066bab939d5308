"""`cnx-mock fixtures`: worlds that come with the package, and files of one's own."""

import click

from cnx_mock.cli.yaml_files import check, counted, list_all, show


@click.group()
def fixtures() -> None:
    """Worlds to start from, and files of your own."""


@fixtures.command("list")
def list_fixtures() -> None:
    """List the fixtures that come with the package."""
    from cnx_mock.services.worlds import load, shipped_fixtures

    list_all((name, load(name)) for name in shipped_fixtures())


@fixtures.command("show")
@click.argument("name")
def show_fixture(name: str) -> None:
    """Print a fixture's file."""
    from cnx_mock.services.worlds import find

    show(lambda: find(name))


@fixtures.command("check")
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...")
def check_fixtures(names: tuple[str, ...]) -> None:
    """Say everything that is wrong with fixture files; without any, with the package's. Exit status 2 if anything
    is."""
    from cnx_mock.services.worlds import load, shipped_fixtures

    check(names or shipped_fixtures(), lambda name: counted(len(load(name).document.accounts), "account"))
