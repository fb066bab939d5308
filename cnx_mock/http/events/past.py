"""What a listener has missed, out of the journals: requests, and the faults that hit them.

An event's number is about its instant, in microseconds, and rises. So the requests that were complete while nobody
listened get their numbers later, when somebody asks for them.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from cnx_mock.http.events.event import RequestEvent, StreamEvent, lost_event
from cnx_mock.http.events.listener import PastEvent
from cnx_mock.http.events.watch import EventSource
from cnx_mock.http.journal import JournalRecord

Fired = Callable[[EventSource, JournalRecord], list[StreamEvent]]
"""Returns the events of the faults that hit a request."""


def missed(sources: Iterable[EventSource], after: int, origin: int, fired: Fired) -> Iterator[PastEvent]:
    """Yield the events of these sources after the event with the number `after`, in order. `origin` is the instant at
    which the monotonic clock was zero."""
    found = sorted(
        ((record.event or origin + ended, record.seq, source) for source, record, ended in _complete(sources)),
        key=lambda each: each[:2],
    )
    before = after
    for number, seq, source in found:
        record = source.journal.with_seq(seq)
        if number <= after or record is None:
            continue
        if not record.event:
            record.event = max(number, before + 1 + len(record.applied))
        before = record.event
        for place in range(len(record.applied)):
            if record.event - len(record.applied) + place > after:
                yield partial(_fault, source, seq, before, place, fired)
        yield partial(_request, source, seq, before)


def _complete(sources: Iterable[EventSource]) -> Iterator[tuple[EventSource, JournalRecord, int]]:
    for source in sources:
        for record in source.journal:
            if (ended := record.ended) is not None:
                yield source, record, ended


def _fault(source: EventSource, seq: int, number: int, place: int, fired: Fired) -> StreamEvent:
    record = source.journal.with_seq(seq)
    return lost_event(number, 1, "evicted") if record is None else fired(source, record)[place]


def _request(source: EventSource, seq: int, number: int) -> StreamEvent:
    record = source.journal.with_seq(seq)
    return lost_event(number, 1, "evicted") if record is None else RequestEvent(source.id, record)
