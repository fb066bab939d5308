"""The endpoints that the audit adds to the control plane: its findings, and whole journals."""

from collections.abc import Iterator
from typing import Annotated, Any

import orjson

from cnx_mock.api.declarations import BeforeValidator, Field
from cnx_mock.api.errors import ValidationFailed
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.paging import Query
from cnx_mock.api.shapes import Listing, Shape
from cnx_mock.audit.audit import Finding, findings
from cnx_mock.audit.call import Call, calls_of
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import AuditError
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.journal_entry import JournalEntry, entry
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
def audit(server: Server, target: ControlTarget, query: AuditQuery) -> AuditAnswer:
    """Report how the client behaved. Without a key: in every sandbox, and in requests that reached none."""
    measures = dict(_measure(each) for each in query.threshold)
    calls = [call for journal in _journals(server, target) for call in _calls(journal)]
    try:
        found = findings(calls, measures, query.ignore, query.also)
    except AuditError as error:
        raise ValidationFailed(audit=str(error)) from None
    return AuditAnswer(findings=[FindingItem(**each.document()) for each in found])


@resource.operation("GET", "/_mock/journals", provenance=_OURS)
def journals(server: Server, target: ControlTarget) -> Listing[JournalItem]:
    """Read whole journals: that of the key; without a key, those of all sandboxes and of requests that reached none."""
    return Listing(data=list(_journals(server, target)))


def unmet(tenant: Tenant, scenario: Scenario) -> list[str]:
    """Return one line for each finding about a tenant's client, if a scenario expects a clean audit; otherwise
    nothing."""
    if not scenario.expects_clean_audit:
        return []
    found: list[Finding] = findings(_calls(_journal(tenant)))
    return [f"the audit is not clean: {each}" for each in found]


def _measure(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _journals(server: Server, target: ControlTarget) -> Iterator[JournalItem]:
    yield from map(_journal, [target.tenant] if target.tenant else server.tenants)
    if target.tenant is None:
        yield JournalItem(sandbox=None, requests=[entry(each) for each in server.tenants.journal])


def _journal(tenant: Tenant) -> JournalItem:
    return JournalItem(sandbox=tenant.label, requests=[entry(each) for each in tenant.journal])


def _calls(journal: JournalItem) -> list[Call]:
    data: list[dict[str, Any]] = [orjson.loads(each.json()) for each in journal.requests]
    return calls_of(data, journal.sandbox)
