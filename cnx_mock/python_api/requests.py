"""A sandbox's journal in Python, and assertions on it that explain themselves."""

from collections.abc import Iterator, Mapping
from typing import Any

from cnx_mock.api.router import Router
from cnx_mock.errors import ScenarioError
from cnx_mock.http.journal import JournalEntry
from cnx_mock.scenario.matching import Difference, Match
from cnx_mock.scenario.request import ApiRequest
from cnx_mock.scenario.rule import read_match
from cnx_mock.services import operations

Entry = JournalEntry
"""One request in a sandbox's journal."""

_SHOWN = 20
"""Requests that a failed assertion lists."""


class Requests(list[Entry]):
    """A sandbox's requests, newest last."""

    def matching(self, operation: str | list[str] = "*", /, *, status: int | None = None, **match: Any) -> "Requests":
        """Those that fit: `match` has the keys of a rule's `match`, such as `body={"name": "web-1"}`. Raises ValueError
        for words that no rule could have."""
        wanted = _match(operation, match)
        return Requests(each for each in self if not _differences(each, wanted, status))

    def assert_called(
        self, operation: str | list[str] = "*", /, *, times: int | None = None, status: int | None = None, **match: Any
    ) -> None:
        """Raise AssertionError unless so many requests fit, or where `times` is not given at least one. It names the
        nearest request and what differs. Words as for `matching`."""
        found = len(self.matching(operation, status=status, **match))
        if found == times or (times is None and found):
            return
        asked = {"status": status, **match}
        words = ", ".join([str(operation), *(f"{key}={value!r}" for key, value in asked.items() if value is not None)])
        head = f"{found} requests fit ({words}), not {'at least 1' if times is None else times}"
        raise AssertionError("\n".join([head, *self._explained(operation, status, match)]))

    def assert_not_called(
        self, operation: str | list[str] = "*", /, *, status: int | None = None, **match: Any
    ) -> None:
        """Raise AssertionError where a request fits. Words as for `matching`."""
        self.assert_called(operation, times=0, status=status, **match)

    def _explained(self, operation: str | list[str], status: int | None, match: Mapping[str, Any]) -> Iterator[str]:
        """The nearest request that does not fit, and the requests there were."""
        wanted = _match(operation, match)
        misses = [(entry, _differences(entry, wanted, status)) for entry in self]
        near = [miss for miss in misses if miss[1]]
        if near:
            entry, differences = min(near, key=lambda miss: (len(miss[1]), -miss[0].seq))
            yield f"the nearest is {_line(entry)}: {'; '.join(differences)}"
        if not self:
            yield "no request came"
        if len(self) > _SHOWN:
            yield f"… {len(self) - _SHOWN} requests before"
        yield from map(_line, self[-_SHOWN:])


def _match(operation: str | list[str], match: Mapping[str, Any]) -> Match:
    given = {key: value for key, value in match.items() if value is not None}
    try:
        return read_match({**given, **({} if operation == "*" else {"operation": operation})}, operations())
    except ScenarioError as error:
        raise ValueError(str(error)) from None


def _differences(entry: Entry, wanted: Match, status: int | None) -> list[str]:
    differences: list[str | Difference] = list(wanted.differences(_request(entry)))
    if status is not None and entry.status != status:
        differences.append(f"status is {entry.status}, not {status}")
    return [str(each) for each in differences]


def _request(entry: Entry) -> ApiRequest:
    """Return an entry's request as rules look at it."""
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in entry.request_headers]
    body = (entry.request_body or "").encode()
    known, params = Router(operations()).find(entry.path) or ({}, ())
    return ApiRequest(
        entry.method, entry.path, entry.query, headers, body, operation=known.get(entry.method), params=params
    )


def _line(entry: Entry) -> str:
    query = f"?{entry.query}" if entry.query else ""
    status = "cut" if entry.status is None else entry.status
    return f"#{entry.seq} {entry.method} {entry.path}{query} → {status}"
