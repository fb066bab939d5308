"""HTTP messages: reading what arrives, and writing what goes out, the same for the API and the control plane."""

from collections.abc import Mapping
from email.utils import formatdate
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from cnx_mock import __version__
from cnx_mock.api import errors
from cnx_mock.api.operation import Operation
from cnx_mock.api.paging import Page, Pagination, links
from cnx_mock.api.parsing import BODY_LIMIT, masked
from cnx_mock.api.readings import DELETE_ANSWER, LIST_ENVELOPE
from cnx_mock.api.shapes import Deleted, Reply
from cnx_mock.api.surface import Surface, is_added
from cnx_mock.scenario.exchange import Answer, RawHeaders
from cnx_mock.world.clock import SECOND, wall_now

_JSON = (b"content-type", b"application/json")
_FIXED = [(b"cache-control", b"no-store"), (b"server", f"cnx-mock/{__version__}".encode())]
"""Every answer says who it is from, so that nobody takes the mock for the cloud."""


class Disconnected(Exception):
    """The client hung up before its request was whole."""


def raw_path(scope: Scope) -> str:
    """The path as it came, undecoded, without any live key."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return masked(raw.partition(b"?")[0]).decode("latin-1")


def safe_headers(headers: RawHeaders) -> RawHeaders:
    """The headers without any live key."""
    joined = b"\n".join([part for header in headers for part in header])
    if masked(joined) == joined:
        return headers
    return [(masked(name), masked(value)) for name, value in headers]


async def read_body(headers: RawHeaders, receive: Receive, limit: int = BODY_LIMIT) -> bytes:
    """The body without any live key. Raises PayloadTooLarge as soon as that is known, Disconnected when it breaks
    off."""
    length = None
    for name, value in headers:
        if name == b"content-length":
            length = int(value) if value.isdigit() else None
        elif name == b"transfer-encoding":
            length = -1
    if not length:
        return b""
    if length > limit:
        raise errors.PayloadTooLarge(limit_bytes=str(limit))
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            raise errors.PayloadTooLarge(limit_bytes=str(limit))
    return masked(body)


def refused(refusal: errors.ApiError, request_id: str, readings: Mapping[str, str]) -> Answer:
    """A refusal as it goes out under these readings."""
    body = errors.body(refusal.code, refusal.message, refusal.details, request_id)
    status, headers = refusal.status_under(readings), refusal.headers()
    if status == 401 and not headers:  # a reading can make it one
        headers = errors.Unauthorized.headers(errors.Unauthorized())
    return Answer(status, [*headers], body)


def replied(operation: Operation, reply: Reply, path: str, query: str, readings: Mapping[str, str]) -> Answer:
    """An operation's reply as it goes out under these readings, with the headers that follow from what it is."""
    shape = reply.shape
    if type(shape) is Deleted:
        return _gone(shape, DELETE_ANSWER.of(readings))
    headers: RawHeaders = [*reply.headers]
    pagination = getattr(shape, "pagination", None)
    if isinstance(pagination, Pagination):
        headers.append((b"link", links(path, query, pagination)))
    if isinstance(shape, Page):
        envelope = LIST_ENVELOPE.of(readings)
        if envelope == "bare":
            headers.append((b"x-total-count", str(shape.pagination.total).encode()))
        return Answer(operation.status, headers, shape.json() if envelope == "nested" else shape.in_envelope(envelope))
    if reply.status == 201:
        headers.append((b"location", (reply.location or f"{path}/{shape.id}").encode()))  # type: ignore[attr-defined]
    return Answer(reply.status or operation.status, headers, shape.json())


def _gone(shape: Deleted, style: str) -> Answer:
    """What a DELETE answers, as the reading `delete-answer` has it."""
    if style == "204":
        return Answer(204, [], b"")
    return Answer(200, [], b"{}" if style == "200-empty-object" else shape.json())


class Sender:
    """Puts answers on the wire, each with what every answer bears."""

    def __init__(self, surface: Surface = "all") -> None:
        self._surface = surface
        self._second = 0
        self._date = b""

    def head(self, answer: Answer, more: RawHeaders) -> RawHeaders:
        """Every header of an answer."""
        framing = answer.framing or (b"content-length", str(len(answer.body)).encode())
        content = [_JSON, framing] if answer.status != 204 else []
        headers = [*content, *answer.headers, *more, *_FIXED, (b"date", self._now())]
        return headers if self._surface == "all" else [each for each in headers if not is_added(*each)]

    async def send(self, send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
        """Send an answer; `body` is empty for HEAD, whatever its length says."""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _now(self) -> bytes:
        """RFC 9110 section 6.6.1, made once a second."""
        second = wall_now() // SECOND
        if second != self._second:
            self._second, self._date = second, formatdate(second, usegmt=True).encode()
        return self._date
