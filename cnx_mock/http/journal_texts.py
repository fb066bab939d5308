"""Headers and bodies as a journal shows them."""

from cnx_mock.http.auth import described
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.request import RawHeaders

BODY_SHOWN = 64 * 1024
"""Bytes of a body that an entry shows."""


def headers_in(head: bytes) -> RawHeaders:
    """Return the headers of a head that we have written."""
    lines = (line.partition(b": ") for line in head.split(b"\r\n")[1:] if line)
    return [(name, value) for name, _, value in lines]


def head_texts(head: bytes) -> list[list[str]]:
    """Return the headers of a head that we have written, as texts."""
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:] if line)
    return [[name, value] for name, _, value in lines]


def request_headers(exchange: Exchange) -> list[list[str]]:
    """Headers as they came, with only the end of the key; for a request that reached no sandbox, what was wrong with
    its key."""
    sent = exchange.request.sent
    if exchange.sandbox is None and exchange.key is not None:
        return _with_keys(sent.all, ["revoked"])
    if sent.shown is None:
        keys = [described(value) for name, value in sent.all if name == b"authorization"]
        sent.shown = _with_keys(sent.all, keys or ["missing"])
    return [*sent.shown]


def _with_keys(headers: RawHeaders, keys: list[str]) -> list[list[str]]:
    others = [header for header in texts(headers) if header[0] != "authorization"]
    return [*others, *(["authorization", key] for key in keys)]


def texts(headers: RawHeaders) -> list[list[str]]:
    """Return headers as texts."""
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def body_text(body: bytes) -> str | None:
    """Return a body as text, None if there is none."""
    return body[:BODY_SHOWN].decode("utf-8", "replace") if body else None
