"""Firewalls. The reference: "New /v1/network/firewall endpoint" (v1.2.0). The path is singular there; here it is a
collection."""

import ipaddress
from typing import Annotated, Literal

from cnx_mock.api.declarations import AfterValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema
from cnx_mock.api.errors import QuotaExceeded
from cnx_mock.api.fields import InstanceIds, Name
from cnx_mock.api.operation import Resource, named
from cnx_mock.api.paging import Page, PageQuery, page_of
from cnx_mock.api.portable import Component
from cnx_mock.api.purchase import check_quota
from cnx_mock.api.shapes import Deleted, Shape
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.services.network.attachment import attach
from cnx_mock.text.regex import regex
from cnx_mock.text.units import format_instant
from cnx_mock.world import kinds
from cnx_mock.world.records import FirewallRecord
from cnx_mock.world.sandbox import SandboxState

firewalls = Resource.of(kinds.FIREWALL, "Rules for the traffic from and to instances.")

_NAMED = named("New /v1/network/firewall endpoint")

FirewallAction = Annotated[Literal["deny", "allow"], Component("FirewallAction", "What happens to traffic.")]
FirewallDirection = Annotated[
    Literal["inbound", "outbound"], Component("FirewallDirection", "Which way traffic goes, seen from the instance.")
]
FirewallProtocol = Annotated[
    Literal["tcp", "udp", "icmp", "any"],
    Component("FirewallProtocol", "Which traffic a firewall rule is about.", prefix="FIREWALL"),
]


_PORTS_PATTERN = "([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?"
_PORTS = regex(_PORTS_PATTERN)


def _ports(ports: str | None, info: ValidationInfo) -> str | None:
    protocol = info.data.get("protocol")
    if ports is None:
        return None
    if protocol in ("icmp", "any"):
        raise ValueError(f"must be null for {protocol}")
    match = _PORTS.fullmatch(ports)
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= low <= high <= 65535:
        raise ValueError('must be a port from 1 to 65535 such as "22", or a range such as "8000-9000"')
    return ports


def _cidr(cidr: str) -> str:
    """Check that a network is in canonical form. The error shows the canonical form, if there is one."""
    try:
        canonical = str(ipaddress.ip_network(cidr[:60], strict=False))
    except ValueError:
        raise ValueError('must be an IPv4 or IPv6 network such as "10.0.0.0/8"') from None
    if canonical != cidr:
        raise ValueError(f'is not canonical: write "{canonical}"')
    return cidr


class FirewallRuleBody(Declared):
    """A rule. The first rule that matches decides."""

    direction: FirewallDirection
    """Whether it applies to incoming or to outgoing traffic."""
    action: FirewallAction
    """What happens to the traffic that matches."""
    protocol: FirewallProtocol
    """The protocol: tcp, udp, icmp or any."""
    ports: Annotated[
        str | None,
        AfterValidator(_ports),
        Field(examples=["22"], json_schema_extra={"pattern": f"^{_PORTS_PATTERN}$"}),  # its words are those of _ports
    ] = None
    """A port, a range such as 8000-9000, or null for every port. Must be null for icmp and any."""
    cidrs: Annotated[
        list[Annotated[str, AfterValidator(_cidr)]],
        Field(min_length=1, max_length=100, examples=[["10.0.0.0/8"]]),
    ]
    """The networks at the other end, each in canonical form."""
    description: Annotated[str | None, Field(max_length=255, examples=["SSH from the office"])] = None
    """A note on its purpose."""


