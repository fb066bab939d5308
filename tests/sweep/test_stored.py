"""A JSON report that was changed, or is of another version: one sentence, whatever is wrong with it."""

import json
from typing import Any

import pytest

from cnx_mock.errors import BaselineError
from cnx_mock.sweep.journal import ShownCall
from cnx_mock.sweep.report.html import html_report
from cnx_mock.sweep.report.json import json_report
from cnx_mock.sweep.report.junit import junit_report
from cnx_mock.sweep.report.restored import merged
from tests.damaged import damaged
from tests.sweep.builders import CREATE, PLANS, cells, report, resource, result


def document() -> dict[str, Any]:
    """A report with a pair, calls, and what was left."""
    call = ShownCall(
        number=1,
        method="POST",
        path="/v1/instances",
        status=201,
        began=0.0,
        took=1.0,
        delayed=0.0,
        faults=("error",),
        committed=True,
        created="inst_0000000000000001",
    )
    *_, pair = cells(CREATE, PLANS, pairs=True)
    first = result(cells(CREATE)[0], "leaked", left=[resource("web-1")], journal=(call,))
    found: dict[str, Any] = json.loads(json_report(report(first, result(pair))))
    return found


@pytest.mark.slow
def test_no_change_of_a_report_leads_to_anything_but_a_report_or_a_sentence() -> None:
    refused = 0
    for changed in damaged(document()):
        try:
            found = merged([("r.json", changed)])
        except BaselineError as error:
            assert str(error).startswith("r.json is not a JSON report of `cnx-mock sweep` 0.1.0: "), error
            assert "Error(" not in str(error)
            refused += 1
        else:
            assert junit_report(found)
            assert json_report(found)
    assert refused > 500


def test_a_report_with_one_wrong_word_says_which() -> None:
    for key, value, words in (
        ("message", 5, "cells[0].message: must be a string"),
        ("verdict", "leakd", "did you mean 'leaked'?"),
        ("fault", "x", "cells[0]: has a fault that is not in the report"),
        ("ordinal", 7, "cells[0]: has a call that is not in the report"),
        ("left", [{"kind": "x", "name": "y"}], "cells[0].left[0].kind: must be one of: instances,"),
    ):
        changed = document()
        changed["cells"][0][key] = value
        with pytest.raises(BaselineError) as refused:
            merged([("r.json", changed)])
        assert words in str(refused.value)
    assert html_report(merged([("r.json", document())]))
