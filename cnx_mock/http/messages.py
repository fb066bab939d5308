"""HTTP messages: reading requests and writing answers, in the same way for the API and the control plane."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from cnx_mock import __version__
from cnx_mock.api import errors
from cnx_mock.api.operation import Operation
from cnx_mock.api.paging import Page, Pagination, links
from cnx_mock.api.parsing import BODY_LIMIT
from cnx_mock.api.readings import DELETE_ANSWER, LIST_ENVELOPE
from cnx_mock.api.shapes import Deleted, Reply
from cnx_mock.api.surface import Surface, is_added
from cnx_mock.net.connection import BODY_PROBLEM, BODY_SO_FAR
from cnx_mock.net.heads import header_lines
from cnx_mock.net.server_error import ServerError
from cnx_mock.net.uvicorn_protocol import STATUS_LINE
from cnx_mock.scenario.exchange import Answer, Exchange
from cnx_mock.scenario.request import ApiRequest, RawHeaders
from cnx_mock.text.live_keys import LONG, masked, masked_parts
from cnx_mock.text.units import format_http_date
from cnx_mock.world.clock import SECOND, wall_now

_CONTENT_TYPE = (b"content-type", b"application/json")
_RATE = b"x-ratelimit-limit: %d\r\nx-ratelimit-remaining: %d\r\nx-ratelimit-reset: %d\r\n"
_ALLOWED = b"%b%b\r\n" + _RATE + b"%b"
_CREATED = STATUS_LINE[201] + (
    b"content-type: application/json\r\ncontent-length: %d\r\nlocation: %s/%s\r\nx-request-id: "
)
_WHOLE_CREATED = (_CREATED + b"%s\r\n" + _RATE).decode()
_ON_EVERY_ANSWER = [(b"cache-control", b"no-store"), (b"server", f"cnx-mock/{__version__}".encode())]
"""Every answer names the mock, so that nobody takes it for the real cloud."""


class Incomplete(Exception):
    """A body that cannot be read to its end. Its text is the reason."""

    def __init__(self, reason: str, body: bytes, *, gone: bool, status: int = 400) -> None:
        super().__init__(reason)
        self.refusal = errors.unreadable(status, reason)
        self.body = body
        """What has arrived of it, without any live key."""
        self.gone = gone
        """Whether the client closed the connection."""


def raw_path(scope: Scope) -> str:
    """Return the path as it came, undecoded, without any live key."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return masked(raw.partition(b"?")[0]).decode("latin-1")


def safe_headers(headers: RawHeaders) -> RawHeaders:
    """Return the headers without any live key."""
    joined = b"\n".join([part for header in headers for part in header])
    if masked(joined) == joined:
        return headers
    return [(masked(name), masked(value)) for name, value in headers]


async def read_body(scope: Scope, receive: Receive, limit: int = BODY_LIMIT) -> bytes | None:
    """Return the body without any live key, None if it is larger than the limit. No more is read than it takes to know
    that. Raises Incomplete if the client goes away before its body is complete, or if the rest cannot be read."""
    length = None
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value) if value.isdigit() else None
        elif name == b"transfer-encoding":
            length = -1
    if not length:
        return b""
    if length > limit:
        return None
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            body = body or scope.get("extensions", {}).get(BODY_SO_FAR, b"")
            whole = f" of {length}" if length > 0 else ""
            reason = f"the client left after {len(body)}{whole} bytes of the body"
            raise Incomplete(reason, masked(bytes(body)), gone=True)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            return None
    problem = scope.get("extensions", {}).get(BODY_PROBLEM)
    if problem is not None:
        raise Incomplete(problem.reason, masked(bytes(body)), gone=False, status=problem.status)
    return masked(bytes(body)) if len(body) < LONG else await asyncio.to_thread(masked_parts, bytes(body))


def refused(refusal: errors.ApiError, request_id: str, readings: Mapping[str, str]) -> Answer:
    """Return the answer for a refusal under these readings."""
    body = errors.body(refusal.code, refusal.message, refusal.details, request_id)
    status, headers = refusal.status_under(readings), refusal.headers()
    if status == 401 and not headers:  # a reading can make it one
        headers = errors.Unauthorized.headers(errors.Unauthorized())
    return Answer(status, [*headers], body)


def problem(error: ServerError, request_id: str) -> Answer:
    """Return the answer for an error that the API itself does not know, without any live key."""
    return Answer(error.status, [], masked(errors.body(error.code, error.message, error.details, request_id)))


def replied(operation: Operation, reply: Reply, path: str, query: str, readings: Mapping[str, str]) -> Answer:
    """Return the answer for an operation's reply under these readings, with the headers that follow from its kind."""
    shape = reply.shape
    if type(shape) is Deleted:
        return _deleted(shape, DELETE_ANSWER.of(readings))
    headers: RawHeaders = [*reply.headers]
    if operation.has_pagination:
        pagination: Pagination = shape.pagination  # type: ignore[attr-defined]
        headers.append((b"link", links(path, query, pagination)))
        if isinstance(shape, Page):
            return _page(operation, shape, headers, LIST_ENVELOPE.of(readings))
    elif reply.status == 201:
        headers.append((b"location", (reply.location or f"{path}/{shape.id}").encode()))  # type: ignore[attr-defined]
    return Answer(reply.status or operation.status, headers, shape.json())


def created(path: str, id: str, body: bytes) -> Answer:
    """Return the answer with the JSON of what a create has made: as `replied` does, with the beginning of its head."""
    begun = _CREATED % (len(body), path.encode(), id.encode())
    return Answer(201, [(b"location", f"{path}/{id}".encode())], body, None, False, begun)


