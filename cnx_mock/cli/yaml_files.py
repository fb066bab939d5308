"""What `cnx-mock scenarios` and `cnx-mock fixtures` have in common: they show and check files."""

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from cnx_mock.cli.errors import BAD_INPUT, error_text
from cnx_mock.cli.output import reader_may_leave
from cnx_mock.errors import CnxMockError
from cnx_mock.text.source import read_file


def show(path: Path) -> None:
    """Print a file as it is. Raises SourceError if it cannot be read."""
    click.echo(read_file(path).text, nl=False)


def check(names: Iterable[str], describe: Callable[[str], str]) -> None:
    """Print for each file whether it is good, and leave with status 2 if any is not.

    `describe` reads the file of a name and returns what is in it; what it raises is what is wrong with the file.
    """
    bad = False
    for name in names:
        try:
            line = f"{name}: good ({describe(name)})"
        except (CnxMockError, OSError) as error:
            click.echo(error_text(error), err=True)
            bad = True
        else:
            with reader_may_leave():
                click.echo(line)
    if bad:
        click.get_current_context().exit(BAD_INPUT)
