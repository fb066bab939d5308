"""The report of a sweep as one HTML page: the matrix, the findings by cause, and behind each cell its journal."""

from cnx_mock.sweep.causes import Cause
from cnx_mock.sweep.explanation import reason, what_happened
from cnx_mock.sweep.report.json import SweepReport
from cnx_mock.sweep.report.matrix import abbreviation, counts, matrix
from cnx_mock.sweep.report.templates import rendered
from cnx_mock.sweep.verdict import GOOD, SURVIVING


def html_report(report: SweepReport) -> bytes:
    """Return the page as UTF-8."""
    results = report.results
    return rendered(
        "sweep.html.j2",
        report=report,
        sweep=report.sweep,
        results=results,
        command=" ".join(report.sweep.config.command),
        failed=sum(map(report.fails, results)),
        counts=counts(results),
        matrix=matrix(report.sweep),
        sections=_sections(report),
        abbreviation=abbreviation,
        reason=reason,
        what_happened=what_happened,
        unharmed=SURVIVING,
        good=GOOD,
    )


def _sections(report: SweepReport) -> list[tuple[str, list[Cause]]]:
    """Return the headings and the causes below them: those that make the sweep fail, and the others."""
    failing = [cause for cause in report.causes if report.makes_fail(cause)]
    others = [cause for cause in report.causes if not report.makes_fail(cause)]
    titles = ("What makes the sweep fail", "What does not make the sweep fail")
    return [(title, group) for title, group in zip(titles, (failing, others), strict=True) if group]
