"""Interception: https://api.cloudnexus.com, and http://, lead to a mock of this process, below every HTTP client in it.

The name is resolved to an address that nothing else uses, and a connection to that address goes to the mock. So a
client gets what it expects at every step, and the client itself is not changed.

TLS: the client's own context makes the connection, with the client's own settings, and verifies as always. Only the
roots that it verifies against are exchanged, on that one connection, for the mock's CA. To add the CA to the context
would be simpler, but cannot be undone: no certificate can be removed from a context, and one made at module level would
trust the mock for the rest of the process. While interception lasts, only the mock passes for api.cloudnexus.com. So a
request that goes another way, such as through a proxy that the client was given, ends in a failed handshake and not at
the real cloud.
"""

import _ssl
import errno
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from cnx_mock.errors import InterceptionError
from cnx_mock.intercept.hooks import LOCK, Hook, Patches, original_class, process_hooks
from cnx_mock.net.addresses import API_HOST
from cnx_mock.net.proxies import changes_past_proxy
from cnx_mock.net.sockets import ListeningSockets

_STAND_IN = "127.99.67.88"
"""What the name resolves to. It is loopback, so that a connection that escapes the hook stays on this machine."""


class Interception(Hook):
    """Leads the API's host name to the server at this URL, through the sockets that it has for this."""

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

    def resolve(self, host: str, port: object) -> str:
        """Return the stand-in address for the API's name, any other host as it is."""
        return _STAND_IN if _is_api(host) else host

    def connect(self, host: str, port: Any) -> tuple[str, Any]:
        """Return the server's address for the stand-in address or the API's name, any other address as it is. Raises
        ConnectionRefusedError for a port that the API does not have."""
        if host != _STAND_IN and not _is_api(host):
            return host, port
        if str(port) not in self._ports:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"{API_HOST} has no port {port}, only 443 and 80")
        return "127.0.0.1", self._ports[str(port)]

    def start(self) -> None:
        """Install the hook, and take over TLS and the environment's proxies."""
        contexts = original_class(_ssl._SSLContext, "ssl")
        self._patches.replace(contexts, "_wrap_socket", self._wrap_socket)
        self._patches.replace(contexts, "_wrap_bio", self._wrap_bio)
        process_hooks().add(self)
        self._environment = _without_proxy()

    def stop(self) -> None:
        """Restore everything."""
        process_hooks().remove(self)
        self._patches.undo()
        for name, before in self._environment.items():
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before

    # Every `ssl.SSLSocket` and `ssl.SSLObject` is made on what these two return. The public methods would be too late:
    # when they return, the handshake may be over.

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
        """Return whether a socket is connected to the mock, for a client that does not give the name to TLS."""
        try:
            return bool(sock.getpeername() == ("127.0.0.1", self._ports["443"]))
        except OSError:  # it will be connected later
            return False


@contextmanager
def intercepting(url: str, listeners: ListeningSockets, close_connections: Callable[[], None]) -> Iterator[None]:
    """Lead the API to the server at this URL until the last of several uses ends. Then `close_connections` must close
    the connections that clients kept open. Raises InterceptionError if the API leads to another server."""
    with LOCK:
        current = next((hook for hook in process_hooks().installed if isinstance(hook, Interception)), None)
        if current is not None and current.url != url:
            raise InterceptionError(
                f"{API_HOST} already leads to the server at {current.url}, and cannot lead to {url} at the same time"
            )
        interception = current or Interception(url, listeners)
        if current is None:
            interception.start()
        interception.uses += 1
    try:
        yield
    finally:
        with LOCK:
            interception.uses -= 1
            if not interception.uses:
                interception.stop()
                close_connections()


def _is_api(host: str) -> bool:
    return host.rstrip(".").lower() == API_HOST


def _without_proxy() -> dict[str, str | None]:
    """Except the API from the proxy that the environment names, if it names one: the proxy would lead to the real API.
    Return the values that the changed variables had before."""
    changes = changes_past_proxy(os.environ, [API_HOST])
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    return before
