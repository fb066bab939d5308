"""Who may call the control plane.

The documented example key opens a developer's own sandbox, so a key protects nothing here. Three questions do:

- Who is the peer? This machine, a network that `--control-from` names, or a client that knows `--control-token`.
- Which name did it use? A page can give its own host name this machine's address (DNS rebinding), so the Host header
  must have a loopback name, or one that `--control-host` allows. The token replaces both: a page does not know it.
- Is it a page of another origin? A browser lets a page send simple requests to any server. It says so in `Origin`
  (RFC 6454) and in `Sec-Fetch-Site` (W3C Fetch Metadata). Such a page may not write, with or without `--cors`. It may
  not name a sandbox by its id either, nor follow the events: only our own page does that, and programs.
"""

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from starlette.types import Scope

from cnx_mock.api.errors import BadRequest
from cnx_mock.dataclass import dataclass
from cnx_mock.http.hosts import host_of, name_of
from cnx_mock.net.addresses import SANDBOX_HEADER, TOKEN_HEADER
from cnx_mock.net.server_error import ServerError
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.text.host_names import address_of, is_loopback

PROTECTION: RawHeaders = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]
"""Headers of every answer: no page of another origin can read or frame it."""

JSON = "application/json"
"""The content type of what is written here."""

PAGE = "/_mock/"
"""The path of the live page."""

UI = f"{PAGE}ui/"
"""The path of everything that the page loads."""

EVENTS = "/_mock/events"
"""The path of the stream of events: only our own page reads it, and programs."""

_TOKEN = TOKEN_HEADER.lower().encode()
_SANDBOX = SANDBOX_HEADER.lower().encode()
_READS = ("GET", "HEAD", "OPTIONS")
_OWN_SITES = (b"same-origin", b"none")
_FOREIGN = "A web page of another origin may not use the control plane."

Network = IPv4Network | IPv6Network


class Refused(Exception):
    """The control plane does not answer this caller: status 403, with a code and words that no call of the API has."""

    def __init__(self, code: str, message: str, **details: str) -> None:
        super().__init__(code, details)
        self.problem = ServerError(403, "Forbidden", code, message, details)


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides about calls of the control plane, by the options of one server."""

    hosts: Sequence[str] = ()
    """Host names that are allowed beside loopback names."""
    networks: Sequence[Network] = ()
    """Networks whose machines are allowed beside this one."""
    token: str = ""
    """What opens the control plane to everybody who knows it; empty for none."""

    def check(self, scope: Scope, headers: RawHeaders) -> None:
        """Raise Refused if this caller is not allowed, and BadRequest if its Host or its content type is wrong."""
        host = host_of(headers)
        if not self._knows_token(headers):
            self._check_peer(scope, bool(_values(headers, _TOKEN)))
            self._check_name(host)
        writes = scope["method"] not in _READS
        if writes or scope["path"] == EVENTS or _values(headers, _SANDBOX):
            _check_origin(headers, host)
        if writes:
            _check_content_type(headers)

    def _knows_token(self, headers: RawHeaders) -> bool:
        given = _values(headers, _TOKEN)
        return bool(self.token) and len(given) == 1 and hmac.compare_digest(given[0], self.token.encode())

    def _check_peer(self, scope: Scope, has_token: bool) -> None:
        """Raise Refused for another machine. A call without an address comes from this process, or over a Unix
        socket."""
        client = scope.get("client")
        address = address_of(client[0]) if client else None
        if address is None or address.is_loopback or any(address in network for network in self.networks):
            return
        reason = "the token is wrong" if has_token else f"{address} is another machine"
        options = f"--control-from {address}, or --control-token with the header {TOKEN_HEADER}"
        raise Refused(
            "CONTROL_PEER_REFUSED", "The control plane answers to this machine only.", reason=reason, options=options
        )

    def _check_name(self, host: str) -> None:
        name = name_of(host)
        if not is_loopback(name) and name.lower() not in {each.lower() for each in self.hosts}:
            known = ", ".join(("localhost", "127.0.0.1", "[::1]", *self.hosts))
            message = "The control plane does not answer to this host name."
            raise Refused(
                "CONTROL_HOST_REFUSED", message, host=host[:200], required_host=known, option="--control-host"
            )


def sandbox_named(headers: RawHeaders) -> str | None:
    """Return the sandbox id in the header, None without it. Raises BadRequest if the header is given twice."""
    given = _values(headers, _SANDBOX)
    if len(given) > 1:
        raise BadRequest(header=f"{SANDBOX_HEADER} is given more than once")
    return given[0].decode("latin-1") if given else None


def _check_origin(headers: RawHeaders, host: str) -> None:
    """Raise Refused for a page that is not our own."""
    for origin in _values(headers, b"origin"):
        if origin.lower() not in (f"{scheme}://{host}".lower().encode("latin-1") for scheme in ("http", "https")):
            raise Refused("CROSS_ORIGIN_REFUSED", _FOREIGN, origin=origin.decode("latin-1")[:200])
    for site in _values(headers, b"sec-fetch-site"):
        if site.lower() not in _OWN_SITES:
            raise Refused("CROSS_ORIGIN_REFUSED", _FOREIGN, sec_fetch_site=site.decode("latin-1")[:200])


def _check_content_type(headers: RawHeaders) -> None:
    """Raise BadRequest for a write of a page in another form than JSON: before JSON, a browser asks. What a program
    sends is read as JSON whatever curl calls it."""
    if not any(name == b"origin" or name.startswith(b"sec-fetch-") for name, _ in headers):
        return
    given = b", ".join(_values(headers, b"content-type")).decode("latin-1")
    if given.partition(";")[0].strip().lower() != JSON:
        raise BadRequest(content_type=f"a web page must send {JSON}, not {given[:100] or 'none'}")


def _values(headers: RawHeaders, name: bytes) -> list[bytes]:
    return [value for each, value in headers if each == name]
