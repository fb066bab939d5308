"""What the cloud does: one package for each product, one file for each resource."""

from cnx_mock.api.operation import Operation, Resource
from cnx_mock.services import account, billing, compute, network

RESOURCES: tuple[Resource, ...] = (*compute.RESOURCES, *network.RESOURCES, *billing.RESOURCES, *account.RESOURCES)
"""Every resource of the cloud, in the order in which documents list them."""


def operations() -> list[Operation]:
    """Return every operation of the cloud."""
    return [operation for resource in RESOURCES for operation in resource.operations]


def operation_names() -> set[str]:
    """Return the names of all operations, which rules of scenarios can match."""
    return {operation.name for operation in operations()}
