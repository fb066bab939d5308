"""The environment that leads a program to the mock.

Two ways lead there, and both are laid: the base URL and the key, for programs that ask for them; the proxy and the CA,
for those whose URL is the cloud's.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cnx_mock.net.addresses import API_HOST

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
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
    """Where a program is to be led. `proxy_url` is None where there is no proxy, `ca` and `bundle` where there is no
    HTTPS: our CA alone, and our CA with all that is trusted otherwise. `direct` are hosts that need no proxy."""

    url: str
    key: str
    proxy_url: str | None = None
    ca: Path | None = None
    bundle: Path | None = None
    direct: tuple[str, ...] = ()

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """What to set on top of this environment."""
        found = {"CLOUDNEXUS_BASE_URL": self.url, "CLOUDNEXUS_API_KEY": self.key}
        if self.proxy_url is not None:
            around = _around(environ, (*self.direct, *_LOOPBACK))
            # curl knows http_proxy in small letters only, Ruby takes it for https too; some know capitals only
            for name, value in (("HTTPS_PROXY", self.proxy_url), ("HTTP_PROXY", self.proxy_url), ("NO_PROXY", around)):
                found |= {name: value, name.lower(): value}
            found["NODE_USE_ENV_PROXY"] = "1"
        if self.ca is not None:
            bundle = str(self.bundle or self.ca)
            found |= dict.fromkeys(_REPLACING, bundle)
            found[_ADDING] = bundle if environ.get(_ADDING) else str(self.ca)
        return found


def _around(environ: Mapping[str, str], more: Iterable[str]) -> str:
    """The hosts to which no proxy leads: those that the user has named, but none that stands for the API, and more."""
    given = re.split(r"[,\s]+", f"{environ.get('NO_PROXY', '')},{environ.get('no_proxy', '')}")
    hosts = dict.fromkeys(name for name in (*given, *more) if name)
    return ",".join(name for name in hosts if not _covers(name, API_HOST))


def _covers(pattern: str, host: str) -> bool:
    """Whether an entry of NO_PROXY stands for a host: itself, a domain of it, or everything."""
    domain = pattern.lower().partition(":")[0]
    name = domain.strip("*.")
    return host.endswith(name) if name else domain != ""  # requests compares ends without looking for a dot


def bundle_of(ca: Path, environ: Mapping[str, str], ours: Path) -> bytes:
    """Our CA with all that programs trust otherwise, PEM: what the environment names, or else what the system has.
    `ours` is a bundle of our own making, which the environment may name already."""
    named = [Path(environ[name]) for name in _REPLACING if environ.get(name)]
    bundles = list(_texts(each for each in named if each not in (ca, ours)))
    if not bundles:
        bundles = list(_texts(map(Path, _BUNDLES)))[:1] or [_from_the_store()]
    if environ.get(_ADDING) and Path(environ[_ADDING]) not in (ca, ours):
        bundles += _texts([Path(environ[_ADDING])])
    return b"\n".join(dict.fromkeys([*bundles, ca.read_bytes()]))


def _texts(paths: Iterable[Path]) -> Iterable[bytes]:
    """The files' contents, where there are certificates in them."""
    for path in paths:
        with suppress(OSError):
            text = path.read_bytes()
            if b"-----BEGIN" in text:
                yield text


def _from_the_store() -> bytes:
    """What Python trusts by itself, where no file says it: the system's own store on Windows."""
    import ssl

    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, found)).encode()
