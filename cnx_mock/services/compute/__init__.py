"""Virtual machines and their snapshots, and the catalogue of plans, regions and images."""

from cnx_mock.services.compute import images, instances, legacy, plans, regions, snapshots
from cnx_mock.services.compute.instance_body import Tag
from cnx_mock.services.compute.instance_fields import METERED_NAME

__all__ = ["METERED_NAME", "RESOURCES", "Tag", "legacy"]

RESOURCES = (instances.instances, snapshots.snapshots, images.images, plans.plans, regions.regions)
