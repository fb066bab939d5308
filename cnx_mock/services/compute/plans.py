"""Plans: the compute tiers and their prices."""

from typing import Annotated

from cnx_mock.api.declarations import Field
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Page, PageQuery, page_of
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import format_money
from cnx_mock.world import kinds
from cnx_mock.world.records import PlanRecord
from cnx_mock.world.sandbox import SandboxState

plans = Resource.of(kinds.PLAN, "A compute tier.")

_WHY = added("a client that must name a plan has to learn the names somewhere")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Plan(Shape):
    """A compute tier."""

    id: Annotated[str, Field(examples=["pro"])]
    """Its id."""
    name: Annotated[str, Field(examples=["Pro"])]
    """Its name."""
    vcpus: Annotated[int, Field(examples=[4])]
    """Virtual processors."""
    memory_mb: Annotated[int, Field(examples=[8192])]
    """Memory, in MiB."""
    disk_gb: Annotated[int, Field(examples=[160])]
    """Ephemeral disk, in GB."""
    price_hourly: Annotated[str, Field(examples=["$0.04"])]
    """Price of each started hour, in US dollars."""
    price_hourly_cents: Annotated[int, Field(examples=[4])]
    """The same in cents."""


def show(record: PlanRecord) -> Plan:
    """Return the answer for a plan."""
    return Plan(
        id=record.id,
        name=record.name,
        vcpus=record.vcpus,
        memory_mb=record.memory_mb,
        disk_gb=record.disk_gb,
        price_hourly=format_money(record.hourly_cents),
        price_hourly_cents=record.hourly_cents,
    )


@plans.operation("GET", "/v1/plans", provenance=_WHY)
def list_(sandbox: SandboxState, query: PageQuery) -> Page[Plan]:
    """List all plans."""
    return page_of(sandbox.catalogue.plans, query, show)


@plans.operation("GET", "/v1/plans/{id}", provenance=_WHY)
def get(plan: PlanRecord) -> Plan:
    """Get a plan."""
    return show(plan)
