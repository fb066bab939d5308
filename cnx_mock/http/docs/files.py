"""The files of the page at `/docs`."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cnx_mock.http.docs import FILES, PATH, STATIC
from cnx_mock.http.pages import PageAnswer
from cnx_mock.http.static_files import StaticFile

Endpoint = Callable[[Request], Awaitable[PageAnswer | Response]]


def routes(guarded: Callable[[Endpoint], Callable[[Request], Awaitable[Response]]]) -> list[Route]:
    """Return one route for each file, `guarded` around its endpoint."""
    return [Route(PATH + below, guarded(_endpoint(StaticFile(STATIC / name)))) for below, name in FILES.items()]


def _endpoint(file: StaticFile) -> Endpoint:
    async def answer(request: Request) -> PageAnswer:
        return file.answer(request.headers.get("if-none-match", "").encode("latin-1"))

    return answer
