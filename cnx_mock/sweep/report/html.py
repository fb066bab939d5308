"""The report of a sweep as one HTML page. It contains everything that it shows: it has no script and loads nothing.

The page is made from `sweep.html.j2`, by a template engine that escapes every value.
"""

import re
from typing import TYPE_CHECKING

from cnx_mock import __version__
from cnx_mock.sweep.causes import Cause
from cnx_mock.sweep.explanation import reason
from cnx_mock.sweep.report.characters import allowed
from cnx_mock.sweep.report.json import SweepReport
from cnx_mock.sweep.report.matrix import abbreviation, counts, matrix
from cnx_mock.sweep.verdict import UNHARMED
from cnx_mock.text.plural import counted

if TYPE_CHECKING:
    from jinja2 import Environment


def html_report(report: SweepReport) -> bytes:
    """Return the page as UTF-8."""
    results = report.results
    template = _environment().get_template("sweep.html.j2")
    page = template.render(
        report=report,
        sweep=report.sweep,
        results=results,
        command=" ".join(report.sweep.config.command),
        failed=sum(map(report.fails, results)),
        counts=counts(results),
        matrix=matrix(report.sweep),
        sections=_sections(report),
        version=__version__,
    )
    return page.encode()


def _sections(report: SweepReport) -> list[tuple[str, list[Cause]]]:
    """Return the headings and the causes below them: those that make the sweep fail, and the others."""
    failing = [cause for cause in report.causes if report.makes_fail(cause)]
    others = [cause for cause in report.causes if not report.makes_fail(cause)]
    titles = ("What makes the sweep fail", "What does not make the sweep fail")
    return [(title, group) for title, group in zip(titles, (failing, others), strict=True) if group]


def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # lazy: most sweeps write no HTML report

    environment = Environment(
        loader=PackageLoader("cnx_mock.sweep", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: allowed(value) if isinstance(value, str) else value,
    )
    environment.globals |= {
        "abbreviation": abbreviation,
        "parts": _parts,
        "reason": reason,
        "counted": counted,
        "unharmed": UNHARMED,
    }
    return environment


def _parts(text: str) -> list[str]:
    """Split a sentence at its code: every second part, from the second one on, stood between backticks."""
    return re.split("`([^`]+)`", text)
