"""Heads of requests that the parser has read before.

A client sends the same headers again and again, and the same few lines. So a packet that is one whole request is cut
into its line, its headers and its body. If both the line and the headers, byte by byte, are ones that the parser has
accepted in such a packet, there is nothing to parse: how it reads a line does not depend on the headers behind it, nor
the other way round. `tests/http/test_both_paths.py` and `tests/net/test_known_heads.py` hold that the answers are the
same.
"""

from typing import Any, Final

from cnx_mock.text.live_keys import masked, may_have_live_key

RawHeaders = list[tuple[bytes, bytes]]

_MOST = 1000
"""How many lines, and how many blocks of headers, one server remembers."""

_LONGEST = 2048
"""Bytes of the longest line or block that is remembered."""


class RequestLine:
    """The method and the target of a request."""

    __slots__ = ("kept", "method", "size", "target")

    def __init__(self, method: str, target: bytes, is_safe: bool) -> None:
        """`is_safe` says that there is no live key in it."""
        self.method: Final = method
        self.target: Final = target if is_safe else masked(target)
        """Path and query, without any live key."""
        self.size: Final = len(target)
        """How many bytes the target had."""
        self.kept: Any = None
        """What the app keeps of it for the next request with the same line."""


class HeaderBlock:
    """The headers of a request."""

    __slots__ = ("body", "headers", "is_safe", "kept", "size")

    def __init__(self, headers: RawHeaders, is_safe: bool) -> None:
        """`is_safe` says that there is no live key in them."""
        self.headers: Final = headers
        """As they came, with names in lower case."""
        self.is_safe: Final = is_safe
        self.size: Final = sum([len(name) + len(value) + 4 for name, value in headers])
        """How many bytes they take in the head, about."""
        self.body = 0
        """How many bytes of a body they announce."""
        self.kept: Any = None
        """What the app keeps of them for the next request with the same headers."""


class KnownHeads:
    """The lines and the headers that one server remembers, by their bytes."""

    __slots__ = ("blocks", "lines")

    def __init__(self) -> None:
        self.lines: dict[bytes, RequestLine] = {}
        """By the line, without its end."""
        self.blocks: dict[bytes, HeaderBlock] = {}
        """By the headers, from the end of the line before them to the empty line."""

    def learn(self, packet: bytes, line: RequestLine, block: HeaderBlock, body: bytes) -> None:
        """Remember the head of a packet that the parser has read as one request, if it is one that says nothing about
        the connection. A key is never remembered that is a live one."""
        middle, end = packet.find(b"\r\n"), packet.find(b"\r\n\r\n") + 4
        written = packet[:middle], packet[middle:end]
        plain = b"%b %b HTTP/1.1" % (line.method.encode(), line.target)
        if (
            written[0] != plain
            or packet[end:] != body
            or not _has_plain_framing(block.headers, len(body))
            or max(map(len, written)) > _LONGEST
            or may_have_live_key(packet[:end])
        ):
            return
        for known in (self.lines, self.blocks):
            if len(known) >= _MOST:
                known.clear()
        block.body = len(body)
        self.lines[written[0]], self.blocks[written[1]] = line, block


def _has_plain_framing(headers: RawHeaders, body: int) -> bool:
    """Return whether these headers say no more about the connection than how long the body is."""
    lengths = [value for name, value in headers if name == b"content-length"]
    others = {b"connection", b"expect", b"transfer-encoding", b"upgrade"}
    return lengths in ([], [b"%d" % body]) and (bool(lengths) or not body) and others.isdisjoint(dict(headers))
