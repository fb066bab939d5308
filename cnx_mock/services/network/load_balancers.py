"""Load balancers. The reference: "Added support for multi-region load balancers" (v1.2.0). It describes neither path
nor fields."""

from functools import partial
from typing import Annotated, Literal

from cnx_mock.api.caller import Caller
from cnx_mock.api.declarations import Field, WithJsonSchema
from cnx_mock.api.errors import InsufficientCredits, QuotaExceeded
from cnx_mock.api.operation import Resource, named
from cnx_mock.api.paging import Page, PageQuery, page_of
from cnx_mock.api.portable import Component
from cnx_mock.api.purchase import check_balance, check_quota
from cnx_mock.api.shapes import Deleted, Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.services.network.attachment import attach
from cnx_mock.services.network.load_balancer_body import (
    BalancingAlgorithm,
    ForwardingProtocol,
    HealthCheckProtocol,
    LoadBalancerBody,
    Port,
    health_check,
)
from cnx_mock.text.units import format_instant, format_money
from cnx_mock.world import kinds
from cnx_mock.world.records import IndexKey, LoadBalancerRecord
from cnx_mock.world.sandbox import SandboxState

load_balancers = Resource.of(kinds.LOAD_BALANCER, "They spread traffic over instances, in one region or several.")

_NAMED = named("Added support for multi-region load balancers")

REGION_HOURLY_CENTS = 2
"""The price of each region for each started hour, in cents."""

LoadBalancerStatus = Annotated[
    Literal["provisioning", "active"],
    Component("LoadBalancerStatus", "Whether a load balancer serves.", prefix="LOAD_BALANCER"),
]
LoadBalancerScope = Annotated[
    Literal["regional", "multi_region"], Component("LoadBalancerScope", "Whether it serves one region or several.")
]
TargetHealth = Annotated[
    Literal["healthy", "unhealthy", "unknown"],
    Component("TargetHealth", "The health of an instance behind a load balancer."),
]


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class ForwardingRule(Shape):
    """Which incoming traffic goes to which port of the instances."""

    entry_protocol: ForwardingProtocol
    """Protocol at the load balancer."""
    entry_port: Port
    """Port at the load balancer."""
    target_protocol: ForwardingProtocol
    """Protocol at the instance."""
    target_port: Port
    """Port at the instance."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class HealthCheck(Shape):
    """How it checks whether an instance is healthy."""

    protocol: HealthCheckProtocol
    """The protocol of the check."""
    port: Port
    """The port that it checks."""
    path: Annotated[str | None, Field(examples=["/healthz"])]
    """The path that it requests; null for tcp."""
    interval_seconds: Annotated[int, Field(examples=[10])]
    """Seconds between checks."""
    timeout_seconds: Annotated[int, Field(examples=[5])]
    """Seconds that it waits for an answer."""
    unhealthy_threshold: Annotated[int, Field(examples=[3])]
    """Failures in a row that make an instance unhealthy."""
    healthy_threshold: Annotated[int, Field(examples=[2])]
    """Successes in a row that make it healthy again."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class LoadBalancerEndpoint(Shape):
    """The address of a load balancer in one region."""

    region: Annotated[str, Field(examples=["us-east-1"])]
    """The region."""
    ipv4: Annotated[str | None, Field(examples=["198.19.255.254"])]
    """Public IPv4 address; null while provisioning."""
    status: LoadBalancerStatus
    """The same as that of the load balancer."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class LoadBalancerTarget(Shape):
    """An instance behind a load balancer."""

    instance_id: Annotated[str, Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
    """The instance."""
    region: Annotated[str, Field(examples=["us-east-1"])]
    """The region of the instance."""
    health: TargetHealth
    """healthy while the instance is running, unhealthy while stopped, unknown while provisioning."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class LoadBalancer(Shape):
    """A load balancer."""

    id: Annotated[str, Field(pattern=kinds.LOAD_BALANCER.id_pattern, examples=["lb_8f7e6d5c4b3a2f1e"])]
    """Its id."""
    name: Annotated[str, Field(examples=["front"])]
    """Its name."""
    scope: LoadBalancerScope
    """multi_region if it serves more than one region."""
    regions: Annotated[list[str], Field(examples=[["us-east-1", "eu-west-1"]])]
    """The regions that it serves."""
    status: LoadBalancerStatus
    """Its status."""
    algorithm: BalancingAlgorithm
    """How it chooses an instance."""
    hostname: Annotated[str, Field(examples=["8f7e6d5c4b3a2f1e.lb.cloudnexus.test"])]
    """Its host name. It does not resolve: RFC 2606 reserves .test."""
    endpoints: list[LoadBalancerEndpoint]
    """Its addresses, one for each region."""
    forwarding_rules: list[ForwardingRule]
    """Which incoming traffic goes to which port of the instances."""
    health_check: HealthCheck
    """How it checks whether an instance is healthy."""
    instance_ids: Annotated[list[str], Field(examples=[["inst_8f7e6d5c4b3a2f1e"]])]
    """The instances behind it."""
    targets: list[LoadBalancerTarget]
    """The same instances, with their health."""
    price_hourly: Annotated[str, Field(examples=["$0.04"])]
    """The price of each started hour for all regions together, in US dollars."""
    price_hourly_cents: Annotated[int, Field(examples=[4])]
    """The same in cents."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it was created, RFC 3339 UTC."""
    updated_at: Annotated[str, Field(examples=["2026-01-01T00:00:45Z"])]
    """When it last changed, RFC 3339 UTC."""
    provisioned_at: Annotated[str | None, Field(examples=["2026-01-01T00:00:45Z"])]
    """When provisioning was complete, RFC 3339 UTC; null before that."""


