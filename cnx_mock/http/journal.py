"""The journal: every request of a sandbox, with what the rules decided about it; rendered only when it is read."""

from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush, heapreplace
from itertools import count, islice

from cnx_mock.api.operation import Operation
from cnx_mock.http.journal_texts import head_texts, headers_in, texts
from cnx_mock.net.bounds import Bound, Bounds
from cnx_mock.scenario.active_rule import ActiveRule, Decision
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.request import ApiRequest, RawHeaders
from cnx_mock.scenario.rule import Rule
from cnx_mock.scenario.ruling import Ruling
from cnx_mock.world.sandbox import SandboxState

_RECORD_BYTES = 1024
"""What a record holds beside the request and the answer."""

_DECISION_BYTES = 256
"""What it holds of each rule that decided about it."""


class JournalRecord(Exchange):
    """One request in a journal: an exchange, with what the rules decided and what the client was sent."""

    __slots__ = (
        *("_response_headers", "_sent_head", "age", "duration", "event", "journal", "problem", "ruling"),
        *("seq", "size", "status"),
    )

    def __init__(self, request: ApiRequest) -> None:
        Exchange.__init__(self, request)
        self.seq = 0
        self.event = 0
        """The number of its event; 0 until somebody has asked for events."""
        self.age = 0
        """Its number among the records in all journals of the server."""
        self.ruling: Ruling | None = None
        """None if no rule was asked."""
        self.status: int | None = None
        """The status that the client was sent; None until then, and for good if its connection was aborted before."""
        self._response_headers: RawHeaders | None = None
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
    def exchange(self) -> Exchange:
        """The exchange, which is the record itself."""
        return self

    @property
    def response_headers(self) -> RawHeaders:
        """The headers that the client was sent."""
        if self._sent_head:
            self._response_headers = headers_in(self._sent_head)
            self._sent_head = b""
        return self._response_headers or []

    @response_headers.setter
    def response_headers(self, headers: RawHeaders) -> None:
        self._response_headers, self._sent_head = headers, b""

    @property
    def response_texts(self) -> list[list[str]]:
        """The same headers as texts."""
        return head_texts(self._sent_head) if self._sent_head else texts(self.response_headers)

    def sent(self, head: bytes) -> None:
        """Keep the head of the answer as it was sent, with its status line. It is read when somebody asks."""
        self._sent_head = head

    @property
    def arrived(self) -> int:
        """When the request arrived, in microseconds of the monotonic clock."""
        return self.request.arrived

    @property
    def ended(self) -> int | None:
        """When it was complete, in microseconds of the monotonic clock; None before that."""
        return None if self.duration is None else self.arrived + self.duration

    @property
    def head_size(self) -> int:
        """About how many bytes the head of the answer has, without reading it."""
        return len(self._sent_head) or sum(len(name) + len(value) for name, value in self.response_headers)

    @property
    def operation(self) -> Operation | None:
        """The operation, if the request reached a sandbox and was read to its end: else it is not a call of one."""
        unread = self.sandbox is None or self.problem is not None
        return None if unread else self.request.operation

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
        self.ages = count(1)
        """Numbers the records of all journals."""
        self._journals: list[tuple[int, Journal]] = []
        """A heap of all journals that have records, each by the age of its oldest record, or of one before that."""

    def begins(self, journal: "Journal", age: int) -> None:
        """Note that an empty journal has got a record of this age."""
        heappush(self._journals, (age, journal))

    def ends(self, journal: "Journal") -> None:
        """Note that a journal has been emptied."""
        self._journals = [each for each in self._journals if each[1] is not journal]
        heapify(self._journals)

    def drop_oldest(self) -> None:
        """Drop the oldest records while there is too much."""
        journals = self._journals
        while self.total.used > self.total.limit and journals:
            age, journal = journals[0]
            oldest = journal.oldest_age
            if oldest is None:
                heappop(journals)
                journal.is_listed = False
            elif oldest != age:
                heapreplace(journals, (oldest, journal))
            elif len(journal) == 1 and not any(len(other) for _, other in journals[1:]):
                return  # the newest one stays, however large it is
            else:
                journal.drop(self.total)


