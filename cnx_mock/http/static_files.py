"""Files that are served to browsers as they are: each is read once, and a browser that has it gets a 304."""

from hashlib import sha256
from pathlib import Path

from cnx_mock import __version__
from cnx_mock.http.pages import PageAnswer
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.text.units import format_http_date
from cnx_mock.world.clock import SECOND, wall_now

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of our pages: everything comes from this server, and nothing is inline."""

_HEADERS: RawHeaders = [
    (b"server", f"cnx-mock/{__version__}".encode()),
    (b"content-security-policy", POLICY),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    # The browser keeps it, but asks whether it is current: the next cnx-mock on this port may be another release.
    (b"cache-control", b"no-cache"),
]

_MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""By the end of a file's name. Every other file is a plain text, such as a licence."""


def media_type(path: Path) -> str:
    """Return the media type of a file, for the Content-Type header."""
    found = _MEDIA_TYPES.get(path.suffix, "text/plain")
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


class StaticFile:
    """One file. It is read when it is first asked for: most servers are asked for none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content: bytes | None = None
        self._etag = b""

    def answer(self, known: bytes = b"") -> PageAnswer:
        """Return the file, or a 304 if `known`, the request's If-None-Match header, has it."""
        if self._content is None:
            self._content = self._path.read_bytes()
            self._etag = f'"{sha256(self._content).hexdigest()[:32]}"'.encode()
        date = format_http_date(wall_now() // SECOND).encode()
        headers: RawHeaders = [*_HEADERS, (b"etag", self._etag), (b"date", date)]
        if self._etag in known or known.strip() == b"*":
            return PageAnswer(304, headers, b"")
        length = str(len(self._content)).encode()
        content = [(b"content-type", media_type(self._path).encode()), (b"content-length", length)]
        return PageAnswer(200, [*content, *headers], self._content)
