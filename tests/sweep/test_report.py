"""The reports of a sweep, without a sweep: matrix, JSON, HTML and JUnit, also with names that try to break them."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from cnx_mock.errors import BaselineError
from cnx_mock.sweep.journal import MOST_CALLS, shown_calls
from cnx_mock.sweep.report import terminal
from cnx_mock.sweep.report.html import html_report
from cnx_mock.sweep.report.json import Baseline, SweepReport, json_report, read_baseline
from cnx_mock.sweep.report.junit import junit_report
from cnx_mock.sweep.reproduction import write_scenario
from cnx_mock.text.control_characters import visible
from tests.cases import cases
from tests.sweep.builders import CREATE, PLANS, cells, report, resource, result

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; </style></title></code></pre><b>",
    "&lt;script&gt; &amp; ]]>",
    "{{ 7 * 7 }} {% raw %}",
    "a\x00b\x1b[31m\x07\ud800\ufffe",
    "`code` and ` more",
    "{malformed | yaml: [\n- \r\t#",
]
ERROR, RESET, PLANS_ERROR, PLANS_RESET = cells(CREATE, PLANS)


def hostile(name: str) -> SweepReport:
    """A report with a hostile name in the command, the resource, the output and the line."""
    left = result(ERROR, "leaked", left=[resource(name)], status=1, output=name)
    hammered = result(RESET, "hammered", hammering=[name])
    return report(left, hammered, command=("deploy", name))


class Page(HTMLParser):
    """The tags of a page and the text in it, as a browser understands them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


# ---- HTML


def page_of(report: SweepReport) -> str:
    return html_report(report).decode()


def test_a_page_says_what_went_wrong_and_how_to_see_it_again() -> None:
    left = result(ERROR, "leaked", left=[resource("web-1")], status=1)
    page = Page(page_of(report(left, result(RESET), result(PLANS_ERROR, "failed cleanly"), left_out=3)))
    text = " ".join(page.text.split())
    assert "1 bad cell in 3 runs: 1 leaked, 1 failed cleanly, 1 survived. 3 more were left out." in text
    assert "leaked: POST /v1/instances #1, INTERNAL_ERROR before effect: your client failed" in text
    assert "cnx-mock run -- deploy" in text
    assert page.tags.count("tr") == 3
    assert '<td class="leaked" title="leaked: your client failed' in page_of(report(left))


ENTRY = {
    "method": "POST",
    "path": "/v1/instances",
    "query": "",
    "status": None,
    "wall": "2026-01-01T00:00:00.000Z",
    "duration_ms": 2.0,
    "delayed_ms": 0.0,
    "committed": True,
    "created_id": "inst_1",
    "faults": [{"rule": "sweep", "fault": "connection=reset"}],
}
AGAIN = {**ENTRY, "status": 201, "wall": "2026-01-01T00:00:00.250Z", "created_id": "inst_2", "faults": []}


def test_behind_a_cell_are_its_calls_beside_those_without_a_fault() -> None:
    left = result(RESET, "duplicated", left=[resource("web-1")] * 2, journal=shown_calls([ENTRY, AGAIN]))
    swept = report(left)
    swept.sweep.fault_free_journal = shown_calls([AGAIN])
    page = page_of(swept)
    assert '<a class="duplicated" href="#instances.create-1-reset">DUPL</a>' in page
    words = " ".join(Page(page).text.split())
    assert "1 POST /v1/instances connection=reset created inst_1, and the answer was lost – 0" in words
    assert "2 POST /v1/instances created inst_2 201 250" in words
    assert "Without a fault #callanswerat mstime 1 POST /v1/instances created inst_2 201 0" in words


def test_where_a_second_run_begins_is_marked() -> None:
    left = result(RESET, "duplicated", journal=shown_calls([ENTRY, AGAIN], 1))
    assert page_of(report(left)).count("the second run begins") == 1
    assert [each.second_run for each in left.journal] == [False, True]


def test_of_a_long_run_the_first_calls_are_shown() -> None:
    assert len(shown_calls([ENTRY] * (MOST_CALLS + 1))) == MOST_CALLS
    assert f"The first {MOST_CALLS} calls." in page_of(report(result(RESET, journal=shown_calls([ENTRY] * 300))))


def test_a_page_without_a_bad_cell_says_so() -> None:
    page = Page(page_of(report(result(ERROR))))
    assert "No bad cells in 1 run: 1 survived." in " ".join(page.text.split())
    assert "ol" not in page.tags


def test_accepted_and_pending_cells_are_marked() -> None:
    left = result(ERROR, "leaked", left=[resource("web-1")], status=1)
    known: Baseline = {(("instances.create", 1, "error"),): "leaked"}
    page = page_of(report(left, planned=[ERROR, RESET], baseline=known))
    assert 'class="leaked accepted"' in page
    assert "leaked</strong> (known):" in page
    assert "<td>…</td>" in page


