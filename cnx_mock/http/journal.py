"""The journal: every request of a sandbox, with what the rules decided about it; rendered only when it is read."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cnx_mock.api.operation import Operation
from cnx_mock.api.shapes import Shape
from cnx_mock.http.auth import described
from cnx_mock.scenario.active_rule import ActiveRule, Decision
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.matching import Difference
from cnx_mock.scenario.request import ApiRequest, RawHeaders
from cnx_mock.scenario.rule import Rule
from cnx_mock.scenario.ruling import Ruling
from cnx_mock.text.units import format_instant_ms

BODY_SHOWN = 64 * 1024
"""Bytes of a body that an entry shows."""


class JournalRecord:
    """One request in a journal: the exchange, what the rules decided, and what the client was sent."""

    __slots__ = ("_response_headers", "_sent_head", "duration", "exchange", "problem", "ruling", "seq", "status")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.seq = 0
        self.ruling: Ruling | None = None
        """None if no rule was asked."""
        self.status: int | None = None
        """The status that the client was sent; None until then, and for good if its connection was aborted before."""
        self._response_headers: RawHeaders = []
        self._sent_head = b""
        self.problem: str | None = None
        """Why the request could not be read; None if it could."""
        self.duration: int | None = None
        """Microseconds from arrival to answer; None until then."""

    @property
    def response_headers(self) -> RawHeaders:
        """The headers that the client was sent."""
        if self._sent_head:
            self._response_headers = _headers_in(self._sent_head)
            self._sent_head = b""
        return self._response_headers

    @response_headers.setter
    def response_headers(self, headers: RawHeaders) -> None:
        self._response_headers, self._sent_head = headers, b""

    def sent(self, head: bytes) -> None:
        """Keep the head of the answer as it was sent, with its status line. It is read when somebody asks."""
        self._sent_head = head

    @property
    def request(self) -> ApiRequest:
        """The request."""
        return self.exchange.request

    @property
    def operation(self) -> Operation | None:
        """The operation, if the request reached a sandbox and was read to its end: else it is not a call of one."""
        unread = self.exchange.sandbox is None or self.problem is not None
        return None if unread else self.exchange.request.operation

    @property
    def asked(self) -> tuple[tuple[ActiveRule, Rule], ...]:
        """The rules that were asked, in order."""
        return () if self.ruling is None else self.ruling.asked

    @property
    def applied(self) -> list[tuple[str, str]]:
        """(rule id, fault) of every fault that was applied."""
        return [] if self.ruling is None else self.ruling.applied

    def decision(self, active: ActiveRule) -> Decision | None:
        """Return what a rule decided, None if it did not match."""
        return None if self.ruling is None else self.ruling.decisions.get(active)


class Journal:
    """The last so many requests, in the order of their arrival."""

    def __init__(self, size: int) -> None:
        self._records: deque[JournalRecord] = deque(maxlen=size)
        self._seq = 0

    def __iter__(self) -> Iterator[JournalRecord]:
        return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    @property
    def seen(self) -> int:
        """How many requests there were, including those that are no longer in it."""
        return self._seq

    @property
    def last_arrival(self) -> int:
        """When the newest request arrived, in microseconds of the monotonic clock; 0 if there is none."""
        return self._records[-1].request.arrived if self._records else 0

    def open(self, record: JournalRecord) -> None:
        """Add a record, and number it. It is completed when its answer is sent."""
        self._seq = record.seq = self._seq + 1
        self._records.append(record)

    def find(self, request_id: str) -> JournalRecord | None:
        """Return the record with this request id, None if there is none."""
        return next((each for each in self._records if each.exchange.request_id == request_id), None)

    def clear(self) -> None:
        """Remove every record; numbering goes on."""
        self._records.clear()


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
class JournalEntry(Shape):
    """One request, its answer, and why it got that."""

    seq: int
    """Its number in this journal."""
    request_id: str
    """As in `X-Request-Id` and `error.request_id`."""
    at: str | None
    """When it arrived by the sandbox's clock, RFC 3339 with milliseconds; null if it reached no sandbox."""
    wall: str
    """When it arrived in real time, RFC 3339 with milliseconds."""
    connection: int | None
    """The client's port: requests that share it came over one connection; null if it is not known."""
    method: str
    """The method; empty if the request could not be read so far."""
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
    """How much of that was a deliberate wait."""
    faults: list[FaultApplied]
    """The faults that were applied."""
    committed: bool
    """Whether it changed something."""
    request_headers: list[list[str]]
    """Headers as they came, with only the end of the key."""
    request_body: str | None
    """The body as text, at most 64 KiB."""
    response_headers: list[list[str]]
    """Headers as they were sent."""
    response_body: str | None
    """The body as text, at most 64 KiB."""
    decisions: list[RuleDecision]
    """What every rule in force decided, in the order in which they were asked."""
    near_miss: NearMiss | None
    """If no rule matched: the one that nearly did."""
    problem: str | None
    """Why the request could not be read to its end; null if it was. If its head could not be read, `request_body` has
    the bytes that came, at most 4 KiB, with escapes for what is not text."""


