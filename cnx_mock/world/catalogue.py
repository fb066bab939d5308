"""The catalogue: plans, regions and images, read from `fixtures/catalogue.yaml`. Shared by all sandboxes, read-only."""

from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cnx_mock.text.shipped import CATALOGUE, locate
from cnx_mock.text.source import read_file
from cnx_mock.world.records import ImageRecord, PlanRecord, RegionRecord
from cnx_mock.world.table import Table


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    name: str


class _Plan(_Entry):
    vcpus: Annotated[int, Field(ge=1)]
    memory_mb: Annotated[int, Field(ge=1)]
    disk_gb: Annotated[int, Field(ge=1)]
    hourly_cents: Annotated[int, Field(ge=0)]


class _Image(_Entry):
    distribution: str
    version: str
    min_disk_gb: Annotated[int, Field(ge=1)]


class _CatalogueFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    plans: list[_Plan]
    regions: list[_Entry]
    images: list[_Image]


class Catalogue:
    """A table each of plans, regions and images, in the order of the file."""

    def __init__(self) -> None:
        document = _document()
        self.plans: Table[PlanRecord] = Table()
        self.regions: Table[RegionRecord] = Table()
        self.images: Table[ImageRecord] = Table()
        for plan in document.plans:
            self.plans.add(PlanRecord(**plan.model_dump()))
        for region in document.regions:
            self.regions.add(RegionRecord(**region.model_dump()))
        for image in document.images:
            self.images.add(ImageRecord(**image.model_dump()))


@cache
def _document() -> _CatalogueFile:
    """Return the catalogue's file. It is read once per process, because it is part of the package."""
    return _CatalogueFile.model_validate(read_file(locate("fixtures") / f"{CATALOGUE}.yaml").data)
