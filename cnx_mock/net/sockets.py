"""The sockets that a server listens on. They are bound before its event loop runs: the ports are known at once, and a
port in use is an error for the caller that starts the server."""

import errno
import os
import socket
import ssl
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import ListenError
from cnx_mock.net.addresses import Addresses
from cnx_mock.settings import Settings
from cnx_mock.text.host_names import is_loopback

_TRIES = 20

BACKLOG = 2048
"""How many connections may wait to be accepted."""

_EVERY: Mapping[int, str] = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}
"""The addresses that stand for all addresses of a family."""

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where clients on this machine find a server that listens on all addresses of a family."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An address to listen on, and the host that it was given as. A `spare` one may be missing on this machine."""

    host: str
    family: int
    address: tuple[str, int, int]
    """The address, the flow and the scope; the last two are 0 for IPv4."""
    spare: bool

    @property
    def name(self) -> str:
        """The address for messages, after the name that has it."""
        address = self.address[0]
        return f"{self.host} ({address})" if self.host[:1].isalpha() and ":" not in self.host else address


@dataclass(frozen=True, slots=True)
class ClosedSocket:
    """Stands for a listening socket while its port is closed."""

    family: int
    name: Any
    """The address at which it listened, and will listen again."""

    def getsockname(self) -> Any:
        """Return the address."""
        return self.name

    def close(self) -> None:
        """Nothing is open."""


def bind_again(closed: ClosedSocket) -> socket.socket:
    """Return a socket that is bound where a closed one was, and does not listen yet. Raises ListenError."""
    address, port, *more = closed.name
    flow, scope = more or (0, 0)
    return _bound(_Place(address, closed.family, (address, flow, scope), spare=False), port, listens=False)


ServerSocket = socket.socket | ClosedSocket


def listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Return bound, listening sockets, all with one port. A name means every address of it that this machine has;
    127.0.0.1 means ::1 too, because `localhost` may be either. Raises ListenError, whose message names the port and the
    host."""
    places = _places(hosts)
    for _ in range(_TRIES):
        try:
            return _bound_together(places, port)
        except ListenError as error:
            if error.errno != errno.EADDRINUSE or port != 0:
                raise
    raise ListenError(errno.EADDRINUSE, f"no port is free on all of {', '.join(place.name for place in places)}")


def _places(hosts: Sequence[str]) -> list[_Place]:
    """Return the addresses of these hosts, each one once, without those that an address for all of them includes."""
    found: dict[object, _Place] = {}
    for place in chain.from_iterable(map(_resolved, hosts)):
        key = place.family, place.address
        if key not in found or not place.spare:
            found[key] = place
    everywhere = {place.family for place in found.values() if place.address[0] == _EVERY.get(place.family)}
    return [each for each in found.values() if each.family not in everywhere or each.address[0] == _EVERY[each.family]]


def _resolved(host: str) -> list[_Place]:
    """Return the addresses of a host. Raises ListenError if it has none."""
    name = host.strip("[]")
    if name == "127.0.0.1" or name.lower().rstrip(".") == "localhost":
        own = _Place(host, socket.AF_INET, ("127.0.0.1", 0, 0), spare=name != "127.0.0.1")
        return [own, _Place(host, socket.AF_INET6, ("::1", 0, 0), spare=True)]
    try:
        known = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ListenError(errno.EINVAL, f"{host!r} is not an address: {getattr(error, 'strerror', error)}") from None
    addresses = dict.fromkeys((family, _address(at)) for family, _, _, _, at in known)
    return [_Place(host, family, address, spare=len(addresses) > 1) for family, address in addresses]


def _address(at: tuple[Any, ...]) -> tuple[str, int, int]:
    """Return a socket's address without its port, with a flow and a scope."""
    flow, scope = at[2:4] if len(at) > 3 else (0, 0)
    return str(at[0]), int(flow), int(scope)


