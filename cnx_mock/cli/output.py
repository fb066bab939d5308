"""Tables and paragraphs on stdout: fitted to its width by rich on a terminal, plain text elsewhere."""

import sys
from collections.abc import Sequence

import click

from cnx_mock.cli.terminal import is_live, shown


def print_table(rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> None:
    """Print rows in aligned columns. On a terminal a cell that is too wide goes on in the next line."""
    cells = [[shown(cell) for cell in row] for row in ([head] if head else []) + list(rows)]
    if is_live(sys.stdout):
        from cnx_mock.cli import rich_output  # lazy: rich is slow to import, and only a terminal needs it

        rich_output.print_table(cells, sys.stdout, has_head=bool(head))
        return
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def print_wrapped(text: str) -> None:
    """Print lines. On a terminal they are wrapped at its width under their own indent, those without indent bold."""
    if is_live(sys.stdout):
        from cnx_mock.cli import rich_output  # lazy: as for tables, rich is slow to import

        rich_output.print_wrapped(shown(text), sys.stdout)
        return
    click.echo(shown(text))