def _page(operation: Operation, page: Page[Any], headers: RawHeaders, envelope: str) -> Answer:
    """Return the answer with a page under the reading `list-envelope`."""
    if envelope == "bare":
        headers.append((b"x-total-count", str(page.pagination.total).encode()))
    return Answer(operation.status, headers, page.json() if envelope == "nested" else page.in_envelope(envelope))


def _deleted(shape: Deleted, style: str) -> Answer:
    """Return the answer to a DELETE under the reading `delete-answer`."""
    if style == "204":
        return Answer(204, [], b"")
    return Answer(200, [], b"{}" if style == "200-empty-object" else shape.json())


async def send_pieces(send: Send, status: int, headers: RawHeaders, pieces: Iterable[bytes]) -> None:
    """Send an answer whose body is in pieces. Other calls are served between them."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b""})


def cors_headers(request: ApiRequest) -> RawHeaders:
    """Return what a browser needs, on the answer to a call by a page of any origin."""
    vary = (b"vary", b"Origin")
    if request.header(b"origin") is None:
        return [vary]
    return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"*"), vary]


def headers_of_every_call(exchange: Exchange) -> RawHeaders:
    """Return the headers of every authenticated answer: the request's id and the state of the rate limit."""
    headers = [(b"x-request-id", exchange.request_id.encode())]
    allowance = exchange.allowance
    if allowance is not None:
        headers += [
            (b"x-ratelimit-limit", str(allowance.limit).encode()),
            (b"x-ratelimit-remaining", str(allowance.remaining).encode()),
            (b"x-ratelimit-reset", str(allowance.reset).encode()),
        ]
    return headers


def _begun(answer: Answer) -> bytes:
    """Return the beginning of a head as it goes to the wire, up to the request's id. The answer keeps it."""
    begun = STATUS_LINE[answer.status]
    if answer.status != 204:
        begun += b"content-type: application/json\r\ncontent-length: %d\r\n" % len(answer.body)
    for header in answer.headers:
        begun += b"%b: %b\r\n" % header
    answer.begun = begun = begun + b"x-request-id: "
    return begun


class Sender:
    """Sends answers, each with the headers that every answer has."""

    def __init__(self, surface: Surface = "all") -> None:
        self._surface = surface
        self._second = -1
        self._date = b""
        """The Date header of that second (RFC 9110 section 6.6.1)."""
        self._end = b""
        """The end of every head of that second, as it goes to the wire."""
        self._created = ""
        """The form of the answer to a create in that second."""

    def head(self, answer: Answer, more: RawHeaders) -> RawHeaders:
        """Return every header of an answer, `more` among them."""
        if (second := wall_now() // SECOND) != self._second:
            self._set(second)
        framing = answer.framing or (b"content-length", str(len(answer.body)).encode())
        content = [_CONTENT_TYPE, framing] if answer.status != 204 else []
        if answer.foreign:
            content = [framing]  # it says itself what it is
        headers = [*content, *answer.headers, *more, *_ON_EVERY_ANSWER, (b"date", self._date)]
        return headers if self._surface == "all" else [each for each in headers if not is_added(*each)]

    def open_head(self, content_type: bytes, more: RawHeaders) -> RawHeaders:
        """Return every header of an answer whose length is not known when it begins."""
        if (second := wall_now() // SECOND) != self._second:
            self._set(second)
        return [(b"content-type", content_type), *more, *_ON_EVERY_ANSWER, (b"date", self._date)]

    def raw_head(self, exchange: Exchange) -> bytes:
        """Return the head of an answer as it goes to the wire: what `head` returns, with the status line. It is made
        from as few pieces as possible, because every call needs it. `tests/http/test_both_paths.py` holds it equal."""
        answer, allowance, second = exchange.answer, exchange.allowance, exchange.request.wall // SECOND
        assert answer is not None, "the stages leave an answer"
        if allowance is not None:
            each = allowance
            return self.allowed(answer, exchange.request_id, second, each.limit, each.remaining, each.reset)
        if second != self._second:
            self._set(second)
        return b"%b%b\r\n%b" % (answer.begun or _begun(answer), exchange.request_id.encode(), self._end)

    def allowed(self, answer: Answer, request_id: str, second: int, limit: int, remaining: int, reset: int) -> bytes:
        """Return the same for a call that was counted, in a second since the epoch."""
        if second != self._second:
            self._set(second)
        begun = answer.begun or _begun(answer)
        return _ALLOWED % (begun, request_id.encode(), limit, remaining, reset, self._end)

    def created(
        self, path: str, id: str, shown: str, request_id: str, second: int, limit: int, remaining: int, reset: int
    ) -> bytes:
        """Return the whole answer to a create: the head that `allowed` returns for what the function `created` returns,
        and the JSON. All of it is ASCII."""
        if second != self._second:
            self._set(second)
        return (self._created % (len(shown), path, id, request_id, limit, remaining, reset, shown)).encode("ascii")

    async def send(self, send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
        """Send an answer. `body` is empty for HEAD, whatever Content-Length says."""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _set(self, second: int) -> None:
        """Make what depends on the second."""
        self._second, self._date = second, format_http_date(second).encode()
        self._end = header_lines([*_ON_EVERY_ANSWER, (b"date", self._date)]) + b"\r\n"
        self._created = f"{_WHOLE_CREATED}{self._end.decode()}%s"
