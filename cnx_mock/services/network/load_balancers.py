"""Load balancers: "Added support for multi-region load balancers" (v1.2.0). The path and the shape are ours."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from cnx_mock.api.caller import Caller
from cnx_mock.api.errors import InsufficientCredits, QuotaExceeded
from cnx_mock.api.operation import Resource, named
from cnx_mock.api.paging import Page, PageQuery, page_of
from cnx_mock.api.purchase import afford, room_for
from cnx_mock.api.shapes import Deleted, Shape
from cnx_mock.services.network.attachment import attach
from cnx_mock.services.network.load_balancer_body import LoadBalancerBody, Port, Protocol, health_check
from cnx_mock.text.units import format_instant, format_money
from cnx_mock.world import kinds
from cnx_mock.world.records import LoadBalancerRecord
from cnx_mock.world.sandbox import SandboxState

load_balancers = Resource.of(kinds.LOAD_BALANCER, "Ways in to instances, in one region or several.")

_NAMED = named("Added support for multi-region load balancers")

REGION_HOURLY_CENTS = 2
"""What each region costs for each started hour."""

Status = Literal["provisioning", "active"]


@dataclass(slots=True, kw_only=True, eq=False)
class ForwardingRule(Shape):
    """What comes in where, and where it goes."""

    entry_protocol: Protocol
    """Protocol at the load balancer."""
    entry_port: Port
    """Port at the load balancer."""
    target_protocol: Protocol
    """Protocol at the instance."""
    target_port: Port
    """Port at the instance."""


@dataclass(slots=True, kw_only=True, eq=False)
class HealthCheck(Shape):
    """How it finds out whether an instance is well."""

    protocol: Literal["http", "https", "tcp"]
    """How it asks."""
    port: Port
    """The port that it asks."""
    path: Annotated[str | None, Field(examples=["/healthz"])]
    """What it asks for; null for tcp."""
    interval_seconds: Annotated[int, Field(examples=[10])]
    """Seconds between checks."""
    timeout_seconds: Annotated[int, Field(examples=[5])]
    """Seconds that it waits for an answer."""
    unhealthy_threshold: Annotated[int, Field(examples=[3])]
    """Failures in a row that make an instance unhealthy."""
    healthy_threshold: Annotated[int, Field(examples=[2])]
    """Successes in a row that make it healthy again."""


@dataclass(slots=True, kw_only=True, eq=False)
class Endpoint(Shape):
    """Where it answers in one region."""

    region: Annotated[str, Field(examples=["us-east-1"])]
    """The region."""
    ipv4: Annotated[str | None, Field(examples=["198.19.255.254"])]
    """Public IPv4 address; null until it has come up."""
    status: Status
    """As the load balancer's."""


@dataclass(slots=True, kw_only=True, eq=False)
class Target(Shape):
    """An instance behind it."""

    instance_id: Annotated[str, Field(examples=["inst_8f7e6d5c4b3a2f1e"])]
    """The instance."""
    region: Annotated[str, Field(examples=["us-east-1"])]
    """Where it is."""
    health: Literal["healthy", "unhealthy", "unknown"]
    """healthy while it runs, unhealthy while it is stopped, unknown while it comes up."""


@dataclass(slots=True, kw_only=True, eq=False)
class LoadBalancer(Shape):
    """A load balancer."""

    id: Annotated[str, Field(pattern=kinds.LOAD_BALANCER.id_pattern, examples=["lb_8f7e6d5c4b3a2f1e"])]
    """Its id."""
    name: Annotated[str, Field(examples=["front"])]
    """Its name."""
    scope: Literal["regional", "multi_region"]
    """multi_region where it answers in more than one."""
    regions: Annotated[list[str], Field(examples=[["us-east-1", "eu-west-1"]])]
    """Regions that it answers in."""
    status: Status
    """Where it is in its life."""
    algorithm: Literal["round_robin", "least_connections"]
    """How it chooses among instances."""
    hostname: Annotated[str, Field(examples=["8f7e6d5c4b3a2f1e.lb.cloudnexus.test"])]
    """Its name in the DNS (.test is reserved by RFC 2606: it leads nowhere)."""
    endpoints: list[Endpoint]
    """Where it answers, region by region."""
    forwarding_rules: list[ForwardingRule]
    """What comes in where, and where it goes."""
    health_check: HealthCheck
    """How it finds out whether an instance is well."""
    instance_ids: Annotated[list[str], Field(examples=[["inst_8f7e6d5c4b3a2f1e"]])]
    """Instances behind it."""
    targets: list[Target]
    """The same with their health."""
    price_hourly: Annotated[str, Field(examples=["$0.04"])]
    """Price of each started hour, all regions together, in US dollars."""
    price_hourly_cents: Annotated[int, Field(examples=[4])]
    """The same in cents."""
    created_at: Annotated[str, Field(examples=["2026-01-01T00:00:00Z"])]
    """When it was created, RFC 3339 UTC."""
    updated_at: Annotated[str, Field(examples=["2026-01-01T00:00:45Z"])]
    """When it last changed, RFC 3339 UTC."""
    provisioned_at: Annotated[str | None, Field(examples=["2026-01-01T00:00:45Z"])]
    """When it came up, RFC 3339 UTC; null before that."""


