"""The report of a run: JSON, or one HTML page with the calls on a time axis, the faults, and what was left."""

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

import orjson

from cnx_mock.sweep.journal import length, shown_calls
from cnx_mock.sweep.report.templates import rendered


def json_page(document: Mapping[str, Any]) -> bytes:
    """Return the report as JSON."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def html_page(document: Mapping[str, Any]) -> bytes:
    """Return the report as a page, made from the same data."""
    calls = shown_calls(document["journal"], document["requests_before_second_run"] or None)
    code = _code_of
    findings = [(key, list(group)) for key, group in groupby(sorted(document["findings"], key=code), key=code)]
    return rendered(
        "run.html.j2",
        run=document,
        command=" ".join(document["command"]),
        summary=document["summary"],
        calls=calls,
        total=length(calls),
        findings=findings,
    )


def _code_of(finding: Mapping[str, Any]) -> str:
    return str(finding["code"])


FORMS: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {
    ".html": html_page,
    ".htm": html_page,
    ".json": json_page,
    "": json_page,
}
"""Reports by the end of their file's name."""
