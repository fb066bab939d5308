"""Every option, once: its name, type, default and help.

The flags of the commands, the `CNX_MOCK_*` variables and `docs/reference/options.md` are made from this.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import Field, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, get_args

from cnx_mock.api.readings import parsed
from cnx_mock.api.surface import Surface
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import SettingsError
from cnx_mock.text.host_names import is_loopback, split_port
from cnx_mock.text.tls_names import read_tls_name

KIB = 1024
MIB = 1024 * KIB


def _option(default: Any, help_: str, metavar: str, *, many: bool = False) -> Any:
    """Return the field of an option. With `many`, or with a tuple as the default, its value may be a tuple."""
    many = many or isinstance(default, tuple)
    return field(default=default, metadata={"help": help_, "metavar": metavar, "many": many})


def _bound(default: int, help_: str, metavar: str, *, least: int = 1, most: int = 1_000_000_000) -> Any:
    """Return the field of an option that is a limit. Its value is from `least` to `most`, and `/_mock/health` shows how
    much of it is used."""
    return field(default=default, metadata={"help": help_, "metavar": metavar, "many": False, "range": (least, most)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the mock runs. Every field is a flag of `cnx-mock serve` and a `CNX_MOCK_*` variable.

    Raises SettingsError for a value that an option does not accept, ReadingError for a reading that does not exist.
    """

    host: str | tuple[str, ...] = _option(
        "127.0.0.1",
        "Listen on this address or name; 127.0.0.1 and localhost include ::1 if the machine has it; may be repeated.",
        "HOST",
        many=True,
    )
    port: int = _option(4269, "Listen on this port; 0 takes a free one.", "PORT")
    scenario: tuple[str, ...] = _option(
        (), "Apply this scenario of the gallery, or this file; may be repeated to combine several.", "NAME|PATH"
    )
    watch: bool = _option(
        False, "Reload the scenario files when they change; errors in a file are shown, and it is not used.", ""
    )
    fixture: str = _option("", "Start new sandboxes from this world: a fixture's name, or a file.", "NAME|PATH")
    seed: str | int = _option(
        "0", "Use this seed for all random choices; `random` chooses a seed and prints it.", "N|random"
    )
    speed: float = _option(1.0, "Run the sandbox's clock X times as fast as real time.", "X")
    provisioning: str = _option(
        "",
        "Set how long resources take to provision: 2s, 30s..60s, never, or polls:N for N reads; a scenario may set "
        "another time; by default an instance takes 30s..60s, as in the reference.",
        "TIME|polls:N",
    )
    reading: tuple[str, ...] = _option(
        (), "Choose the meaning of an ambiguous sentence of the reference; see `cnx-mock readings`.", "NAME=VALUE"
    )
    surface: Surface = _option(
        "all",
        "Serve the four `documented` operations, also the `named` ones of the reference, or `all`.",
        "SURFACE",
    )
    json: bool = _option(False, "Print one JSON line when ready, instead of the greeting.", "")
    quiet: bool = _option(False, "Write no access lines on stderr.", "")
    cors: bool = _option(False, "Answer browsers of any origin (CORS).", "")
    known_keys_only: bool = _option(
        False, "Refuse test keys with 401, except special keys and keys that this server created.", ""
    )
    enterprise_limit: int = _option(1000, "Allow N requests a minute to accounts with the plan Enterprise.", "N")
    journal_size: int = _bound(2000, "Keep at most N requests in each sandbox's journal.", "N", most=1_000_000)
    journal_bytes: int = _bound(
        64 * MIB, "Keep at most this many bytes in each sandbox's journal.", "BYTES", least=64 * KIB
    )
    journal_total_bytes: int = _bound(
        512 * MIB,
        "Keep at most this many bytes in all journals together; the oldest entries are dropped first.",
        "BYTES",
        least=64 * KIB,
    )
    max_sandboxes: int = _bound(
        10_000,
        "Allow at most N sandboxes at the same time; then a new key is refused with 429.",
        "N",
        most=10_000_000,
    )
    max_rules: int = _bound(
        1000, "Allow at most N rules in each sandbox, including those of its scenario.", "N", most=100_000
    )
    max_listeners: int = _bound(
        64,
        "Allow at most N clients to follow the events at the same time; more are refused with 503.",
        "N",
        most=10_000,
    )
    max_listener_events: int = _bound(
        1000,
        "Keep at most N unread events for each such client; more are dropped, and a `lost` event says how many.",
        "N",
        least=10,
        most=1_000_000,
    )
    max_control_bytes: int = _bound(
        64 * MIB, "Refuse calls of the control plane with a larger body, with 413.", "BYTES", least=KIB
    )
    max_connections: int = _bound(
        10_000,
        "Allow at most N connections at the same time, or fewer if the limit of open files is low; above that, idle "
        "connections are closed.",
        "N",
        most=1_000_000,
    )
    max_header_bytes: int = _bound(
        64 * KIB,
        "Refuse requests whose first line and headers are larger together, with 431.",
        "BYTES",
        least=KIB,
        most=16 * MIB,
    )
    max_headers: int = _bound(200, "Refuse requests with more headers, with 431.", "N", least=10, most=100_000)
    max_pipelined: int = _bound(
        100, "Read at most N requests of a connection before they are answered; later requests wait.", "N", most=100_000
    )
    read_timeout: int = _bound(
        30, "Refuse requests whose head and body take longer to arrive, with 408.", "SECONDS", most=86_400
    )
    handshake_timeout: int = _bound(
        10, "Close connections on which the start of TLS or CONNECT takes longer.", "SECONDS", most=86_400
    )
    tls: bool = _option(False, "Serve HTTPS too, with a certificate from a local CA; see `cnx-mock ca`.", "")
    tls_port: int = _option(0, "Serve HTTPS at this port; 0 takes a free one, any other implies --tls.", "PORT")
    tls_name: tuple[str, ...] = _option(
        (),
        "Add your own name to the certificate: a DNS name, *.NAME or an IP address; may be repeated; implies --tls.",
        "NAME",
    )
    require_tls: bool = _option(False, "Refuse API calls over plain HTTP, with 403; implies --tls.", "")
    proxy: bool = _option(False, "Run a proxy that leads api.cloudnexus.com to the mock; implies --tls.", "")
    proxy_port: int = _option(0, "Run the proxy at this port; 0 takes a free one, any other implies --proxy.", "PORT")
    allow_host: tuple[str, ...] = _option(
        (),
        "Let the proxy open tunnels to this host, at the ports 443 and 80 or at the given port; may be repeated.",
        "NAME[:PORT]",
    )
    control_host: tuple[str, ...] = _option(
        (), "Let the control plane accept this host name, in addition to loopback names; may be repeated.", "NAME"
    )
    control_from: tuple[str, ...] = _option(
        (),
        "Let this network or address use the control plane, in addition to this machine; may be repeated.",
        "NETWORK",
    )
    control_token: str = _option(
        "",
        "Let other machines use the control plane with this secret; `random` chooses one and prints it.",
        "TOKEN|random",
    )
    ca_dir: str = _option("", "Keep the local CA in this folder; by default in the user's data folder.", "PATH")

    def __post_init__(self) -> None:
        """Raise SettingsError for a value that an option does not accept, ReadingError for an unknown reading."""
        if type(self.seed) is int:  # of the variable and the flag it is a text
            object.__setattr__(self, "seed", str(self.seed))
        for each in fields(self):
            _check_type(each, getattr(self, each.name))
        if isinstance(self.host, tuple) and len(self.host) == 1:  # one is the same as the text
            object.__setattr__(self, "host", self.host[0])
        object.__setattr__(self, "tls_name", read_tls_names(self.tls_name))
        checks = (
            (
                self.hosts and all(map(_is_host, self.hosts)),
                "'host' must be an address or a host name, without a port",
            ),
            (0 <= self.port <= 65535, "'port' must be from 0 to 65535"),
            (0 <= self.tls_port <= 65535, "'tls-port' must be from 0 to 65535"),
            (0 <= self.proxy_port <= 65535, "'proxy-port' must be from 0 to 65535"),
            (all(map(split_port, self.allow_host)), "'allow-host' must be a host name, with or without a port"),
            (
                not any(map(_is_open_loopback, self.allow_host)),
                "'allow-host' must be a host with a port if the host is this machine: localhost:8080",
            ),
            (all(map(_is_host, self.control_host)), "'control-host' must be a host name, without a port"),
            (all(map(_is_network, self.control_from)), "'control-from' must be a network or an address: 172.16.0.0/12"),
            (
                _is_token(self.control_token),
                "'control-token' must be the word random, or 16 to 200 printable ASCII characters without spaces",
            ),
            (0 < self.speed <= 1_000_000, "'speed' must be above 0 and at most 1000000"),
            (self.surface in get_args(Surface), "'surface' must be documented, named or all"),
            (self.seed == "random" or _is_seed(str(self.seed)), "'seed' must be a whole number or the word random"),
            (self.scenario or not self.watch, "'watch' needs a scenario: give 'scenario' too"),
            (self.enterprise_limit >= 1000, "'enterprise-limit' must be at least 1000"),
            *((low <= getattr(self, name) <= high, _range(name, low, high)) for name, (low, high) in ranges().items()),
        )
        for good, message in checks:
            if not good:
                raise SettingsError(message)
        if self.provisioning:
            _check_provisioning(self.provisioning)
        parsed(self.reading)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host to listen on."""
        return (self.host,) if isinstance(self.host, str) else self.host

    @property
    def serves_tls(self) -> bool:
        """Whether there is an HTTPS listener."""
        return self.tls or self.require_tls or self.tls_port != 0 or self.serves_proxy or self.tls_name != ()

    @property
    def serves_proxy(self) -> bool:
        """Whether there is a proxy."""
        return self.proxy or self.proxy_port != 0


_KINDS: Mapping[type, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a string",
    tuple: "a tuple of strings",
}


def _check_type(option_field: Field[Any], value: object) -> None:
    """Raise SettingsError, with what to write, if `value` is not of the type of the option's default."""
    option, kind = option_field.name.replace("_", "-"), type(option_field.default)
    if option_field.metadata["many"] and isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return
    if type(value) is kind is not tuple or (kind is float and type(value) is int):
        return
    raise SettingsError(f"'{option}' must be {_KINDS[kind]}{_correction(kind, value)}")


