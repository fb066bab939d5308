"""Tables and paragraphs on stdout: fitted to its width by rich on a terminal, plain text elsewhere."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import click

from cnx_mock.cli.background_stream import BackgroundStream
from cnx_mock.cli.streams import settle
from cnx_mock.cli.terminal import columns, is_live, shown


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Print for a command whose exit status is a verdict: a reader that wants no more of it (`| head -1`) does not
    change the status. Raises OSError for a disk that is full."""
    with suppress(BrokenPipeError):
        yield


def print_result(text: str, *, complete: bool) -> None:
    """Print the results of many runs, after everything that is written to stderr about them. Raises OSError for a disk
    that is full.

    If a signal ended the runs, it also ends this: a stdout that takes nothing is not waited for.
    """
    settle()
    if complete:
        with reader_may_leave():
            click.echo(text, color=True)
        return
    stream = BackgroundStream(sys.stdout)
    stream.write(f"{text}\n")
    stream.drain()


def print_table(rows: Sequence[Sequence[str]], head: Sequence[str] = (), optional: Sequence[str] = ()) -> None:
    """Print rows in aligned columns. On a terminal a cell that is too wide continues in the next line.

    If there are `optional` columns, no word is broken on a narrow terminal. First these columns are left out, starting
    with the first. Then the last column is printed below the one before it.
    """
    cells = [[shown(cell) for cell in row] for row in ([head] if head else []) + list(rows)]
    if is_live(sys.stdout):
        from cnx_mock.cli import rich_output  # lazy: rich is slow to import, and only a terminal needs it

        if optional:
            cells = _narrowed(cells, optional, columns())
        rich_output.print_table(cells, sys.stdout, has_head=bool(head))
        return
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _narrowed(cells: list[list[str]], optional: Sequence[str], width: int) -> list[list[str]]:
    """Return the cells without as many of the optional columns as needed for this width; the first row is the head."""
    for name in optional:
        if _width(cells) <= width:
            return cells
        place = cells[0].index(shown(name))
        cells = [[cell for number, cell in enumerate(row) if number != place] for row in cells]
    if _width(cells) <= width:
        return cells
    return [[*(f"{cell}\n" for cell in row[:-2]), f"{row[-2]}\n  {row[-1]}"] for row in cells]


def _width(cells: list[list[str]]) -> int:
    """Return the columns of a terminal that a table takes, with two between two cells."""
    return sum(max(map(len, column)) + 2 for column in zip(*cells, strict=True)) - 2


def print_wrapped(text: str) -> None:
    """Print lines. On a terminal they are wrapped at its width under their own indent, those without indent bold."""
    if is_live(sys.stdout):
        from cnx_mock.cli import rich_output  # lazy: as for tables, rich is slow to import

        rich_output.print_wrapped(shown(text), sys.stdout)
        return
    click.echo(shown(text))
