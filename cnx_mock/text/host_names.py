"""Host names as options and requests have them: with or without a port, an address in brackets or not."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from cnx_mock.text.regex import regex

Address = IPv4Address | IPv6Address

_HOST = regex(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(?::([0-9]{1,5}))?|([0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*)", re.ASCII)
"""A name or an address, perhaps with a port. An IPv6 address without a port needs no brackets."""


def normal_name(host: str) -> str:
    """Return a host name in the form in which names are compared."""
    return host.strip("[]").rstrip(".").lower()


def split_port(text: str) -> tuple[str, int | None] | None:
    """Return the host's normal name and the port, None if there is no port; None for what is not a host."""
    found = _HOST.fullmatch(text)
    if found is None:
        return None
    name, port = normal_name(found[1] or found[3]), None if found[2] is None else int(found[2])
    return (name, port) if name and (port is None or 0 < port <= 65535) else None


def address_of(host: str) -> Address | None:
    """Return the address that this text is, None if it is a name. An IPv4 address mapped into IPv6 is the IPv4 one: a
    socket for both families shows 127.0.0.1 as `::ffff:127.0.0.1`."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(name: str) -> bool:
    """Return whether a host name means this machine: `localhost`, or an address of the loopback interface."""
    if name == "127.0.0.1":  # the most frequent one, at the cost of a comparison
        return True
    try:
        return name.lower() == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
