"""Journals as files: one JSON object for each line, or HAR 1.2. They never contain a key."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import orjson

from cnx_mock.audit.call import Call, calls_of
from cnx_mock.audit.har import from_har, to_har
from cnx_mock.errors import AuditError
from cnx_mock.text.live_keys import masked_text
from cnx_mock.world.keys import shorten_test_keys

Format = Literal["jsonl", "har"]


def entries_of(journals: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of what `GET /_mock/journals` answers, each with its sandbox, in order of arrival."""
    entries = [{"sandbox": each["sandbox"], **entry} for each in journals for entry in each["requests"]]
    return sorted(entries, key=lambda entry: (entry["wall"], entry["seq"]))


def journal_text(entries: Iterable[Mapping[str, Any]], form: Format, url: str) -> str:
    """Return a journal's entries as the text of a file. `url` is the server's base URL, which HAR needs."""
    safe = [orjson.loads(redacted(orjson.dumps(entry).decode())) for entry in entries]
    if form == "har":
        return json.dumps(to_har(safe, url), indent=2, ensure_ascii=False) + "\n"
    return "".join(orjson.dumps(entry).decode() + "\n" for entry in safe)


def redacted(text: str) -> str:
    """Return the text without keys: a live key is masked, and of a test key only the end is kept."""
    return shorten_test_keys(masked_text(text))


def read_journal(text: str, name: str) -> list[Call]:
    """Return the calls of a file that `journal_text` wrote, or of the HAR of any tool.

    `name` is the file's name, for messages. Raises AuditError if the text is neither; the message names the line.
    """
    text = masked_text(text)  # a recording of another tool may have one
    document = _json(text)
    if isinstance(document, dict) and "log" in document:
        return _calls(from_har, document, name, "is not HAR 1.2")
    if isinstance(document, dict) and isinstance(document.get("data"), list):  # the answer of /_mock/requests
        return _calls(list, document["data"], name, "is not a journal")
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            entry = _json(line)
            _calls(lambda one: [one], entry, f"{name}:{number}", "is not an entry of a journal")
            entries.append(entry)
    if not entries:
        raise AuditError(f"{name} is empty: `cnx-mock journal export` writes a journal")
    return calls_of(entries)


def _calls(unpack: Any, document: Any, where: str, wrong: str) -> list[Call]:
    try:
        return calls_of(unpack(document))
    except (ArithmeticError, AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
        place = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
        raise AuditError(f"{where} {wrong}: {place}{_why(error)[:200]}; `cnx-mock journal export` writes one") from None


def _why(error: Exception) -> str:
    """Return what is wrong with a document that could not be read. What Python says of types names its own, and no
    field."""
    if isinstance(error, KeyError):
        return f"`{error.args[0]}` is missing"
    return "a value has the wrong type" if isinstance(error, AttributeError | TypeError) else str(error)


def _json(text: str) -> Any:
    """Return the text as JSON; None if it is not JSON."""
    try:
        return orjson.loads(text.removeprefix("\ufeff"))
    except orjson.JSONDecodeError:
        return None
