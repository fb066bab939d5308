"""What a client may say of a load balancer."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from cnx_mock.api.fields import InstanceIds, Name, Region, sandbox_of
from cnx_mock.api.validation import Declared

Protocol = Literal["http", "https", "tcp", "udp"]
Port = Annotated[int, Field(ge=1, le=65535, examples=[80])]


def _same_family(target: Protocol, info: ValidationInfo) -> Protocol:
    if (info.data.get("entry_protocol") == "udp") != (target == "udp") and "entry_protocol" in info.data:
        raise ValueError("udp goes only to udp, and nothing else does")
    return target


class ForwardingRuleBody(Declared):
    """What comes in where, and where it goes."""

    entry_protocol: Protocol
    """Protocol at the load balancer."""
    entry_port: Port
    """Port at the load balancer."""
    target_protocol: Annotated[Protocol, AfterValidator(_same_family)]
    """Protocol at the instance; udp only from udp."""
    target_port: Port
    """Port at the instance."""


def _within_interval(seconds: int, info: ValidationInfo) -> int:
    interval = info.data.get("interval_seconds")
    if interval is not None and seconds >= interval:
        raise ValueError(f"must be below interval_seconds, {interval}")
    return seconds


def _path_of_http(path: str | None, info: ValidationInfo) -> str | None:
    if path is not None and info.data.get("protocol") == "tcp":
        raise ValueError("must be null for tcp")
    return path


class HealthCheckBody(Declared):
    """How to find out whether an instance is well. Whatever is left out has its default."""

    protocol: Annotated[Literal["http", "https", "tcp"] | None, Field(examples=["http"])] = None
    """http where the first forwarding rule's target is, else tcp, unless given."""
    port: Annotated[Port | None, Field(examples=[80])] = None
    """The first target port unless given."""
    path: Annotated[
        str | None, Field(pattern="^/[!-~]{0,254}$", examples=["/healthz"]), AfterValidator(_path_of_http)
    ] = None
    """What to ask for; / unless given, null for tcp."""
    interval_seconds: Annotated[int, Field(ge=2, le=300, examples=[10])] = 10
    """Seconds between checks."""
    timeout_seconds: Annotated[
        int, Field(ge=1, le=299, examples=[5], validate_default=True), AfterValidator(_within_interval)
    ] = 5
    """Seconds to wait for an answer, below the interval."""
    unhealthy_threshold: Annotated[int, Field(ge=1, le=10, examples=[3])] = 3
    """Failures in a row that make an instance unhealthy."""
    healthy_threshold: Annotated[int, Field(ge=1, le=10, examples=[2])] = 2
    """Successes in a row that make it healthy again."""


def _each_once(regions: list[str]) -> list[str]:
    if len(set(regions)) < len(regions):
        raise ValueError("must name each region once")
    return regions


def _no_clash(rules: list[ForwardingRuleBody]) -> list[ForwardingRuleBody]:
    taken: set[tuple[int, bool]] = set()
    for rule in rules:
        entry = (rule.entry_port, rule.entry_protocol == "udp")
        if entry in taken:
            raise ValueError(f"port {rule.entry_port} is used twice")
        taken.add(entry)
    return rules


def _within_regions(ids: list[str], info: ValidationInfo) -> list[str]:
    regions = info.data.get("regions")
    instances = sandbox_of(info).instances
    found = [instances.get(each) for each in ids]
    for instance in found:
        if regions is not None and instance is not None and instance.region not in regions:
            raise ValueError(f"{instance.id} is in {instance.region}, which is none of the load balancer's regions")
    return ids


class LoadBalancerBody(Declared):
    """A whole load balancer."""

    name: Annotated[Name, Field(examples=["front"])]
    """Its name; need not be unique."""
    regions: Annotated[
        list[Region],
        Field(
            min_length=1, max_length=10, examples=[["us-east-1", "eu-west-1"]], json_schema_extra={"uniqueItems": True}
        ),
        AfterValidator(_each_once),
    ]
    """Regions that it answers in."""
    algorithm: Literal["round_robin", "least_connections"] = "round_robin"
    """How it chooses among instances."""
    forwarding_rules: Annotated[list[ForwardingRuleBody], Field(min_length=1, max_length=20), AfterValidator(_no_clash)]
    """What comes in where, and where it goes."""
    health_check: HealthCheckBody = HealthCheckBody()
    """How to find out whether an instance is well."""
    instance_ids: Annotated[InstanceIds, AfterValidator(_within_regions)] = []
    """Instances behind it, each in one of its regions."""


def health_check(body: LoadBalancerBody) -> dict[str, Any]:
    """The health check with its defaults, which follow from the first forwarding rule."""
    check, first = body.health_check, body.forwarding_rules[0]
    protocol = check.protocol or ("http" if first.target_protocol == "http" else "tcp")
    path = None if protocol == "tcp" else check.path or "/"
    return {**check.model_dump(), "protocol": protocol, "port": check.port or first.target_port, "path": path}
