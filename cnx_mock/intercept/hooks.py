"""The few places of a Python process through which its clients find and reach a host, whatever HTTP library is above.

They are the lowest that Python code can replace: the C functions below `socket.getaddrinfo`, so that whoever has
imported it by name is met too; `connect` of the socket class; uvloop's loop and aiohttp's c-ares resolver, which go
past the socket module. What is replaced stays replaced only while somebody wants it.
"""

import _socket
import asyncio.proactor_events
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, ClassVar

LOCK = threading.RLock()
"""Held while something is replaced or put back: interception and the guard may begin in several threads at once."""

_MARK = "__cnx_mock_seams__"

Address = tuple[Any, ...]
Make = Callable[[Any], Callable[..., Any]]


class Way:
    """Has a say in where the process looks and goes. Both methods give back what is to be used, or raise OSError."""

    order: ClassVar[int] = 0
    """The lower is asked first; the next sees what it made of it."""

    def look_up(self, host: str, port: object) -> str:
        """A name or an address is about to be resolved; `port` as the caller gave it, None if unknown."""
        raise NotImplementedError

    def connect(self, host: str, port: Any) -> tuple[str, Any]:
        """A socket is about to be connected, or to send to this address."""
        raise NotImplementedError


class Patches:
    """Attributes of other people's modules and classes, until they are put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, make: Make) -> None:
        """Put what `make` makes of the attribute in its place; an attribute that is not there is left alone."""
        original = getattr(owner, name, None)
        if original is None:
            return
        own, replacement = name in vars(owner), wraps(original)(make(original))

        def undo() -> None:
            if vars(owner).get(name) is not replacement:
                return  # somebody else replaced it later, and knows what to put back
            if own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)

        setattr(owner, name, replacement)
        self._undo.append(undo)

    def undo(self) -> None:
        """Put everything back, the last first."""
        while self._undo:
            self._undo.pop()()


class Seams:
    """The seams while they are open, and the ways that have a say. Whoever kept a replaced function beyond that finds
    no way left in it: it does what the original does."""

    def __init__(self) -> None:
        self.ways: tuple[Way, ...] = ()
        self._patches = Patches()

    def add(self, way: Way) -> None:
        """Let it have its say; the first opens the seams."""
        if not self.ways:
            self._open()
        self.ways = tuple(sorted((*self.ways, way), key=lambda each: each.order))

    def remove(self, way: Way) -> None:
        """The last closes the seams."""
        self.ways = tuple(each for each in self.ways if each is not way)
        if not self.ways:
            self._patches.undo()

    # ---- what is asked

    def _look_up(self, host: Any, port: object = None) -> Any:
        name = _text(host)
        if not name:
            return host
        found = name
        for way in self.ways:
            found = way.look_up(found, port)
        return host if found == name else found

    def _connect(self, host: Any, port: Any) -> tuple[Any, Any]:
        name = _text(host)
        if not name:
            return host, port
        found: tuple[str, Any] = (name, port)
        for way in self.ways:
            found = way.connect(*found)
        return (host, port) if found == (name, port) else found

    def _address(self, sock: Any, address: Any) -> Any:
        internet = sock.family in (socket.AF_INET, socket.AF_INET6)
        if not internet or not isinstance(address, tuple) or len(address) < 2:
            return address
        return (*self._connect(*address[:2]), *address[2:])

    # ---- what is replaced

    def _open(self) -> None:
        replace = self._patches.replace
        replace(_socket, "getaddrinfo", self._getaddrinfo)
        for module in (_socket, socket):
            for name in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
                replace(module, name, self._gethostby)
        sockets = original_class(_socket.socket, "socket")
        replace(sockets, "connect", self._socket_connect)
        replace(sockets, "connect_ex", self._socket_connect_ex)
        replace(sockets, "sendto", self._socket_sendto)
        replace(sockets, "sendmsg", self._socket_sendmsg)
        replace(asyncio.proactor_events.BaseProactorEventLoop, "sock_connect", self._loop_sock_connect)
        if uvloop := _imported("uvloop"):
            replace(uvloop.Loop, "getaddrinfo", self._loop_getaddrinfo)
            replace(uvloop.Loop, "create_connection", self._loop_create_connection)
            replace(uvloop.Loop, "create_datagram_endpoint", self._loop_create_datagram_endpoint)
        if _imported("aiodns") and (resolver := _imported("aiohttp.resolver")):
            replace(resolver.AsyncResolver, "resolve", self._resolver_resolve)

    def _getaddrinfo(self, original: Any) -> Callable[..., Any]:
        def getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
            return original(self._look_up(host, port), port, *more, **named)

        setattr(getaddrinfo, _MARK, self)
        return getaddrinfo

    def _gethostby(self, original: Any) -> Callable[..., Any]:
        return lambda host: original(self._look_up(host))

    def _socket_connect(self, original: Any) -> Callable[..., Any]:
        return lambda sock, address: original(sock, self._address(sock, address))

    def _socket_connect_ex(self, original: Any) -> Callable[..., Any]:
        def connect_ex(sock: Any, address: Any) -> Any:
            try:
                address = self._address(sock, address)
            except OSError as error:
                return error.errno
            return original(sock, address)

        return connect_ex

    def _socket_sendto(self, original: Any) -> Callable[..., Any]:
        return lambda sock, data, *more: original(sock, data, *more[:-1], *(self._address(sock, a) for a in more[-1:]))

    def _socket_sendmsg(self, original: Any) -> Callable[..., Any]:
        def sendmsg(sock: Any, buffers: Any, ancillary: Any = (), flags: int = 0, address: Any = None) -> Any:
            return original(sock, buffers, ancillary, flags, self._address(sock, address))

        return sendmsg

    def _loop_sock_connect(self, original: Any) -> Callable[..., Any]:
        """Windows connects in C."""

        async def sock_connect(loop: Any, sock: Any, address: Any) -> Any:
            return await original(loop, sock, self._address(sock, address))

        return sock_connect

    def _loop_getaddrinfo(self, original: Any) -> Callable[..., Any]:
        async def getaddrinfo(loop: Any, host: Any, port: Any, **named: Any) -> Any:
            return await original(loop, self._look_up(host, port), port, **named)

        return getaddrinfo

    def _loop_create_connection(self, original: Any) -> Callable[..., Any]:
        async def create_connection(loop: Any, factory: Any, host: Any = None, port: Any = None, **named: Any) -> Any:
            found = self._connect(self._look_up(host, port), port)
            if found != (host, port):
                if named.get("ssl") and named.get("server_hostname") is None:
                    named["server_hostname"] = host
                host, port = found
            return await original(loop, factory, host, port, **named)

        return create_connection

    def _loop_create_datagram_endpoint(self, original: Any) -> Callable[..., Any]:
        async def endpoint(
            loop: Any, factory: Any, local_addr: Any = None, remote_addr: Any = None, **named: Any
        ) -> Any:
            if isinstance(remote_addr, tuple) and len(remote_addr) >= 2:
                host, port = remote_addr[:2]
                remote_addr = (*self._connect(self._look_up(host, port), port), *remote_addr[2:])
            return await original(loop, factory, local_addr, remote_addr, **named)

        return endpoint

    def _resolver_resolve(self, original: Any) -> Callable[..., Any]:
        async def resolve(resolver: Any, host: Any, port: int = 0, family: Any = socket.AF_INET) -> Any:
            return await original(resolver, self._look_up(host, port), port, family)

        return resolve


def seams() -> Seams:
    """The process's seams: those that are open, or closed ones. To be called, and used, under LOCK."""
    found = getattr(_socket.getaddrinfo, _MARK, None)
    return found if isinstance(found, Seams) else Seams()


def original_class(base: type[Any], module: str) -> type[Any]:
    """The standard library's own class on top of a C class, also where another library has put its own in that name."""
    return next(each for each in base.__subclasses__() if each.__module__ == module)


def _text(host: Any) -> str:
    """A host as it may be given; "" for none."""
    if isinstance(host, bytes | bytearray):
        return host.decode("ascii", "replace")
    return host if isinstance(host, str) else ""


def _imported(name: str) -> ModuleType | None:
    """A library if it is there: a test may import it itself later, when it would be too late."""
    with suppress(ImportError):
        return import_module(name) if find_spec(name.partition(".")[0]) else None
    return None
