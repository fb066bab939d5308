"""The matrix as text for a terminal: readable without colour, in blocks of columns that fit its width."""

from collections import Counter
from collections.abc import Iterator, Sequence

from cnx_mock.sweep.plan import SweepFault
from cnx_mock.sweep.report.matrix import ABBREVIATIONS, NOT_INJECTED, PENDING, Matrix, abbreviation, counts, matrix
from cnx_mock.sweep.results import CellResult, SweepResults
from cnx_mock.sweep.verdict import FAILING, GOOD, Verdict

_COLOURS: dict[str, str] = {
    **{ABBREVIATIONS[verdict]: "1;31" for verdict in FAILING},
    ABBREVIATIONS["hammered"]: "33",
    ABBREVIATIONS["doubled"]: "36",
    ABBREVIATIONS["failed cleanly"]: "36",
    ABBREVIATIONS["recovered"]: "32",
    ABBREVIATIONS["serial"]: "32",
    ABBREVIATIONS["survived"]: "32",
    NOT_INJECTED: "2",
    PENDING: "2",
}
"""The parameters of the terminal's SGR sequence (ECMA-48, 8.3.117) by the text of a cell."""
_GAP = "  "
_LONGEST = 44
"""Characters of a call's title in the first column."""


def painted(text: str, colour: str, wanted: bool) -> str:
    """Return the text in a colour, which is given as SGR parameters; unchanged unless `wanted`."""
    return f"\x1b[{colour}m{text}\x1b[0m" if wanted and colour else text


def lines(sweep: SweepResults, width: int, colour: bool) -> Iterator[str]:
    """Yield the lines of the matrix with the results so far. `width` is in columns."""
    table = matrix(sweep)
    titles = [call.title if len(call.title) <= _LONGEST else f"{call.title[: _LONGEST - 1]}…" for call in table.calls]
    first = max(map(len, titles), default=0)
    for index, faults in enumerate(_blocks(table.faults, width - first)):
        if index:
            yield ""
        yield from _block(sweep, table, faults, titles, first, colour)


def _blocks(faults: Sequence[SweepFault], room: int) -> Iterator[list[SweepFault]]:
    """Yield as many faults at a time as fit into the room beside the titles."""
    block: list[SweepFault] = []
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
    sweep: SweepResults,
    table: Matrix,
    faults: Sequence[SweepFault],
    titles: Sequence[str],
    first: int,
    colour: bool,
) -> Iterator[str]:
    for part in (0, 1):
        heads = [_head(fault)[part].ljust(_width(fault)) for fault in faults]
        if any(map(str.strip, heads)):
            yield (" " * first + _GAP + _GAP.join(heads)).rstrip()
    for title, call in zip(titles, table.calls, strict=True):
        row = title.ljust(first)
        for fault in faults:
            cell = table.cell(call, fault)
            text = "" if cell is None else abbreviation(sweep.results.get(cell.name))
            row += _GAP + painted(text, _COLOURS.get(text, ""), colour) + " " * (_width(fault) - len(text))
        yield row.rstrip()


def _head(fault: SweepFault) -> tuple[str, str]:
    """Return the two lines above a column; a short name is on the lower one."""
    one, _, two = fault.name.partition("-")
    return (f"{one}-", two) if two else ("", one)


def _width(fault: SweepFault) -> int:
    return max(4, *map(len, _head(fault)))


def legend(sweep: SweepResults) -> str:
    """Return what the abbreviations mean that occur in the matrix."""
    results = list(sweep.results.values())
    meanings = [
        f"{ABBREVIATIONS[verdict]} {verdict}" for verdict in counts(results) if ABBREVIATIONS[verdict] != verdict
    ]
    if any(abbreviation(result) == NOT_INJECTED for result in results):
        raced = any(result.why_not for result in results)
        meanings.append(f"{NOT_INJECTED} {'no verdict' if raced else 'the fault was never injected'}")
    return " · ".join(reversed(meanings))


def totals(results: Sequence[CellResult], colour: bool) -> str:
    """Return how many cells have each verdict: `3 leaked, 12 failed cleanly, 20 survived`."""
    found = [painted(f"{n} {verdict}", colour_of(verdict), colour) for verdict, n in counts(results).items()]
    reasons = Counter(result.why_not.partition(":")[0] for result in results if result.why_not)
    return ", ".join([*found, *(f"{n} {reason}" for reason, n in reasons.items())])


def colour_of(verdict: Verdict) -> str:
    """Return the SGR parameters for a verdict in running text; an empty text for the good ones."""
    return "" if verdict in GOOD else _COLOURS[ABBREVIATIONS[verdict]]