@cases("name", HOSTILE)
def test_no_name_becomes_part_of_the_page(name: str) -> None:
    plain, page = Page(page_of(hostile("web-1"))), page_of(hostile(name))
    found = Page(page)
    assert [tag for tag in found.tags if tag != "code"] == [tag for tag in plain.tags if tag != "code"]
    assert found.attributes == plain.attributes
    assert "49" not in found.text
    assert not re.search("[\x00-\x08\x0e-\x1f\ud800-\udfff]", page)
    shown = visible(name.replace("\r", "\n")).split()
    assert all(word.strip("`") in found.text for word in shown)


@pytest.mark.parametrize("write", [html_report, junit_report])
def test_no_report_contains_a_control_character(write: Callable[[SweepReport], bytes]) -> None:
    text = write(hostile("\x1b]0;owned\x07 \x9b31m \x7f \u202egnp\u2066 \u2028")).decode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text)
    assert r"\u202egnp" in text


# ---- JUnit


@cases("name", HOSTILE)
def test_no_name_breaks_the_xml(name: str) -> None:
    root = ElementTree.fromstring(junit_report(hostile(name)))
    assert [each.tag for each in root.iter()] == [
        *("testsuites", "testsuite", "testcase", "failure"),
        *("testcase", "system-out"),
    ]
    failure = next(root.iter("failure"))
    assert visible(name.replace("\r", "\n")) in str(failure.text).replace("\r", "\n")


def test_a_test_case_names_its_call_and_fault() -> None:
    [*_, pair] = cells(CREATE, PLANS, pairs=True)
    root = ElementTree.fromstring(junit_report(report(result(ERROR, "lost"), result(pair))))
    suite = next(root.iter("testsuite"))
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "2",
        "failures": "1",
        "skipped": "0",
    }
    assert [(each.get("classname"), each.get("name")) for each in root.iter("testcase")] == [
        ("instances.create #1", "error"),
        ("instances.create #1", "reset; plans.list #1 reset"),
    ]


# ---- JSON and the baseline


@cases("name", HOSTILE)
def test_no_name_breaks_the_json(name: str) -> None:
    document = json.loads(json_report(hostile(name)).decode())
    assert document["command"] == ["deploy", name]
    assert name in document["cells"][0]["message"]


def test_an_earlier_report_accepts_its_bad_cells_and_no_others() -> None:
    [*_, pair] = cells(CREATE, PLANS, pairs=True)
    first = report(result(ERROR, "leaked"), result(pair, "lost"))
    baseline = read_baseline(first.document())
    again = report(result(ERROR, "lost"), result(RESET, "leaked"), result(pair, "lost"), baseline=baseline)
    assert [(again.accepted(each), again.fails(each)) for each in again.results] == [
        (False, True),
        (False, True),
        (True, False),
    ]


@cases("document", [None, [], {}, {"cells": [{}]}, {"cells": [{"operation": "x", "ordinal": "y"}]}])
def test_what_is_not_a_report_is_not_a_baseline(document: object) -> None:
    with pytest.raises(BaselineError, match="this is not a JSON report of a sweep"):
        read_baseline(document)


# ---- the terminal


def test_the_matrix_fits_its_width() -> None:
    done = report(result(ERROR), result(RESET, "leaked"), planned=[ERROR, RESET, PLANS_ERROR]).sweep
    assert list(terminal.lines(done, 80, False)) == [
        "                       error  reset",
        "POST /v1/instances #1  ok     LEAK",
        "GET /v1/plans #1       …",
    ]
    assert list(terminal.lines(done, 29, False)) == [
        "                       error",
        "POST /v1/instances #1  ok",
        "GET /v1/plans #1       …",
        "",
        "                       reset",
        "POST /v1/instances #1  LEAK",
        "GET /v1/plans #1",
    ]
    assert terminal.legend(done) == "ok survived · LEAK leaked"
    assert terminal.totals(list(done.results.values()), False) == "1 leaked, 1 survived"


def test_a_fault_that_was_never_injected_is_marked() -> None:
    done = report(result(ERROR, fired=False)).sweep
    assert list(terminal.lines(done, 80, False))[-1] == "POST /v1/instances #1  -"
    assert terminal.legend(done) == "- the fault was never injected · ok survived"


def test_colours_are_those_of_the_verdict() -> None:
    done = report(result(ERROR, "leaked")).sweep
    assert list(terminal.lines(done, 80, True))[-1] == "POST /v1/instances #1  \x1b[1;31mLEAK\x1b[0m"


# ---- scenario files


@cases("name", HOSTILE)
def test_no_name_breaks_a_scenario_file(name: str, tmp_path: Path) -> None:
    write_scenario(tmp_path / "made" / "cell.yaml", [name, "second"], ERROR.document())
    text = (tmp_path / "made" / "cell.yaml").read_text()
    assert yaml.safe_load(text) == ERROR.document()
    assert text.splitlines()[1] == "# second"
