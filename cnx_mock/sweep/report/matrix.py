"""The matrix of calls and faults, for every report that shows it."""

from collections import Counter
from collections.abc import Sequence

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.plan import Cell, SweepFault
from cnx_mock.sweep.results import CellResult, SweepResults
from cnx_mock.sweep.swept_call import SweptCall
from cnx_mock.sweep.verdict import SURVIVING, VERDICTS, Verdict

ABBREVIATIONS: dict[Verdict, str] = {
    "hung": "HUNG",
    "stuck": "STUC",
    "duplicated": "DUPL",
    "leaked": "LEAK",
    "lost": "LOST",
    "raced": "RACE",
    "misread": "MISR",
    "raised": "RAIS",
    "hammered": "HAMM",
    "doubled": "doub",
    "failed cleanly": "fail",
    "recovered": "reco",
    "serial": "ok",
    "survived": "ok",
}
"""The verdicts as the matrix shows them."""
NOT_INJECTED = "-"
"""A good cell whose fault was never injected."""
PENDING = "…"
"""A cell that has no result yet."""


@dataclass(frozen=True)
class Matrix:
    """Rows of calls and columns of faults. Cells with two faults are not in it."""

    calls: Sequence[SweptCall]
    faults: Sequence[SweepFault]
    cells: dict[tuple[str, int, str], Cell]

    def cell(self, call: SweptCall, fault: SweepFault) -> Cell | None:
        """Return the cell of a call and a fault; None if that fault does not apply to that call."""
        return self.cells.get((call.operation, call.ordinal, fault.name))


def matrix(sweep: SweepResults) -> Matrix:
    """Return the matrix of a sweep without empty rows and columns."""
    single = [cell for cell in sweep.cells if len(cell.injections) == 1]
    calls = {(cell.call.operation, cell.call.ordinal) for cell in single}
    names = {cell.fault.name for cell in single}
    return Matrix(
        [call for call in sweep.calls if (call.operation, call.ordinal) in calls],
        [fault for fault in sweep.options.faults if fault.name in names],
        {(cell.call.operation, cell.call.ordinal, cell.fault.name): cell for cell in single},
    )


def abbreviation(result: CellResult | None) -> str:
    """Return what the matrix shows for a result; None is a cell that has none yet."""
    if result is None:
        return PENDING
    return NOT_INJECTED if result.verdict in SURVIVING and not result.fired else ABBREVIATIONS[result.verdict]


def counts(results: Sequence[CellResult]) -> dict[Verdict, int]:
    """Return how many cells have each verdict, the worst verdict first."""
    found = Counter(result.verdict for result in results if not result.why_not)
    return {verdict: found[verdict] for verdict in VERDICTS if found[verdict]}


def bad_first(results: Sequence[CellResult]) -> list[CellResult]:
    """Return the results sorted by verdict, the worst first; results of one verdict stay in their order."""
    return sorted(results, key=lambda result: VERDICTS.index(result.verdict))
