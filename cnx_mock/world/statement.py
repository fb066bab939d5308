"""The events of a ledger up to an instant, page by page, and the spending between instants.

Years of hundreds of meters are millions of charges, and a large world has a million meters. So nothing here walks all
of them: `Charges` knows how many there are before an instant. A page is found by bisection, and only the events of its
own minutes are made.

A statement is of one moment. The ledger only grows, and what is added to it later does not change what was charged up
to the statement's instant.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice, pairwise, takewhile
from operator import attrgetter
from typing import NamedTuple

from cnx_mock.dataclass import dataclass
from cnx_mock.world.charges import Sum
from cnx_mock.world.clock import HOUR, MINUTE, SECOND
from cnx_mock.world.ledger import Ledger
from cnx_mock.world.meter import Credit, Meter

OTHER = "other"
"""Stands for the id of all resources that are not listed."""


class Event(NamedTuple):
    """One credit or one charge. Events sort as statements list them: by time, then by order of creation."""

    at: int
    number: int
    """The number of its entry in the ledger."""
    hour: int
    """Which of the meter's hours it is for, from 0; 0 for a credit."""
    cents: int
    """The change of the balance: below zero for a charge."""
    entry: Credit | Meter


@dataclass(slots=True)
class Spending:
    """What one resource cost in a period."""

    resource_id: str
    description: str
    hours: int = 0
    cents: int = 0


@dataclass(frozen=True, slots=True)
class PeriodSpending:
    """What was charged in a period."""

    cents: int
    """All of it."""
    resources: list[Spending]
    """The same by resource, in order of creation. If they are not all, the last one, `OTHER`, stands for the rest."""


class Statement:
    """All events of a ledger up to and including an instant."""

    def __init__(self, ledger: Ledger, now: int) -> None:
        self._charges = ledger.sums
        self._now = now
        self._end = (now // SECOND + 1) * SECOND
        """All events are before it."""
        self._credits = sorted((each for each in ledger.credits if each.at <= now), key=attrgetter("at", "number"))
        self._credited = list(accumulate((each.cents for each in self._credits), initial=0))
        whole = self._before(self._end)
        self.count = whole.number
        """How many events there are."""
        self.balance = whole.cents
        """The cents left after the last event."""

    def _before(self, instant: int) -> Sum:
        """Return the number of events before an instant, and the cents that they leave."""
        charged = self._charges.before(instant)
        credited = bisect_left(self._credits, instant, key=attrgetter("at"))
        return Sum(charged.number + credited, self._credited[credited] - charged.cents)

    def page(self, offset: int, limit: int) -> list[tuple[Event, int]]:
        """Return at most `limit` events after the first `offset`, each with the cents left after it."""
        end = min(self.count, offset + limit)
        if end <= offset:
            return []
        first = self._first_minute(offset)
        before = self._before(first * MINUTE)
        skipped, balance = before.number, before.cents
        rows: list[tuple[Event, int]] = []
        for second in self._seconds(first):
            for at, number, cents, entry in self._entries(second):
                balance += cents
                if skipped < offset:
                    skipped += 1
                    continue
                step = (at - entry.opened) // HOUR if isinstance(entry, Meter) else 0
                rows.append((Event(at, number, step, cents, entry), balance))
                if len(rows) == end - offset:
                    return rows
        raise AssertionError("there are `count` events")

    def _first_minute(self, offset: int) -> int:
        """Return the last minute, since the epoch, before which there are at most so many events."""
        first = self._credits[0].at // HOUR if self._credits else self._end // HOUR
        charged = self._charges.first_hour()
        hours = range(first if charged is None else min(first, charged), self._now // HOUR + 1)
        hour = hours[bisect_right(hours, offset, key=lambda each: self._before(each * HOUR).number) - 1]
        minutes = range(hour * 60, hour * 60 + 60)
        return minutes[bisect_right(minutes, offset, key=lambda each: self._before(each * MINUTE).number) - 1]

    def _seconds(self, minute: int) -> Iterator[int]:
        """Yield the seconds that may have an event, from this minute on."""
        credited = sorted({each.at // SECOND for each in self._credits if each.at >= minute * MINUTE}, reverse=True)
        for charged in self._charges.minutes(minute):
            for second in range(charged * 60, charged * 60 + 60):
                while credited and credited[-1] < second:
                    yield credited.pop()
                if credited and credited[-1] == second:
                    credited.pop()
                yield second
        yield from reversed(credited)

    def _entries(self, second: int) -> list[tuple[int, int, int, Credit | Meter]]:
        """Return the events of a second, in order of creation: instant, number of the entry, cents, and the entry."""
        at = second * SECOND
        found: list[tuple[int, int, int, Credit | Meter]]
        found = [(at, meter.number, -meter.hourly_cents, meter) for meter in self._charges.at(second)]
        place = bisect_left(self._credits, at, key=attrgetter("at"))
        credits = list(takewhile(lambda each: each.at == at, islice(self._credits, place, None)))
        if not credits:
            return found
        return sorted(found + [(at, each.number, each.cents, each) for each in credits])

    def spent(self, start: int, end: int) -> int:
        """Return the cents charged from `start` on and before `end`."""
        return self._charged(start, end).cents

    def _charged(self, start: int, end: int) -> Sum:
        first, last = (self._charges.before(min(bound, self._end)) for bound in (start, end))
        return Sum(last.number - first.number, last.cents - first.cents)

    def spending(self, bounds: Sequence[int], most: int = 1 << 62) -> list[PeriodSpending]:
        """Return the spending of each period between two neighbouring bounds, with at most so many resources in
        each."""
        return [self._period(start, end, most) for start, end in pairwise(bounds)]

    def _period(self, start: int, end: int, most: int) -> PeriodSpending:
        found: dict[str, Spending] = {}
        last: dict[str, int] = {}
        charged, more = self._charged(start, end), False
        for meter in self._charges.meters(start, min(end, self._end)) if start < self._end else ():
            hours = self._hours(meter, start, end)
            if hours and meter.resource_id not in found and len(found) == most:
                more = True
                break
            _add(found, meter, hours)
            last[meter.resource_id] = meter.number
        if more:  # a resource that is there may have changed its price behind the last one
            for meter in self._charges.meters_again(last):
                _add(found, meter, self._hours(meter, start, end))
            hours, cents = (sum(getattr(each, field) for each in found.values()) for field in ("hours", "cents"))
            found[OTHER] = Spending(OTHER, "Other resources", charged.number - hours, charged.cents - cents)
        return PeriodSpending(charged.cents, list(found.values()))

    def _hours(self, meter: Meter, start: int, end: int) -> int:
        """Return how many of a meter's hours start from one instant on and before another."""
        started = meter.hours(self._now)
        return min(started, _until(meter, end)) - min(started, _until(meter, start))


def _until(meter: Meter, instant: int) -> int:
    """Return how many hours start before an instant, if the meter is not closed."""
    return max(0, -((meter.opened - instant) // HOUR))


def _add(found: dict[str, Spending], meter: Meter, hours: int) -> None:
    """Add some hours of a meter to the spending on its resource."""
    if hours:
        spending = found.setdefault(meter.resource_id, Spending(meter.resource_id, meter.description))
        spending.description = meter.description
        spending.hours += hours
        spending.cents += hours * meter.hourly_cents
