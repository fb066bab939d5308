"""Images: the operating systems that an instance can boot."""

from typing import Annotated

from cnx_mock.api.declarations import Field
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Page, PageQuery, page_of
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.world import kinds
from cnx_mock.world.records import ImageRecord
from cnx_mock.world.sandbox import SandboxState

images = Resource.of(kinds.IMAGE, "An operating system that an instance can boot.")

_WHY = added("a client that must name an image has to learn the names somewhere")


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Image(Shape):
    """An operating system that an instance can boot."""

    id: Annotated[str, Field(examples=["ubuntu-22.04-lts"])]
    """Its id."""
    name: Annotated[str, Field(examples=["Ubuntu 22.04 LTS"])]
    """Its name."""
    distribution: Annotated[str, Field(examples=["ubuntu"])]
    """Family of the operating system."""
    version: Annotated[str, Field(examples=["22.04"])]
    """Its version."""
    min_disk_gb: Annotated[int, Field(examples=[10])]
    """The smallest disk for an instance with this image, in GB."""


def show(record: ImageRecord) -> Image:
    """Return the answer for an image."""
    return Image(
        id=record.id,
        name=record.name,
        distribution=record.distribution,
        version=record.version,
        min_disk_gb=record.min_disk_gb,
    )


@images.operation("GET", "/v1/images", provenance=_WHY)
def list_(sandbox: SandboxState, query: PageQuery) -> Page[Image]:
    """List all images."""
    return page_of(sandbox.catalogue.images, query, show)


@images.operation("GET", "/v1/images/{id}", provenance=_WHY)
def get(image: ImageRecord) -> Image:
    """Get an image."""
    return show(image)
