"""Entries of a journal, as the control plane, events and failing tests show them."""

from typing import Any

from cnx_mock.api.shapes import Shape
from cnx_mock.dataclass import dataclass
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.journal_texts import body_text, request_headers
from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.matching import Difference
from cnx_mock.scenario.rule import Rule
from cnx_mock.text.units import format_instant_ms


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class FaultApplied(Shape):
    """A fault that was applied to a request."""

    rule: str
    """The rule's id."""
    fault: str
    """The fault, such as `error=INTERNAL_ERROR`."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class RuleDecision(Shape):
    """What one rule decided about a request."""

    rule: str
    """The rule's id."""
    fired: bool
    """Whether its fault was to be applied."""
    reason: str
    """Why, or why not: the field that differs, the count, the draw."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class NearMiss(Shape):
    """The rule that nearly matched a request."""

    rule: str
    """The rule's id."""
    reason: str
    """The field that differs."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class PerformanceShown(Shape):
    """One of the times that the operation of a request was performed."""

    status: int
    """The status of the answer that it gave."""
    committed: bool
    """Whether it changed something."""
    created_id: str | None
    """The id of the resource that it created; null if it created none."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class JournalEntry(Shape):
    """One request, its answer, and the reason for that answer."""

    seq: int
    """Its number in this journal."""
    request_id: str
    """The id in `X-Request-Id` and `error.request_id`."""
    at: str | None
    """When it arrived by the sandbox's clock, RFC 3339 with milliseconds; null if it reached no sandbox."""
    wall: str
    """When it arrived in real time, RFC 3339 with milliseconds."""
    connection: int | None
    """The client's port: requests that share it came over one connection; null if it is not known."""
    secure: bool
    """Whether it came over HTTPS."""
    method: str
    """The method; empty if the request could not be read up to it."""
    path: str
    """The path, undecoded."""
    query: str
    """The query string, undecoded."""
    operation: str | None
    """The operation's name; null if there is none, and if the request could not be read to its end."""
    status: int | None
    """The status that was sent; null while it is under way, and if the connection was aborted before."""
    duration_ms: float | None
    """From arrival to answer, in milliseconds of real time; null while it is under way."""
    delayed_ms: float
    """How much of that time was a delay by faults."""
    faults: list[FaultApplied]
    """The faults that were applied."""
    committed: bool
    """Whether it changed something."""
    created_id: str | None
    """The id of the resource that it created, also if the answer was lost; null if it created none."""
    performances: list[PerformanceShown]
    """The result of each time, if the operation was performed more than once for this request (`delivery: twice`). The
    client gets the last answer. Empty otherwise."""
    request_headers: list[list[str]]
    """Headers as they arrived, with only the end of the key."""
    request_body: str | None
    """The body as text, at most 64 KiB."""
    response_headers: list[list[str]]
    """Headers as they were sent."""
    response_body: str | None
    """The body as text, at most 64 KiB."""
    decisions: list[RuleDecision]
    """What every active rule decided, in the order in which they were evaluated."""
    near_miss: NearMiss | None
    """If no rule matched: the rule that came closest."""
    problem: str | None
    """Why the request could not be read to its end; null if it was. If the head could not be read, `request_body` has
    the bytes that arrived, at most 4 KiB, with escapes for bytes that are not text."""


def entry(record: JournalRecord) -> JournalEntry:
    """Return a record as the control plane and a failing test show it."""
    exchange, request, operation = record.exchange, record.request, record.operation
    sent = record.response_texts
    return JournalEntry(
        seq=record.seq,
        request_id=exchange.request_id,
        at=None if exchange.at is None else format_instant_ms(exchange.at),
        wall=format_instant_ms(request.wall),
        connection=request.connection,
        secure=request.secure,
        method=request.method,
        path=request.path,
        query=request.query,
        operation=operation.name if operation else None,
        status=record.status,
        duration_ms=None if record.duration is None else round(record.duration / 1000, 3),
        delayed_ms=round(exchange.delayed / 1000, 3),
        faults=[FaultApplied(rule=rule, fault=fault) for rule, fault in record.applied],
        committed=exchange.committed,
        created_id=exchange.created_id,
        performances=[
            PerformanceShown(status=each.status, committed=each.committed, created_id=each.created_id)
            for each in exchange.performances
        ],
        request_headers=request_headers(exchange),
        request_body=body_text(request.body),
        response_headers=sent,
        response_body=body_text(exchange.answer.body) if exchange.answer and sent else None,
        decisions=[_decision(record, active, rule) for active, rule in record.asked],
        near_miss=_near_miss(record),
        problem=record.problem,
    )


def plain_entry(record: JournalRecord) -> dict[str, Any]:
    """Return a record as plain data, as the control plane's JSON has it. Its texts and headers are not copied one by
    one, as `asdict` would: that takes longer than all the rest of an entry."""
    plain = _plain(entry(record))
    for name in _NESTED:
        if nested := plain[name]:
            plain[name] = [*map(_plain, nested)] if isinstance(nested, list) else _plain(nested)
    return plain


_NESTED = ("faults", "performances", "decisions", "near_miss")
"""The fields of an entry that have fields of their own."""


def _plain(shape: JournalEntry | FaultApplied | PerformanceShown | RuleDecision | NearMiss) -> dict[str, Any]:
    return {name: getattr(shape, name) for name in shape.__slots__}


def _decision(record: JournalRecord, active: ActiveRule, rule: Rule) -> RuleDecision:
    """What a rule decided, as it was then. If it did not match: the field that differs."""
    decision = record.decision(active)
    if decision is not None:
        return RuleDecision(rule=rule.id, fired=decision.fired, reason=decision.reason)
    difference = rule.match.difference(record.request)
    reason = "not asked: the request's own header is wrong" if difference is None else str(difference)
    return RuleDecision(rule=rule.id, fired=False, reason=reason)


def _near_miss(record: JournalRecord) -> NearMiss | None:
    """If no rule matched, the one with the most matching fields; None if no field of any rule does."""
    if record.ruling is None or record.ruling.decisions:
        return None
    rules = [rule for _, rule in record.asked if len(rule.match) > 1]  # of one field, some cannot agree
    misses = [(rule, list(rule.match.differences(record.request))) for rule in rules]
    near = [(rule, differences) for rule, differences in misses if 0 < len(differences) < len(rule.match)]
    if not near:
        return None
    rule, differences = min(near, key=lambda miss: len(miss[1]))
    return NearMiss(rule=rule.id, reason=joined(differences))


def joined(differences: list[Difference]) -> str:
    """Return several differences as one sentence."""
    return "; ".join(map(str, differences))
