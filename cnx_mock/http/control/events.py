"""The events of a server: a stream of server-sent events."""

from typing import Annotated

from cnx_mock.api.declarations import BeforeValidator, Field, WithJsonSchema
from cnx_mock.api.errors import BadRequest, ListenerLimit
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Query
from cnx_mock.http.control.guard import EVENTS
from cnx_mock.http.control.plane import CallHeaders, ControlTarget, Server
from cnx_mock.http.control.shown import ControlRenderer
from cnx_mock.http.events.stream import EventStream

resource = Resource("_mock.events", "What happens, as it happens.", is_control=True)

_LAST = "last-event-id"


def _event_id(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    raise ValueError("must be the id of an event, a whole number")


class EventsQuery(Query):
    """What to follow, and from where on."""

    sandbox: str | None = None
    """The id of a sandbox, instead of a key, for clients that cannot send headers, such as a browser's EventSource."""
    last_event_id: Annotated[
        int | None, BeforeValidator(_event_id), Field(alias=_LAST), WithJsonSchema({"type": "integer"})
    ] = None
    """The id of the last event that the client has: later events are sent first. The header `Last-Event-ID` has
    priority."""


@resource.operation(
    "GET", EVENTS, provenance=added("the live page, and programs that look on"), raises=(ListenerLimit,)
)
def follow(server: Server, target: ControlTarget, headers: CallHeaders, query: EventsQuery) -> EventStream:
    """Follow the events of a sandbox; without a key or an id, those of all sandboxes, and requests that reached
    none."""
    tenant = target.tenant
    if query.sandbox is not None:
        if tenant is not None:
            raise BadRequest(sandbox="and a key or a header both choose a sandbox: give only one of them")
        tenant = server.tenants.with_id(query.sandbox)
    known = headers.get(_LAST)
    after = query.last_event_id if known is None else _last(known)
    listener = server.events.listen(ControlRenderer(server), tenant.id if tenant else None, after)
    return EventStream(server.events, listener)


def _last(header: str) -> int:
    try:
        return _event_id(header)
    except ValueError as error:
        raise BadRequest(**{_LAST: str(error)}) from None
