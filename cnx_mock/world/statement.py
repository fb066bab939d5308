"""The events of a ledger up to an instant, page by page, and the spending between instants.

Years of hundreds of meters are millions of charges, so nothing here iterates over all of them. Time is divided into
the hours since the epoch. An entry has n events in the hours s … s+n-1, one in each hour (a credit is one event). So it
has max(0, h - s) - max(0, h - s - n) events before hour h. Summed over all entries, that takes two look-ups in prefix
sums. A page is found by bisection, and only the events of its own hours are made.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from cnx_mock.world.clock import HOUR
from cnx_mock.world.ledger import Credit, Ledger, Meter


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


class _Series(NamedTuple):
    """The events of one entry: `times` of them, one hour apart, the first at `at`."""

    at: int
    times: int
    cents: int
    entry: Credit | Meter

    @property
    def first(self) -> int:
        """The hour of the first event."""
        return self.at // HOUR

    def before(self, instant: int) -> int:
        """Return how many of the events are before an instant."""
        return min(max(0, -((self.at - instant) // HOUR)), self.times)

    def within(self, hours: range) -> list[Event]:
        """Return the events in these hours."""
        steps = range(max(0, hours.start - self.first), min(self.times, hours.stop - self.first))
        return [Event(self.at + step * HOUR, self.entry.number, step, self.cents, self.entry) for step in steps]


class _Total:
    """Answers: what do all events before an hour weigh together? All events of one series weigh the same."""

    def __init__(self, series: Sequence[_Series], weights: Sequence[int]) -> None:
        weighed = list(zip(series, weights, strict=True))
        bends = sorted(
            [(each.first, weight) for each, weight in weighed]
            + [(each.first + each.times, -weight) for each, weight in weighed]
        )
        self._hours = [hour for hour, _ in bends]
        self._slopes = list(accumulate((slope for _, slope in bends), initial=0))
        self._moments = list(accumulate((slope * hour for hour, slope in bends), initial=0))

    def before(self, hour: int) -> int:
        """Return the total weight before an hour: the sum of max(0, hour - bend) * slope over all bends."""
        place = bisect_left(self._hours, hour)
        return hour * self._slopes[place] - self._moments[place]


class Statement:
    """All events of a ledger up to and including an instant."""

    def __init__(self, ledger: Ledger, now: int) -> None:
        self._series = [_Series(credit.at, 1, credit.cents, credit) for credit in ledger.credits if credit.at <= now]
        for meter in ledger.meters:
            if hours := meter.hours(now):
                self._series.append(_Series(meter.opened, hours, -meter.hourly_cents, meter))
        self.count = sum(each.times for each in self._series)
        """How many events there are."""
        self.balance = sum(each.times * each.cents for each in self._series)
        """The cents left after the last event."""

    def page(self, offset: int, limit: int) -> list[tuple[Event, int]]:
        """Return at most `limit` events after the first `offset`, each with the cents left after it."""
        end = min(self.count, offset + limit)
        if end <= offset:
            return []
        counts = _Total(self._series, [1] * len(self._series))
        every = range(min(each.first for each in self._series), max(each.first + each.times for each in self._series))
        first = every[bisect_right(every, offset, key=counts.before) - 1]
        last = every[bisect_right(every, end - 1, key=counts.before) - 1]
        events = sorted(event for each in self._series for event in each.within(range(first, last + 1)))
        earlier = _Total(self._series, [each.cents for each in self._series]).before(first)
        balances = accumulate((event.cents for event in events), initial=earlier)
        next(balances)
        skipped = offset - counts.before(first)
        return list(zip(events, balances, strict=True))[skipped : skipped + end - offset]

    def spent(self, start: int, end: int) -> int:
        """Return the cents charged from `start` on and before `end`."""
        return sum(
            (each.before(start) - each.before(end)) * each.cents
            for each in self._series
            if isinstance(each.entry, Meter)
        )

    def spending(self, bounds: Sequence[int]) -> list[list[Spending]]:
        """Return the spending of each period between two neighbouring bounds, by resource, in order of creation."""
        periods: list[dict[str, Spending]] = [{} for _ in bounds[1:]]
        for each in self._series:
            if isinstance(each.entry, Meter):
                _spread(each, each.entry, bounds, periods)
        return [list(period.values()) for period in periods]


def _spread(series: _Series, meter: Meter, bounds: Sequence[int], periods: Sequence[dict[str, Spending]]) -> None:
    """Add a meter's charges to the periods they fall into, without a look at the other periods."""
    place = max(0, bisect_right(bounds, series.at) - 1)
    done = series.before(bounds[place])
    while place < len(periods) and done < series.times:
        upto = series.before(bounds[place + 1])
        if upto > done:
            spending = periods[place].setdefault(meter.resource_id, Spending(meter.resource_id, meter.description))
            spending.description = meter.description
            spending.hours += upto - done
            spending.cents += (upto - done) * meter.hourly_cents
        done, place = upto, place + 1
