"""The files of the page at `/docs`."""

from collections.abc import Awaitable, Callable
from email.utils import formatdate
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cnx_mock import __version__
from cnx_mock.http.docs import FILES, PATH, STATIC
from cnx_mock.world.clock import SECOND, wall_now

Endpoint = Callable[[Request], Awaitable[Response]]

_HEADERS = {
    "server": f"cnx-mock/{__version__}",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    # The browser keeps it, but asks whether it is current: the next cnx-mock on this port may be another release.
    "cache-control": "no-cache",
}


def routes(guarded: Callable[[Endpoint], Endpoint]) -> list[Route]:
    """Return one route for each file, `guarded` around its endpoint. A file is read at its first request: most servers
    get none."""
    return [Route(PATH + below, guarded(_File(*served).answer)) for below, served in FILES.items()]


class _File:
    """One file; it is read once."""

    def __init__(self, name: str, media_type: str) -> None:
        self._path = STATIC / name
        self._media_type = media_type
        self._content = b""
        self._etag = ""

    async def answer(self, request: Request) -> Response:
        """Return the file, or a 304 for a browser that has it."""
        if not self._etag:
            self._content = self._path.read_bytes()
            self._etag = f'"{sha256(self._content).hexdigest()[:32]}"'
        headers = {**_HEADERS, "etag": self._etag, "date": formatdate(wall_now() // SECOND, usegmt=True)}
        if self._etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(self._content, media_type=self._media_type, headers=headers)
