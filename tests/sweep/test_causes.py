"""One defect, one paragraph: cells with the same cause are one finding."""

import json

from cnx_mock.sweep.causes import causes
from cnx_mock.sweep.report.html import html_report
from cnx_mock.sweep.state import ResourceState
from cnx_mock.sweep.swept_call import SweptCall
from tests.sweep.builders import CREATE, PLANS, cells, report, resource, result

ERROR_AFTER, OUTAGE, RESET_AFTER, HANG_AFTER = cells(
    CREATE, faults=["error-after", "outage", "reset-after", "hang-after"]
)
AGAIN = SweptCall(operation="plans.list", ordinal=2, method="GET", path="/v1/plans")
WEB, DB = resource("web-1"), resource("db-1")


def test_the_same_difference_after_calls_of_one_operation_has_one_cause() -> None:
    found = causes(
        [
            result(OUTAGE, "duplicated", left=[WEB, WEB]),
            result(RESET_AFTER, "duplicated", left=[WEB]),
            result(HANG_AFTER, "duplicated", left=[WEB], status=1),
        ]
    )
    assert [(each.verdict, each.places) for each in found] == [
        ("duplicated", "3 cells: #1 outage, reset-after, hang-after")
    ]
    assert found[0].clearest.cell is RESET_AFTER


def test_another_verdict_another_difference_and_another_operation_are_other_causes() -> None:
    [plans] = cells(PLANS, faults=["error"])
    found = causes(
        [
            result(ERROR_AFTER, "leaked", left=[WEB]),
            result(RESET_AFTER, "duplicated", left=[WEB]),
            result(HANG_AFTER, "duplicated", left=[DB]),
            result(plans, "leaked", left=[WEB]),
            result(OUTAGE, "survived"),
        ]
    )
    assert [each.verdict for each in found] == ["duplicated", "duplicated", "leaked", "leaked"]
    assert {each.places for each in found} == {""}


def test_hammering_has_one_cause_for_each_set_of_codes() -> None:
    one, two, three = cells(PLANS, AGAIN, faults=["error", "reset"])[:3]
    found = causes(
        [
            result(one, "hammered", hammering=["flat-backoff: #1 and #2"]),
            result(two, "hammered", hammering=["early-retry: #3"]),
            result(three, "hammered", hammering=["flat-backoff: #7 and #8"]),
        ]
    )
    assert [len(each.results) for each in found] == [2, 1]
    assert found[0].places == "2 cells: #1 error; #2 error"


def test_names_that_are_not_compared_do_not_matter() -> None:
    one, two = (ResourceState("instances", '{"plan": "pro"}', name) for name in ("web-a", "web-b"))
    assert len(causes([result(ERROR_AFTER, "leaked", left=[one]), result(RESET_AFTER, "leaked", left=[two])])) == 1


def test_the_json_has_the_findings_and_keeps_the_cells() -> None:
    document = report(
        result(ERROR_AFTER, "duplicated", left=[WEB]), result(RESET_AFTER, "duplicated", left=[WEB])
    ).document()
    assert [each["cells"] for each in document["findings"]] == [
        ["instances.create-1-error-after", "instances.create-1-reset-after"]
    ]
    assert [each["verdict"] for each in document["cells"]] == ["duplicated"] * 2
    assert json.dumps(document)


def test_the_page_counts_what_it_lists() -> None:
    [plans] = cells(PLANS, faults=["error"])
    page = html_report(
        report(
            result(ERROR_AFTER, "duplicated", left=[WEB]),
            result(RESET_AFTER, "duplicated", left=[WEB]),
            result(plans, "hammered", hammering=["flat-backoff: #1"]),
            result(HANG_AFTER, "failed cleanly", status=1),
        )
    ).decode()
    assert "<strong>2 bad cells</strong> in 4 runs" in page
    assert "What makes the sweep fail: 1 finding in 2 cells" in page
    assert "What does not make the sweep fail: 2 findings in 2 cells" in page
    assert page.count('<li class="card">') == 3
