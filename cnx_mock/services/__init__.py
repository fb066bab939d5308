"""What the cloud does: one slice a product, one file a resource."""

from cnx_mock.api.operation import Operation, Resource
from cnx_mock.services import account, billing, compute, network

RESOURCES: tuple[Resource, ...] = (*compute.RESOURCES, *network.RESOURCES, *billing.RESOURCES, *account.RESOURCES)
"""Every resource of the cloud, in the order in which people meet them."""


def operations() -> list[Operation]:
    """Every operation of the cloud."""
    return [operation for resource in RESOURCES for operation in resource.operations]


def operation_names() -> set[str]:
    """The names that scenarios may match."""
    return {operation.name for operation in operations()}
