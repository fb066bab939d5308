"""One call as the checks see it: what was asked, what was answered, and when, whatever kind of journal it stood in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import orjson

from cnx_mock.api.operation import Operation
from cnx_mock.api.parsing import query_values
from cnx_mock.api.router import Router
from cnx_mock.http.journal import BODY_SHOWN
from cnx_mock.services import operations
from cnx_mock.text.units import parse_instant
from cnx_mock.world.clock import SECOND

COMING_UP = ("provisioning", "creating")
"""The statuses of what is still coming up."""

ROUNDING = 2_000
"""Microseconds by which two times of a journal may be wrong: it is written in milliseconds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One request, and what became of it. Times are real, in microseconds."""

    seq: int
    """Its number in its journal."""
    request_id: str
    """Its id, as in `X-Request-Id`."""
    sandbox: str | None
    """What its sandbox is called; None for the server's own journal, and where a journal does not say."""
    began: int
    """When it arrived."""
    ended: int | None
    """When its answer left, or its connection ended; None while it is under way."""
    connection: object
    """What tells the client's connections apart; None where it is not known."""
    method: str
    """The method."""
    path: str
    """The path, undecoded."""
    query: str
    """The query string, undecoded."""
    operation: Operation | None
    """What it means; None where it means nothing."""
    params: tuple[str, ...]
    """The ids in the path."""
    status: int | None
    """The status that went out; None where no answer did."""
    committed: bool
    """Whether it changed something."""
    request_headers: Mapping[str, str]
    """By lower-case name; several of a name are joined, as RFC 9110 section 5.3 has it."""
    response_headers: Mapping[str, str]
    """By lower-case name; several of a name are joined, as RFC 9110 section 5.3 has it."""
    request_body: str | None
    """The body as text."""
    response_body: str | None
    """The body as text."""

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.method} {self.path}{query}"

    @cached_property
    def sent(self) -> Any:
        """The request's body as JSON; as text where it is none."""
        return _parsed(self.request_body, self.request_body)

    @cached_property
    def shown(self) -> Any:
        """The answer's body as JSON; None where it is none."""
        return _parsed(self.response_body, None)

    @cached_property
    def request(self) -> tuple[str, str, str, bytes]:
        """What makes two requests the same one: method, path, parameters and body, in any order and spelling."""
        values = sorted((name, value) for name, given in query_values(self.query).items() for value in given)
        body = orjson.dumps(self.sent, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
        return self.method, self.path, repr(values), body

    @property
    def code(self) -> str:
        """The error's code; empty where there is none."""
        error = self.shown.get("error") if isinstance(self.shown, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    @property
    def spoilt(self) -> bool:
        """Whether it was answered with success, and a body that nobody can read."""
        if not self.succeeded_by_status or self.method == "HEAD" or self.status == 204:
            return False
        if self.response_body is None:
            return self.response_headers.get("content-length", "0") != "0"
        cut_by_journal = len(self.response_body.encode()) >= BODY_SHOWN
        return self.shown is None and not cut_by_journal

    @property
    def succeeded_by_status(self) -> bool:
        """Whether its status says success."""
        return self.status is not None and 200 <= self.status < 300

    def over_before(self, later: "Call") -> bool:
        """Whether its answer was there when a later call began. A connection carries one call at a time: there the
        client had the answer, even if the server's own bookkeeping ended later."""
        if self.status is not None and self.connection is not None and self.connection == later.connection:
            return True
        return self.ended is not None and self.ended <= later.began + ROUNDING

    @property
    def succeeded(self) -> bool:
        """Whether the client has an answer that says success, and can read it."""
        return self.succeeded_by_status and not self.spoilt

    @property
    def refused(self) -> bool:
        """Whether it was refused for what it was: the same again will be refused again."""
        passing = (408, 425, 429)
        return self.status is not None and 400 <= self.status < 500 and self.status not in passing

    @property
    def makes(self) -> bool:
        """Whether it makes something new each time that it is sent."""
        return self.operation is not None and self.method == "POST" and self.operation.status == 201

    @property
    def fate_unknown(self) -> bool:
        """Whether the client cannot know if it happened: no answer, one it cannot read, or an error behind which it
        may have. A 503 says that it was not handled, unless it was."""
        if self.status is None or self.spoilt:
            return True
        return self.status >= 500 and (self.committed or self.status not in (501, 503))

    @cached_property
    def retry_after(self) -> int | None:
        """How long its answer asks to wait, in microseconds; None where it does not."""
        value = self.response_headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit() and len(value) < 10:
            return int(value) * SECOND
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        until = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
        return max(0, int(until * SECOND) - (self.ended or self.began))

    @cached_property
    def items(self) -> list[dict[str, Any]]:
        """The resources that its answer shows: one, a page of them, or none."""
        shown = self.shown.get("data", self.shown) if isinstance(self.shown, dict) else self.shown
        listed = shown if isinstance(shown, list) else [shown]
        return [each for each in listed if isinstance(each, dict) and isinstance(each.get("id"), str)]

    @property
    def coming_up(self) -> list[str]:
        """The ids of what it shows as still coming up."""
        return [each["id"] for each in self.items if each.get("status") in COMING_UP]


def _parsed(body: str | None, otherwise: Any) -> Any:
    try:
        return otherwise if body is None else orjson.loads(body)
    except orjson.JSONDecodeError:
        return otherwise


def calls_of(entries: Iterable[Mapping[str, Any]], sandbox: str | None = None) -> list[Call]:
    """Calls from a journal's entries, as `GET /_mock/requests` shows them, in order of arrival. An entry's own word on
    its `sandbox` wins. Raises KeyError, TypeError or ValueError for what is no entry."""
    router = Router(operations())
    return sorted((_call(entry, sandbox, router) for entry in entries), key=lambda call: (call.began, call.seq))


def _call(entry: Mapping[str, Any], sandbox: str | None, router: Router) -> Call:
    if not isinstance(entry, Mapping):
        raise TypeError("it is no JSON object")
    began = parse_instant(entry["wall"])
    duration = entry["duration_ms"]
    found = router.find(_text(entry["path"]))
    status = entry["status"]
    return Call(
        seq=int(entry["seq"]),
        request_id=_text(entry["request_id"]),
        sandbox=entry.get("sandbox", sandbox),
        began=began,
        ended=None if duration is None else began + round(float(duration) * 1000),
        connection=entry.get("connection"),
        method=_text(entry["method"]),
        path=_text(entry["path"]),
        query=_text(entry["query"]),
        operation=found[0].get(entry["method"]) if found else None,
        params=found[1] if found else (),
        status=None if status is None else int(status),
        committed=bool(entry["committed"]),
        request_headers=_headers(entry["request_headers"]),
        response_headers=_headers(entry["response_headers"]),
        request_body=_optional(entry["request_body"]),
        response_body=_optional(entry["response_body"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _headers(pairs: Iterable[Iterable[str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        known = _text(name).lower()
        headers[known] = f"{headers[known]}, {_text(value)}" if known in headers else _text(value)
    return headers