def _bound_together(places: Sequence[_Place], port: int) -> list[socket.socket]:
    """Return a socket for each place, all with one port, or none at all. Raises ListenError."""
    sockets: list[socket.socket] = []
    served: set[str] = set()
    missing: dict[str, ListenError] = {}
    try:
        for place in places:
            try:
                sockets.append(_bound(place, sockets[0].getsockname()[1] if sockets else port))
                served.add(place.host)
            except ListenError as error:
                if not place.spare or error.errno == errno.EADDRINUSE:
                    raise
                missing.setdefault(place.host, error)
        for host, problem in missing.items():
            if host not in served:
                raise problem
    except ListenError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def _bound(place: _Place, port: int, *, listens: bool = True) -> socket.socket:
    """Return one socket. It listens unless `listens` is False. It names TCP explicitly: otherwise asyncio leaves
    Nagle's algorithm on, and every answer waits 40 ms for an ACK."""
    address, flow, scope = place.address
    sock = None
    try:
        sock = socket.socket(place.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if place.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((address, port, flow, scope) if place.family == socket.AF_INET6 else (address, port))
        if listens:
            sock.listen(BACKLOG)
    except OSError as error:
        if sock is not None:
            sock.close()
        if error.errno == errno.EADDRINUSE:
            taken = ListenError(error.errno, f"port {port} on {place.name} is already in use")
            taken.place = _LOOPBACK.get(address, address), port
            raise taken from None
        raise ListenError(error.errno or errno.EINVAL, f"port {port} on {place.name}: {error.strerror}") from None
    sock.setblocking(False)
    return sock


def url_of(sock: ServerSocket, scheme: str = "http") -> str:
    """Return the URL of a listening socket for clients on this machine. For one that listens on all addresses it is the
    loopback address, the only one at which the control plane answers."""
    host, port = _host(sock), sock.getsockname()[1]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _best_url(sockets: Sequence[ServerSocket], scheme: str = "http") -> str:
    """Return the URL of the first socket with a loopback address, at which the control plane answers, or else of the
    first one."""
    return url_of(next((sock for sock in sockets if is_loopback(_host(sock))), sockets[0]), scheme)


def _host(sock: ServerSocket) -> str:
    """Return the address at which clients on this machine reach a listening socket."""
    host = str(sock.getsockname()[0])
    return _LOOPBACK.get(host, host)


@dataclass(frozen=True)
class ListeningSockets:
    """The listening sockets of one server, and what its HTTPS needs."""

    plain: list[ServerSocket]
    tls: list[ServerSocket]
    proxy: list[ServerSocket]
    context: ssl.SSLContext | None
    ca_path: Path | None
    """The CA's certificate, for clients to trust; None without HTTPS."""

    @property
    def url(self) -> str:
        """The base URL over plain HTTP."""
        return _best_url(self.plain)

    @property
    def urls(self) -> list[str]:
        """The URL over plain HTTP of every address that the server listens on."""
        return [url_of(sock) for sock in self.plain]

    @property
    def tls_url(self) -> str | None:
        """The base URL over HTTPS; None without HTTPS."""
        return _best_url(self.tls, "https") if self.tls else None

    @property
    def proxy_url(self) -> str | None:
        """The proxy's URL; None without a proxy."""
        return _best_url(self.proxy) if self.proxy else None

    @property
    def addresses(self) -> Addresses:
        """The addresses to tell clients."""
        return Addresses(self.tls_url, self.proxy_url, self.ca_path)

    @property
    def security(self) -> "Security | None":
        """What its HTTPS needs, for another server to share; None without HTTPS."""
        return None if self.context is None or self.ca_path is None else Security(self.context, self.ca_path)

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
    from cnx_mock.net.certificates import ca_folder, default_server_context  # lazy: only HTTPS needs certificates
    from cnx_mock.net.tls_names import trust  # lazy: as above

    folder = ca_folder(settings.ca_dir, os.environ)
    if not settings.tls_name:
        return Security(*default_server_context(folder))
    trusted = trust(folder, settings.tls_name)
    return Security(trusted.server_context(), trusted.path)


def open_sockets(settings: Settings, shared: Security | None = None) -> ListeningSockets:
    """Bind the sockets that the settings ask for, all of them or none. HTTPS uses `shared`, or a certificate of
    its own. Raises ListenError or CertificateError."""
    ca = shared or security(settings)
    sockets = ListeningSockets([], [], [], ca.context if ca else None, ca.ca_path if ca else None)
    try:
        sockets.plain.extend(listen(settings.hosts, settings.port))
        if ca:
            sockets.tls.extend(listen(settings.hosts, settings.tls_port))
        if settings.serves_proxy:
            sockets.proxy.extend(listen(settings.hosts, settings.proxy_port))
    except OSError:
        sockets.close()
        raise
    return sockets
