"""Sentences about requests that the parser refuses: the mistake, and what to write instead."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import quote_from_bytes

import httptools

from cnx_mock.net.unread import LINE, ORIGIN, TOKEN, printable
from cnx_mock.text.live_keys import masked
from cnx_mock.text.regex import regex
from cnx_mock.text.suggestions import did_you_mean, one_of

TARGET_LIMIT = 65_535
"""The most bytes of a request's target: the parser of URLs counts in 16 bits."""

_SHOWN = 60
"""Bytes of the request that a sentence quotes."""

_NOT_HTTP = "this is not an HTTP request"
_FIRST_LINE = "an HTTP request begins with a line such as: GET /v1/instances HTTP/1.1"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_OTHERS = (
    (b"PRI * HTTP/2.0", "this is HTTP/2, and cnx-mock speaks HTTP/1.1: let the client begin with HTTP/1.1"),
    (b"\x16\x03", f"{_NOT_HTTP}: it is a TLS handshake, and this port speaks plain HTTP: write http://, not https://"),
    (b"\x05", f"{_NOT_HTTP}: it begins like SOCKS 5, and cnx-mock is not a SOCKS proxy: use an http:// proxy"),
    (b"\x04\x01", f"{_NOT_HTTP}: it begins like SOCKS 4, and cnx-mock is not a SOCKS proxy: use an http:// proxy"),
    (b"PROXY ", f"{_NOT_HTTP}: the PROXY protocol is not supported: let the load balancer leave its line out"),
    (b"SSH-", f"{_NOT_HTTP}: it is SSH"),
    (b"HTTP/", f"{_NOT_HTTP}: it is an answer; {_FIRST_LINE}"),
    (b"\xef\xbb\xbf", "the request begins with a byte order mark (BOM): leave it out"),
    (b"{", f"{_NOT_HTTP}: it is a body without a request; {_FIRST_LINE}"),
)
"""How other protocols begin (RFC 9113 section 3.4, RFC 8446 section 5.1, RFC 1928), and what to say about each."""

_VERSION = regex(rb"\d\.\d")
_OUTSIDE_TARGET = regex(rb"[^!-~]")
_OUTSIDE_VALUE = regex(rb"[\x00-\x08\x0a-\x1f\x7f]")


def what_is_wrong(raw: bytes, error: Exception) -> str:
    """Return what is wrong with the head of a request that the parser refuses with this error, and what to write."""
    raw = masked(raw)
    if raw.startswith(b"\r\n\r\n\x00\r\nQUIT\n"):  # the binary form of the PROXY protocol
        raw = b"PROXY "
    head = raw.lstrip(b"\r\n")
    for beginning, words in _OTHERS:
        if head.startswith(beginning):
            return words
    line, end, rest = head.partition(b"\n")
    found = next(_wrong_line(line, bool(end), error), None) or next(_wrong_fields(rest), None)
    if found is None:
        known = not isinstance(error, httptools.HttpParserCallbackError)
        found = f"{_NOT_HTTP}: {error}" if known else "the target cannot be read as a URL"
    return found


def what_is_wrong_with_the_body(error: Exception) -> str:
    """Return what is wrong with a body that the parser refuses with this error, and what to write instead."""
    if "Transfer-Encoding" in str(error):
        return "the last Transfer-Encoding must be chunked: use chunked, or send Content-Length in its place"
    form = "write each chunk as its length in hex, CRLF, its bytes, CRLF, and end with 0, CRLF, CRLF"
    return f"the chunked body is malformed ({error}): {form}"


def has_no_version(head: bytes) -> bool:
    """Return whether an incomplete head has a first line of HTTP/0.9, after which nothing would follow."""
    return re.fullmatch(rb"(\r\n)*[A-Z]+ +[!-~]+\r?\n", head) is not None


def _wrong_line(line: bytes, whole: bool, error: Exception) -> Iterator[str]:
    """Yield what is wrong with a request line. `whole` says that its end has arrived."""
    if line[:1] in (b" ", b"\t"):
        yield "there is a space before the method: leave it out"
    method, space, rest = line.rstrip(b"\r").partition(b" ")
    if not re.fullmatch(rb"[A-Za-z-]{1,32}", method):
        yield f"{_NOT_HTTP}: {_FIRST_LINE}"
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        yield _wrong_method(method.decode())
    if not space or not rest.strip():
        yield f"the request line has no target: {_FIRST_LINE}"
    matched = LINE.fullmatch(rest.lstrip(b" "))
    target, version = (matched["target"].rstrip(b" "), matched["version"]) if matched else (rest, None)
    if method == b"CONNECT":
        yield "CONNECT needs a proxy, and this port is not a proxy: `--proxy` starts one on another port"
    yield from _wrong_target(target, whole or version is not None)
    if whole and version is None:
        yield "the request line has no HTTP version: end it with HTTP/1.1"
    if version is not None and not _VERSION.fullmatch(version):
        yield f"the version must be HTTP/1.1, not HTTP/{_quoted(version)}"
    if whole and not line.endswith(b"\r"):
        yield _bare_lf()


