"""The egress guard: it refuses every look-up of another host than this machine, and every connection to one, and keeps
a list of them."""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from cnx_mock.errors import EgressError
from cnx_mock.intercept.hooks import LOCK, Hook, process_hooks
from cnx_mock.intercept.reachable_hosts import ReachableHosts
from cnx_mock.text.host_names import address_of


class EgressGuard(Hook):
    """Refuses other hosts than this machine and those that are `allowed`."""

    order: ClassVar[int] = 2  # after an interception: what is led to the mock stays on this machine

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.attempts: list[str] = []
        """What was refused, each attempt once, as `host:port, looked up` or `host:port, connected to`."""
        self._reported = 0
        self._allowed = ReachableHosts(allowed)

    def resolve(self, host: str, port: object) -> str:
        """Return the host. An address may be looked up, since that asks no server, and so may this machine's own name.
        Raises EgressError for another host."""
        if address_of(host) is None and not self._allowed.has_name(host):
            self._refuse(host, port, "looked up")
        return host

    def connect(self, host: str, port: Any) -> tuple[str, Any]:
        """Return the address. Raises EgressError for another host."""
        address = address_of(host)
        free = self._allowed.has_name(host) if address is None else self._allowed.has_address(address)
        if not free:
            self._refuse(host, port, "connected to")
        return host, port

    def new_attempts(self) -> str:
        """Return the attempts since the last call of this method, as a text for a test report; "" if there are none."""
        new, self._reported = self.attempts[self._reported :], len(self.attempts)
        if not new:
            return ""
        return "\n  ".join(["the egress guard refused connections to other machines:", *new])

    def _refuse(self, host: str, port: object, what: str) -> None:
        shown = f"[{host}]" if ":" in host else host
        where = shown if port is None else f"{shown}:{port}"
        attempt = f"{where}, {what}"
        if attempt not in self.attempts:
            self.attempts.append(attempt)
        raise EgressError(errno.EACCES, f"cnx_no_egress: {where} may not be {what} from this test")


@contextmanager
def guard_egress(allowed: Iterable[str] = ()) -> Iterator[EgressGuard]:
    """Refuse every other host than this machine in every thread, for the length of a `with` block.

    `allowed` are names, wildcards (`*.internal`), addresses and networks that may be reached, too. Raises
    InvalidInputError for a text that is none of these.
    """
    guard = EgressGuard(allowed)
    with LOCK:
        process_hooks().add(guard)
    try:
        yield guard
    finally:
        with LOCK:
            process_hooks().remove(guard)
