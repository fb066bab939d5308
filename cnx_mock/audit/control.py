"""The endpoints that the audit adds to the control plane: its findings, and whole journals."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Annotated

import orjson

from cnx_mock.api.declarations import BeforeValidator, Field
from cnx_mock.api.errors import ValidationFailed
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Query
from cnx_mock.api.shapes import Listing, Shape
from cnx_mock.audit.audit import Finding, findings, threshold_values
from cnx_mock.audit.call import Call, calls_of
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import AuditError
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.export import FEW_SHOWN, WorldExport, WorldExporting
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.journal_entry import JournalEntry, entry
from cnx_mock.http.long_call import LongCall
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.scenario import Scenario

resource = Resource("_mock.audit", "How well the client behaved.", is_control=True)
_OURS = added("the mock's own control plane")


def _split(value: object) -> object:
    """Split `a,b`; a parameter may also be repeated."""
    given = [value] if isinstance(value, str) else value
    return [word for item in given for word in item.split(",") if word] if isinstance(given, list) else given


_Words = Annotated[list[str], BeforeValidator(_split), Field(max_length=100)]


class AuditQuery(Query):
    """Which checks run, and with which thresholds."""

    ignore: _Words = []
    """Codes of checks to leave out, comma-separated or repeated."""
    also: _Words = []
    """Codes of checks that run only if they are asked for."""
    threshold: _Words = []
    """Values of thresholds, `NAME=VALUE`: `poll-interval=200ms`."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class FindingItem(Shape):
    """Something that a client should not do."""

    code: str
    """The check's name."""
    message: str
    """One line that names the requests."""
    requests: list[int]
    """Their `seq` in the journal."""
    why: str
    """Why it matters."""
    fix: str
    """What to do about it."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class AuditAnswer(Shape):
    """All findings."""

    findings: list[FindingItem]
    """The findings in the order of the requests."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class JournalItem(Shape):
    """One journal."""

    sandbox: str | None
    """The name of its sandbox; null for the server's own journal."""
    requests: list[JournalEntry]
    """Its entries, the newest last."""


@resource.operation("GET", "/_mock/audit", provenance=_OURS)
def audit(server: Server, target: ControlTarget, call: LongCall, query: AuditQuery) -> AuditAnswer:
    """Report how the client behaved. Without a key: in every sandbox, and in requests that reached none."""
    measures = dict(_measure(each) for each in query.threshold)
    _check("threshold", lambda: threshold_values(measures))
    _check("ignore", lambda: findings((), ignore=query.ignore))
    _check("also", lambda: findings((), also=query.also))
    judge = partial(_judged, measures, query)
    journals = _journals(server, target)
    number = _count(journals)
    if number < FEW_SHOWN:
        found = judge(list(_entries(journals)))
    else:
        found = call.in_thread(partial(judge, call.in_slices(_entries(journals), number)))
    return AuditAnswer(findings=[FindingItem(**each.document()) for each in found])


def _check(parameter: str, use: Callable[[], object]) -> None:
    """Raise ValidationFailed, with the parameter's name, for a value that the audit does not take."""
    try:
        use()
    except AuditError as error:
        raise ValidationFailed(**{parameter: str(error)}) from None


def _judged(measures: dict[str, str], query: AuditQuery, entries: Sequence[tuple[str | None, bytes]]) -> list[Finding]:
    return findings(list(_calls(entries)), measures, query.ignore, query.also)


@resource.operation("GET", "/_mock/journals", provenance=_OURS)
def journals(server: Server, target: ControlTarget) -> Listing[JournalItem]:
    """Read whole journals: that of the key; without a key, those of all sandboxes and of requests that reached none."""
    chosen = _journals(server, target)
    if (number := _count(chosen)) >= FEW_SHOWN:
        raise WorldExporting(WorldExport(_json(chosen), number, "the journals"))
    return Listing(data=[JournalItem(sandbox=name, requests=[entry(each) for each in kept]) for name, kept in chosen])


def _json(journals: Sequence[tuple[str | None, list[JournalRecord]]]) -> Iterator[bytes]:
    """Yield the JSON of whole journals, in pieces that take less than a millisecond each."""
    for place, (name, records) in enumerate(journals):
        yield (b"," if place else b'{"data":[') + b'{"sandbox":' + orjson.dumps(name) + b',"requests":['
        for number, each in enumerate(records):
            yield b"," * (number > 0) + entry(each).json()
        yield b"]}"
    yield b"]}"


def unmet(tenant: Tenant, scenario: Scenario) -> list[str]:
    """Return one line for each finding about a tenant's client, if a scenario expects a clean audit; otherwise
    nothing."""
    if not scenario.expects_clean_audit:
        return []
    found: list[Finding] = findings(list(_calls(_entries([(tenant.label, list(tenant.journal))]))))
    return [f"the audit is not clean: {each}" for each in found]


def _measure(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _journals(server: Server, target: ControlTarget) -> list[tuple[str | None, list[JournalRecord]]]:
    """Return the name of each sandbox that is asked for, None for the server's own journal, and what is in it now."""
    tenants = [target.tenant] if target.tenant else list(server.tenants)
    found: list[tuple[str | None, list[JournalRecord]]] = [(each.label, list(each.journal)) for each in tenants]
    return found if target.tenant else [*found, (None, list(server.tenants.journal))]


def _count(journals: Sequence[tuple[str | None, list[JournalRecord]]]) -> int:
    return sum(len(records) for _, records in journals)


def _entries(journals: Sequence[tuple[str | None, list[JournalRecord]]]) -> Iterator[tuple[str | None, bytes]]:
    """Yield the entries, each with the name of its sandbox."""
    return ((name, entry(each).json()) for name, records in journals for each in records)


def _calls(entries: Iterable[tuple[str | None, bytes]]) -> Iterator[Call]:
    """Yield the calls of each journal in order of arrival."""
    for name, found in groupby(entries, key=itemgetter(0)):
        yield from calls_of([orjson.loads(each) for _, each in found], name)
