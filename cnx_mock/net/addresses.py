"""Names and addresses: the API's host, this machine's own names, and the URLs at which one server is found."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

API_HOST = "api.cloudnexus.com"
"""The host of the API in the reference's examples."""


def is_loopback(name: str) -> bool:
    """Whether a host's name is one that this machine has for itself."""
    try:
        return name.lower() == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a server is found beside plain HTTP; None for what it does not have, or what another server listens for."""

    tls_url: str | None = None
    proxy_url: str | None = None
    ca_path: Path | None = None
