"""The account's money: an append-only list of entries, in whole cents; the balance is a pure function of (entries,
clock). The events behind it, one by one, are what `statement` lists.

A credit is one event. A metered resource costs its hourly price for each *started* hour: one charge, when it starts.
With `now = Q h + R s` and a start of `q h + r s` that is `price * (Q - q + 1)`, one hour less where `r > R`. So the sum
over every open meter needs three totals and the prices by second of the hour, however many resources run and however
far the clock is moved on.
"""

from dataclasses import dataclass

from cnx_mock.world.clock import HOUR, SECOND

OPENING = "Opening balance"
"""What an account begins with, in the statement's words."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Money given (or, below zero, taken) at one instant."""

    at: int
    cents: int
    description: str
    number: int
    """Its place among all entries of the ledger, in order of creation; from 1."""


@dataclass(slots=True)
class Meter:
    """A resource that costs `hourly_cents` for each started hour from `opened` to `closed` (None: it still runs).

    Both ends count: at the very instant at which an hour starts, it is paid; what is closed then has paid it.
    """

    resource_id: str
    description: str
    hourly_cents: int
    opened: int
    number: int
    """Its place among all entries of the ledger, in order of creation; from 1."""
    closed: int | None = None

    def hours(self, now: int) -> int:
        """Started hours up to now."""
        end = now if self.closed is None else min(now, self.closed)
        return max(0, (end - self.opened) // HOUR + 1)


class Ledger:
    """Every credit and every meter of one account, in the order they came."""

    __slots__ = ("_by_minute", "_by_second", "_closed_cents", "_hours", "_open", "_price", "credits", "meters")

    def __init__(self) -> None:
        self.credits: list[Credit] = []
        self.meters: list[Meter] = []
        self._open: dict[str, Meter] = {}
        self._closed_cents = 0
        self._price = 0
        self._hours = 0
        self._by_second = [0] * 3600
        self._by_minute = [0] * 60

    def credit(self, at: int, cents: int, description: str) -> None:
        """Add money at an instant. All events fall on whole seconds, as times are shown."""
        self.credits.append(Credit(at - at % SECOND, cents, description, self._next()))
        self._closed_cents -= cents

    def open(self, resource_id: str, description: str, hourly_cents: int, now: int) -> None:
        """Start to charge for a resource: its first hour at once. What was closed may be opened again, as often as one
        likes; the first hour of each time is paid."""
        self._start(resource_id, description, hourly_cents, now - now % SECOND)

    def close(self, resource_id: str, now: int) -> None:
        """Stop charging for a resource; the hour that it is in stays paid."""
        meter = self._open.pop(resource_id)
        self._count(meter, -1)
        meter.closed = now
        self._closed_cents += meter.hours(now) * meter.hourly_cents

    def reprice(self, resource_id: str, description: str, hourly_cents: int, now: int) -> None:
        """Charge another price from the resource's next hour on.

        An hour is billed once, when it starts, for what the resource is then: a change charges nothing, gives nothing
        back, and does not move the hours. 2 cents at 12:10, 4 from 12:40 on: 2 at 12:10, 4 at 13:10.
        """
        hours, opened = self._open[resource_id].hours(now), self._open[resource_id].opened
        self.close(resource_id, now)
        self._start(resource_id, description, hourly_cents, opened + hours * HOUR)

    def charges(self, resource_id: str) -> bool:
        """Whether a resource is charged for now."""
        return resource_id in self._open

    def restore(self, resource_id: str, description: str, hourly_cents: int, opened: int, closed: int | None) -> None:
        """A meter as it was, in a ledger that is read back or invented: open still, or closed long ago."""
        self._start(resource_id, description, hourly_cents, opened - opened % SECOND)
        if closed is not None:
            self.close(resource_id, closed)

    def balance(self, now: int) -> int:
        """Cents left: credits less charges. For the present, that is for any instant from the last change on."""
        hour, second = divmod(now // SECOND, 3600)
        minute = second // 60
        not_yet = sum(self._by_minute[minute + 1 :]) + sum(self._by_second[second + 1 : (minute + 1) * 60])
        return -self._closed_cents - ((hour + 1) * self._price - self._hours - not_yet)

    def _next(self) -> int:
        return len(self.credits) + len(self.meters) + 1

    def _start(self, resource_id: str, description: str, hourly_cents: int, opened: int) -> None:
        """A meter from `opened` on, which lies an hour ahead at most: further, and the balance would be wrong."""
        assert resource_id not in self._open, "a resource has one meter at a time"
        meter = Meter(resource_id, description, hourly_cents, opened, self._next())
        self.meters.append(meter)
        self._open[resource_id] = meter
        self._count(meter, 1)

    def _count(self, meter: Meter, sign: int) -> None:
        hour, second = divmod(meter.opened // SECOND, 3600)
        price = sign * meter.hourly_cents
        self._price += price
        self._hours += price * hour
        self._by_second[second] += price
        self._by_minute[second // 60] += price
