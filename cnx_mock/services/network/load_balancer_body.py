"""The body for load balancers."""

from typing import Annotated, Any, Literal

from cnx_mock.api.declarations import AfterValidator, ConfigDict, Field, ValidationInfo, later
from cnx_mock.api.fields import InstanceIds, Name, Region, sandbox_of
from cnx_mock.api.portable import Component
from cnx_mock.api.validation import Declared

ForwardingProtocol = Annotated[
    Literal["http", "https", "tcp", "udp"],
    Component("ForwardingProtocol", "The protocol of forwarded traffic.", prefix="FORWARDING"),
]
HealthCheckProtocol = Annotated[
    Literal["http", "https", "tcp"],
    Component("HealthCheckProtocol", "The protocol of a health check.", prefix="HEALTH_CHECK"),
]
BalancingAlgorithm = Annotated[
    Literal["round_robin", "least_connections"],
    Component("BalancingAlgorithm", "How a load balancer chooses an instance."),
]
Port = Annotated[int, Field(ge=1, le=65535, examples=[80])]


def _same_family(target: ForwardingProtocol, info: ValidationInfo) -> ForwardingProtocol:
    if (info.data.get("entry_protocol") == "udp") != (target == "udp") and "entry_protocol" in info.data:
        raise ValueError("must be udp if entry_protocol is udp, and only then")
    return target


class ForwardingRuleBody(Declared):
    """Which incoming traffic goes to which port of the instances."""

    entry_protocol: ForwardingProtocol
    """Protocol at the load balancer."""
    entry_port: Port
    """Port at the load balancer."""
    target_protocol: Annotated[ForwardingProtocol, AfterValidator(_same_family)]
    """Protocol at the instance: udp if entry_protocol is udp, and only then."""
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
    """How to check whether an instance is healthy. Fields that are left out get their defaults."""

    protocol: Annotated[HealthCheckProtocol | None, Field(examples=["http"])] = None
    """The protocol of the check. By default http if the first forwarding rule's target is http, otherwise tcp."""
    port: Annotated[Port | None, Field(examples=[80])] = None
    """The port to check; by default the first forwarding rule's target port."""
    path: Annotated[
        str | None, Field(pattern="^/[!-~]{0,254}$", examples=["/healthz"]), AfterValidator(_path_of_http)
    ] = None
    """The path to request; / by default. Must be null for tcp."""
    interval_seconds: Annotated[int, Field(ge=2, le=300, examples=[10])] = 10
    """Seconds between checks."""
    timeout_seconds: Annotated[
        int, Field(ge=1, le=299, examples=[5], validate_default=True), AfterValidator(_within_interval)
    ] = 5
    """Seconds to wait for an answer. Must be less than interval_seconds."""
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
            raise ValueError(f"{instance.id} is in {instance.region}, which is not one of the load balancer's regions")
    return ids


class LoadBalancerBody(Declared):
    """The complete settings of a load balancer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "front",
                    "regions": ["us-east-1", "eu-west-1"],
                    "algorithm": "round_robin",
                    "forwarding_rules": [
                        {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}
                    ],
                    "health_check": {"protocol": "http", "port": 8080, "path": "/healthz"},
                }
            ]
        }
    )

    name: Annotated[Name, Field(examples=["front"])]
    """Its name. It need not be unique."""
    regions: Annotated[
        list[Region],
        Field(
            min_length=1, max_length=10, examples=[["us-east-1", "eu-west-1"]], json_schema_extra={"uniqueItems": True}
        ),
        AfterValidator(_each_once),
    ]
    """The regions that it serves."""
    algorithm: BalancingAlgorithm = "round_robin"
    """How it chooses an instance."""
    forwarding_rules: Annotated[list[ForwardingRuleBody], Field(min_length=1, max_length=20), AfterValidator(_no_clash)]
    """Which incoming traffic goes to which port of the instances."""
    health_check: HealthCheckBody = later(HealthCheckBody)
    """How to check whether an instance is healthy."""
    instance_ids: Annotated[InstanceIds, AfterValidator(_within_regions)] = []
    """The instances behind it. Each must be in one of its regions."""


def health_check(body: LoadBalancerBody) -> dict[str, Any]:
    """Return the health check with its defaults, which depend on the first forwarding rule."""
    check, first = body.health_check, body.forwarding_rules[0]
    protocol = check.protocol or ("http" if first.target_protocol == "http" else "tcp")
    path = None if protocol == "tcp" else check.path or "/"
    return {**check.model_dump(), "protocol": protocol, "port": check.port or first.target_port, "path": path}
