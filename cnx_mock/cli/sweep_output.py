"""How a sweep's results are shown on stdout: the matrix, the findings, and the totals."""

import sys
from collections.abc import Sequence

from cnx_mock.cli.output import print_result
from cnx_mock.cli.terminal import columns, in_locale, shown_line, wants_colour
from cnx_mock.sweep.report import terminal as text
from cnx_mock.sweep.report.json import SweepReport
from cnx_mock.text.plural import counted


def show(report: SweepReport, complete: bool, notes: Sequence[str] = ()) -> None:
    """Print the matrix, the bad cells, the notes, and the totals."""
    swept, results = report.sweep, report.results
    colour = wants_colour(sys.stdout)
    lines = [*text.lines(swept, columns(), colour), *([f"{text.legend(swept)}\n"] if results else [])]
    for cause in report.causes:
        verdict = text.painted(cause.verdict, text.colour_of(cause.verdict), colour)
        known = " (known)" if report.is_known(cause) else ""
        places = f"\n    in {shown_line(cause.places)}" if cause.places else ""
        reproduction = shown_line(report.reproduce(cause.clearest))
        lines.append(f"{verdict}{known}: {shown_line(cause.sentence)}{places}\n    {reproduction}")
    lines += [*notes, *_left_out(report)]
    totals = f": {text.totals(results, colour)}" if results else ""
    lines.append(f"{counted(len(results), 'run')}{totals}" if complete else _stopped(report, totals))
    print_result(in_locale("\n".join(lines)), complete=complete)


def _stopped(report: SweepReport, totals: str) -> str:
    """Return the last line of a sweep that a signal has ended."""
    planned, made = len(report.sweep.cells), len(report.results)
    if not planned:
        return "stopped before the runs with faults were planned; no report is written"
    return f"stopped after {made} of {counted(planned, 'run')}{totals}; no report is written"


def _left_out(report: SweepReport) -> list[str]:
    """Return what was not run, and how it would be."""
    swept = report.sweep
    notes = (
        (swept.alike, "of calls that are like others left out: --all-calls runs them"),
        (swept.left_out, "more left out by --max-runs"),
        (swept.unchanged, "not run again: their calls are those of the earlier report"),
    )
    return [f"{counted(number, 'cell')} {words}" for number, words in notes if number]
