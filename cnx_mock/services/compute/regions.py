"""Regions: where resources can be deployed."""

from typing import Annotated

from cnx_mock.api.declarations import Field
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Page, PageQuery, page_of
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.world import kinds
from cnx_mock.world.records import RegionRecord
from cnx_mock.world.sandbox import SandboxState

regions = Resource.of(kinds.REGION, "A place that resources can be deployed to.")

_WHY = added("a client that must name a region has to learn the names somewhere")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Region(Shape):
    """A place that resources can be deployed to."""

    id: Annotated[str, Field(examples=["us-east-1"])]
    """Its id."""
    name: Annotated[str, Field(examples=["US East"])]
    """Its name."""


def show(record: RegionRecord) -> Region:
    """Return the answer for a region."""
    return Region(id=record.id, name=record.name)


@regions.operation("GET", "/v1/regions", provenance=_WHY)
def list_(sandbox: SandboxState, query: PageQuery) -> Page[Region]:
    """List all regions."""
    return page_of(sandbox.catalogue.regions, query, show)


@regions.operation("GET", "/v1/regions/{id}", provenance=_WHY)
def get(region: RegionRecord) -> Region:
    """Get a region."""
    return show(region)
