"""The list of instances under its old path. The reference: "Deprecated v1/instances/legacy (removal in v2.0)"."""

from cnx_mock.api.caller import Caller
from cnx_mock.api.operation import named
from cnx_mock.api.paging import Page
from cnx_mock.api.shapes import Reply
from cnx_mock.services.compute.instance_body import InstanceQuery
from cnx_mock.services.compute.instances import Instance, instances
from cnx_mock.services.compute.instances import list_ as list_instances
from cnx_mock.world.sandbox import SandboxState

_HEADERS = (
    (b"deprecation", b"@1761264000"),  # RFC 9745: 2025-10-24, the day of v1.2.0
    (b"link", b'</v1/instances>; rel="successor-version"'),  # RFC 5829
)


@instances.operation(
    "GET",
    "/v1/instances/legacy",
    scope="instances:read",
    provenance=named("Deprecated v1/instances/legacy (removal in v2.0)"),
    deprecated=True,
)
def legacy(sandbox: SandboxState, caller: Caller, query: InstanceQuery) -> Page[Instance] | Reply:
    """List all compute instances under the old path.

    Deprecated: use GET /v1/instances. No date of removal is documented."""
    return Reply(list_instances(sandbox, caller, query), headers=_HEADERS)
