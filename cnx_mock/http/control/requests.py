"""Reading the journal."""

from typing import Annotated

from cnx_mock.api.declarations import BeforeValidator, WithJsonSchema
from cnx_mock.api.errors import NotFound, ValidationFailed
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Query
from cnx_mock.api.shapes import Listing
from cnx_mock.http.control.listings import listed
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.control.rules import Cleared
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.journal_entry import JournalEntry, entry
from cnx_mock.scenario.matching import Pattern
from cnx_mock.services import operations

resource = Resource("_mock.requests", "The journal.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


def _whole_number(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        return int(value)
    raise ValueError("must be a whole number")


_WholeNumber = Annotated[int | None, BeforeValidator(_whole_number), WithJsonSchema({"type": "integer", "minimum": 0})]


class JournalQuery(Query):
    """Which entries."""

    since: _WholeNumber = None
    """Only entries with a `seq` above this."""
    operation: str | None = None
    """Only this operation; `*` globs."""
    status: _WholeNumber = None
    """Only this status."""
    limit: _WholeNumber = None
    """The most entries in the answer: the oldest with `since`, otherwise the newest."""

    def selects(self, record: JournalRecord) -> bool:
        """Return whether a record of those after `since` is wanted."""
        name = record.operation.name if record.operation else ""
        return (self.status is None or record.status == self.status) and (
            self.operation is None or Pattern(self.operation).matches(name)
        )


@resource.operation("GET", "/_mock/requests", provenance=_PROVENANCE)
def list_(server: Server, target: ControlTarget, query: JournalQuery) -> Listing[JournalEntry]:
    """List the journal, newest last; without a key, the requests that reached no sandbox."""
    _check_operation(query.operation)
    journal = target.tenant.journal if target.tenant else server.tenants.journal
    chosen = [record for record in journal.after(query.since or 0) if query.selects(record)]
    if query.limit is not None:
        chosen = chosen[: query.limit] if query.since is not None else chosen[max(0, len(chosen) - query.limit) :]
    return listed(chosen, entry)


def _check_operation(pattern: str | None) -> None:
    """Raise ValidationFailed for a pattern that no operation's name can match: the answer would always be empty."""
    known = operations() if pattern is not None else []
    if pattern is not None and not any(Pattern(pattern).matches(each.name) for each in known):
        from cnx_mock.api.operation_names import no_operation  # lazy: only a mistake needs it

        raise ValidationFailed(operation=no_operation(pattern, known))


@resource.operation("DELETE", "/_mock/requests", provenance=_PROVENANCE)
def clear(server: Server, target: ControlTarget) -> Cleared:
    """Empty the journal; without a key, all journals."""
    journals = [target.tenant.journal] if target.tenant else [t.journal for t in server.tenants]
    journals += [] if target.tenant else [server.tenants.journal]
    count = sum(len(journal) for journal in journals)
    for journal in journals:
        journal.clear()
    return Cleared(deleted=count)


@resource.operation("GET", "/_mock/requests/{request_id}", provenance=_PROVENANCE)
def get(server: Server, target: ControlTarget, request_id: str) -> JournalEntry:
    """Read one request and its answer, with the decision of every rule."""
    journal = target.tenant.journal if target.tenant else server.tenants.journal
    record = journal.find(request_id)
    if record is None:
        raise NotFound(resource="request", id=request_id)
    return entry(record)
