"""The account's money: an append-only list of entries, in whole cents. The balance is a pure function of the entries
and the time; `statement` lists the single events behind it.

A credit is one event. A metered resource costs its hourly price for each *started* hour: one charge, at the start of
the hour. If the time is Q hours and R seconds, and the meter was opened at q hours and r seconds, it has cost
`price * (Q - q + 1)`, or one hour less if r > R. So the sum over all open meters needs only three totals and the prices
by second of the hour. Its cost does not depend on the number of resources, or on how far the clock is moved.
"""

from typing import Protocol

from cnx_mock.world.charges import Charges
from cnx_mock.world.clock import HOUR, NEVER, SECOND
from cnx_mock.world.meter import Credit, Meter
from cnx_mock.world.release import Holder

HOURS_A_MONTH = 730
"""Hours of a month, as cloud bills count them: a twelfth of a year's 8,760."""

OPENING = "Opening balance"
"""The description of the first credit of an account."""


class MeterSource(Protocol):
    """Open meters that are made when they are read."""

    def __len__(self) -> int: ...

    def __contains__(self, resource_id: str) -> bool: ...

    def meters(self, first: int) -> list[Meter]:
        """Return all of them, the first with this number."""

    def cents(self, now: int) -> int:
        """Return what they have cost up to an instant."""

    def next_charge(self, now: int) -> int:
        """Return the next instant at which one of them is charged."""


_FEW = 200
"""Of fewer meters the sums are not kept."""


