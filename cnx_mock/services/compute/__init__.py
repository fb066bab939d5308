"""Virtual machines, and the catalogue of what they are made of."""

from cnx_mock.services.compute import images, instances, legacy, plans, regions, snapshots

__all__ = ["RESOURCES", "legacy"]

RESOURCES = (instances.instances, snapshots.snapshots, images.images, plans.plans, regions.regions)
