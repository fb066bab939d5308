"""Hooks into the few functions through which a Python process resolves a host name and connects, below every HTTP
library.

They are the lowest functions that Python code can replace: the C functions below `socket.getaddrinfo`, so that code
that imported it by name meets the hook too; `connect` of the socket class; gevent's sockets; and uvloop's loop and
aiohttp's c-ares resolver, which do not use the socket module. They are replaced only while there is a hook.
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
"""Held while functions are replaced or restored: interception and the guard may start in several threads at once."""

_MARK = "__cnx_mock_hooks__"

Address = tuple[Any, ...]
Make = Callable[[Any], Callable[..., Any]]


class Hook:
    """Is asked before the process resolves a name or connects. Both methods return what to use, or raise OSError."""

    order: ClassVar[int] = 0
    """The hook with the lowest order is asked first; the next one gets its result."""

    def resolve(self, host: str, port: object) -> str:
        """Return the name or address to resolve in place of this one; `port` is as the caller gave it, None if it is
        unknown."""
        raise NotImplementedError

    def connect(self, host: str, port: Any) -> tuple[str, Any]:
        """Return the address to connect to, or to send to, in place of this one."""
        raise NotImplementedError


class Patches:
    """Replaced attributes of other modules and classes, until they are restored."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, make: Make) -> None:
        """Replace an attribute by what `make` returns for it. An attribute that does not exist is left alone."""
        original = getattr(owner, name, None)
        if original is None:
            return
        own, replacement = name in vars(owner), wraps(original)(make(original))

        def undo() -> None:
            if vars(owner).get(name) is not replacement:
                return  # other code replaced it later, and restores it
            if own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)

        setattr(owner, name, replacement)
        self._undo.append(undo)

    def undo(self) -> None:
        """Restore every attribute, the last one first. Idempotent."""
        while self._undo:
            self._undo.pop()()


