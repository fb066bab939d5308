"""One call as the checks see it: its request, its answer and its times. It is the same for every kind of journal."""

from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from typing import Any

import orjson

from cnx_mock.api.operation import Operation
from cnx_mock.api.parsing import query_values
from cnx_mock.api.router import Router
from cnx_mock.dataclass import dataclass
from cnx_mock.http.journal_texts import BODY_SHOWN
from cnx_mock.services import operations
from cnx_mock.text.units import parse_instant
from cnx_mock.world.clock import SECOND

PROVISIONING = ("provisioning", "creating")
"""The statuses of resources that are not ready yet."""

ROUNDING = 2_000
"""Microseconds by which the difference of two times in a journal may be wrong: they are in whole milliseconds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Call:
    """One request and its answer. Times are real time, not the sandbox's, in microseconds since the Unix epoch."""

    seq: int
    """Its number in the journal, from 1."""
    request_id: str
    """Its id, as in `X-Request-Id`."""
    sandbox: str | None
    """The name of its sandbox; None for the server's own journal, and if the journal does not say."""
    began: int
    """When it arrived."""
    ended: int | None
    """When its answer was sent, or its connection ended; None while the request is being handled."""
    connection: object
    """What identifies the client's connection; None if it is not known."""
    method: str
    """The method."""
    path: str
    """The path, undecoded."""
    query: str
    """The query string, undecoded."""
    operation: Operation | None
    """The API's operation; None if there is none with that method and path, and if the request could not be read."""
    known: bool
    """Whether the API has that path, with this or another method."""
    params: tuple[str, ...]
    """The ids in the path."""
    status: int | None
    """The status that was sent; None if no answer was."""
    committed: bool
    """Whether it changed the account."""
    request_headers: Mapping[str, str]
    """Values by lower-case name. Several fields of one name are joined (RFC 9110, section 5.3)."""
    response_headers: Mapping[str, str]
    """Values by lower-case name. Several fields of one name are joined (RFC 9110, section 5.3)."""
    request_body: str | None
    """The body as text."""
    response_body: str | None
    """The body as text."""

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.method} {self.path}{query}"

    @cached_property
    def sent(self) -> Any:
        """The request's body as JSON; as text if it is not JSON."""
        return _parsed(self.request_body, self.request_body)

    @cached_property
    def shown(self) -> Any:
        """The answer's body as JSON; None if it is not JSON."""
        return _parsed(self.response_body, None)

    @cached_property
    def request(self) -> tuple[str, str, str, bytes]:
        """What two calls have in common if they are the same request: method, path, parameters and body. The order of
        parameters and fields does not matter."""
        values, body = "", b""
        if self.query:
            values = repr(sorted((name, value) for name, given in query_values(self.query).items() for value in given))
        if self.request_body is not None:
            body = orjson.dumps(self.sent, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
        return self.method, self.path, values, body

    @property
    def code(self) -> str:
        """The code of the answer's error; an empty text if there is none."""
        error = self.shown.get("error") if isinstance(self.shown, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    @property
    def unreadable(self) -> bool:
        """Whether the answer has a status of success, and a body that cannot be read."""
        if not self.succeeded_by_status or self.method == "HEAD" or self.status == 204:
            return False
        if self.response_body is None:
            return self.response_headers.get("content-length", "0") != "0"
        cut_by_journal = len(self.response_body.encode()) >= BODY_SHOWN
        return self.shown is None and not cut_by_journal

    @property
    def succeeded_by_status(self) -> bool:
        """Whether the status is one of success."""
        return self.status is not None and 200 <= self.status < 300

    def over_before(self, later: "Call") -> bool:
        """Return whether the client had the answer when a later call began. A connection carries one call at a time:
        a later call on the same connection shows it, even if the journal says that the first one ended later."""
        if self.status is not None and self.connection is not None and self.connection == later.connection:
            return True
        return self.ended is not None and self.ended <= later.began + ROUNDING

    @property
    def succeeded(self) -> bool:
        """Whether the client has an answer of success that it can read."""
        return self.succeeded_by_status and not self.unreadable

    @property
    def refused(self) -> bool:
        """Whether it was refused for its content: the same request will be refused again."""
        temporary = (408, 425, 429)
        return self.status is not None and 400 <= self.status < 500 and self.status not in temporary

    @property
    def creates(self) -> bool:
        """Whether it creates a new resource each time that it is sent."""
        return self.operation is not None and self.method == "POST" and self.operation.status == 201

    @property
    def outcome_unknown(self) -> bool:
        """Whether the client cannot know if the change happened: there is no answer, or an unreadable one, or an error
        after which it may have happened. A 501 or 503 says that it did not happen, unless the journal knows better."""
        if self.status is None or self.unreadable:
            return True
        return self.status >= 500 and (self.committed or self.status not in (501, 503))

    @cached_property
    def retry_after(self) -> int | None:
        """How long the answer asks the client to wait, in microseconds; None if it does not ask."""
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
        """The resources in the answer: one, a page of them, or none."""
        shown = self.shown.get("data", self.shown) if isinstance(self.shown, dict) else self.shown
        listed = shown if isinstance(shown, list) else [shown]
        return [each for each in listed if isinstance(each, dict) and isinstance(each.get("id"), str)]

    @property
    def provisioning(self) -> list[str]:
        """The ids of the resources that the answer shows as not ready yet."""
        return [each["id"] for each in self.items if each.get("status") in PROVISIONING]

    def lists_what(self, create: "Call") -> bool:
        """Return whether this is a list of the kind of resource that another call creates."""
        if self.operation is None or create.operation is None:
            return False
        return bool(self.operation.pages) and self.operation.resource is create.operation.resource


def _parsed(body: str | None, otherwise: Any) -> Any:
    try:
        return otherwise if body is None else orjson.loads(body)
    except orjson.JSONDecodeError:
        return otherwise


@cache
def _router() -> Router:
    """Return the operations by path. A sweep judges hundreds of journals with the same one."""
    return Router(operations())


def calls_of(entries: Iterable[Mapping[str, Any]], sandbox: str | None = None) -> list[Call]:
    """Return the calls of a journal in order of arrival. `entries` are as `GET /_mock/requests` answers them.

    `sandbox` is the name for entries that do not say theirs. Raises KeyError, TypeError or ValueError for data that is
    not an entry.
    """
    router = _router()
    return sorted((_call(entry, sandbox, router) for entry in entries), key=lambda call: (call.began, call.seq))


def _call(entry: Mapping[str, Any], sandbox: str | None, router: Router) -> Call:
    if not isinstance(entry, Mapping):
        raise ValueError("it is not a JSON object")
    began = parse_instant(entry["wall"])
    duration = entry["duration_ms"]
    found = router.find(_text(entry["path"]))
    status = entry["status"]
    return Call(
        seq=int(entry["seq"]),
        request_id=_text(entry["request_id"]),
        sandbox=_optional(entry.get("sandbox", sandbox)),
        began=began,
        ended=None if duration is None else began + round(float(duration) * 1000),
        connection=_identifier(entry.get("connection")),
        method=_text(entry["method"]),
        path=_text(entry["path"]),
        query=_text(entry["query"]),
        operation=found[0].get(entry["method"]) if found and entry.get("problem") is None else None,
        known=found is not None,
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
        raise ValueError(f"{value!r} is not a string")
    return value


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _identifier(value: object) -> object:
    if not isinstance(value, str | int | None):
        raise ValueError(f"{value!r} does not identify a connection")
    return value


def _headers(pairs: Iterable[Iterable[str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        if type(name) is not str or type(value) is not str:
            raise ValueError(f"{name!r}: {value!r} is not a header")
        known = name.lower()
        headers[known] = f"{headers[known]}, {value}" if known in headers else value
    return headers
