"""`cnx-mock proxy-config`: the configuration of a proxy in front of several servers."""

import shlex
from urllib.parse import urlsplit

import click

from cnx_mock.cli.lazy import Group
from cnx_mock.cli.nginx_config import nginx_config
from cnx_mock.cli.param_types import SERVER_URL
from cnx_mock.errors import UsageError
from cnx_mock.settings import networks
from cnx_mock.text.host_names import split_port

DEFAULT_LISTEN = "127.0.0.1:4270"
"""Where the proxy listens: the port after that of `cnx-mock serve`."""


@click.group("proxy-config", cls=Group)
def proxy_config() -> None:
    """Configure a proxy in front of several servers.

    \b
    Examples:
      cnx-mock proxy-config nginx --upstream http://127.0.0.1:4271 --upstream http://127.0.0.1:4272
    """


def _listen(context: click.Context, param: click.Parameter, text: str) -> str:
    """Return the address and the port, as nginx takes them. Raises UsageError for anything else."""
    name, port = split_port(text) or ("", None)
    if port is None:
        raise UsageError(f"--listen: {text!r} is not an address and a port: write one like {DEFAULT_LISTEN}")
    return f"{_bracketed(name)}:{port}"


def _upstreams(context: click.Context, param: click.Parameter, urls: tuple[str, ...]) -> tuple[str, ...]:
    """Return the host and the port of each server, as nginx takes them. Raises UsageError if two are the same."""
    servers: list[str] = []
    for url in urls:
        parts = urlsplit(url)
        server = f"{_bracketed(parts.hostname or '')}:{parts.port or 80}"
        if split_port(server) is None:
            raise UsageError(f"--upstream: {parts.hostname!r} is not a host name or address")
        if server in servers:
            raise UsageError(f"--upstream: {url} is given twice: give each server once")
        servers.append(server)
    return tuple(servers)


def _networks(context: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the networks in their one spelling. Raises UsageError for what is not a network."""
    try:
        return tuple(map(str, networks(texts)))
    except ValueError as error:
        raise UsageError(f"--control-from: {error}: write a network or an address, like 172.16.0.0/12") from None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@proxy_config.command()
@click.option(
    "--upstream",
    "servers",
    type=SERVER_URL,
    multiple=True,
    required=True,
    metavar="URL",
    callback=_upstreams,
    help="Send keys to this running `cnx-mock serve`; repeat it for each server; a host name must have one address.",
)
@click.option(
    "--listen",
    default=DEFAULT_LISTEN,
    show_default=True,
    metavar="ADDRESS:PORT",
    callback=_listen,
    help="Let nginx listen on this address and port.",
)
@click.option(
    "--control-from",
    multiple=True,
    metavar="NETWORK",
    callback=_networks,
    help="Let this network or address use the control plane, in addition to nginx's machine; may be repeated.",
)
def nginx(servers: tuple[str, ...], listen: str, control_from: tuple[str, ...]) -> None:
    """Print a complete nginx configuration file, for several servers behind one address.

    Each server is one process with its own sandboxes. nginx hashes the key in the Authorization header, so a key always
    gets to the same server. If a server is down, its keys get 502 until it is back. The other keys are not affected.

    \b
    Examples:
      cnx-mock serve --port 4271 &
      cnx-mock serve --port 4272 &
      cnx-mock proxy-config nginx --upstream http://127.0.0.1:4271 --upstream http://127.0.0.1:4272 > nginx.conf
    """
    if listen in servers:
        raise UsageError(f"--listen: {listen} is one of the servers; nginx needs its own port")
    given = [word for each in servers for word in ("--upstream", f"http://{each}")]
    given += [] if listen == DEFAULT_LISTEN else ["--listen", listen]
    given += [word for each in control_from for word in ("--control-from", each)]
    command = shlex.join(["cnx-mock", "proxy-config", "nginx", *given])
    click.echo(nginx_config(command, listen, servers, control_from), nl=False)
