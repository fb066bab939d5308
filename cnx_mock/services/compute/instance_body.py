"""The body and the query parameters for instances."""

from collections.abc import Mapping
from typing import Annotated, Literal

from cnx_mock.api.declarations import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema
from cnx_mock.api.fields import Name, Region, collapsed, sandbox_of
from cnx_mock.api.operation import documented
from cnx_mock.api.paging import PageQuery
from cnx_mock.api.portable import Component
from cnx_mock.api.readings import INSTANCE_NAMES, TAGS_MATCH
from cnx_mock.api.under_reading import UnderReading
from cnx_mock.api.validation import Declared
from cnx_mock.text.suggestions import one_of
from cnx_mock.world import magic
from cnx_mock.world.records import IndexKey


def _free(name: str, info: ValidationInfo) -> str:
    """Check that no instance has the name, if the reading `instance-names` requires it."""
    sandbox = sandbox_of(info)
    if INSTANCE_NAMES.of(sandbox.readings) == "unique" and sandbox.instances.has_name(name):
        raise ValueError("is already the name of an instance")
    return name


def _unreserved(name: str, info: ValidationInfo) -> str:
    """Check that a name with the reserved prefix is a magic name."""
    if name.startswith(magic.PREFIX) and name not in magic.NAMES and sandbox_of(info).magic:
        raise ValueError(f"{magic.PREFIX} is reserved for magic names: {one_of(magic.NAMES, name)}")
    return name


def _bootable(image: str, info: ValidationInfo) -> str:
    """Check that it is an image of the catalogue or a snapshot of this account, and that it fits the plan's disk."""
    sandbox = sandbox_of(info)
    source = sandbox.snapshots.get(image) or sandbox.catalogue.images.get(image)
    if source is None:
        known = sandbox.catalogue.images.ids()
        raise ValueError(f"must be an image id, or a snapshot id; the images: {one_of(known, image)}")
    plan = sandbox.catalogue.plans.get(info.data.get("plan", ""))
    if plan is not None and plan.disk_gb < source.min_disk_gb:
        raise ValueError(f"needs a plan with at least {source.min_disk_gb} GB of disk")
    return image


TAG_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:/=-]{0,62}$"
Tag = Annotated[str, Field(pattern=TAG_PATTERN)]


Image = Annotated[str, AfterValidator(_bootable), Field(examples=["ubuntu-22.04-lts"])]


InstancePlan = Annotated[
    Literal["starter", "pro", "enterprise"], Component("InstancePlan", "The compute tier of an instance.")
]
InstanceStatus = Annotated[
    Literal["running", "stopped", "provisioning"], Component("InstanceStatus", "What an instance is doing.")
]


class InstanceCreate(Declared):
    """The instance to create."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "prod-api-01",
                    "plan": "pro",
                    "region": "us-east-1",
                    "image": "ubuntu-22.04-lts",
                    "tags": ["web", "production"],
                }
            ]
        }
    )

    name: Annotated[
        Name,
        Field(examples=["prod-api-01"]),
        AfterValidator(_unreserved),
        AfterValidator(_free),
        documented("Instance identifier"),
    ]
    """Instance identifier: 1 to 63 letters, digits, dots and hyphens. It need not be unique."""
    plan: Annotated[
        InstancePlan,
        Field(examples=["pro"]),
        documented("Compute tier (starter, pro, enterprise)"),
    ]
    """Compute tier."""
    region: Annotated[Region, documented("Deployment region")]
    """Deployment region, one of `/v1/regions`."""
    image: Annotated[Image, documented("OS image ID or snapshot")]
    """OS image ID, one of `/v1/images`, or the id of an available snapshot."""
    tags: Annotated[
        list[Tag],
        Field(max_length=50, examples=[["web", "production"]]),
        AfterValidator(collapsed),
        documented("Metadata tags for organization"),
    ] = []
    """Metadata tags for organization. Repetitions are removed."""


def _split(value: object) -> object:
    """Return the tags of `tags=web,production`, of `tags=web&tags=production`, or of both combined."""
    given = [value] if isinstance(value, str) else value
    return [tag for item in given for tag in item.split(",") if tag] if isinstance(given, list) else given


_TAGS = "Filter by tags, comma-separated or repeated; an instance must have"


class InstanceQuery(PageQuery):
    """The filters of the list."""

    region: Annotated[
        str | None,
        WithJsonSchema({"type": "string", "examples": ["us-east-1"]}),
        documented("Filter by data center region"),
    ] = None
    """Filter by data center region. An unknown region matches nothing."""
    status: Annotated[
        InstanceStatus | None,
        documented("Filter by status (running, stopped, provisioning)"),
    ] = None
    """Filter by status (running, stopped, provisioning)."""
    tags: Annotated[
        list[str],
        BeforeValidator(_split),
        Field(examples=[["web", "production"]]),
        documented("Supports filtering by region, status, and tags."),
        UnderReading(TAGS_MATCH, "any", {"description": f"{_TAGS} any one of them."}),
        Field(description=f"{_TAGS} every one of them."),
    ] = []

    def index_keys(self, readings: Mapping[str, str]) -> tuple[list[IndexKey], list[IndexKey]]:
        """Return what an instance must have to match the filters by region and tags: all of the first list, and one of
        the second unless that is empty."""
        region = [] if self.region is None else [("region", self.region)]
        tags = [("tags", tag) for tag in dict.fromkeys(self.tags)]
        return (region + tags, []) if TAGS_MATCH.of(readings) == "all" else (region, tags)
