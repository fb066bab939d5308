"""Tables, wrapped text and a drawing that changes in place, by rich. Imported only if the output is a terminal: rich
takes longer to import than most commands take to run."""

from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cnx_mock.cli.background_stream import BackgroundStream
from cnx_mock.cli.terminal import columns, in_locale, shown_line, wants_colour

_HANGING = 4
"""Columns by which the second line of a wrapped paragraph is indented, if its first is not."""


def console(stream: TextIO) -> Console:
    """Return rich's console for a stream: without colour and bold if the stream is not to be coloured."""
    return Console(
        file=stream,
        width=columns(),
        color_system="auto" if wants_colour(stream) else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def print_table(cells: Sequence[Sequence[str]], stream: TextIO, *, has_head: bool) -> None:
    """Print rows in columns; a cell that is too wide continues in the next line. The first row may be the head."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=has_head, header_style="bold")
    for number, title in enumerate(cells[0]):
        table.add_column(Text(title), overflow="fold", style="cyan" if number == 0 else "")
    for row in cells[1 if has_head else 0 :]:
        table.add_row(*map(Text, row))
    console(stream).print(table)


def print_wrapped(text: str, stream: TextIO) -> None:
    """Print lines, wrapped under their own indent; those without indent are bold."""
    wide = console(stream)
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        hanging = indent or _HANGING
        parts = Text(line.strip(), "" if indent else "bold").wrap(wide, wide.width - hanging, overflow="fold")
        for number, part in enumerate(parts):
            wide.print(Padding(part, (0, 0, 0, hanging if number or indent else 0)))


class _Drawing:
    """The way to stderr for what moves the cursor."""

    def __init__(self, stream: BackgroundStream) -> None:
        self._stream = stream
        self.write = stream.write_drawing
        self.flush = stream.flush
        self.isatty = stream.isatty
        self.fileno = stream.fileno
        self.encoding = stream.encoding


class LiveDrawing:
    """Lines that are drawn again in place, and removed at the end; other lines are printed above them."""

    def __init__(self, stream: TextIO) -> None:
        drawing: Any = _Drawing(stream) if isinstance(stream, BackgroundStream) else stream
        self._console = console(drawing)
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=False)

    def print(self, line: str) -> None:
        """Print a line above the drawing."""
        self._console.print(Text(shown_line(line)), soft_wrap=True)

    def draw(self, lines: Sequence[str]) -> None:
        """Draw these lines in the place of the last drawing. They are safe to show, and coloured by the terminal's own
        sequences."""
        self._live.start()
        self._live.update(Text.from_ansi(in_locale("\n".join(lines))), refresh=True)

    def close(self) -> None:
        """Remove the drawing."""
        self._live.stop()
