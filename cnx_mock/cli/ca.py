"""`cnx-mock ca`: the local certificate authority (CA) that signs the mock's HTTPS certificates."""

import os
import shlex
from pathlib import Path

import click

from cnx_mock.cli.streams import warn_on_stderr
from cnx_mock.net.certificates import authority, ca_folder, forget
from cnx_mock.settings import variable

_HINT = """\
The CA is {path}
It signs certificates for cloudnexus.com, localhost and loopback addresses, and for nothing else.

For one shell, and the programs that it starts (no root needed, nothing to undo):
  export SSL_CERT_FILE={quoted}          # Python's ssl, httpx, Go, Ruby
  export REQUESTS_CA_BUNDLE={quoted}     # requests
  export CURL_CA_BUNDLE={quoted}         # curl
  export NODE_EXTRA_CA_CERTS={quoted}    # Node
The first three replace the usual list of trusted CAs; Node's adds to it.

For the whole machine:
  Debian, Ubuntu   sudo cp {quoted} /usr/local/share/ca-certificates/cnx-mock.crt && sudo update-ca-certificates
  Fedora, RHEL     sudo cp {quoted} /etc/pki/ca-trust/source/anchors/cnx-mock.pem && sudo update-ca-trust
  macOS            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {quoted}
  Windows          certutil -addstore -user Root {windows}
"""


@click.group()
@click.option(
    "--ca-dir",
    default="",
    metavar="PATH",
    envvar=variable("ca_dir"),
    show_envvar=True,
    help="Folder of the local CA, instead of the one in the user's data folder.",
)
@click.pass_context
def ca(context: click.Context, ca_dir: str) -> None:
    """Show or renew the local certificate authority (CA).

    \b
    Examples:
      curl --cacert "$(cnx-mock ca path)" https://localhost:8443/
      cnx-mock ca install-hint
    """
    warn_on_stderr()
    context.obj = ca_folder(ca_dir, os.environ)


@ca.command()
@click.pass_obj
def path(folder: Path) -> None:
    """Print the path of the CA's certificate (PEM); make the CA if there is none."""
    click.echo(authority(folder).path)


@ca.command("install-hint")
@click.pass_obj
def install_hint(folder: Path) -> None:
    """Print how to make programs trust the CA."""
    found = str(authority(folder).path)
    click.echo(_HINT.format(path=found, quoted=shlex.quote(found), windows=f'"{found}"'), nl=False)


@ca.command()
@click.pass_obj
def reset(folder: Path) -> None:
    """Remove the CA; the next use makes a new one, which is not trusted yet."""
    removed = forget(folder)
    click.echo(f"removed the CA in {folder}" if removed else f"there is no CA in {folder}")
