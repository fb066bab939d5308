"""https://api.cloudnexus.com, and http://, led to a mock of this process, below every HTTP client in it.

A name is resolved to an address that nothing else uses, and a connection to that address goes to the mock: so a client
finds what it expects at every step, and nothing about the client itself is touched.

As for TLS: the client's own context makes the connection, with the client's own settings, and verifies as it always
does; only the roots that it verifies against are exchanged, on that one connection, for the mock's CA. To add the CA to
the context would be simpler, but cannot be undone: a context forgets no certificate, and one made at module level would
trust the mock for the rest of the process. And while interception lasts nobody but the mock is believed to be
api.cloudnexus.com: a request that goes astray, such as through a proxy that the client was told of, ends in a failed
handshake, not in the real cloud.
"""

import _ssl
import errno
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from cnx_mock.intercept.hooks import LOCK, Patches, Way, original_class, seams
from cnx_mock.net.addresses import API_HOST
from cnx_mock.net.sockets import ListeningSockets

_STAND_IN = "127.99.67.88"
"""What the name resolves to. It is loopback, so that whoever gets around the second step stays on this machine."""

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")


class Interception(Way):
    """The way to the server at this URL, through its `listeners` for it."""

    order: ClassVar[int] = 1

    def __init__(self, url: str, listeners: ListeningSockets) -> None:
        self.url = url
        self.uses = 0
        plain, tls = (sockets[0].getsockname()[1] for sockets in (listeners.plain, listeners.tls))
        self._ports = {"80": plain, "http": plain, "443": tls, "https": tls}
        self._patches = Patches()
        self._environment: dict[str, str | None] = {}
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(listeners.ca_path)

    def look_up(self, host: str, port: object) -> str:
        """The API's name has an address of its own."""
        return _STAND_IN if _is_api(host) else host

    def connect(self, host: str, port: Any) -> tuple[str, Any]:
        """That address, or the name itself, is the server. Raises ConnectionRefusedError for a port that the API does
        not have."""
        if host != _STAND_IN and not _is_api(host):
            return host, port
        if str(port) not in self._ports:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{API_HOST} has no port {port}, only 443 and 80")
        return "127.0.0.1", self._ports[str(port)]

    def begin(self) -> None:
        """Take over TLS and proxies, beside the ways."""
        contexts = original_class(_ssl._SSLContext, "ssl")
        self._patches.replace(contexts, "_wrap_socket", self._wrap_socket)
        self._patches.replace(contexts, "_wrap_bio", self._wrap_bio)
        seams().add(self)
        self._environment = _past_the_proxy()

    def end(self) -> None:
        """Put everything back."""
        seams().remove(self)
        self._patches.undo()
        for name, before in self._environment.items():
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before

    # What `ssl.SSLSocket` and `ssl.SSLObject` are made on, whoever makes them. The public methods would be too high:
    # there the handshake may be over when they return.

    def _wrap_socket(self, original: Any) -> Callable[..., Any]:
        def wrap(context: Any, sock: Any, server_side: bool, server_hostname: str | None = None, **more: Any) -> Any:
            session = original(context, sock, server_side, server_hostname, **more)
            named = _is_api(server_hostname) if server_hostname else self._reached(sock)
            if named and self.uses and not server_side:
                session.context = self._context
            return session

        return wrap

    def _wrap_bio(self, original: Any) -> Callable[..., Any]:
        def wrap(
            context: Any, i: Any, o: Any, server_side: bool, server_hostname: str | None = None, **more: Any
        ) -> Any:
            session = original(context, i, o, server_side, server_hostname, **more)
            if _is_api(server_hostname or "") and self.uses and not server_side:
                session.context = self._context
            return session

        return wrap

    def _reached(self, sock: Any) -> bool:
        """Whether a socket has been led here, for a client that keeps the name to itself."""
        try:
            return bool(sock.getpeername() == ("127.0.0.1", self._ports["443"]))
        except OSError:  # it will be connected later
            return False


@contextmanager
def intercepting(url: str, listeners: ListeningSockets, cut: Callable[[], None]) -> Iterator[None]:
    """Lead the API to the server at this URL until the last of several uses ends; then `cut` is to close what clients
    have kept open. Raises RuntimeError where the API leads to another server."""
    with LOCK:
        current = next((way for way in seams().ways if isinstance(way, Interception)), None)
        if current is not None and current.url != url:
            raise RuntimeError(
                f"{API_HOST} already leads to the server at {current.url}, and cannot lead to {url} at the same time"
            )
        way = current or Interception(url, listeners)
        if current is None:
            way.begin()
        way.uses += 1
    try:
        yield
    finally:
        with LOCK:
            way.uses -= 1
            if not way.uses:
                way.end()
                cut()


def _is_api(host: str) -> bool:
    return host.rstrip(".").lower() == API_HOST


def _past_the_proxy() -> dict[str, str | None]:
    """Where the environment names a proxy, except the API from it: the proxy would lead to the real one. Gives what the
    variables were before."""
    if not any(os.environ.get(each) or os.environ.get(each.upper()) for each in _PROXIES):
        return {}
    before = {name: os.environ.get(name) for name in _EXCEPTIONS}
    listed = before["no_proxy"] or before["NO_PROXY"] or ""
    if listed != "*":
        for name in _EXCEPTIONS:
            os.environ[name] = f"{listed},{API_HOST}".lstrip(",")
    return before
