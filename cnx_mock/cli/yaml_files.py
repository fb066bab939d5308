"""What `cnx-mock scenarios` and `cnx-mock fixtures` have in common: list, show and check files."""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

from cnx_mock.cli.errors import BAD, complaint, usable


def list_all(items: Iterable[tuple[str, Any]]) -> None:
    """Print names with their descriptions."""
    rows = list(items)
    width = max(len(name) for name, _ in rows)
    for name, item in rows:
        click.echo(f"{name:{width}}  {item.description}")


def show(find: Callable[[], Path]) -> None:
    """Print a file as it is."""
    from cnx_mock.text.source import read_file

    click.echo(usable(lambda: read_file(find()).text), nl=False)


def check(names: Iterable[str], look: Callable[[str], str]) -> None:
    """Say of each whether it is good; end the program if any is not. `look` gives a word on a good one."""
    bad = False
    for name in names:
        seen, wrong = complaint(partial(look, name))
        bad = bad or wrong is not None
        click.echo(wrong or f"{name}: good ({seen})", err=wrong is not None)
    if bad:
        sys.exit(BAD)


def counted(number: int, noun: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
