"""The environment variables that lead a program to the mock.

There are two ways, and both are set: the base URL and the key, for programs that read them; the proxy and the CA, for
programs that call the cloud's own address.
"""

import ssl
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from cnx_mock.dataclass import dataclass
from cnx_mock.net.addresses import API_HOST
from cnx_mock.net.proxies import LOOPBACK, exceptions
from cnx_mock.text.files import read_regular, replace_file
from cnx_mock.text.host_names import split_port

_MAX_BUNDLE = 1 << 24
"""The most bytes of a file with certificates."""

_REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name all that is trusted: Python's ssl, httpx, Go and Ruby; requests; curl."""
_ADDING = "NODE_EXTRA_CA_CERTS"
"""Node's, which names what is trusted beside the rest."""
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)
"""Where systems keep the CAs that they trust, in one file."""


@dataclass(frozen=True)
class Destination:
    """The server to which a program is led."""

    url: str
    key: str
    proxy_url: str | None = None
    """None if the server has no proxy."""
    ca: Path | None = None
    """The file of our CA; None if the server has no HTTPS."""
    bundle: Path | None = None
    """A file with our CA and everything else that the program trusts; None for our CA alone."""
    direct: tuple[str, ...] = ()
    """Hosts that need no proxy, each perhaps with a port. Few programs read ports in NO_PROXY: they get the names."""

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables to set on top of this environment."""
        found = {"CLOUDNEXUS_BASE_URL": self.url, "CLOUDNEXUS_API_KEY": self.key}
        if self.proxy_url is not None:
            around = _around(environ, (*_names(self.direct), *LOOPBACK))
            # curl knows http_proxy in small letters only, Ruby takes it for https too; some know capitals only
            for name, value in (("HTTPS_PROXY", self.proxy_url), ("HTTP_PROXY", self.proxy_url), ("NO_PROXY", around)):
                found |= {name: value, name.lower(): value}
            found["NODE_USE_ENV_PROXY"] = "1"
        if self.ca is not None:
            bundle = str(self.bundle or self.ca)
            found |= dict.fromkeys(_REPLACING, bundle)
            found[_ADDING] = bundle if environ.get(_ADDING) else str(self.ca)
        return found

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return this environment with the variables set."""
        return {**environ, **self.variables(environ)}


@contextmanager
def trust_bundle(ca: Path | None, environ: Mapping[str, str]) -> Iterator[Path | None]:
    """Write a file with our CA and everything else that programs trust; it exists as long as the context.

    Gives its path, or None if there is no CA.
    """
    with tempfile.TemporaryDirectory(prefix="cnx-mock-", ignore_cleanup_errors=True) as folder:
        bundle = Path(folder, "ca-bundle.pem")
        if ca is not None:
            replace_file(bundle, bundle_of(ca, environ, bundle))
        yield bundle if ca is not None else None


def _around(environ: Mapping[str, str], more: Iterable[str]) -> str:
    """Return the value of NO_PROXY: the hosts that the user has named, but none that means the API, and more."""
    hosts = dict.fromkeys((*exceptions(environ), *more))
    return ",".join(name for name in hosts if not _covers(name, API_HOST))


def _names(hosts: Iterable[str]) -> list[str]:
    """Return the names of hosts, without their ports."""
    return [found[0] for each in hosts if (found := split_port(each))]


def _covers(pattern: str, host: str) -> bool:
    """Return whether an entry of NO_PROXY means a host: the host itself, a domain of it, or everything."""
    domain = pattern.lower().partition(":")[0]
    name = domain.strip("*.")
    return host.endswith(name) if name else domain != ""  # requests compares ends without looking for a dot


def bundle_of(ca: Path, environ: Mapping[str, str], ours: Path) -> bytes:
    """Return our CA and everything else that programs trust, as PEM: what the environment names, or else what the
    system has. `ours` is the file that this is written to, which the environment may name already."""
    named = dict.fromkeys(Path(environ[name]) for name in _REPLACING if environ.get(name))
    bundles = list(_texts(each for each in named if each not in (ca, ours)))
    if not bundles:
        bundles = list(islice(_texts(map(Path, _BUNDLES)), 1)) or [_from_the_store()]
    if environ.get(_ADDING) and Path(environ[_ADDING]) not in (ca, ours):
        bundles += _texts([Path(environ[_ADDING])])
    return b"\n".join(dict.fromkeys([*bundles, ca.read_bytes()]))


def _texts(paths: Iterable[Path]) -> Iterator[bytes]:
    """Yield the contents of those files that have certificates in them."""
    for path in paths:
        with suppress(OSError):
            text = read_regular(path, _MAX_BUNDLE)
            if b"-----BEGIN" in text:
                yield text


def _from_the_store() -> bytes:
    """Return what Python trusts if no file is named: on Windows, the system's own store."""
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, found)).encode()
