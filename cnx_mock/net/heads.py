"""The head of a message as HTTP/1.1 writes it."""

from collections.abc import Iterable


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return headers as lines, each with its end."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])
