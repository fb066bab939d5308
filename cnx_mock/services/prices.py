"""What a resource costs in a month, from the prices in the catalogue."""

from collections.abc import Mapping
from typing import Any

from cnx_mock.services.network import REGION_HOURLY_CENTS
from cnx_mock.world import kinds
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.ledger import HOURS_A_MONTH


def monthly_cents(kind: str, fields: Mapping[str, Any]) -> int:
    """Return the price of a month of a resource, in cents: an instance by its plan, a load balancer by its regions.

    Others are free. `kind` is the plural of its kind, such as `instances`; `fields` are those of its body.
    """
    if kind == kinds.LOAD_BALANCER.plural:
        return HOURS_A_MONTH * REGION_HOURLY_CENTS * len(fields.get("regions", ()))
    plan = Catalogue().plans.get(str(fields.get("plan"))) if kind == kinds.INSTANCE.plural else None
    return HOURS_A_MONTH * plan.hourly_cents if plan else 0