def _check_provisioning(text: str) -> None:
    from cnx_mock.world.lifecycle import ProvisioningRule  # lazy: it loads OpenSSL, and every command reads settings

    try:
        ProvisioningRule.parsed(text)
    except ValueError as error:
        raise SettingsError(f"'provisioning' {error}") from None


def _correction(kind: type, value: object) -> str:
    """Return the end of the message about a value of the wrong type: what to write, or the value itself."""
    if kind is tuple and isinstance(value, str | tuple | list):
        texts = (value,) if isinstance(value, str) else value
        return f": write {tuple(map(str, texts))!r}"
    if kind is str and not isinstance(value, bool | float | None):
        return f": write {str(value)!r}"
    if kind is int and isinstance(value, str) and value.isdecimal():
        return f": write {value}"
    return f", not {value!r}"


def read_tls_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return names for a certificate in their normal form, without duplicates. Raises SettingsError for a text that is
    not a name."""
    try:
        return tuple(dict.fromkeys(map(read_tls_name, names)))
    except ValueError as error:
        raise SettingsError(f"'tls-name': {error}") from None


def ranges() -> dict[str, tuple[int, int]]:
    """Return the lowest and the highest value of every option that is a limit, by the option's name."""
    return {each.name: each.metadata["range"] for each in fields(Settings) if "range" in each.metadata}


