"""The matrix, call by fault, for any form that shows it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cnx_mock.sweep.plan import Call, Cell, Fault
from cnx_mock.sweep.results import Result, Swept
from cnx_mock.sweep.verdict import VERDICTS, Verdict

WORDS: dict[Verdict, str] = {
    "hung": "HUNG",
    "duplicated": "DUPL",
    "leaked": "LEAK",
    "lost": "LOST",
    "raised": "RAIS",
    "hammered": "HAMM",
    "failed cleanly": "fail",
    "survived": "ok",
}
"""The verdicts as the matrix spells them."""
UNSTRUCK = "-"
"""A good cell whose fault never struck."""
TO_COME = "…"
"""A cell whose run is not over."""


@dataclass(frozen=True)
class Matrix:
    """Rows of calls, columns of faults; only single faults have a place in it."""

    calls: Sequence[Call]
    faults: Sequence[Fault]
    cells: dict[tuple[str, int, str], Cell]

    def cell(self, call: Call, fault: Fault) -> Cell | None:
        """The cell of a call and a fault; None where there is none."""
        return self.cells.get((call.operation, call.ordinal, fault.name))


def matrix(sweep: Swept) -> Matrix:
    """The matrix of a sweep, without rows and columns that are empty."""
    single = [cell for cell in sweep.cells if len(cell.strikes) == 1]
    calls = {(cell.call.operation, cell.call.ordinal) for cell in single}
    names = {cell.fault.name for cell in single}
    return Matrix(
        [call for call in sweep.calls if (call.operation, call.ordinal) in calls],
        [fault for fault in sweep.wish.faults if fault.name in names],
        {(cell.call.operation, cell.call.ordinal, cell.fault.name): cell for cell in single},
    )


def word(result: Result | None) -> str:
    """What stands in the matrix for a cell."""
    if result is None:
        return TO_COME
    return UNSTRUCK if result.verdict == "survived" and not result.fired else WORDS[result.verdict]


def counts(results: Sequence[Result]) -> dict[Verdict, int]:
    """How many cells have each verdict, the worst first."""
    found = Counter(result.verdict for result in results)
    return {verdict: found[verdict] for verdict in VERDICTS if found[verdict]}


def bad_first(results: Sequence[Result]) -> list[Result]:
    """The results by verdict, the worst first, else in their order."""
    return sorted(results, key=lambda result: VERDICTS.index(result.verdict))