class FirewallBody(Declared):
    """The complete settings of a firewall."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "web",
                    "default_inbound": "deny",
                    "default_outbound": "allow",
                    "rules": [
                        {
                            "direction": "inbound",
                            "action": "allow",
                            "protocol": "tcp",
                            "ports": "22",
                            "cidrs": ["10.0.0.0/8"],
                            "description": "SSH from the office",
                        }
                    ],
                }
            ]
        }
    )

    name: Annotated[Name, Field(examples=["web"])]
    """Its name. It need not be unique."""
    default_inbound: FirewallAction = "deny"
    """What happens to incoming traffic that matches no rule."""
    default_outbound: FirewallAction = "allow"
    """What happens to outgoing traffic that matches no rule."""
    rules: Annotated[list[FirewallRuleBody], Field(max_length=100)] = []
    """The rules, in order. The first rule that matches decides."""
    instance_ids: InstanceIds = []
    """The instances that it protects."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class FirewallRule(Shape):
    """A rule. The first rule that matches decides."""

    direction: FirewallDirection
    """Whether it applies to incoming or to outgoing traffic."""
    action: FirewallAction
    """What happens to the traffic that matches."""
    protocol: FirewallProtocol
    """The protocol: tcp, udp, icmp or any."""
    ports: Annotated[str | None, Field(examples=["22"])]
    """A port or a range; null means every port."""
    cidrs: Annotated[list[str], Field(examples=[["10.0.0.0/8"]])]
    """The networks at the other end."""
    description: Annotated[str | None, Field(examples=["SSH from the office"])]
    """A note on its purpose."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Firewall(Shape):
    """A firewall."""

    id: Annotated[str, Field(pattern=kinds.FIREWALL.id_pattern, examples=["fw_8f7e6d5c4b3a2f1e"])]
    """Its id."""
    name: Annotated[str, Field(examples=["web"])]
    """Its name."""
    status: Literal["active"]
    """Always active."""
    default_inbound: FirewallAction
    """What happens to incoming traffic that matches no rule."""
    default_outbound: FirewallAction
    """What happens to outgoing traffic that matches no rule."""
    rules: list[FirewallRule]
    """The rules, in order. The first rule that matches decides."""
    instance_ids: Annotated[list[str], Field(examples=[["inst_8f7e6d5c4b3a2f1e"]])]
    """The instances that it protects."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it was created, RFC 3339 UTC."""
    updated_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it last changed, RFC 3339 UTC."""


class FirewallQuery(PageQuery):
    """The filters of the list."""

    instance_id: Annotated[
        str | None, WithJsonSchema({"type": "string"}), Field(examples=["inst_8f7e6d5c4b3a2f1e"])
    ] = None
    """Only firewalls that protect this instance."""


def show(record: FirewallRecord) -> Firewall:
    """Return the answer for a firewall."""
    settings = record.settings
    return Firewall(
        id=record.id,
        name=settings["name"],
        status="active",
        default_inbound=settings["default_inbound"],
        default_outbound=settings["default_outbound"],
        rules=[FirewallRule(**rule) for rule in settings["rules"]],
        instance_ids=record.instance_ids,
        created_at=format_instant(record.created),
        updated_at=format_instant(record.updated),
    )


@firewalls.operation("GET", "/v1/network/firewall", scope="network:read", provenance=_NAMED)
def list_(sandbox: SandboxState, query: FirewallQuery) -> Page[Firewall]:
    """List all firewalls."""
    keys = [] if query.instance_id is None else [("instance_id", query.instance_id)]
    return page_of(sandbox.firewalls.matching(sandbox.now, keys), query, show)


@firewalls.operation(
    "POST", "/v1/network/firewall", status=201, scope="network:write", provenance=_NAMED, raises=(QuotaExceeded,)
)
def create(sandbox: SandboxState, body: FirewallBody) -> Firewall:
    """Create a firewall."""
    check_quota(sandbox, FirewallRecord)
    now = sandbox.now
    new_id, number = sandbox.next_id(kinds.FIREWALL)
    record = FirewallRecord(id=new_id, number=number, settings={}, instance_ids=[], created=now, updated=now)
    _apply(sandbox, sandbox.firewalls.add(record), body, now)
    return show(record)


@firewalls.operation("GET", "/v1/network/firewall/{id}", scope="network:read", provenance=_NAMED)
def get(firewall: FirewallRecord) -> Firewall:
    """Get a firewall."""
    return show(firewall)


@firewalls.operation("PUT", "/v1/network/firewall/{id}", scope="network:write", provenance=_NAMED)
def replace(sandbox: SandboxState, firewall: FirewallRecord, body: FirewallBody) -> Firewall:
    """Replace a firewall.

    Fields that the body leaves out get their defaults."""
    _apply(sandbox, firewall, body, sandbox.now)
    return show(firewall)


@firewalls.operation("DELETE", "/v1/network/firewall/{id}", scope="network:write", provenance=_NAMED)
def delete(sandbox: SandboxState, firewall: FirewallRecord) -> Deleted:
    """Delete a firewall.

    Instances that it protects are detached first."""
    now = sandbox.now
    attach(sandbox, firewall, [], now)
    sandbox.firewalls.remove(firewall, now)
    return Deleted(id=firewall.id)


def _apply(sandbox: SandboxState, record: FirewallRecord, body: FirewallBody, now: int) -> None:
    """Change a record to what the body declares."""
    record.changing(now)
    record.updated = now
    record.settings = body.model_dump(exclude={"instance_ids"})
    attach(sandbox, record, body.instance_ids, now)
