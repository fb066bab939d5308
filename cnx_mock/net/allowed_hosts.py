"""The hosts to which the proxy may open tunnels."""

from collections.abc import Iterable

from cnx_mock.dataclass import dataclass
from cnx_mock.text.host_names import is_loopback, split_port

DEFAULT_PORTS = (443, 80)
"""The ports that a host without a port stands for."""


def option_for(host: str, port: int) -> str:
    """Return the option that allows this address."""
    if port in DEFAULT_PORTS and not is_loopback(host):
        return f"--allow-host {host}"
    return f"--allow-host [{host}]:{port}" if ":" in host else f"--allow-host {host}:{port}"


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Allowed hosts. Make it with `of`."""

    without_port: frozenset[str]
    """Hosts that were named without a port: they are allowed with the ports of HTTPS and HTTP."""
    exact: frozenset[tuple[str, int]]
    """Hosts that were named with a port."""

    @classmethod
    def of(cls, entries: Iterable[str]) -> "AllowedHosts":
        """Return the hosts of these entries: `NAME` or `NAME:PORT`."""
        found = [each for each in map(split_port, entries) if each is not None]
        return cls(
            frozenset(name for name, port in found if port is None),
            frozenset((name, port) for name, port in found if port is not None),
        )

    def __contains__(self, address: tuple[str, int]) -> bool:
        """Return whether a tunnel to this host and port may be opened. A loopback host must be named with its port."""
        host, port = address
        return address in self.exact or (host in self.without_port and port in DEFAULT_PORTS and not is_loopback(host))

    def may_be_loopback(self, address: tuple[str, int]) -> bool:
        """Return whether this host may turn out to be this machine: only if it was named with its port."""
        return address in self.exact
