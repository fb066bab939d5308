"""Running sums of the charges of a ledger's meters: a report or a page of a statement does not walk the meters.

Time is divided into the hours since the epoch, and each hour into its minutes. A meter is charged at the same second of
each of its hours. So all that the sums need is how many meters begin in each minute of each hour, less those that have
ended, and their prices: one row of numbers for each hour. A meter "bends" a row where it begins, and again one hour
after its last charge. The number of charges before an hour is the sum, over all bends, of the hours that have passed
since then.

The sums do not depend on the time. They are right for every instant up to the present one.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import add, attrgetter
from typing import NamedTuple

from cnx_mock.dataclass import dataclass
from cnx_mock.world.clock import HOUR, MINUTE, SECOND
from cnx_mock.world.meter import Meter
from cnx_mock.world.release import Holder

_BLOCK = 1024
"""How many meters have one line that says when they were charged, so that a search can skip them together."""

_COUNTS, _CENTS = slice(0, 60), slice(60, 120)
"""The parts of a row: the numbers of meters by minute, and the cents by minute."""


@dataclass(frozen=True, slots=True)
class Sum:
    """How many charges there are, and what they cost together."""

    number: int
    cents: int


@dataclass(slots=True)
class _Block:
    """When the meters of a block were charged."""

    opened: int
    """The first instant at which one of them was opened."""
    running: int = 0
    """How many of them are open."""
    closed: int = 0
    """The last instant at which one of the others was closed."""


class _Prefix(NamedTuple):
    """Sums over the rows up to and including each hour; the first one is 0."""

    slopes: list[int]
    moments: list[int]

    def before(self, hour: int, place: int) -> int:
        """Return the sum over the rows before a place, each times the hours that have passed since."""
        return hour * self.slopes[place] - self.moments[place]


class Charges:
    """The charges of a ledger's meters."""

    __slots__ = (
        "_again",
        "_blocks",
        "_ended",
        "_hours",
        "_meters",
        "_ordered",
        "_partial",
        "_prefix",
        "_rows",
        "_seconds",
        "_seen",
    )

    def __init__(self, meters: Sequence[Meter]) -> None:
        """`meters` are all meters of the ledger, which adds to them."""
        self._meters = meters
        self._seen = 0
        """How many of them are in the sums."""
        self._ordered = True
        """Whether they are in order of their first instants too."""
        self._rows: dict[int, array[int]] = {}
        self._seconds: dict[int, list[Meter]] = {}
        """The meters by the second of the hour at which they are charged, in order of creation."""
        self._blocks: list[_Block] = []
        self._ended: set[str] = set()
        """The resources that had a meter before, which has ended."""
        self._again: dict[str, list[Meter]] = {}
        """The second and further meters of resources that had more than one."""
        self._hours: list[int] = []
        """The hours that have a row, in order. This and what follows is made when it is needed, and again after a
        change."""
        self._prefix: tuple[_Prefix, _Prefix] | None = None
        self._partial: dict[int, tuple[list[int], list[int]]] = {}

    def update(self) -> None:
        """Add the meters that are new."""
        meters = self._meters
        while self._seen < len(meters):
            end = self._seen - self._seen % _BLOCK + _BLOCK
            self._add(meters[self._seen : end])

    def holders(self) -> list[Holder]:
        """Return what holds the meters."""
        return [self._seconds]

    def close(self, meter: Meter) -> None:
        """Note that a meter has been closed. All meters are in the sums."""
        block = self._blocks[bisect_left(self._meters, meter.number, key=attrgetter("number")) // _BLOCK]
        block.running -= 1
        self._end(meter, block)

    def _add(self, meters: Sequence[Meter]) -> None:
        """Add meters of one block. (A million of them are added while a large world loads.)"""
        last = self._meters[self._seen - 1].opened if self._seen else 0
        if self._seen % _BLOCK == 0:
            self._blocks.append(_Block(meters[0].opened))
        block, seconds = self._blocks[-1], self._seconds
        for meter in meters:
            opened = meter.opened
            self._bend(opened, 1, meter.hourly_cents)
            second = opened // SECOND % 3600
            if second in seconds:
                seconds[second].append(meter)
            else:
                seconds[second] = [meter]
            if opened < last:
                self._ordered = False
                block.opened = min(block.opened, opened)
            last = opened
            if self._ended and meter.resource_id in self._ended:
                self._again.setdefault(meter.resource_id, []).append(meter)
            if meter.closed is None:
                block.running += 1
            else:
                self._end(meter, block)
        self._seen += len(meters)

    def _end(self, meter: Meter, block: _Block) -> None:
        assert meter.closed is not None, "it has been closed"
        self._ended.add(meter.resource_id)
        block.closed = max(block.closed, meter.closed)
        self._bend(meter.opened + meter.hours(meter.closed) * HOUR, -1, -meter.hourly_cents)

    def _bend(self, at: int, count: int, cents: int) -> None:
        hour, minute = divmod(at // MINUTE, 60)
        row = self._rows.get(hour)
        if row is None:
            self._rows[hour] = row = array("q", bytes(8 * 120))
        row[minute] += count
        row[60 + minute] += cents
        if self._prefix is not None:
            self._prefix = None
            self._partial.clear()

    def before(self, instant: int) -> Sum:
        """Return all charges before an instant."""
        end = -(-instant // SECOND)
        hour, second = divmod(end, 3600)
        minute = second // 60
        counts, cents = self._prefixes()
        place = bisect_right(self._hours, hour)
        some = self._before_minute(minute)
        late = [meter for each in range(end - second % 60, end) for meter in self.at(each)]
        return Sum(
            counts.before(hour, place) + some[0][place] + len(late),
            cents.before(hour, place) + some[1][place] + sum(meter.hourly_cents for meter in late),
        )

    def _prefixes(self) -> tuple[_Prefix, _Prefix]:
        """Return the sums of the numbers and of the cents, over the whole hours."""
        if self._prefix is None:
            self._hours = sorted(self._rows)
            rows = [self._rows[hour] for hour in self._hours]
            counts, cents = (self._summed([sum(row[part]) for row in rows]) for part in (_COUNTS, _CENTS))
            self._prefix = counts, cents
        return self._prefix

    def _summed(self, slopes: list[int]) -> _Prefix:
        moments = (slope * hour for slope, hour in zip(slopes, self._hours, strict=True))
        return _Prefix(list(accumulate(slopes, initial=0)), list(accumulate(moments, initial=0)))

    def _before_minute(self, minute: int) -> tuple[list[int], list[int]]:
        """Return, for each number of rows, how many meters they open in the minutes before this one, and the cents."""
        if minute not in self._partial:
            rows = [self._rows[hour] for hour in self._hours]
            self._partial[minute] = (
                list(accumulate((sum(row[:minute]) for row in rows), initial=0)),
                list(accumulate((sum(row[60 : 60 + minute]) for row in rows), initial=0)),
            )
        return self._partial[minute]

    def first_hour(self) -> int | None:
        """Return the hour of the first charge; None if there is none."""
        return min(self._rows, default=None)

    def minutes(self, minute: int) -> Iterator[int]:
        """Yield the minutes since the epoch that have a charge, from this one on."""
        self._prefixes()
        hour, first = divmod(minute, 60)
        place = bisect_right(self._hours, hour)
        rows = [self._rows[each][_COUNTS] for each in self._hours[:place]]
        charged = list(map(sum, zip(*rows, strict=True))) if rows else [0] * 60
        while True:
            yield from (hour * 60 + each for each in range(first, 60) if charged[each])
            first, hour = 0, hour + 1
            if not any(charged):
                if place == len(self._hours):
                    return
                hour = self._hours[place]
            if place < len(self._hours) and self._hours[place] == hour:
                charged = list(map(add, charged, self._rows[hour][_COUNTS]))
                place += 1

    def at(self, second: int) -> list[Meter]:
        """Return the meters that are charged in a second since the epoch, in order of creation."""
        meters, at = self._seconds.get(second % 3600), second * SECOND
        if meters is None:
            return []
        if self._ordered:
            meters = meters[: bisect_right(meters, at, key=attrgetter("opened"))]
        return [meter for meter in meters if meter.opened <= at and (meter.closed is None or at <= meter.closed)]

    def meters(self, start: int, end: int) -> Iterator[Meter]:
        """Yield, in order of creation, the meters that may be charged from `start` on and before `end`: without most
        of those that are not."""
        for number, block in enumerate(self._blocks):
            if block.opened < end and (block.running or block.closed >= start):
                yield from self._meters[number * _BLOCK : (number + 1) * _BLOCK]

    def meters_again(self, resources: dict[str, int]) -> Iterator[Meter]:
        """Yield the second and further meters of these resources that were made after each one's number."""
        for resource_id in self._again.keys() & resources.keys():
            yield from (each for each in self._again[resource_id] if each.number > resources[resource_id])
