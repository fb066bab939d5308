"""The report of a sweep as one HTML page. It contains everything that it shows: it has no script and loads nothing.

The page is made from `sweep.html.j2`, by a template engine that escapes every value.
"""

import re
from typing import TYPE_CHECKING

from cnx_mock import __version__
from cnx_mock.sweep.explanation import reason, sentence
from cnx_mock.sweep.report.characters import allowed
from cnx_mock.sweep.report.json import SweepReport
from cnx_mock.sweep.report.matrix import abbreviation, bad_first, counts, matrix
from cnx_mock.sweep.verdict import GOOD

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
        bad=[result for result in bad_first(results) if result.verdict not in GOOD],
        good=GOOD,
        version=__version__,
    )
    return page.encode()


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
    environment.globals |= {"abbreviation": abbreviation, "parts": _parts, "reason": reason, "sentence": sentence}
    return environment


def _parts(text: str) -> list[str]:
    """Split a sentence at its code: every second part, from the second one on, stood between backticks."""
    return re.split("`([^`]+)`", text)