class LoadBalancerQuery(PageQuery):
    """The filters of the list."""

    region: Annotated[str | None, WithJsonSchema({"type": "string"}), Field(examples=["us-east-1"])] = None
    """Only load balancers that serve this region. An unknown region matches nothing."""
    status: LoadBalancerStatus | None = None
    """Only load balancers with this status."""

    def index_keys(self) -> list[IndexKey]:
        """Return what a load balancer must have to match the filter by region."""
        return [] if self.region is None else [("region", self.region)]


_HEALTH: dict[str, Literal["healthy", "unhealthy"]] = {"running": "healthy", "stopped": "unhealthy"}


def show(sandbox: SandboxState, record: LoadBalancerRecord, now: int) -> LoadBalancer:
    """Return the answer for a load balancer."""
    settings, provisioned = record.settings, record.provisioned(now)
    status: LoadBalancerStatus = "active" if record.status(now) == "active" else "provisioning"
    behind = [each for each in map(sandbox.instances.get, record.instance_ids) if each is not None]
    cents = REGION_HOURLY_CENTS * len(record.regions)
    return LoadBalancer(
        id=record.id,
        name=record.name,
        scope="multi_region" if len(record.regions) > 1 else "regional",
        regions=record.regions,
        status=status,
        algorithm=settings["algorithm"],
        hostname=f"{kinds.LOAD_BALANCER.id_digits(record.id)}.lb.cloudnexus.test",
        endpoints=[
            LoadBalancerEndpoint(
                region=region, ipv4=None if provisioned is None else _address(record.number, place), status=status
            )
            for place, region in enumerate(record.regions)
        ],
        forwarding_rules=[ForwardingRule(**rule) for rule in settings["forwarding_rules"]],
        health_check=HealthCheck(**settings["health_check"]),
        instance_ids=record.instance_ids,
        targets=[
            LoadBalancerTarget(instance_id=each.id, region=each.region, health=_HEALTH.get(each.status(now), "unknown"))
            for each in behind
        ],
        price_hourly=format_money(cents),
        price_hourly_cents=cents,
        created_at=format_instant(record.created),
        updated_at=format_instant(max(record.updated, provisioned or 0)),
        provisioned_at=None if provisioned is None else format_instant(provisioned),
    )