class LoadBalancerQuery(PageQuery):
    """Filters of the list."""

    region: Annotated[str | None, WithJsonSchema({"type": "string"}), Field(examples=["us-east-1"])] = None
    """Only load balancers that answer in this region; an unknown one matches nothing."""
    status: Annotated[Status | None, WithJsonSchema({"type": "string", "enum": ["provisioning", "active"]})] = None
    """Only load balancers with this status."""

    def selects(self, record: LoadBalancerRecord) -> bool:
        """Whether it belongs into the list, its status and the page aside."""
        return self.region is None or self.region in record.regions


_HEALTH: dict[str, Literal["healthy", "unhealthy"]] = {"running": "healthy", "stopped": "unhealthy"}


def _show(sandbox: SandboxState, record: LoadBalancerRecord, now: int) -> LoadBalancer:
    settings, provisioned = record.settings, record.provisioned(now)
    status: Status = "active" if record.status(now) == "active" else "provisioning"
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
            Endpoint(region=region, ipv4=None if provisioned is None else _address(record.number, place), status=status)
            for place, region in enumerate(record.regions)
        ],
        forwarding_rules=[ForwardingRule(**rule) for rule in settings["forwarding_rules"]],
        health_check=HealthCheck(**settings["health_check"]),
        instance_ids=record.instance_ids,
        targets=[
            Target(instance_id=each.id, region=each.region, health=_HEALTH.get(each.status(now), "unknown"))
            for each in behind
        ],
        price_hourly=format_money(cents),
        price_hourly_cents=cents,
        created_at=format_instant(record.created),
        updated_at=format_instant(max(record.updated, provisioned or 0)),
        provisioned_at=None if provisioned is None else format_instant(provisioned),
    )


def _address(number: int, place: int) -> str:
    """From the top of 198.18.0.0/15 down; instances go up from its bottom."""
    middle, last = divmod(65_534 - (number * 10 + place) % 32_768, 256)
    return f"198.19.{middle}.{last}"


@load_balancers.operation("GET", "/v1/network/load-balancers", scope="network:read", provenance=_NAMED)
def list_(sandbox: SandboxState, caller: Caller, query: LoadBalancerQuery) -> Page[LoadBalancer]:
    """List all load balancers."""
    now, wanted = sandbox.now, query.status
    known = [each for each in sandbox.load_balancers if query.selects(each)]
    caller.polled += [each for each in known if each.id in sandbox.polling]
    keep = known if wanted is None else [each for each in known if each.status(now) == wanted]
    return page_of(keep, query, partial(_show, sandbox, now=now))


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

    It takes as long to come up as an instance."""
    now = sandbox.now
    room_for(sandbox, LoadBalancerRecord)
    afford(sandbox, now)
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
    _settle(sandbox, sandbox.added(sandbox.load_balancers, record), body, now)
    return _show(sandbox, record, now)


@load_balancers.operation("GET", "/v1/network/load-balancers/{id}", scope="network:read", provenance=_NAMED)
def get(sandbox: SandboxState, caller: Caller, load_balancer: LoadBalancerRecord) -> LoadBalancer:
    """Get a load balancer."""
    if load_balancer.id in sandbox.polling:
        caller.polled.append(load_balancer)
    return _show(sandbox, load_balancer, sandbox.now)


@load_balancers.operation("PUT", "/v1/network/load-balancers/{id}", scope="network:write", provenance=_NAMED)
def replace(sandbox: SandboxState, load_balancer: LoadBalancerRecord, body: LoadBalancerBody) -> LoadBalancer:
    """Replace a load balancer.

    Whatever the body leaves out goes back to its default. It keeps its status."""
    now = sandbox.now
    _settle(sandbox, load_balancer, body, now)
    return _show(sandbox, load_balancer, now)


@load_balancers.operation("DELETE", "/v1/network/load-balancers/{id}", scope="network:write", provenance=_NAMED)
def delete(sandbox: SandboxState, load_balancer: LoadBalancerRecord) -> Deleted:
    """Delete a load balancer.

    The instances behind it stay."""
    now = sandbox.now
    attach(sandbox, load_balancer, [], now)
    sandbox.removed(sandbox.load_balancers, load_balancer, now)
    sandbox.ledger.close(load_balancer.id, now)
    return Deleted(id=load_balancer.id)


def _settle(sandbox: SandboxState, record: LoadBalancerRecord, body: LoadBalancerBody, now: int) -> None:
    """Take over what the body says. Another number of regions is another price from the next hour on."""
    if len(body.regions) != len(record.regions):
        charge = sandbox.ledger.reprice if record.regions else sandbox.ledger.open
        charge(record.id, f"Load balancer {body.name}", REGION_HOURLY_CENTS * len(body.regions), now)
    record.changing(now)
    record.updated = now
    record.name, record.regions = body.name, list(body.regions)
    record.settings = body.model_dump(include={"algorithm", "forwarding_rules"})
    record.settings["health_check"] = health_check(body)
    attach(sandbox, record, body.instance_ids, now)
