"""The catalogue: plans, regions and images, read from `fixtures/catalogue.json`. Shared by all sandboxes of a server.

The file is part of the package, so a test checks it and not every start. It is JSON, because every server reads it
before its first answer, and most servers read no YAML at all. `starter`, `pro`, `enterprise`, `us-east-1` and
`ubuntu-22.04-lts` are the reference's own words; the rest is ours.
"""

from functools import cache
from typing import Any

import orjson

from cnx_mock.text.shipped import locate
from cnx_mock.world.records import ImageRecord, PlanRecord, RegionRecord
from cnx_mock.world.table import Table


class Catalogue:
    """A table each of plans, regions and images, in the order of the file."""

    def __init__(self) -> None:
        document = _document()
        self.plans: Table[PlanRecord] = Table()
        self.regions: Table[RegionRecord] = Table()
        self.images: Table[ImageRecord] = Table()
        for plan in document["plans"]:
            self.plans.add(PlanRecord(**plan))
        for region in document["regions"]:
            self.regions.add(RegionRecord(**region))
        for image in document["images"]:
            self.images.add(ImageRecord(**image))
        self.bootable = frozenset(
            (plan.id, image.id) for plan in self.plans for image in self.images if plan.disk_gb >= image.min_disk_gb
        )
        """The ids of every plan and every image that fits its disk."""
        self.region_ids = frozenset(self.regions.ids())
        self.known: Any = None
        """What the service of instances has made of all this, for the next create."""


@cache
def _document() -> dict[str, list[dict[str, Any]]]:
    """Return the catalogue's file. It is read once per process."""
    document: dict[str, list[dict[str, Any]]] = orjson.loads((locate("fixtures") / "catalogue.json").read_bytes())
    return document
