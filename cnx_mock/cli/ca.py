"""`cnx-mock ca`: the local certificate authority (CA) that signs the mock's HTTPS certificates."""

import os
import shlex
from pathlib import Path

import click

from cnx_mock.cli.lazy import Group
from cnx_mock.cli.streams import warn_on_stderr
from cnx_mock.net.certificates import ca_folder, forget
from cnx_mock.net.tls_names import trust
from cnx_mock.settings import read_tls_names, variable

_HINT = """\
The CA is {path}
It signs certificates for {names}, and for nothing else.

For one shell, and the programs that it starts (no root needed, nothing to undo):
  export SSL_CERT_FILE={bundle}          # Python's ssl, httpx, Go, Ruby
  export REQUESTS_CA_BUNDLE={bundle}     # requests
  export CURL_CA_BUNDLE={bundle}         # curl
  export NODE_EXTRA_CA_CERTS={bundle}    # Node
The first three replace the usual list of trusted CAs; Node's adds to it.

For the whole machine:
  Debian, Ubuntu   sudo cp {quoted} /usr/local/share/ca-certificates/cnx-mock.crt && sudo update-ca-certificates
  Fedora, RHEL     sudo cp {quoted} /etc/pki/ca-trust/source/anchors/cnx-mock.pem && sudo update-ca-trust
  macOS            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {quoted}
  Windows          certutil -addstore -user Root {windows}
"""


@click.group(cls=Group)
@click.option(
    "--ca-dir",
    default="",
    metavar="PATH",
    envvar=variable("ca_dir"),
    show_envvar=True,
    help="Keep the local CA in this folder; by default in the user's data folder.",
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


_of_names = click.option(
    "--tls-name",
    "names",
    multiple=True,
    metavar="NAME",
    envvar=variable("tls_name"),
    show_envvar=True,
    help="Show the CA for a name that you gave to `serve --tls-name`; repeat the option for each of them.",
)


@ca.command()
@_of_names
@click.pass_obj
def path(folder: Path, names: tuple[str, ...]) -> None:
    """Print the path of the CA's certificate (PEM); create the CA if there is none.

    With `--tls-name`, the file has two certificates: that of the default CA, and that of the CA for your own names.

    \b
    Examples:
      cnx-mock ca path
      cnx-mock ca path --tls-name cloudnexus.local
    """
    click.echo(trust(folder, read_tls_names(names)).path)


@ca.command("install-hint")
@_of_names
@click.pass_obj
def install_hint(folder: Path, names: tuple[str, ...]) -> None:
    """Print how to make programs trust the CA."""
    trusted = trust(folder, read_tls_names(names))
    signer, signed = trusted.default, ["cloudnexus.com"]
    if trusted.own is not None:
        signer, signed = trusted.own, list(trusted.names)
    found, bundle = str(signer.path), shlex.quote(str(trusted.path))
    covered = f"{', '.join([*signed, 'localhost'])} and loopback addresses"
    click.echo(
        _HINT.format(path=found, names=covered, bundle=bundle, quoted=shlex.quote(found), windows=f'"{found}"'),
        nl=False,
    )


@ca.command()
@click.pass_obj
def reset(folder: Path) -> None:
    """Remove the CA, and the CAs for your own names; the next use creates a new CA, which is not trusted yet."""
    removed = forget(folder)
    click.echo(f"removed the CA in {folder}" if removed else f"there is no CA in {folder}")
