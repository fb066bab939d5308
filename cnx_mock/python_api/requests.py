"""The journal of a sandbox in Python, and assertions on it that explain why they fail."""

from collections.abc import Iterator, Mapping
from typing import Any

from cnx_mock.api.router import Router
from cnx_mock.errors import Problem, ScenarioError, without_live_keys
from cnx_mock.http.journal_entry import JournalEntry
from cnx_mock.python_api.handle import Handle
from cnx_mock.scenario.matching import Difference, Match
from cnx_mock.scenario.models import MatchModel
from cnx_mock.scenario.request import ApiRequest, RequestHeaders, RequestTarget
from cnx_mock.scenario.rule import read_match
from cnx_mock.services import operations
from cnx_mock.text.plural import counted
from cnx_mock.text.suggestions import unknown

_SHOWN = 20
"""How many requests a failed assertion lists."""


class Requests(Handle, list[JournalEntry]):
    """The requests of a sandbox, newest last: a list of `cnx_mock.Entry`."""

    __slots__ = ()
    __repr__ = list.__repr__

    def matching(self, operation: str | list[str] = "*", /, *, status: int | None = None, **match: Any) -> "Requests":
        """Return the requests that match.

        Arguments:

        - `operation`: The operation, such as `instances.create`, a pattern such as `instances.*`, or a list of them.
        - `status`: The HTTP status of the answer.
        - `**match`: The keys of a rule's `match`, such as `body={"name": "web-1"}`.

        Raises:

        - `ScenarioError` if the conditions cannot be used.
        """
        _check_words(match, ("status",))
        _check_number("status", status)
        wanted = _match(operation, match)
        return Requests(each for each in self if not _differences(each, wanted, status))

    def assert_called(
        self, operation: str | list[str] = "*", /, *, times: int | None = None, status: int | None = None, **match: Any
    ) -> None:
        """Raise AssertionError unless this many requests match, or at least one if `times` is not given.

        The message has the nearest request and what differs in it. The other arguments and errors are those of
        `matching`.

        Example:

            cnx.requests.assert_called("instances.create", times=1, body={"name": "web-1"})
        """
        _check_words(match, ("status", "times"))
        _check_number("times", times)
        hits = self.matching(operation, status=status, **match)
        found = len(hits)
        if found == times or (times is None and found):
            return
        conditions = {"status": status, **match}
        given = (f"{key}={value!r}" for key, value in conditions.items() if value is not None)
        head = f"expected {_wanted(times)} {', '.join([str(operation), *given])}; found {found}"
        named = [f"they are {', '.join(map(request_line, hits[:_SHOWN]))}"] if hits else []
        explained = self._explained(operation, status, match) if found < (times or 1) else ()
        raise AssertionError(without_live_keys("\n".join([head, *named, *explained])))

    def assert_not_called(
        self, operation: str | list[str] = "*", /, *, status: int | None = None, **match: Any
    ) -> None:
        """Raise AssertionError if a request matches. The arguments and the other errors are those of `matching`."""
        _check_words(match, ("status",))
        self.assert_called(operation, times=0, status=status, **match)

    def _explained(self, operation: str | list[str], status: int | None, match: Mapping[str, Any]) -> Iterator[str]:
        """Yield the nearest request that does not match, and the last requests."""
        wanted = _match(operation, match)
        misses = [(entry, _differences(entry, wanted, status)) for entry in self]
        near = [miss for miss in misses if miss[1]]
        if near:
            entry, differences = min(near, key=lambda miss: (len(miss[1]), -miss[0].seq))
            yield f"the nearest is {request_line(entry)}: {'; '.join(differences)}"
        if not self:
            yield "no request came"
        if len(self) > _SHOWN:
            yield f"… {len(self) - _SHOWN} requests before"
        yield from map(request_line, self[-_SHOWN:])


def request_line(entry: JournalEntry) -> str:
    """Return a request as a line: `#1 POST /v1/instances → 201`."""
    query = f"?{entry.query}" if entry.query else ""
    status = "cut" if entry.status is None else entry.status
    return f"#{entry.seq} {entry.method} {entry.path}{query} → {status}"


def _wanted(times: int | None) -> str:
    """Return how many requests were expected, up to what they match."""
    if not times:
        return "at least 1 request that matches" if times is None else "no request that matches"
    return f"{counted(times, 'request')} that {'matches' if times == 1 else 'match'}"


def _check_number(name: str, value: object) -> None:
    """Raise ScenarioError unless this is a number, or not given: with "1" no count would ever be equal."""
    if value is not None and type(value) is not int:
        raise ScenarioError([Problem((name,), f"must be an integer, not {value!r}")])
    if isinstance(value, int) and value < 0:
        raise ScenarioError([Problem((name,), f"must be at least 0, not {value}")])


def _check_words(match: Mapping[str, Any], own: tuple[str, ...]) -> None:
    """Raise ScenarioError for words that are neither a method's own nor keys of a rule's `match`."""
    known = sorted({*MatchModel.model_fields, *own})
    found = [Problem((word,), unknown("key", word, known), at_key=True) for word in match if word not in known]
    if found:
        raise ScenarioError(found)


def _match(operation: str | list[str], match: Mapping[str, Any]) -> Match:
    """Return the conditions. Raises ScenarioError with everything that is wrong with them."""
    given = {key: value for key, value in match.items() if value is not None}
    return read_match({**given, **({} if operation == "*" else {"operation": operation})}, operations())


def _differences(entry: JournalEntry, wanted: Match, status: int | None) -> list[str]:
    differences: list[str | Difference] = list(wanted.differences(_request(entry)))
    if status is not None and entry.status != status:
        differences.append(f"status is {entry.status}, not {status}")
    return [str(each) for each in differences]


def _request(entry: JournalEntry) -> ApiRequest:
    """Return an entry's request as rules look at it."""
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in entry.request_headers]
    body = (entry.request_body or "").encode()
    known, params = Router(operations()).find(entry.path) or ({}, ())
    operation = known.get(entry.method) if entry.problem is None else None
    target = RequestTarget(entry.method, entry.path, entry.query, operation, params)
    return ApiRequest(target, RequestHeaders(headers), body)
