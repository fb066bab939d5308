"""A guard at the way out of the process: every look-up of another host, and every connection to one, is refused and
remembered."""

import errno
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any, ClassVar

from cnx_mock.errors import EgressError
from cnx_mock.intercept.hooks import LOCK, Way, seams


class Guard(Way):
    """What stands guard, and `attempts`: what was attempted, each once, as `host:port, what`. Hosts that are `allowed`
    may be reached like this machine."""

    order: ClassVar[int] = 2  # behind an interception: what is led to the mock goes nowhere else

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.attempts: list[str] = []
        self._told = 0
        self._allowed = {each.lower() for each in allowed}
        for each in tuple(self._allowed):
            with suppress(OSError):
                self._allowed.update(str(info[4][0]) for info in socket.getaddrinfo(each, None))

    def look_up(self, host: str, port: object) -> str:
        """Addresses may be looked up, since nobody is asked; and so may this machine's own name. Raises EgressError."""
        if _address(host) is None and host != socket.gethostname() and not self._is_free(host):
            self._refuse(host, port, "looked up")
        return host

    def connect(self, host: str, port: Any) -> tuple[str, Any]:
        """Raises EgressError."""
        if not self._is_free(host):
            self._refuse(host, port, "connected to")
        return host, port

    def news(self) -> str:
        """What was attempted since this was last asked, as a text for whoever runs the test; "" for nothing."""
        fresh, self._told = self.attempts[self._told :], len(self.attempts)
        if not fresh:
            return ""
        return "\n  ".join(["the egress guard refused other hosts than this machine:", *fresh])

    def _is_free(self, host: str) -> bool:
        name = host.rstrip(".").lower()
        if name in self._allowed or name == "localhost" or name.endswith(".localhost"):
            return True
        address = _address(name)
        return address is not None and (address.is_loopback or address.is_unspecified)

    def _refuse(self, host: str, port: object, what: str) -> None:
        shown = f"[{host}]" if ":" in host else host
        where = shown if port is None else f"{shown}:{port}"
        attempt = f"{where}, {what}"
        if attempt not in self.attempts:
            self.attempts.append(attempt)
        raise EgressError(errno.EACCES, f"cnx_no_egress: {where} may not be {what} from this test")


@contextmanager
def guarding(allowed: Iterable[str] = ()) -> Iterator[Guard]:
    """Refuse every other host for as long as this lasts, in every thread."""
    guard = Guard(allowed)
    with LOCK:
        seams().add(guard)
    try:
        yield guard
    finally:
        with LOCK:
            seams().remove(guard)


def _address(host: str) -> Any:
    """The address that this text is, None if it is a name. One of IPv4 in IPv6's clothes is the one of IPv4."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
