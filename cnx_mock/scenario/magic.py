"""Magic names: rules like any other, for clients that can choose a name but not add a header."""

from collections.abc import Collection
from typing import Any

from cnx_mock.api.operation import Operation
from cnx_mock.scenario.rule import Rule, read_rule
from cnx_mock.world.magic import NAMES, PREFIX, REGION

MARK = PREFIX.encode()
"""Every body with a magic value contains it, so that most bodies need no closer look."""

_BY_NAME: dict[str, dict[str, Any]] = {
    "mock-insufficient-credits": {"fault": {"error": "INSUFFICIENT_CREDITS"}},
    "mock-provision-stuck": {"fault": {"provisioning": "never"}},
    "mock-provision-slow": {"fault": {"provisioning": "120s"}},
    "mock-provision-instant": {"fault": {"provisioning": "0s"}},
    "mock-stopped": {"fault": {"provisioning": {"then": "stopped"}}},
    "mock-internal-error": {"fault": {"error": "INTERNAL_ERROR"}},
    "mock-created-then-500": {"fault": {"error": "INTERNAL_ERROR"}, "at": "after"},
    "mock-rate-limited": {"fault": {"error": "RATE_LIMITED", "retry_after": "1s"}, "times": 1},
}

_OUTAGE = {"error": "REGION_UNAVAILABLE", "details": {"region": REGION}}


def rules(operations: Collection[Operation]) -> list[Rule]:
    """Return the rules in the order in which they are asked: the region before the name."""
    creates = {"operation": "instances.create"}
    balancers = {"operation": ["load_balancers.create", "load_balancers.replace"]}
    documents = [
        {"match": {**creates, "body": {"region": REGION}}, "fault": _OUTAGE},
        {"match": {**balancers, "body": {"regions": REGION}}, "fault": _OUTAGE},
        *({"match": {**creates, "body": {"name": name}}, **_BY_NAME[name]} for name in NAMES),
    ]
    names = [REGION, REGION, *NAMES]
    return [read_rule(each, operations, f"magic:{name}") for each, name in zip(documents, names, strict=True)]
