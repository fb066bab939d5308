"""What a ledger says: its events up to an instant, in order, and what was spent between others.

Years of hundreds of meters are millions of charges, so nothing here walks them. Time is cut into the hours of the
epoch. An entry whose n events fall into the hours s … s+n-1, one into each (a credit is one event), has had
max(0, h - s) - max(0, h - s - n) of them before hour h: summed over all entries, that is two look-ups in prefix sums.
So a page is found by bisection, and only the events of its own hours are made.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from cnx_mock.world.clock import HOUR
from cnx_mock.world.ledger import Credit, Ledger, Meter


class Event(NamedTuple):
    """Money that came or went at one instant. Events sort as statements list them: by time, then by creation."""

    at: int
    number: int
    """The number of its entry in the ledger."""
    hour: int
    """Which of a meter's hours it pays for, from 0; 0 for a credit."""
    cents: int
    """Below zero for a charge."""
    entry: Credit | Meter


@dataclass(slots=True)
class Spending:
    """What one resource cost in a span of time."""

    resource_id: str
    description: str
    hours: int = 0
    cents: int = 0


class _Run(NamedTuple):
    """An entry as its events: `times` of them, an hour apart from `at` on."""

    at: int
    times: int
    cents: int
    entry: Credit | Meter

    @property
    def first(self) -> int:
        """The hour of the first event."""
        return self.at // HOUR

    def before(self, instant: int) -> int:
        """Events before an instant."""
        return min(max(0, -((self.at - instant) // HOUR)), self.times)

    def within(self, hours: range) -> list[Event]:
        """The events of these hours."""
        steps = range(max(0, hours.start - self.first), min(self.times, hours.stop - self.first))
        return [Event(self.at + step * HOUR, self.entry.number, step, self.cents, self.entry) for step in steps]


class _Total:
    """The weights of all events before an hour, when each event of a run weighs the same."""

    def __init__(self, runs: Sequence[_Run], weights: Sequence[int]) -> None:
        weighed = list(zip(runs, weights, strict=True))
        bends = sorted(
            [(run.first, weight) for run, weight in weighed]
            + [(run.first + run.times, -weight) for run, weight in weighed]
        )
        self._hours = [hour for hour, _ in bends]
        self._slopes = list(accumulate((slope for _, slope in bends), initial=0))
        self._moments = list(accumulate((slope * hour for hour, slope in bends), initial=0))

    def before(self, hour: int) -> int:
        """The sum of max(0, hour - bend) * slope over all bends."""
        place = bisect_left(self._hours, hour)
        return hour * self._slopes[place] - self._moments[place]


class Statement:
    """Everything that happened in a ledger up to an instant, this included."""

    def __init__(self, ledger: Ledger, now: int) -> None:
        self._runs = [_Run(credit.at, 1, credit.cents, credit) for credit in ledger.credits if credit.at <= now]
        for meter in ledger.meters:
            if hours := meter.hours(now):
                self._runs.append(_Run(meter.opened, hours, -meter.hourly_cents, meter))
        self.count = sum(run.times for run in self._runs)
        """How many events there were."""
        self.balance = sum(run.times * run.cents for run in self._runs)
        """Cents left after them."""

    def page(self, offset: int, limit: int) -> list[tuple[Event, int]]:
        """At most so many events behind the first `offset`, each with the cents that were left after it."""
        end = min(self.count, offset + limit)
        if end <= offset:
            return []
        counts = _Total(self._runs, [1] * len(self._runs))
        every = range(min(run.first for run in self._runs), max(run.first + run.times for run in self._runs))
        first = every[bisect_right(every, offset, key=counts.before) - 1]
        last = every[bisect_right(every, end - 1, key=counts.before) - 1]
        events = sorted(event for run in self._runs for event in run.within(range(first, last + 1)))
        earlier = _Total(self._runs, [run.cents for run in self._runs]).before(first)
        balances = accumulate((event.cents for event in events), initial=earlier)
        next(balances)
        skipped = offset - counts.before(first)
        return list(zip(events, balances, strict=True))[skipped : skipped + end - offset]

    def spent(self, start: int, end: int) -> int:
        """Cents charged from one instant on and before another."""
        return sum(
            (run.before(start) - run.before(end)) * run.cents for run in self._runs if isinstance(run.entry, Meter)
        )

    def spending(self, bounds: Sequence[int]) -> list[list[Spending]]:
        """The same between each bound and the next, resource by resource, in the order of their creation."""
        spans: list[dict[str, Spending]] = [{} for _ in bounds[1:]]
        for run in self._runs:
            if isinstance(run.entry, Meter):
                _spread(run, run.entry, bounds, spans)
        return [list(span.values()) for span in spans]


def _spread(run: _Run, meter: Meter, bounds: Sequence[int], spans: Sequence[dict[str, Spending]]) -> None:
    """Add a meter's charges to the spans that they fall into; only these are looked at."""
    place = max(0, bisect_right(bounds, run.at) - 1)
    done = run.before(bounds[place])
    while place < len(spans) and done < run.times:
        upto = run.before(bounds[place + 1])
        if upto > done:
            spending = spans[place].setdefault(meter.resource_id, Spending(meter.resource_id, meter.description))
            spending.description = meter.description
            spending.hours += upto - done
            spending.cents += (upto - done) * meter.hourly_cents
        done, place = upto, place + 1
