"""A request of the journal again, for a terminal and for a test."""

from typing import Annotated

from cnx_mock.api.declarations import Field
from cnx_mock.api.errors import InvalidState, NotFound
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Query
from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.journal_texts import request_headers
from cnx_mock.http.replay import curl_of, test_of

resource = Resource("_mock.replay", "A request again.", is_control=True)


class ReplayQuery(Query):
    """Where to."""

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+$", max_length=300)] = "http://127.0.0.1:4269"
    """The base URL of the curl line."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Replay(Shape):
    """A request to send again."""

    curl: str
    """A shell command; its key is in `$CLOUDNEXUS_API_KEY`."""
    pytest: str
    """A test that expects the same outcome in a fresh sandbox, under the same faults."""


@resource.operation(
    "GET",
    "/_mock/requests/{request_id}/replay",
    provenance=added("the mock's own control plane"),
    raises=(InvalidState,),
)
def get(server: Server, target: ControlTarget, request_id: str, query: ReplayQuery) -> Replay:
    """Write a request of the journal as a curl command and as a pytest test."""
    journal = target.tenant.journal if target.tenant else server.tenants.journal
    record = journal.find(request_id)
    if record is None:
        raise NotFound(resource="request", id=request_id)
    if not record.request.method:
        raise InvalidState(resource="request", state="unreadable", required="readable")
    if ["authorization", "live"] in request_headers(record.exchange):
        raise InvalidState(resource="request", state="sent with a live key", required="sent with a test key")
    sandbox = target.tenant.sandbox if target.tenant else None
    return Replay(curl=curl_of(record, query.base_url), pytest=test_of(record, sandbox))