class Ledger:
    """Every credit and every meter of one account, in order of creation."""

    __slots__ = (
        "_by_minute",
        "_by_second",
        "_charges",
        "_closed_cents",
        "_hours",
        "_kept",
        "_open",
        "_price",
        "_source",
        "_source_first",
        "_source_place",
        "credits",
    )

    def __init__(self) -> None:
        self.credits: list[Credit] = []
        self._kept: list[Meter] = []
        self._source: MeterSource | None = None
        self._source_place = self._source_first = 0
        """How many meters come before those of the source, and the number of its first one."""
        self._open: dict[str, Meter] = {}
        self._closed_cents = 0
        self._price = 0
        self._hours = 0
        self._by_second: dict[int, int] = {}
        self._by_minute: dict[int, int] = {}
        self._charges: Charges | None = None

    @property
    def sums(self) -> Charges:
        """The sums of all charges. They are made when they are needed first, and maintained from then on. Those of few
        meters, and of a source whose meters are not kept, are made each time: they would take more room than that is
        worth."""
        if self._source is not None or (self._charges is None and len(self._kept) < _FEW):
            charges = Charges(self.meters)
            charges.update()
            return charges
        if self._charges is None:
            self._charges = Charges(self._kept)
        self._charges.update()
        return self._charges

    @property
    def meters(self) -> list[Meter]:
        """Every meter. The list is not to be changed."""
        if self._source is None:
            return self._kept
        before, after = self._kept[: self._source_place], self._kept[self._source_place :]
        return [*before, *self._source.meters(self._source_first), *after]

    def holders(self) -> list[Holder]:
        """Return what holds its meters and its credits."""
        return [self._kept, self.credits, self._open, *([] if self._charges is None else self._charges.holders())]

    def fill(self, source: MeterSource) -> None:
        """Add all meters of a source. It is done once. When one of them is closed, the ledger keeps them all."""
        self._source_place, self._source_first = len(self._kept), self._next()
        self._source = source
        self._charges = None

    def credit(self, at: int, cents: int, description: str) -> None:
        """Add money at an instant, rounded down to whole seconds, which is how times are shown."""
        self.credits.append(Credit(at - at % SECOND, cents, description, self._next()))
        self._closed_cents -= cents

    def open(self, resource_id: str, name: str, hourly_cents: int, now: int, form: str = "{}") -> None:
        """Start charging for a resource; the first hour is charged at once. A resource that was closed can be opened
        again. `form` with the name in it is the description."""
        self._start(resource_id, name, hourly_cents, now - now % SECOND, form)

    def close(self, resource_id: str, now: int) -> None:
        """Stop charging for a resource. The current hour stays charged. Raises KeyError if it is not charged."""
        if self._source is not None and resource_id in self._source:
            self._keep_all()
        meter = self._open.pop(resource_id)
        self._count(meter, -1)
        charges = None if self._charges is None else self.sums
        meter.closed = now
        if charges is not None:
            charges.close(meter)
        self._closed_cents += meter.hours(now) * meter.hourly_cents

    def reprice(self, resource_id: str, description: str, hourly_cents: int, now: int) -> None:
        """Charge another price from the resource's next hour on.

        An hour is charged once, when it starts, at the price of that moment. So a change charges nothing, refunds
        nothing, and does not shift the hours: a resource of 2 cents opened at 12:10, repriced to 4 cents at 12:40,
        costs 2 cents at 12:10 and 4 cents at 13:10.
        """
        hours, opened = self._open[resource_id].hours(now), self._open[resource_id].opened
        self.close(resource_id, now)
        self._start(resource_id, description, hourly_cents, opened + hours * HOUR)

    def charges(self, resource_id: str) -> bool:
        """Return whether a resource is being charged."""
        return resource_id in self._open or (self._source is not None and resource_id in self._source)

    def restore(
        self,
        resource_id: str,
        name: str,
        hourly_cents: int,
        opened: int,
        closed: int | None,
        form: str = "{}",
        number: int | None = None,
    ) -> None:
        """Add a meter from the past: still open if `closed` is None, otherwise closed at that instant.

        `form` with `name` in it is the description. If the meter's number is equal to `number`, it is that object: a
        million meters, whose resources have the same numbers, are 32 MB smaller.
        """
        self._start(resource_id, name, hourly_cents, opened - opened % SECOND, form)
        if number == self._kept[-1].number:
            self._kept[-1].number = number
        if closed is not None:
            self.close(resource_id, closed)

    def balance(self, now: int) -> int:
        """Return the cents left: credits minus charges.

        Right for any instant from the last change of the ledger on; see `PastLedger` for earlier ones.
        """
        hour, second = divmod(now // SECOND, 3600)
        minute = second // 60
        minutes, seconds = range(minute + 1, 60), range(second + 1, (minute + 1) * 60)
        not_yet = _sum(self._by_minute, minutes) + _sum(self._by_second, seconds)
        others = 0 if self._source is None else self._source.cents(now)
        return -self._closed_cents - others - ((hour + 1) * self._price - self._hours - not_yet)

    def has(self, cents: int, now: int) -> bool:
        """Return whether at least so many cents are left; right for the instants for which `balance` is. If they would
        be left after the charges of the whole present hour too, the charges need not be looked at."""
        hours = now // HOUR + 1
        if self._source is None and -self._closed_cents - hours * self._price + self._hours >= cents:
            return True
        return self.balance(now) >= cents

    def hourly_cents(self, now: int) -> int:
        """Return what everything that is charged costs in an hour."""
        others = 0 if self._source is None else self._source.cents(now + HOUR) - self._source.cents(now)
        return self._price + others

    def charged(self, now: int) -> int:
        """Return the cents that resources have cost so far; right for the instants for which `balance` is."""
        return sum(credit.cents for credit in self.credits) - self.balance(now)

    def next_charge(self, now: int) -> int:
        """Return the next instant at which an open meter may be charged, or NEVER if there is none."""
        others = NEVER if self._source is None else self._source.next_charge(now)
        hour, second = divmod(now // SECOND, 3600)
        seconds = [each for each, price in self._by_second.items() if price]
        if not seconds:
            return others
        later = [each for each in seconds if each > second]
        return min(others, (hour * 3600 + (min(later) if later else 3600 + min(seconds))) * SECOND)

    def _next(self) -> int:
        own = len(self.credits) + len(self._kept) + 1
        return own if self._source is None else own + len(self._source)

    def _keep_all(self) -> None:
        """Keep every meter: from now on there is no source."""
        assert self._source is not None, "it has a meter to close"
        end = self._source_place + len(self._source)
        self._kept, self._source = self.meters, None
        for meter in self._kept[self._source_place : end]:
            self._open[meter.resource_id] = meter
            self._count(meter, 1)

    def _start(self, resource_id: str, name: str, hourly_cents: int, opened: int, form: str = "{}") -> None:
        """Add an open meter. `opened` may be one hour ahead at most: `balance` relies on that."""
        assert resource_id not in self._open, "a resource has one meter at a time"
        kept = self._kept
        number = self._next() if self._source is not None else len(self.credits) + len(kept) + 1
        meter = Meter(resource_id, name, hourly_cents, opened, number, None, form)
        kept.append(meter)
        self._open[resource_id] = meter
        self._count(meter, 1)

    def _count(self, meter: Meter, sign: int) -> None:
        hour, second = divmod(meter.opened // SECOND, 3600)
        price = sign * meter.hourly_cents
        minute, by_second, by_minute = second // 60, self._by_second, self._by_minute
        self._price += price
        self._hours += price * hour
        by_second[second] = by_second.get(second, 0) + price
        by_minute[minute] = by_minute.get(minute, 0) + price


def _sum(prices: dict[int, int], places: range) -> int:
    """Return the sum of the prices at these places. Most places have none."""
    if len(prices) < len(places):
        return sum([price for place, price in prices.items() if place in places])
    return sum([prices.get(place, 0) for place in places])
