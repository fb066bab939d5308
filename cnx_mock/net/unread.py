"""Requests that could not be read, and what is known of them."""

import asyncio
import re
from dataclasses import field

import httptools

from cnx_mock.dataclass import dataclass
from cnx_mock.text.live_keys import masked
from cnx_mock.text.regex import regex
from cnx_mock.world.keys import shorten_test_keys

LINE = regex(rb"(?P<target>.*?)(?: HTTP/(?P<version>[!-~]*))?", re.DOTALL)
"""A request line behind the method."""

TOKEN = regex(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of a method or a header (RFC 9110 section 5.6.2)."""

ORIGIN = regex(rb"https?://[^/?#]*", re.IGNORECASE)
"""The beginning of a target in absolute form."""

_ANY_LINE = regex(rb"[A-Za-z]{1,16} [^ \r\n]+ HTTP/")
_CONTROL = regex(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Unread:
    """A request that could not be read, with everything that is known of it. Live keys are masked."""

    reason: str
    """What is wrong, and what to write instead."""
    raw: bytes
    """Its bytes, as far as they are known."""
    method: bytes = b""
    target: bytes = b""
    """Path and query."""
    headers: Headers = field(default_factory=list)
    """Those that can be made out, with lower-case names."""
    port: int | None = None
    """The client's port, if it is known."""
    gone: bool = False
    """Whether the client has left, so that it gets no answer."""
    status: int = 400
    """400, or 408 if it took too long, or 431 if its head is too large."""

    @classmethod
    def of(cls, raw: bytes, reason: str, port: int | None, *, gone: bool = False, status: int = 400) -> "Unread":
        """Return the request of these bytes, read as far as that is possible."""
        safe = masked(raw)
        method, target, headers = _parts(safe)
        return cls(reason, safe, method, target, headers, port, gone, status)


@dataclass(frozen=True, slots=True)
class BodyProblem:
    """Why a body could not be read to its end."""

    reason: str
    status: int = 400
    """400, or 408 if it took too long."""


def port_of(transport: asyncio.BaseTransport) -> int | None:
    """Return the client's port, None if it has none."""
    peer = transport.get_extra_info("peername")
    return peer[1] if isinstance(peer, tuple) else None


def printable(text: bytes) -> str:
    """Return bytes as text, with escapes for what is not UTF-8 and for control characters other than line ends and
    tabs, and of test keys only their ends."""
    decoded = text.decode("utf-8", "backslashreplace")
    return shorten_test_keys(_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", decoded))


def last_request(data: bytes, *, inside_body: bool) -> bytes:
    """Return the last of several requests that came together, the one that the parser refuses. `inside_body` says that
    the data begins inside a request's body; then the last line that looks like a request is taken."""
    if inside_body:
        lines = list(_ANY_LINE.finditer(data))
        return data[lines[-1].start() :] if lines else data
    starts = _Starts()
    parser = httptools.HttpRequestParser(starts)
    try:
        for line in data.splitlines(keepends=True):
            starts.line += starts.fed
            starts.fed, starts.body = len(line), 0
            parser.feed_data(line)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        pass
    return data[starts.begun :]


class _Starts:
    """Notes where the last request of some bytes begins, while a parser is fed with one line after the other."""

    def __init__(self) -> None:
        self.begun = 0
        self.line = 0
        """Where the line begins."""
        self.fed = 0
        """Its length."""
        self.body = 0
        """How many of its bytes belong to a body, at its beginning."""

    def on_message_begin(self) -> None:
        self.begun = self.line + self.body

    def on_body(self, body: bytes) -> None:
        self.body += len(body)


def _parts(raw: bytes) -> tuple[bytes, bytes, Headers]:
    """Return the method, the target and the headers of a request, without checking anything."""
    line, _, rest = raw.lstrip(b"\r\n \t\xef\xbb\xbf").partition(b"\n")
    method, space, behind = line.rstrip(b"\r").partition(b" ")
    if not space or not TOKEN.fullmatch(method):
        return b"", b"", _fields(rest)
    matched = LINE.fullmatch(behind.lstrip(b" "))
    target = ORIGIN.sub(b"", matched["target"].rstrip(b" "), count=1) if matched else b""
    return method, target, _fields(rest)


def _fields(rest: bytes) -> Headers:
    """Return the headers behind the first line."""
    fields: Headers = []
    for each in rest.split(b"\n"):
        text = each.rstrip(b"\r")
        if not text:
            break
        if text[:1] in b" \t" and fields:  # folded
            name, value = fields.pop()
            fields.append((name, value + b" " + text.strip()))
        name, colon, value = text.partition(b":")
        if colon and TOKEN.fullmatch(name.strip()) and text[:1] not in b" \t":
            fields.append((name.strip().lower(), value.strip()))
    return fields
