"""Virtual machines, and the catalogue of what they are made of."""

from cnx_mock.services.compute import images, instances, plans, regions

RESOURCES = (instances.instances, images.images, plans.plans, regions.regions)