def _range(name: str, low: int, high: int) -> str:
    return f"'{flag(name)[2:]}' must be from {low} to {high}"


def _is_seed(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _is_host(text: str) -> bool:
    return (
        re.fullmatch(r"[\w.-]+|\[?[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*(%[\w.-]+)?\]?", text, re.ASCII) is not None
    )


def _is_open_loopback(text: str) -> bool:
    name, port = split_port(text) or ("", None)
    return port is None and is_loopback(name)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def networks(texts: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    """Return the networks of `control_from`; an address is a network of one."""
    return [ip_network(text, strict=False) for text in texts]


def _is_token(text: str) -> bool:
    return text in ("", "random") or re.fullmatch(r"[!-~]{16,200}", text) is not None


def flag(name: str) -> str:
    """Return an option's flag: `--known-keys-only`."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """Return an option's environment variable: `CNX_MOCK_KNOWN_KEYS_ONLY`."""
    return "CNX_MOCK_" + name.upper()


def foreign(environ: Mapping[str, str]) -> list[str]:
    """Return the variables in `environ` that have the name of an option, but were set by Kubernetes or compose.

    Kubernetes and compose describe a service called cnx-mock by `CNX_MOCK_PORT=tcp://10.0.0.1:4269`.
    """
    ports = (variable("port"), variable("tls_port"), variable("proxy_port"))
    return [name for name in ports if environ.get(name, "").startswith(("tcp://", "udp://"))]
