"""The pages and the answers to preflights, by Starlette. This file is loaded for the first request that needs it."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cnx_mock.api import errors
from cnx_mock.http.docs import files
from cnx_mock.http.docs.files import Endpoint
from cnx_mock.http.messages import raw_path, refused
from cnx_mock.http.pages import PageAnswer, Pages

log = logging.getLogger("cnx_mock")

_Guarded = Callable[[Request], Awaitable[Response]]


class Site(Starlette):
    """The pages: those given, by their paths, and the files of `/docs`."""

    def __init__(self, pages: Pages, endpoints: Mapping[str, Endpoint]) -> None:
        self._pages = pages
        routes = [Route(path, self._guarded(endpoint)) for path, endpoint in endpoints.items()]
        super().__init__(
            routes=[*routes, *files.routes(self._guarded)], exception_handlers={HTTPException: self._wrong_method}
        )

    def _guarded(self, endpoint: Endpoint) -> _Guarded:
        """Return the endpoint of a page, with the API's own 500 in place of any error that it raises by mistake."""

        async def answer(request: Request) -> Response:
            try:
                return _response(await endpoint(request))
            except Exception:
                log.exception("cnx-mock failed at the page %s; please report this", raw_path(request.scope))
                return self._refused(errors.InternalError())

        return answer

    async def _wrong_method(self, request: Request, exc: Exception) -> Response:
        """Return a refusal by Starlette in the API's form: only a method can be wrong for a page."""
        return self._refused(errors.MethodNotAllowed(method=request.method[:100], allowed="GET, HEAD"))

    def _refused(self, refusal: errors.ApiError) -> Response:
        request_id = self._pages.request_id()
        return _response(self._pages.answered(refused(refusal, request_id, {}), request_id))


def _response(answer: PageAnswer | Response) -> Response:
    """Return an answer as Starlette has it."""
    if isinstance(answer, Response):
        return answer
    response = Response(answer.body, answer.status_code)
    response.raw_headers = answer.raw_headers
    return response


class Cors(CORSMiddleware):
    """Lets browsers of any origin call, also from a public page into a private network.

    A preflight has no key, so it is answered before all checks. Answers of pages get the headers here; those of calls
    have them already (`messages.cors_headers`), so that a fault can change them.
    """

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        everything: Sequence[str] = ("*",)
        super().__init__(app, everything, everything, everything, expose_headers=everything, allow_private_network=True)
        self._pages = pages

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return Starlette's answer without its text."""
        answer = super().preflight_response(request_headers)
        kept = [header for header in answer.raw_headers if not header[0].startswith(b"content-")]
        return _response(self._pages.preflight(answer.status_code, kept))
