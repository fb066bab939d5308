"""The sockets that a server listens on, bound before its loop runs: their ports are known at once, and a taken one is
an error of whoever starts the server."""

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
    """Bound, listening sockets: one, or for 127.0.0.1 also one on ::1 with the same port where the machine has it
    (`localhost` means either). Raises ListenError; the message names the port or the address."""
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
    """One socket. TCP is named, or asyncio leaves Nagle's delay on and every answer waits 40 ms for an ACK."""
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
    """Where clients on this machine find a listening socket; one that listens everywhere is found on loopback, the only
    place where the control plane answers."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


@dataclass(frozen=True)
class ListeningSockets:
    """The sockets of one server, bound and listening, and what its HTTPS needs."""

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
        """The base URL over HTTPS, None without."""
        return url_of(self.tls[0], "https") if self.tls else None

    @property
    def proxy_url(self) -> str | None:
        """The proxy's URL, None without."""
        return url_of(self.proxy[0]) if self.proxy else None

    @property
    def addresses(self) -> Addresses:
        """What clients are told."""
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
    """What the settings' HTTPS needs, None without. Raises CertificateError."""
    if not settings.serves_tls:
        return None
    ca = authority(ca_folder(settings.ca_dir, os.environ))
    return Security(ca.server_context(), ca.path)


def open_sockets(settings: Settings, shared: Security | None = None) -> ListeningSockets:
    """Bind what the settings ask for, all of it or nothing; HTTPS with what is shared, else with a certificate of its
    own. Raises what `listen` raises, and CertificateError."""
    ca = shared or security(settings)
    listeners = ListeningSockets([], [], [], ca.context if ca else None, ca.ca_path if ca else None)
    try:
        listeners.plain.extend(listen(settings.host, settings.port))
        if ca:
            listeners.tls.extend(listen(settings.host, settings.tls_port))
        if settings.serves_proxy:
            listeners.proxy.extend(listen(settings.host, settings.proxy_port))
    except OSError:
        listeners.close()
        raise
    return listeners
