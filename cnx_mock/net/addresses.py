"""Names and addresses: the API's host, the names of this machine, and the further URLs of one server."""

from pathlib import Path
from urllib.parse import urlsplit

from cnx_mock.dataclass import dataclass

API_HOST = "api.cloudnexus.com"
"""The host of the API in the reference's examples."""

SERVED_NAMES = (API_HOST, "cloudnexus.com", "*.cloudnexus.com", "localhost", "127.0.0.1", "::1")
"""The names in the certificate of every server."""

TOKEN_HEADER = "X-CNX-Mock-Control-Token"
"""The request header with the token of `--control-token`."""

SANDBOX_HEADER = "X-CNX-Mock-Sandbox"
"""The request header with the id of a sandbox: it chooses the sandbox of a call of the control plane, as a key does."""

KEY_REQUIRED = "KEY_REQUIRED"
"""The error code of a proxy that sends each key to one of several servers, for a new sandbox without a key."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a server besides plain HTTP; None for what it does not have, or what another server provides."""

    tls_url: str | None = None
    proxy_url: str | None = None
    ca_path: Path | None = None


def is_server_url(text: object) -> bool:
    """Return whether this is the URL of a server: `http://` or `https://`, a host, perhaps a port, perhaps a path."""
    if not isinstance(text, str) or any(each.isspace() or each in "?#{}" or not each.isprintable() for each in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:  # a port that is not a number, half an IPv6 address
        return False


def is_base_url(text: object) -> bool:
    """Return whether this is the base URL of a server: `http://`, a host, perhaps a port, perhaps a final slash."""
    return is_server_url(text) and str(text).removesuffix("/") == f"http://{urlsplit(str(text)).netloc}"
