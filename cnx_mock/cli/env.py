"""`cnx-mock env`: the environment that leads programs to a running server, printed for a shell."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from cnx_mock.cli.errors import usable
from cnx_mock.cli.options import test_key
from cnx_mock.errors import UsageError
from cnx_mock.programs.environment import Destination, bundle_of
from cnx_mock.world.keys import EXAMPLE_KEY


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
@click.option(
    "--key", default=EXAMPLE_KEY, callback=test_key, help="The test key; the reference's example unless given."
)
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
    """Where a running server is found. Raises UsageError where none answers."""
    if not _is_base(url):
        raise UsageError(f"{url!r} is no server's URL: it must be like http://127.0.0.1:4269")
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
    """What a server says of itself. Raises UsageError where none answers."""
    import http.client

    from cnx_mock.errors import ControlError
    from cnx_mock.python_api.control import Control

    try:
        health: dict[str, Any] = Control(url, seconds=5).call("GET", "/_mock/health")
        return {name: health[name] for name in ("require_tls", "tls_url", "proxy_url", "ca_path")}
    except ConnectionError as error:
        raise UsageError(f"{error}; start one with `cnx-mock serve`, or name another with --url") from None
    except ControlError as error:
        raise UsageError(f"the cnx-mock at {url} refuses: {error}") from None
    except (http.client.HTTPException, LookupError, TypeError, ValueError):
        raise UsageError(f"what answers at {url} is no cnx-mock, or another version of it") from None


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
