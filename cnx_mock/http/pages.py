"""What is answered outside the API and the control plane: pages, preflights, and what is no HTTP at all. All of it
bears the headers that every answer bears."""

from collections.abc import Sequence

import orjson
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from cnx_mock.api import errors
from cnx_mock.api.surface import Surface
from cnx_mock.http.messages import Sender, refused
from cnx_mock.net.server_error import ServerError
from cnx_mock.scenario.exchange import Answer, RawHeaders
from cnx_mock.world.chance import Chance


class Pages:
    """Answers that need neither a key nor an operation."""

    def __init__(self, seed: int, surface: Surface) -> None:
        self._chance = Chance(seed, "pages")
        self._sender = Sender(surface)

    def page(self, content: object) -> Response:
        """A JSON page; bytes are JSON already."""
        return self.answered(Answer(200, [], content if isinstance(content, bytes) else orjson.dumps(content)))

    def preflight(self, status: int, headers: RawHeaders) -> Response:
        """An answer without content."""
        return self.answered(Answer(status, headers, b""))

    async def wrong_method(self, request: Request, exc: Exception) -> Response:
        """Starlette's own refusals of a page, in the API's form: only a method can be wrong there."""
        request_id = self.request_id()
        refusal = errors.MethodNotAllowed(method=request.method[:100], allowed="GET, HEAD")
        return self.answered(refused(refusal, request_id, {}), request_id)

    def not_http(self, reason: str) -> bytes:
        """A whole answer to what is no HTTP request, or none that belongs here."""
        kind = errors.BadRequest
        return self.whole(ServerError(kind.status, "Bad Request", kind.code, kind.message, {"reason": reason}))

    def problem(self, problem: ServerError) -> Response:
        """A refusal that is none of the API's."""
        request_id = self.request_id()
        return self.answered(_answer(problem, request_id), request_id)

    def whole(self, problem: ServerError) -> bytes:
        """A refusal as it goes over the wire, status line and all; the connection ends behind it."""
        request_id = self.request_id()
        answer = _answer(problem, request_id)
        fields = [*self._headers(answer, request_id), (b"connection", b"close")]
        status = f"HTTP/1.1 {problem.status} {problem.phrase}".encode()
        return b"\r\n".join([status, *(name + b": " + value for name, value in fields), b"", answer.body])

    def request_id(self) -> str:
        """A fresh one."""
        return self._chance.new_id("req")

    def answered(self, answer: Answer, request_id: str | None = None) -> Response:
        """An answer as a response, with the headers that every one bears."""
        response = Response(answer.body, answer.status)
        response.raw_headers = self._headers(answer, request_id or self.request_id())
        return response

    def _headers(self, answer: Answer, request_id: str) -> RawHeaders:
        return self._sender.head(answer, [(b"x-request-id", request_id.encode())])


class Cors(CORSMiddleware):
    """Browsers of any origin may call. A preflight has no key, so it is answered before anything is judged."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        everything: Sequence[str] = ("*",)
        super().__init__(app, everything, everything, everything, expose_headers=everything)
        self._pages = pages

    def preflight_response(self, request_headers: Headers) -> Response:
        """Starlette's answer without its text."""
        answer = super().preflight_response(request_headers)
        kept = [header for header in answer.raw_headers if not header[0].startswith(b"content-")]
        return self._pages.preflight(answer.status_code, kept)


def _answer(problem: ServerError, request_id: str) -> Answer:
    return Answer(problem.status, [], errors.body(problem.code, problem.message, problem.details, request_id))