def _address(number: int, place: int) -> str:
    """Return an address: counted down from the end of 198.18.0.0/15, as instances count up from its start."""
    middle, last = divmod(65_534 - (number * 10 + place) % 32_768, 256)
    return f"198.19.{middle}.{last}"


@load_balancers.operation("GET", "/v1/network/load-balancers", scope="network:read", provenance=_NAMED)
def list_(sandbox: SandboxState, caller: Caller, query: LoadBalancerQuery) -> Page[LoadBalancer]:
    """List all load balancers."""
    now, keys, balancers = sandbox.now, query.index_keys(), sandbox.load_balancers
    if sandbox.polling:
        caller.polled += sandbox.polled(balancers.matching(now, keys))
    return page_of(balancers.matching(now, keys, status=query.status), query, partial(show, sandbox, now=now))


@load_balancers.operation(
    "POST",
    "/v1/network/load-balancers",
    status=201,
    scope="network:write",
    provenance=_NAMED,
    raises=(QuotaExceeded, InsufficientCredits),
)
def create(sandbox: SandboxState, body: LoadBalancerBody) -> LoadBalancer:
    """Create a load balancer.

    Provisioning takes as long as for an instance."""
    now = sandbox.now
    check_quota(sandbox, LoadBalancerRecord)
    check_balance(sandbox, now)
    new_id, number = sandbox.next_id(kinds.LOAD_BALANCER)
    record = LoadBalancerRecord(
        id=new_id,
        number=number,
        name=body.name,
        settings={},
        regions=[],
        instance_ids=[],
        created=now,
        updated=now,
        lifecycle=sandbox.begin(kinds.LOAD_BALANCER, new_id, now, then="active"),
    )
    _apply(sandbox, sandbox.added(sandbox.load_balancers, record), body, now)
    return show(sandbox, record, now)


@load_balancers.operation("GET", "/v1/network/load-balancers/{id}", scope="network:read", provenance=_NAMED)
def get(sandbox: SandboxState, caller: Caller, load_balancer: LoadBalancerRecord) -> LoadBalancer:
    """Get a load balancer."""
    if load_balancer.id in sandbox.polling:
        caller.polled.append(load_balancer)
    return show(sandbox, load_balancer, sandbox.now)


@load_balancers.operation("PUT", "/v1/network/load-balancers/{id}", scope="network:write", provenance=_NAMED)
def replace(sandbox: SandboxState, load_balancer: LoadBalancerRecord, body: LoadBalancerBody) -> LoadBalancer:
    """Replace a load balancer.

    Fields that the body leaves out get their defaults. The status does not change."""
    now = sandbox.now
    _apply(sandbox, load_balancer, body, now)
    return show(sandbox, load_balancer, now)


@load_balancers.operation("DELETE", "/v1/network/load-balancers/{id}", scope="network:write", provenance=_NAMED)
def delete(sandbox: SandboxState, load_balancer: LoadBalancerRecord) -> Deleted:
    """Delete a load balancer.

    The instances behind it are kept."""
    now = sandbox.now
    attach(sandbox, load_balancer, [], now)
    sandbox.removed(sandbox.load_balancers, load_balancer, now)
    sandbox.ledger.close(load_balancer.id, now)
    return Deleted(id=load_balancer.id)


def _apply(sandbox: SandboxState, record: LoadBalancerRecord, body: LoadBalancerBody, now: int) -> None:
    """Change a record to what the body declares. Another number of regions changes the price from the next hour on."""
    if len(body.regions) != len(record.regions):
        charge = sandbox.ledger.reprice if record.regions else sandbox.ledger.open
        charge(record.id, f"Load balancer {body.name}", REGION_HOURLY_CENTS * len(body.regions), now)
    record.changing(now)
    record.updated = now
    record.name, record.regions = body.name, list(body.regions)
    record.settings = body.model_dump(include={"algorithm", "forwarding_rules"})
    record.settings["health_check"] = health_check(body)
    attach(sandbox, record, body.instance_ids, now)
