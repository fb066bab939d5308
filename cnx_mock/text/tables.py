"""Tables in Markdown, as the README and the documentation show them."""

from collections.abc import Iterable, Sequence


def markdown_table(rows: Iterable[Sequence[str]]) -> str:
    """Return the rows as a Markdown table, without a newline at its end; the first row is its head.

    Cells are taken as they are: a pipe inside a cell must be escaped by the caller.
    """
    head, *body = rows
    return "\n".join([_line(head), "|" + "---|" * len(head), *map(_line, body)])


def _line(cells: Sequence[str]) -> str:
    """Return one row. An empty cell is one space wide, as people write it."""
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)
