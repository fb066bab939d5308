"""Names for a certificate: DNS names, wildcards and IP addresses, as people write them."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from cnx_mock.text.regex import regex

_LABEL = regex(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_MOST = 253
"""Characters of a DNS name (RFC 1035 section 2.3.4)."""


def read_tls_name(text: str) -> str:
    """Return a name for a certificate in its one spelling: in lower case, without a final dot, in ASCII. Raises
    ValueError, with what is wrong, if it is not a DNS name, a wildcard or an IP address."""
    if (wrong := _wrong_form(text)) is not None:
        raise ValueError(wrong)
    try:
        return _checked_address(ip_address(text.removeprefix("[").removesuffix("]")))
    except _NotCallableError as error:
        raise ValueError(str(error)) from None
    except ValueError:
        pass
    name = _ascii(text).lower().removesuffix(".")
    labels = name.removeprefix("*.").split(".")
    if "*" in name and (not name.startswith("*.") or "*" in name[1:]):
        raise ValueError(f"{text!r} is not a name: a wildcard is `*.` and a name, such as *.cloudnexus.local")
    if name.startswith("*.") and len(labels) < 2:
        raise ValueError(f"{text!r} is too wide: clients accept a wildcard only before two labels, such as *.a.local")
    if len(name) > _MOST or not all(_LABEL.fullmatch(each) for each in labels):
        raise ValueError(f"{text!r} is not a DNS name or an IP address")
    if labels[-1].isdigit():
        raise ValueError(f"{text!r} is not an IP address")
    return name


class _NotCallableError(ValueError):
    """An address that no client can call."""


def _wrong_form(text: str) -> str | None:
    """Return what to write in place of something that is not a single name; None if it may be one."""
    if not text.strip() or text != text.strip():
        return f"{text!r} is not a name: it is empty, or has spaces around it"
    if "://" in text:
        return f"{text!r} is a URL: write the host name alone"
    if "," in text or " " in text:
        return f"{text!r} is more than one name: give the option once for each"
    if "/" in text:
        return f"{text!r} is not one name or address: a certificate has no networks and no paths"
    if re.fullmatch(r"[^:]+:\d*|\[.*\]:\d*", text):
        return f"{text!r} has a port: a certificate's names have none"
    if "%" in text:
        return f"{text!r} has a zone: a certificate's addresses have none"
    return None


def _checked_address(address: IPv4Address | IPv6Address) -> str:
    if address.is_unspecified or address.is_multicast:
        raise _NotCallableError(f"{str(address)!r} is not an address that a client can call")
    return str(address)


def _ascii(text: str) -> str:
    """Return a name in ASCII, as clients send it. Raises ValueError if there is no such form."""
    try:
        return text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        raise ValueError(f"{text!r} is not a DNS name or an IP address") from None


def is_address(name: str) -> bool:
    """Return whether a name is an IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def matches(pattern: str, name: str) -> bool:
    """Return whether a name of a certificate, perhaps a wildcard, is good for a host name. Both are in lower case."""
    return pattern == name or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])
