"""The Host header: exactly one, and well formed. If two programs read a bad header in different ways, attackers can use
that."""

from cnx_mock.api.errors import BadRequest
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.text.regex import regex

_HOST = regex(rb"(?:[A-Za-z0-9._~%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
"""A name or an address, and perhaps a port (RFC 9110 section 7.2). No real host has the other marks of RFC 3986."""


def host_of(headers: RawHeaders) -> str:
    """Return the Host header. Raises BadRequest if it is missing, malformed, or given twice (RFC 9112 section 3.2)."""
    found = [value for name, value in headers if name == b"host"]
    if not found:
        raise BadRequest(host="is missing: send `Host: 127.0.0.1:4269`, or the host and port that you use")
    if len(found) > 1:
        raise BadRequest(host="is given more than once")
    if _HOST.fullmatch(found[0]) is None:
        raise BadRequest(host=f"must be a host and perhaps a port, not {found[0][:200].decode('latin-1')}")
    return found[0].decode("latin-1")


def name_of(host: str) -> str:
    """Return the name or the address in a Host header, without the port."""
    return host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
