"""The environment that leads a program to the mock, and `cnx-mock env`, which prints it for a shell.

Two ways lead there, and both are laid: the base URL and the key, for programs that ask for them; the proxy and the CA,
for those whose URL is the cloud's.
"""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cnx_mock.cli.errors import Unusable, usable

READY_KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
"""The digits of the reference's own example."""

_TEST_KEY = re.compile(r"cnx_test_[0-9a-f]{32}")
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
    from cnx_mock.net.certificates import API_HOST

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


def test_key(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """An option's value, if it is a test key; a wrong one is not repeated, since it might be a live key."""
    if value is not None and not _TEST_KEY.fullmatch(value):
        raise click.BadParameter("must be cnx_test_ and 32 hex digits; a live key never leads here")
    return value


# ---- for a shell


def _powershell(name: str, value: str) -> str:
    doubled = re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", value)  # it takes typographic quotes for quotes
    return f"$env:{name} = '{doubled}'"


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _bash(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _dotenv(name: str, value: str) -> str:
    """Without quotes where none are needed: `docker run --env-file` takes them for part of the value."""
    if re.fullmatch(r"[\w@%+=:,./~\[\]-]*", value, re.ASCII):
        return f"{name}={value}"
    if not re.search(r"['\\\n]", value):
        return f"{name}='{value}'"
    escaped = re.sub(r'(["\\$])', r"\\\1", value).replace("\n", "\\n")
    return f'{name}="{escaped}"'


_SHELLS: dict[str, Callable[[str, str], str]] = {"bash": _bash, "fish": _fish, "powershell": _powershell}


def _shell(environ: Mapping[str, str]) -> str:
    """The user's shell; bash for all that read what bash reads."""
    name = Path(environ.get("SHELL", "")).name
    if name in ("pwsh", "powershell") or (not name and sys.platform == "win32"):
        return "powershell"
    return "fish" if name == "fish" else "bash"


@click.command()
@click.option("--url", default="http://127.0.0.1:4269", show_default=True, help="The running server.")
@click.option("--key", default=READY_KEY, callback=test_key, help="The test key; the reference's example unless given.")
@click.option("--shell", type=click.Choice(list(_SHELLS)), help="Whose syntax; that of $SHELL unless given.")
@click.option("--json", "form", flag_value="json", help="One JSON object.")
@click.option("--dotenv", "form", flag_value="dotenv", help="Lines for a .env file.")
def env(url: str, key: str, shell: str | None, form: str | None) -> None:
    """Print the environment that leads programs to a running server; with its proxy and its CA, where it has them.

    \b
    Examples:
      eval "$(cnx-mock env)"                                bash, zsh, sh
      cnx-mock env | source                                 fish
      cnx-mock env --shell powershell | Out-String | iex    PowerShell
      cnx-mock env --dotenv > .env
      cnx-mock env --url http://127.0.0.1:8080 --json
    """
    found = usable(lambda: _destination(url, key).variables(os.environ))
    if form == "json":
        import json

        click.echo(json.dumps(found, indent=2))
        return
    written = _dotenv if form == "dotenv" else _SHELLS[shell or _shell(os.environ)]
    for name, value in found.items():
        click.echo(written(name, value))


def _destination(url: str, key: str) -> Destination:
    """Where a running server is found. Raises Unusable where none answers."""
    if not _is_base(url):
        raise Unusable(f"{url!r} is no server's URL: it must be like http://127.0.0.1:4269")
    url = url.removesuffix("/")
    health = _health(url)
    base = health["tls_url"] if health["require_tls"] else url
    if health["ca_path"] is None:
        return Destination(base, key)
    ca = Path(health["ca_path"])
    try:
        ca.read_bytes()
    except OSError as error:
        click.echo(f"cnx-mock: without the CA, since {ca} cannot be read here: {error.strerror}", err=True)
        return Destination(base, key, health["proxy_url"])
    return Destination(base, key, health["proxy_url"], ca, _kept_bundle(ca))


def _health(url: str) -> dict[str, Any]:
    """What a server says of itself. Raises Unusable where none answers."""
    import http.client

    from cnx_mock.python_api.control import Control, ControlError

    try:
        health: dict[str, Any] = Control(url, seconds=5).call("GET", "/_mock/health")
        return {name: health[name] for name in ("require_tls", "tls_url", "proxy_url", "ca_path")}
    except ConnectionError as error:
        raise Unusable(f"{error}; start one with `cnx-mock serve`, or name another with --url") from None
    except ControlError as error:
        raise Unusable(f"the cnx-mock at {url} refuses: {error}") from None
    except (http.client.HTTPException, LookupError, TypeError, ValueError):
        raise Unusable(f"what answers at {url} is no cnx-mock, or another version of it") from None


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        bare = url.removesuffix("/") == f"http://{parts.netloc}"
        return bare and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _kept_bundle(ca: Path) -> Path | None:
    """A bundle in the CA's folder, written anew; None where that cannot be. `ca reset` removes it."""
    from cnx_mock.net.certificates import publish_bundle

    try:
        return publish_bundle(ca.parent, lambda ours: bundle_of(ca, os.environ, ours))
    except OSError:
        return None
