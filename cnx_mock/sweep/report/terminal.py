"""The matrix for a terminal, readable without colour, in blocks that fit its width."""

from collections.abc import Iterator, Sequence

from cnx_mock.sweep.plan import Fault
from cnx_mock.sweep.report.matrix import TO_COME, UNSTRUCK, WORDS, Matrix, counts, matrix, word
from cnx_mock.sweep.results import Result, Swept
from cnx_mock.sweep.verdict import FAILING, GOOD, Verdict

_COLOURS: dict[str, str] = {
    **{WORDS[verdict]: "1;31" for verdict in FAILING},
    WORDS["hammered"]: "33",
    WORDS["failed cleanly"]: "36",
    WORDS["survived"]: "32",
    UNSTRUCK: "2",
    TO_COME: "2",
}
"""By the word in the matrix: the parameters of the terminal's SGR sequence."""
_GAP = "  "
_LONGEST = 44
"""Of a call's title in the first column."""


def painted(text: str, colour: str, wanted: bool) -> str:
    """The text in a colour."""
    return f"\x1b[{colour}m{text}\x1b[0m" if wanted and colour else text


def lines(sweep: Swept, width: int, colour: bool) -> Iterator[str]:
    """The matrix, as far as it is known."""
    table = matrix(sweep)
    titles = [call.title if len(call.title) <= _LONGEST else f"{call.title[: _LONGEST - 1]}…" for call in table.calls]
    first = max(map(len, titles), default=0)
    for index, faults in enumerate(_blocks(table.faults, width - first)):
        if index:
            yield ""
        yield from _block(sweep, table, faults, titles, first, colour)


def _blocks(faults: Sequence[Fault], room: int) -> Iterator[list[Fault]]:
    """The columns, as many at a time as fit."""
    block: list[Fault] = []
    used = 0
    for fault in faults:
        used += _width(fault) + len(_GAP)
        if block and used > room:
            yield block
            block, used = [], _width(fault) + len(_GAP)
        block.append(fault)
    if block:
        yield block


def _block(
    sweep: Swept, table: Matrix, faults: Sequence[Fault], titles: Sequence[str], first: int, colour: bool
) -> Iterator[str]:
    for part in (0, 1):
        heads = [_head(fault)[part].ljust(_width(fault)) for fault in faults]
        if any(map(str.strip, heads)):
            yield (" " * first + _GAP + _GAP.join(heads)).rstrip()
    for title, call in zip(titles, table.calls, strict=True):
        row = title.ljust(first)
        for fault in faults:
            cell = table.cell(call, fault)
            text = "" if cell is None else word(sweep.results.get(cell.name))
            row += _GAP + painted(text, _COLOURS.get(text, ""), colour) + " " * (_width(fault) - len(text))
        yield row.rstrip()


def _head(fault: Fault) -> tuple[str, str]:
    """A column's head on two lines, the name standing at the bottom."""
    one, _, two = fault.name.partition("-")
    return (f"{one}-", two) if two else ("", one)


def _width(fault: Fault) -> int:
    return max(4, *map(len, _head(fault)))


def legend(sweep: Swept) -> str:
    """What the words of the matrix mean, those that occur."""
    results = list(sweep.results.values())
    said = [f"{WORDS[verdict]} {verdict}" for verdict in counts(results) if WORDS[verdict] != verdict]
    if any(word(result) == UNSTRUCK for result in results):
        said.append(f"{UNSTRUCK} the fault never struck")
    return " · ".join(reversed(said))


def totals(results: Sequence[Result], colour: bool) -> str:
    """How many runs had each verdict: `3 leaked, 12 failed cleanly, 20 survived`."""
    return ", ".join(painted(f"{n} {verdict}", colour_of(verdict), colour) for verdict, n in counts(results).items())


def colour_of(verdict: Verdict) -> str:
    """A verdict's colour; none for the good ones in running text."""
    return "" if verdict in GOOD else _COLOURS[WORDS[verdict]]
