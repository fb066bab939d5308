"""The hosts that the egress guard lets tests reach: names, wildcards, addresses, networks; and this machine's own."""

import _socket
import re
import socket
from collections.abc import Iterable
from contextlib import closing, suppress
from ipaddress import IPv4Network, IPv6Network, ip_network

from cnx_mock.errors import InvalidInputError
from cnx_mock.text.host_names import Address, address_of, normal_name, split_port

_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
_PORT_OF_NOTHING = 9
"""A port for sockets that send nothing."""
_FORMS = "write a name (db.internal), a wildcard (*.internal), an address (10.0.0.7) or a network (10.0.0.0/8)"


class ReachableHosts:
    """Hosts that may be reached. Raises InvalidInputError for a text that names none."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._names: set[str] = set()
        self._domains: list[str] = []
        self._networks: list[IPv4Network | IPv6Network] = []
        self._addresses: set[Address] = set()
        """What the names are resolved to."""
        self._resolved: set[str] = set()
        for each in allowed:
            self._add(each)

    def has_name(self, name: str) -> bool:
        """Return whether a name may be looked up. Its addresses may be reached from then on."""
        name = normal_name(name)
        if name == "localhost" or name.endswith(".localhost") or name == normal_name(socket.gethostname()):
            return True
        if name not in self._names and not any(name.endswith(each) for each in self._domains):
            return False
        if name not in self._resolved:  # the look-up below asks this again
            self._resolved.add(name)
            self._addresses.update(_addresses_of(name))
        return True

    def has_address(self, address: Address) -> bool:
        """Return whether an address may be reached: allowed, or one of this machine's."""
        if address in self._addresses or any(address in each for each in self._networks):
            return True
        if is_own(address):
            return True
        for name in self._names - self._resolved:
            self.has_name(name)  # the code under test may have looked it up before
        return address in self._addresses

    def _add(self, text: str) -> None:
        given = text.strip().lower()
        try:
            self._networks.append(ip_network(given.strip("[]"), strict=False))
            return
        except ValueError:
            name = given.rstrip(".")
        if given.startswith("*.") and _is_name(name[2:]):
            self._domains.append(name[1:])
        elif _is_name(name):
            self._names.add(name)
        else:
            raise InvalidInputError(f"{text!r} is not a host: {_why_not(given)}{_FORMS}")


def is_own(address: Address) -> bool:
    """Return whether an address is one of this machine's, of whatever interface."""
    if address.is_loopback or address.is_unspecified:
        return True
    if address.is_multicast:
        return False
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with suppress(OSError), closing(_socket.socket(family, socket.SOCK_DGRAM)) as sock:
        # Nothing is sent. For an address of its own, the system chooses the same one to send from.
        sock.connect((str(address), _PORT_OF_NOTHING))
        return address_of(sock.getsockname()[0]) == address
    return False


def _is_name(name: str) -> bool:
    """Return whether this is a host's name. One of figures alone is an address with a mistake."""
    return _NAME.fullmatch(name) is not None and re.fullmatch(r"[0-9.]+", name) is None


def _why_not(given: str) -> str:
    """Return what is probably wrong with a text, for the message; "" if nothing is known."""
    if given == "*":
        return "it would allow everything. Leave the guard out instead, or "
    if "://" in given:
        return "it is a URL; "
    found = split_port(given)
    if found is not None and found[1] is not None:
        return f"leave the port out: {found[0]}; "
    return ""


def _addresses_of(name: str) -> set[Address]:
    with suppress(OSError):
        found = (address_of(str(info[4][0])) for info in socket.getaddrinfo(name, None))
        return {each for each in found if each is not None}
    return set()
