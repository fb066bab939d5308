"""The journal: every request of a sandbox, with what the rules decided about it; rendered only when it is read."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from cnx_mock.api.operation import Operation
from cnx_mock.api.shapes import Shape
from cnx_mock.http.journal_texts import body_text, headers_in, request_headers, texts
from cnx_mock.net.bounds import Bound, Bounds
from cnx_mock.scenario.active_rule import ActiveRule, Decision
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.matching import Difference
from cnx_mock.scenario.request import ApiRequest, RawHeaders
from cnx_mock.scenario.rule import Rule
from cnx_mock.scenario.ruling import Ruling
from cnx_mock.text.units import format_instant_ms

_RECORD_BYTES = 1024
"""What a record holds beside the request and the answer."""

_DECISION_BYTES = 256
"""What it holds of each rule that decided about it."""


class JournalRecord:
    """One request in a journal: the exchange, what the rules decided, and what the client was sent."""

    __slots__ = (
        *("_response_headers", "_sent_head", "duration", "exchange", "journal", "problem", "ruling", "seq"),
        *("size", "status"),
    )

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
        self.journal: Journal | None = None
        """The journal that holds it."""
        self.size = 0
        """Its bytes, as its journal counts them."""

    @property
    def response_headers(self) -> RawHeaders:
        """The headers that the client was sent."""
        if self._sent_head:
            self._response_headers = headers_in(self._sent_head)
            self._sent_head = b""
        return self._response_headers

    @response_headers.setter
    def response_headers(self, headers: RawHeaders) -> None:
        self._response_headers, self._sent_head = headers, b""

    def sent(self, head: bytes) -> None:
        """Keep the head of the answer as it was sent, with its status line. It is read when somebody asks."""
        self._sent_head = head

    @property
    def head_size(self) -> int:
        """About how many bytes the head of the answer has, without reading it."""
        return len(self._sent_head) or sum(len(name) + len(value) for name, value in self._response_headers)

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


class JournalSpace:
    """How much the journals of one server hold together. Of what is too much, the oldest goes first."""

    def __init__(self, bounds: Bounds) -> None:
        self.entries = bounds["journal_size"]
        self.bytes = bounds["journal_bytes"]
        self.total = bounds["journal_total_bytes"]
        self._records: OrderedDict[JournalRecord, None] = OrderedDict()

    def add(self, record: JournalRecord) -> None:
        """Add a record to all that there are."""
        self._records[record] = None

    def grow(self, by: int) -> None:
        """Note that a record has grown. Drop the oldest ones while there is too much."""
        self.total.used += by
        while self.total.used > self.total.limit and len(self._records) > 1:
            oldest = next(iter(self._records))
            assert oldest.journal is not None, "a record that is in no journal is not in here"
            oldest.journal.drop(self.total)

    def forget(self, record: JournalRecord) -> None:
        """Forget a record that its journal no longer holds."""
        del self._records[record]
        self.total.used -= record.size


class Journal:
    """The last requests, in the order of their arrival: so many, and so many bytes."""

    def __init__(self, space: JournalSpace) -> None:
        self._space = space
        self._records: deque[JournalRecord] = deque()
        self._seq = 0
        self.bytes = 0
        """How many bytes it holds."""
        self.dropped = 0
        """How many requests it has dropped because there were too many, or too large ones."""

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
        record.journal = self
        self._records.append(record)
        self._space.add(record)
        if len(self._records) > self._space.entries.limit:
            self.drop(self._space.entries)
        self._resize(record, _RECORD_BYTES + len(record.request.body))

    def measure(self, record: JournalRecord) -> None:
        """Count the bytes of a record anew. Drop the oldest ones while there is too much."""
        self._resize(record, _size(record))

    def _resize(self, record: JournalRecord, size: int) -> None:
        by = size - record.size
        record.size = size
        self.bytes += by
        while self.bytes > self._space.bytes.limit and len(self._records) > 1:
            self.drop(self._space.bytes)
        self._space.grow(by)

    def drop(self, bound: Bound) -> None:
        """Drop the oldest record because of a bound."""
        self.dropped += 1
        bound.refused += 1
        self._forget(self._records.popleft())

    def find(self, request_id: str) -> JournalRecord | None:
        """Return the record with this request id, None if there is none."""
        return next((each for each in self._records if each.exchange.request_id == request_id), None)

    def clear(self) -> None:
        """Remove every record; numbering goes on."""
        while self._records:
            self._forget(self._records.popleft())

    def _forget(self, record: JournalRecord) -> None:
        record.journal = None
        self.bytes -= record.size
        self._space.forget(record)


def _size(record: JournalRecord) -> int:
    """Return about how many bytes a record holds: the request, the answer, and what rules decided."""
    request, answer = record.request, record.exchange.answer
    texts = len(request.path) + len(request.query) + len(request.body) + (len(answer.body) if answer else 0)
    decisions = len(record.ruling.decisions) if record.ruling else 0
    for name, value in request.headers:
        texts += len(name) + len(value)
    return _RECORD_BYTES + texts + record.head_size + _DECISION_BYTES * decisions


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
    created_id: str | None
    """The id of the resource that it created, also if the answer was lost; null if it created none."""
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
        created_id=exchange.created_id,
        request_headers=request_headers(exchange),
        request_body=body_text(request.body),
        response_headers=texts(record.response_headers),
        response_body=body_text(exchange.answer.body) if exchange.answer and record.response_headers else None,
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
    return NearMiss(rule=rule.id, reason=joined(differences))


def joined(differences: list[Difference]) -> str:
    """Return several differences as one sentence."""
    return "; ".join(map(str, differences))
