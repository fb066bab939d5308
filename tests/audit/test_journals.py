"""Journals in files, as other tools or people left them."""

import json
from typing import Any

import pytest

from cnx_mock.audit.audit import findings
from cnx_mock.audit.har import to_har
from cnx_mock.audit.journals import read_journal
from cnx_mock.errors import AuditError
from tests.audit.journal import INSTANCE, call, get, journal
from tests.cases import cases
from tests.damaged import damaged


@pytest.mark.slow
@cases("form", ["jsonl", "har"])
def test_no_change_of_a_journal_leads_to_anything_but_findings_or_a_sentence(form: str) -> None:
    calls = call("POST", "/v1/instances", status=500, sends=INSTANCE), get(connection=7), get(connection=7, status=None)
    entries = [{**entry, "sandbox": "sbx_000000000001"} for entry in journal(*calls)]
    whole = entries if form == "jsonl" else to_har(entries, "http://127.0.0.1:4269")
    refused = 0
    for changed in damaged(whole):
        text = "\n".join(map(json.dumps, changed)) if isinstance(changed, list) else json.dumps(changed)
        try:
            assert isinstance(findings(read_journal(text, "j"), {}, (), ()), list)
        except AuditError as error:
            assert "`cnx-mock journal export` writes" in str(error)
            refused += 1
    assert refused > 100


def test_a_sandbox_and_a_connection_that_are_none_are_named() -> None:
    [entry] = journal(get())
    for key, words in (("sandbox", "[] is not a string"), ("connection", "[] does not identify a connection")):
        with pytest.raises(AuditError, match="j:1 is not an entry of a journal: ") as refused:
            read_journal(json.dumps({**entry, key: []}), "j")
        assert words in str(refused.value)


@cases(
    ("entry", "why"),
    [
        ({}, "entry 2: `request` is missing"),
        ({"request": {"url": 7}, "response": {}}, "entry 2: a value has the wrong type"),
        ({"request": [], "response": []}, "entry 2: a value has the wrong type"),
    ],
)
def test_a_har_file_that_cannot_be_read_names_the_entry(entry: dict[str, Any], why: str) -> None:
    whole = to_har(journal(get()), "http://127.0.0.1:4269")
    whole["log"]["entries"].append(entry)
    with pytest.raises(AuditError) as refused:
        read_journal(json.dumps(whole), "traffic.har")
    assert str(refused.value).startswith(f"traffic.har is not HAR 1.2: {why}; ")