def _wrong_method(word: str) -> str:
    if word.upper() in _METHODS:
        return f"methods are in upper case: write {word.upper()}, not {word}"
    hint = did_you_mean(word, _METHODS) or f": use {one_of(_METHODS[:-1])}"
    return f"{_NOT_HTTP}: unknown method {word}{hint}"


def _wrong_target(target: bytes, whole: bool) -> Iterator[str]:
    """Yield what is wrong with a target. `whole` says that its end has arrived."""
    outside = _OUTSIDE_TARGET.search(target)
    if outside is not None:
        yield _wrong_character(target[outside.start() :], whole)
    if len(target) > TARGET_LIMIT:
        much = f"the target has {len(target):,} bytes, and the limit is {TARGET_LIMIT:,}"
        yield f"{much}: send fewer or shorter parameters, or send them in a body"
    if target != b"*" and not target.startswith(b"/") and not ORIGIN.match(target):
        yield f"the target must begin with a slash: write /{_quoted(target)}"


def _wrong_character(rest: bytes, whole: bool) -> str:
    """Return what to write for the first character of the rest of a target."""
    code, byte = rest[0], rest[:1]
    if code == 0x20:
        return "the target contains a space: percent-encode it as %20"
    if code < 0x80:
        return f"the target contains the control character 0x{code:02X}: percent-encode it as %{code:02X}"
    for length in (2, 3, 4):
        with suppress(UnicodeDecodeError):
            letter = rest[:length].decode()
            return f"the target contains raw UTF-8: percent-encode it ({letter} is {quote_from_bytes(rest[:length])})"
    if not whole and len(rest) < 4 and 0xC2 <= code <= 0xF4:  # the other bytes of the letter have not arrived yet
        return "the target contains raw UTF-8: percent-encode it"
    return (
        f"the target contains the byte 0x{code:02X}, which is not ASCII: percent-encode it ({quote_from_bytes(byte)})"
    )


def _wrong_fields(rest: bytes) -> Iterator[str]:
    """Yield what is wrong with the header fields."""
    *lines, last = rest.split(b"\n")
    names: list[bytes] = []
    for line in [*lines, last]:
        text = line.rstrip(b"\r")
        if not text:
            return
        yield from _wrong_field(text, names)
        if line is not last and not line.endswith(b"\r"):
            yield _bare_lf()


def _wrong_field(text: bytes, names: list[bytes]) -> Iterator[str]:
    """Yield what is wrong with a line of the header, and add its name to those before it."""
    if text[:1] in (b" ", b"\t"):
        before = f"the header {_quoted(names[-1])} is folded" if names else "the first header begins with a space"
        yield f"{before}: write each header in one line"
    name, colon, value = text.partition(b":")
    if not colon:
        yield f'the header line "{_quoted(text)}" has no colon: write Name: value'
    if name != name.rstrip():
        yield f"there is a space before the colon of the header {_quoted(name)}: write {_quoted(name.rstrip())}: value"
    if not TOKEN.fullmatch(name):
        yield f'"{_quoted(name)}" is not the name of a header: use letters, digits and hyphens'
    names.append(name)
    outside = _OUTSIDE_VALUE.search(value)
    if outside is not None:
        code = value[outside.start()]
        yield f"the header {_quoted(name)} contains the control character 0x{code:02X}: leave it out"
    yield from _wrong_framing(name.lower(), value.strip(), [each.lower() for each in names[:-1]])


def _wrong_framing(name: bytes, value: bytes, before: Iterable[bytes]) -> Iterator[str]:
    """Yield what is wrong with a header that says where the body ends (RFC 9112 section 6.3)."""
    if name not in (b"content-length", b"transfer-encoding"):
        return
    if name == b"content-length" and name in before:
        yield "Content-Length is given twice: give it once"
    if {name, *before} >= {b"content-length", b"transfer-encoding"}:
        yield "both Content-Length and Transfer-Encoding are given: send only one of them"
    if name == b"content-length" and not value.isdigit():
        yield f'Content-Length must be a whole number, not "{_quoted(value)}"'
    if name == b"content-length" and int(value[:30]) >= 2**63:
        yield "Content-Length is too large: give the number of bytes of the body"
    if name == b"transfer-encoding" and value.rpartition(b",")[2].strip().lower() != b"chunked":
        yield what_is_wrong_with_the_body(ValueError("Transfer-Encoding"))


def _bare_lf() -> str:
    return r"a line of the head ends in LF: end each line with CRLF (\r\n)"


def _quoted(text: bytes) -> str:
    """Return a part of the request as a sentence quotes it."""
    return printable(text)[:_SHOWN]