def entry(record: JournalRecord) -> JournalEntry:
    """Return a record as the control plane and a failing test show it."""
    exchange, request, operation = record.exchange, record.request, record.operation
    return JournalEntry(
        seq=record.seq,
        request_id=exchange.request_id,
        at=None if exchange.at is None else format_instant_ms(exchange.at),
        wall=format_instant_ms(request.wall),
        connection=request.connection,
        method=request.method,
        path=request.path,
        query=request.query,
        operation=operation.name if operation else None,
        status=record.status,
        duration_ms=None if record.duration is None else round(record.duration / 1000, 3),
        delayed_ms=round(exchange.delayed / 1000, 3),
        faults=[FaultApplied(rule=rule, fault=fault) for rule, fault in record.applied],
        committed=exchange.committed,
        request_headers=_request_headers(exchange),
        request_body=_text(request.body),
        response_headers=_texts(record.response_headers),
        response_body=_text(exchange.answer.body) if exchange.answer and record.response_headers else None,
        decisions=[_decision(record, active, rule) for active, rule in record.asked],
        near_miss=_near_miss(record),
        problem=record.problem,
    )


def _decision(record: JournalRecord, active: ActiveRule, rule: Rule) -> RuleDecision:
    """What a rule decided, as it was then. If it did not match: the field that differs."""
    decision = record.decision(active)
    if decision is not None:
        return RuleDecision(rule=rule.id, fired=decision.fired, reason=decision.reason)
    difference = rule.match.difference(record.request)
    reason = "not asked: the request's own header is wrong" if difference is None else str(difference)
    return RuleDecision(rule=rule.id, fired=False, reason=reason)


def _near_miss(record: JournalRecord) -> NearMiss | None:
    """If no rule matched, the one of which the most fields agree; None if no field of any rule does."""
    if record.ruling is None or record.ruling.decisions:
        return None
    misses = [(rule, list(rule.match.differences(record.request))) for _, rule in record.asked]
    near = [(rule, differences) for rule, differences in misses if 0 < len(differences) < len(rule.match)]
    if not near:
        return None
    rule, differences = min(near, key=lambda miss: len(miss[1]))
    return NearMiss(rule=rule.id, reason=_joined(differences))


def _joined(differences: list[Difference]) -> str:
    return "; ".join(map(str, differences))


def silence(active: ActiveRule, journal: Journal) -> str:
    """Return why a rule has not fired: its last decision, or else the request that it nearly matched."""
    nearest: tuple[int, str] | None = None
    for record in reversed(list(journal)):
        call = f"#{record.seq} {record.request.method} {record.request.path}"
        decision = record.decision(active)
        if decision is not None:
            return f"{decision.reason} ({call})"
        rule = next((rule for each, rule in record.asked if each is active), None)
        differences = list(rule.match.differences(record.request)) if rule else []
        if differences and (nearest is None or len(differences) <= nearest[0]):
            nearest = len(differences), f"no request matched; the nearest is {call}: {_joined(differences)}"
    return nearest[1] if nearest else "no request came"


def _headers_in(head: bytes) -> RawHeaders:
    """Return the headers of a head that we have written."""
    lines = (line.partition(b": ") for line in head.split(b"\r\n")[1:] if line)
    return [(name, value) for name, _, value in lines]


def _request_headers(exchange: Exchange) -> list[list[str]]:
    """Headers as they came, with only the end of the key; for a request that reached no sandbox, what was wrong with
    its key."""
    given = exchange.request.headers
    keys = [described(value) for name, value in given if name == b"authorization"]
    if exchange.sandbox is None and exchange.key is not None:
        keys = ["revoked"]
    others = [header for header in _texts(given) if header[0] != "authorization"]
    return [*others, *(["authorization", key] for key in keys or ["missing"])]


def _texts(headers: RawHeaders) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def _text(body: bytes) -> str | None:
    return body[:BODY_SHOWN].decode("utf-8", "replace") if body else None


class AccessRecord(NamedTuple):
    """What an access line says of a request."""

    wall: int
    """When it arrived, in microseconds since the epoch."""
    method: str
    target: str
    """Path and query, as sent."""
    status: int | None
    """The answer's status; None if the connection was ended without one."""
    duration: int
    """Microseconds from its arrival to the end of the answer."""
    operation: str
    """The operation's name, `-` if the path has none."""
    sandbox: str
    """The end of its key, `-` if it reached no sandbox."""
    faults: tuple[str, ...]
    """What struck it, each as `rule:fault`."""
    problem: str = ""
    """Why it could not be read; empty if it could."""


def access_record(record: "JournalRecord", label: str) -> AccessRecord:
    """Return what an access line says of a request; `label` names its sandbox."""
    request = record.request
    return AccessRecord(
        wall=request.wall,
        method=request.method or "-",
        target=f"{request.path}?{request.query}" if request.query else request.path or "-",
        status=record.status,
        duration=record.duration or 0,
        operation=record.operation.name if record.operation else "-",
        sandbox=label,
        faults=tuple(f"{rule}:{fault}" for rule, fault in record.applied),
        problem=record.problem or "",
    )
