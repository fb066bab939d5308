"""Answers outside the API and the control plane: to requests for pages, to preflights, and what the proxy refuses. They
have the headers that every answer has."""

import logging
from collections.abc import Awaitable, Callable, Sequence

import orjson
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from cnx_mock.api import errors
from cnx_mock.api.surface import Surface
from cnx_mock.http import messages
from cnx_mock.http.messages import Sender, refused
from cnx_mock.net.server_error import ServerError
from cnx_mock.scenario.exchange import Answer
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.text.live_keys import masked
from cnx_mock.world.chance import Chance

log = logging.getLogger("cnx_mock")

Endpoint = Callable[[Request], Awaitable[Response]]


class Pages:
    """Answers that need neither a key nor an operation."""

    def __init__(self, seed: int, surface: Surface) -> None:
        self._chance = Chance(seed, "pages")
        self._sender = Sender(surface)

    def page(self, content: object) -> Response:
        """Return a page of JSON; `bytes` are sent as they are."""
        return self.answered(Answer(200, [], content if isinstance(content, bytes) else orjson.dumps(content)))

    def preflight(self, status: int, headers: RawHeaders) -> Response:
        """Return an answer without content."""
        return self.answered(Answer(status, headers, b""))

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint of a page, with the API's own 500 in place of any error that it raises by mistake."""

        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Exception:
                log.exception("cnx-mock failed at the page %s; please report this", messages.raw_path(request.scope))
                request_id = self.request_id()
                return self.answered(refused(errors.InternalError(), request_id, {}), request_id)

        return answer

    async def wrong_method(self, request: Request, exc: Exception) -> Response:
        """Return a refusal by Starlette in the API's form: only a method can be wrong for a page."""
        request_id = self.request_id()
        refusal = errors.MethodNotAllowed(method=request.method[:100], allowed="GET, HEAD")
        return self.answered(refused(refusal, request_id, {}), request_id)

    def problem(self, problem: ServerError) -> Response:
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

    def answered(self, answer: Answer, request_id: str | None = None) -> Response:
        """Return an answer as a response, with the headers that every answer has."""
        response = Response(answer.body, answer.status)
        response.raw_headers = self.headers(answer, request_id or self.request_id())
        return response

    def headers(self, answer: Answer, request_id: str) -> RawHeaders:
        """Return every header of an answer."""
        return self._sender.head(answer, [(b"x-request-id", request_id.encode())])


def whole_answer(phrase: str, answer: Answer, headers: RawHeaders) -> bytes:
    """Return an answer as bytes for the wire, with its status line. The connection is to be closed after it."""
    status = masked(f"HTTP/1.1 {answer.status} {phrase}".encode())  # a phrase may name the host that was asked for
    fields = [*headers, (b"connection", b"close")]
    return b"\r\n".join([status, *(name + b": " + value for name, value in fields), b"", answer.body])


class Cors(CORSMiddleware):
    """Lets browsers of any origin call, also from a public page into a private network.

    A preflight has no key, so it is answered before all checks. Answers of pages get the headers here; those of calls
    have them already (`messages.cors_headers`), so that a fault can change them.
    """

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        everything: Sequence[str] = ("*",)
        super().__init__(app, everything, everything, everything, expose_headers=everything, allow_private_network=True)
        self._pages = pages

    @staticmethod
    def is_preflight(scope: Scope) -> bool:
        """Return whether a request asks, on behalf of a page, what it may send."""
        names = {name for name, _ in scope["headers"]}
        return scope["method"] == "OPTIONS" and {b"origin", b"access-control-request-method"} <= names

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return Starlette's answer without its text."""
        answer = super().preflight_response(request_headers)
        kept = [header for header in answer.raw_headers if not header[0].startswith(b"content-")]
        return self._pages.preflight(answer.status_code, kept)
