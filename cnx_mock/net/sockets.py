"""The sockets that a server listens on. They are bound before its event loop runs: the ports are known at once, and a
port in use is an error for the caller that starts the server."""

import errno
import os
import socket
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

from cnx_mock.errors import ListenError
from cnx_mock.net.addresses import Addresses
from cnx_mock.net.certificates import authority, ca_folder
from cnx_mock.settings import Settings

_TRIES = 20


def listen(host: str, port: int) -> list[socket.socket]:
    """Return bound, listening sockets: one, or for 127.0.0.1 also one on ::1 with the same port if the machine has that
    (`localhost` means either). Raises ListenError, whose message names the port or the address."""
    for _ in range(_TRIES):
        first = _bound(host, port)
        if host != "127.0.0.1":
            return [first]
        chosen = first.getsockname()[1]
        try:
            return [first, _bound("::1", chosen)]
        except ListenError as error:
            if error.errno != errno.EADDRINUSE:  # this machine has no ::1
                return [first]
            first.close()
            if port != 0:
                raise
    raise ListenError(errno.EADDRINUSE, "no port is free on both 127.0.0.1 and ::1")


def _bound(host: str, port: int) -> socket.socket:
    """Return one socket. It names TCP explicitly: otherwise asyncio leaves Nagle's algorithm on, and every answer waits
    40 ms for an ACK."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ListenError(errno.EINVAL, f"{host!r} is not an address: {getattr(error, 'strerror', error)}") from None
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind(address)
        sock.listen(2048)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise ListenError(error.errno, f"port {port} on {host} is already in use") from None
        raise ListenError(error.errno or errno.EINVAL, f"port {port} on {host}: {error.strerror}") from None
    sock.setblocking(False)
    return sock


def url_of(sock: socket.socket, scheme: str = "http") -> str:
    """Return the URL of a listening socket for clients on this machine. For one that listens on all addresses it is the
    loopback address, the only one at which the control plane answers."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


@dataclass(frozen=True)
class ListeningSockets:
    """The listening sockets of one server, and what its HTTPS needs."""

    plain: list[socket.socket]
    tls: list[socket.socket]
    proxy: list[socket.socket]
    context: ssl.SSLContext | None
    ca_path: Path | None
    """The CA's certificate, for clients to trust; None without HTTPS."""

    @property
    def url(self) -> str:
        """The base URL over plain HTTP."""
        return url_of(self.plain[0])

    @property
    def tls_url(self) -> str | None:
        """The base URL over HTTPS; None without HTTPS."""
        return url_of(self.tls[0], "https") if self.tls else None

    @property
    def proxy_url(self) -> str | None:
        """The proxy's URL; None without a proxy."""
        return url_of(self.proxy[0]) if self.proxy else None

    @property
    def addresses(self) -> Addresses:
        """The addresses to tell clients."""
        return Addresses(self.tls_url, self.proxy_url, self.ca_path)

    def close(self) -> None:
        """Close every socket."""
        for sock in (*self.plain, *self.tls, *self.proxy):
            sock.close()


@dataclass(frozen=True, slots=True)
class Security:
    """What HTTPS needs; several servers may share it."""

    context: ssl.SSLContext
    ca_path: Path


def security(settings: Settings) -> Security | None:
    """Return what HTTPS needs under these settings; None without HTTPS. Raises CertificateError."""
    if not settings.serves_tls:
        return None
    ca = authority(ca_folder(settings.ca_dir, os.environ))
    return Security(ca.server_context(), ca.path)


def open_sockets(settings: Settings, shared: Security | None = None) -> ListeningSockets:
    """Bind the sockets that the settings ask for, all of them or none. HTTPS uses `shared`, or a certificate of
    its own. Raises ListenError or CertificateError."""
    ca = shared or security(settings)
    sockets = ListeningSockets([], [], [], ca.context if ca else None, ca.ca_path if ca else None)
    try:
        sockets.plain.extend(listen(settings.host, settings.port))
        if ca:
            sockets.tls.extend(listen(settings.host, settings.tls_port))
        if settings.serves_proxy:
            sockets.proxy.extend(listen(settings.host, settings.proxy_port))
    except OSError:
        sockets.close()
        raise
    return sockets
