"""What both clients of the demo deploy."""

from typing import Any

FIREWALL: dict[str, Any] = {
    "name": "web",
    "rules": [{"direction": "inbound", "action": "allow", "protocol": "tcp", "ports": "80", "cidrs": ["0.0.0.0/0"]}],
}
NAMES = ("web-1", "web-2", "canary")
"""The instances. The last one is deleted when the others are known to work."""
CANARY = NAMES[-1]
REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
"""Where an instance may be, the best region first."""


def instance(name: str, region: str = REGIONS[0]) -> dict[str, Any]:
    """Return the body for an instance."""
    return {"name": name, "plan": "pro", "region": region, "image": "ubuntu-22.04-lts"}


def balancer(instances: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body for the load balancer in front of these instances."""
    return {
        "name": "front",
        "regions": sorted({each["region"] for each in instances}),
        "forwarding_rules": [
            {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}
        ],
        "instance_ids": [each["id"] for each in instances],
    }
