"""Answers outside the API and the control plane: to requests for pages, to preflights, and what the proxy refuses. They
have the headers that every answer has."""

import orjson
from starlette.types import Receive, Scope, Send

from cnx_mock.api.surface import Surface
from cnx_mock.dataclass import dataclass
from cnx_mock.http import messages
from cnx_mock.http.messages import Sender
from cnx_mock.net.heads import header_lines
from cnx_mock.net.server_error import ServerError
from cnx_mock.scenario.exchange import Answer
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.text.live_keys import masked
from cnx_mock.world.chance import Chance


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """A whole answer, as an ASGI application. (Starlette's own would load Starlette at the start.)"""

    status_code: int
    raw_headers: RawHeaders
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


class Pages:
    """Answers that need neither a key nor an operation."""

    def __init__(self, seed: int, surface: Surface) -> None:
        self._chance = Chance(seed, "pages")
        self._sender = Sender(surface)

    def page(self, content: object) -> PageAnswer:
        """Return a page of JSON; `bytes` are sent as they are."""
        return self.answered(Answer(200, [], content if isinstance(content, bytes) else orjson.dumps(content)))

    def preflight(self, status: int, headers: RawHeaders) -> PageAnswer:
        """Return an answer without content."""
        return self.answered(Answer(status, headers, b""))

    def problem(self, problem: ServerError) -> PageAnswer:
        """Return a refusal that the API itself does not know."""
        request_id = self.request_id()
        return self.answered(messages.problem(problem, request_id), request_id)

    def whole(self, problem: ServerError) -> bytes:
        """Return a refusal as bytes for the wire, with its status line. The connection is to be closed after it."""
        request_id = self.request_id()
        answer = messages.problem(problem, request_id)
        return whole_answer(problem.phrase, answer, self.headers(answer, request_id))

    def request_id(self) -> str:
        """Return a new request id."""
        return self._chance.new_id("req")

    def answered(self, answer: Answer, request_id: str | None = None) -> PageAnswer:
        """Return an answer as a response, with the headers that every answer has."""
        return PageAnswer(answer.status, self.headers(answer, request_id or self.request_id()), answer.body)

    def headers(self, answer: Answer, request_id: str) -> RawHeaders:
        """Return every header of an answer."""
        return self._sender.head(answer, [(b"x-request-id", request_id.encode())])


def whole_answer(phrase: str, answer: Answer, headers: RawHeaders) -> bytes:
    """Return an answer as bytes for the wire, with its status line. The connection is to be closed after it."""
    status = masked(f"HTTP/1.1 {answer.status} {phrase}".encode())  # a phrase may name the host that was asked for
    return b"%b\r\n%b\r\n%b" % (status, header_lines([*headers, (b"connection", b"close")]), answer.body)


def is_preflight(scope: Scope) -> bool:
    """Return whether a request asks, on behalf of a page, what it may send."""
    names = {name for name, _ in scope["headers"]}
    return scope["method"] == "OPTIONS" and {b"origin", b"access-control-request-method"} <= names