class Hooks:
    """The hooks of the process, and the functions that ask them. Code that keeps a replaced function after the last
    hook is gone has no hook left in it: the function does what the original does."""

    def __init__(self) -> None:
        self.installed: tuple[Hook, ...] = ()
        self._patches = Patches()

    def add(self, hook: Hook) -> None:
        """Install a hook; the first one replaces the functions."""
        if not self.installed:
            self._replace_functions()
        self.installed = tuple(sorted((*self.installed, hook), key=lambda each: each.order))

    def remove(self, hook: Hook) -> None:
        """Remove a hook; the last one restores the functions."""
        self.installed = tuple(each for each in self.installed if each is not hook)
        if not self.installed:
            self._patches.undo()

    # ---- what the functions ask

    def _resolve(self, host: Any, port: object = None) -> Any:
        name = _text(host)
        if not name:
            return host
        found = name
        for hook in self.installed:
            found = hook.resolve(found, port)
        return host if found == name else found

    def _connect(self, host: Any, port: Any) -> tuple[Any, Any]:
        name = _text(host)
        if not name:
            return host, port
        found: tuple[str, Any] = (name, port)
        for hook in self.installed:
            found = hook.connect(*found)
        return (host, port) if found == (name, port) else found

    def _address(self, sock: Any, address: Any) -> Any:
        internet = sock.family in (socket.AF_INET, socket.AF_INET6)
        if not internet or not isinstance(address, tuple) or len(address) < 2:
            return address
        return (*self._connect(*address[:2]), *address[2:])

    # ---- the functions

    def _replace_functions(self) -> None:
        replace = self._patches.replace
        replace(_socket, "getaddrinfo", self._getaddrinfo)
        for module in (_socket, socket):
            for name in ("gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
                replace(module, name, self._gethostby)
        for sockets in (original_class(_socket.socket, "socket"), *_gevent_sockets()):
            self._replace_methods(sockets)
        for resolvers in _gevent_resolvers():
            for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
                replace(resolvers, name, self._resolver_look_up)
        replace(asyncio.proactor_events.BaseProactorEventLoop, "sock_connect", self._loop_sock_connect)
        if uvloop := _imported("uvloop"):
            replace(uvloop.Loop, "getaddrinfo", self._loop_getaddrinfo)
            replace(uvloop.Loop, "create_connection", self._loop_create_connection)
            replace(uvloop.Loop, "create_datagram_endpoint", self._loop_create_datagram_endpoint)
        if _imported("aiodns") and (resolver := _imported("aiohttp.resolver")):
            replace(resolver.AsyncResolver, "resolve", self._resolver_resolve)

    def _replace_methods(self, sockets: type[Any]) -> None:
        self._patches.replace(sockets, "connect", self._socket_connect)
        self._patches.replace(sockets, "connect_ex", self._socket_connect_ex)
        self._patches.replace(sockets, "sendto", self._socket_sendto)
        self._patches.replace(sockets, "sendmsg", self._socket_sendmsg)

    def _getaddrinfo(self, original: Any) -> Callable[..., Any]:
        def getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
            return original(self._resolve(host, port), port, *more, **named)

        setattr(getaddrinfo, _MARK, self)
        return getaddrinfo

    def _gethostby(self, original: Any) -> Callable[..., Any]:
        return lambda host: original(self._resolve(host))

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
        """On Windows, the loop connects in C, and does not use the socket class."""

        async def sock_connect(loop: Any, sock: Any, address: Any) -> Any:
            return await original(loop, sock, self._address(sock, address))

        return sock_connect

    def _loop_getaddrinfo(self, original: Any) -> Callable[..., Any]:
        async def getaddrinfo(loop: Any, host: Any, port: Any, **named: Any) -> Any:
            return await original(loop, self._resolve(host, port), port, **named)

        return getaddrinfo

    def _loop_create_connection(self, original: Any) -> Callable[..., Any]:
        async def create_connection(loop: Any, factory: Any, host: Any = None, port: Any = None, **named: Any) -> Any:
            found = self._connect(self._resolve(host, port), port)
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
                remote_addr = (*self._connect(self._resolve(host, port), port), *remote_addr[2:])
            return await original(loop, factory, local_addr, remote_addr, **named)

        return endpoint

    def _resolver_look_up(self, original: Any) -> Callable[..., Any]:
        """gevent looks names up in a pool of threads, which prints every error: refuse before."""

        def look_up(resolver: Any, host: Any, *more: Any, **named: Any) -> Any:
            port = more[0] if more else named.get("port")
            return original(resolver, self._resolve(host, port), *more, **named)

        return look_up

    def _resolver_resolve(self, original: Any) -> Callable[..., Any]:
        async def resolve(resolver: Any, host: Any, port: int = 0, family: Any = socket.AF_INET) -> Any:
            return await original(resolver, self._resolve(host, port), port, family)

        return resolve


def process_hooks() -> Hooks:
    """Return the hooks of the process. Hold LOCK to call this, and to change them."""
    found = getattr(_socket.getaddrinfo, _MARK, None)
    return found if isinstance(found, Hooks) else Hooks()


def original_class(base: type[Any], module: str) -> type[Any]:
    """Return the standard library's own class on top of a C class, even if another library has taken its name."""
    return next(each for each in base.__subclasses__() if each.__module__ == module)


def _gevent_sockets() -> list[type[Any]]:
    """Return gevent's own class of sockets, which takes the place of Python's after `monkey.patch_all()`."""
    module = _imported("gevent.socket")
    return [module.socket] if module else []


def _gevent_resolvers() -> list[type[Any]]:
    """Return gevent's own classes that look names up."""
    classes = (("gevent.resolver.thread", "Resolver"), ("gevent.resolver", "AbstractResolver"))
    found = (getattr(_imported(module), name, None) for module, name in classes)
    return [each for each in found if each is not None]


def _text(host: Any) -> str:
    """Return a host as a text, "" if there is none."""
    if isinstance(host, bytes | bytearray):
        return host.decode("ascii", "replace")
    return host if isinstance(host, str) else ""


def _imported(name: str) -> ModuleType | None:
    """Return a library, None if it is not installed. If a test imported it later, it would be too late to replace its
    functions."""
    with suppress(ImportError):
        return import_module(name) if find_spec(name.partition(".")[0]) else None
    return None
