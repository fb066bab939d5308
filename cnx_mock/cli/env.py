"""`cnx-mock env`: the environment that leads programs to a running server, printed for a shell."""

import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from cnx_mock.cli.param_types import DEFAULT_URL, SERVER_URL, TEST_KEY
from cnx_mock.cli.running_server import ask
from cnx_mock.errors import UsageError
from cnx_mock.net.certificates import publish_bundle
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
    """Quote only if it is necessary: `docker run --env-file` takes quotes for part of the value."""
    if re.fullmatch(r"[\w@%+=:,./~\[\]-]*", value, re.ASCII):
        return f"{name}={value}"
    if not re.search(r"['\\\n]", value):
        return f"{name}='{value}'"
    escaped = re.sub(r'(["\\$])', r"\\\1", value).replace("\n", "\\n")
    return f'{name}="{escaped}"'


_SHELLS: dict[str, Callable[[str, str], str]] = {"bash": _bash, "fish": _fish, "powershell": _powershell}


def _shell(environ: Mapping[str, str]) -> str:
    """Return the user's shell; bash for every shell that reads bash's syntax."""
    name = Path(environ.get("SHELL", "")).name
    if name in ("pwsh", "powershell") or (not name and sys.platform == "win32"):
        return "powershell"
    return "fish" if name == "fish" else "bash"


@click.command()
@click.option("--url", type=SERVER_URL, default=DEFAULT_URL, show_default=True, help="Use this running server.")
@click.option(
    "--key",
    type=TEST_KEY,
    default=EXAMPLE_KEY,
    metavar="KEY",
    help="Use the sandbox of this test key; by default the reference's example, which `serve` prints.",
)
@click.option("--shell", type=click.Choice(list(_SHELLS)), help="Write for this shell; by default the one of $SHELL.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--dotenv", is_flag=True, help="Print lines for a .env file.")
def env(url: str, key: str, shell: str | None, as_json: bool, dotenv: bool) -> None:
    """Print the environment variables with which programs use a running server.

    They include the server's proxy and its CA, if it has them.

    \b
    Examples:
      eval "$(cnx-mock env)"                                bash, zsh, sh
      cnx-mock env | source                                 fish
      cnx-mock env --shell powershell | Out-String | iex    PowerShell
      cnx-mock env --dotenv > .env
      cnx-mock env --url http://127.0.0.1:8080 --json
    """
    if (shell is not None) + as_json + dotenv > 1:
        raise UsageError("--shell, --json and --dotenv are different forms: give one of them")
    found = _destination(url, key).variables(os.environ)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    written = _dotenv if dotenv else _SHELLS[shell or _shell(os.environ)]
    for name, value in found.items():
        click.echo(written(name, value))


def _destination(url: str, key: str) -> Destination:
    """Return where a running server is found. Raises UsageError if none answers."""
    health = ask(url, "/_mock/health", _needed, seconds=5)
    base = health["tls_url"] if health["require_tls"] else url
    if health["ca_path"] is None:
        return Destination(base, key)
    ca = Path(health["ca_path"])
    try:
        ca.read_bytes()
    except OSError as error:
        click.echo(f"cnx-mock: the CA is left out, because {ca} cannot be read here: {error.strerror}", err=True)
        return Destination(base, key, health["proxy_url"])
    return Destination(base, key, health["proxy_url"], ca, _kept_bundle(ca))


def _needed(health: dict[str, Any]) -> dict[str, Any]:
    """Return what is needed of a server's own description. Raises KeyError if it lacks something."""
    return {name: health[name] for name in ("require_tls", "tls_url", "proxy_url", "ca_path")}


def _kept_bundle(ca: Path) -> Path | None:
    """Write the bundle in the CA's folder, and return its path; None if it cannot be written. `ca reset` removes it."""
    try:
        return publish_bundle(ca.parent, lambda ours: bundle_of(ca, os.environ, ours))
    except OSError:
        return None