class Journal:
    """The last requests, in the order of their arrival, within a limit of requests and of bytes."""

    def __init__(self, space: JournalSpace) -> None:
        self._space = space
        self._ages = space.ages
        self._records: deque[JournalRecord] = deque()
        self.is_listed = False
        """Whether its space knows that it has records."""
        self._seq = 0
        self.bytes = 0
        """How many bytes it holds."""
        self.dropped = 0
        """How many requests it has dropped because there were too many, or too large ones."""
        self.clearings = 0
        """How often it was emptied."""
        self.reaches_back_to = 0
        """When the last of the requests that it no longer has was complete; 0 if it has all."""

    def __iter__(self) -> Iterator[JournalRecord]:
        return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    @property
    def seen(self) -> int:
        """How many requests there were, including those that are no longer in it."""
        return self._seq

    @property
    def oldest_age(self) -> int | None:
        """The number of its oldest record among those of all journals, None if it has none."""
        return self._records[0].age if self._records else None

    @property
    def last_arrival(self) -> int:
        """When the newest request arrived, in microseconds of the monotonic clock; 0 if there is none."""
        return self._records[-1].arrived if self._records else 0

    def open(self, record: JournalRecord) -> None:
        """Add a record, and number it. It is completed when its answer is sent."""
        self._seq = record.seq = self._seq + 1
        record.journal = self
        record.age = age = next(self._ages)
        records, space = self._records, self._space
        records.append(record)
        if not self.is_listed:
            self.is_listed = True
            space.begins(self, age)
        if len(records) > space.entries.limit:
            self.drop(space.entries)

    def measure(self, record: JournalRecord) -> None:
        """Count the bytes of a record, for the first time or again. Drop the oldest records while there is too much."""
        request, answer, ruling = record.request, record.answer, record.ruling
        head = len(record._sent_head) or record.head_size
        size = _RECORD_BYTES + request.target.size + request.sent.size + len(request.body) + head
        if answer is not None:
            size += len(answer.body)
        if ruling is not None and ruling.decisions:
            size += _DECISION_BYTES * len(ruling.decisions)
        space, by = self._space, size - record.size
        record.size = size
        self.bytes += by
        space.total.used += by
        self._make_room()

    def keep(self, record: JournalRecord, size: int) -> None:
        """Add the record of a call that is complete, as `open` and `measure` do. `size` is the bytes of its request and
        of its answer."""
        space = self._space
        total, records = space.total, self._records
        record.size = size = size + _RECORD_BYTES
        self._seq = record.seq = self._seq + 1
        record.journal, record.age = self, next(self._ages)
        records.append(record)
        self.bytes = held = self.bytes + size
        total.used += size
        if not self.is_listed:
            self.is_listed = True
            space.begins(self, record.age)
        if len(records) > space.entries.limit:
            self.drop(space.entries)
        if held > space.bytes.limit or total.used > total.limit:
            self._make_room()

    def _make_room(self) -> None:
        """Drop the oldest records while there is too much."""
        space = self._space
        while self.bytes > space.bytes.limit and len(self._records) > 1:
            self.drop(space.bytes)
        if space.total.used > space.total.limit:
            space.drop_oldest()

    def drop(self, bound: Bound) -> None:
        """Drop the oldest record because of a bound."""
        self.dropped += 1
        bound.refused += 1
        self._forget(self._records.popleft())

    def after(self, seq: int) -> list[JournalRecord]:
        """Return the records behind the one with this number."""
        first = self._records[0].seq if self._records else 0
        return list(islice(self._records, max(0, seq + 1 - first), None))

    def find(self, request_id: str) -> JournalRecord | None:
        """Return the record with this request id, None if there is none. It looks at each, which is bounded: an index
        would cost every request, and people ask for one now and then."""
        return next((each for each in self._records if each.request_id == request_id), None)

    def with_seq(self, seq: int) -> JournalRecord | None:
        """Return the record with this number, None if the journal does not have it any more."""
        place = seq - self._records[0].seq if self._records else -1
        return self._records[place] if 0 <= place < len(self._records) else None

    def leave(self, sandbox: SandboxState) -> None:
        """Let the records of complete requests refer to another sandbox than the one that is left: of that, each of
        them would keep the whole world. That a request reached a sandbox is all that it is needed for."""
        for record in self._records:
            if record.duration is not None and record.sandbox is not None:
                record.sandbox = sandbox

    def clear(self) -> None:
        """Remove every record; the numbers continue."""
        self.clearings += 1
        while self._records:
            self._forget(self._records.popleft())
        if self.is_listed:
            self.is_listed = False
            self._space.ends(self)

    def anew(self) -> "Journal":
        """Remove every record, and return an empty journal in which numbering begins again."""
        self.clear()
        fresh = Journal(self._space)
        fresh.reaches_back_to = self.reaches_back_to
        return fresh

    def _forget(self, record: JournalRecord) -> None:
        record.journal = None
        ended = record.ended
        if ended is not None and ended > self.reaches_back_to:
            self.reaches_back_to = ended
        self.bytes -= record.size
        self._space.total.used -= record.size
