"""The entries of a ledger: credits, and meters of what is charged by the hour."""

from cnx_mock.dataclass import dataclass
from cnx_mock.world.clock import HOUR


@dataclass(frozen=True, slots=True)
class Credit:
    """Money added to the account at one instant; below zero if it was taken away."""

    at: int
    cents: int
    description: str
    number: int
    """Its place among all entries of the ledger, in order of creation; from 1."""


@dataclass(slots=True)
class Meter:
    """A resource that costs `hourly_cents` for each started hour from `opened` to `closed`.

    Both ends count: an hour is charged at the instant at which it starts, also if the meter is closed at that instant.
    """

    resource_id: str
    name: str
    """What the description says of the resource: all of it, or what `form` is filled with."""
    hourly_cents: int
    opened: int
    number: int
    """Its place among all entries of the ledger, in order of creation; from 1."""
    closed: int | None = None
    """The instant at which charging ended; None if the resource is still charged."""
    form: str = "{}"
    """The description, with `{}` in place of the name. Many resources share it, which keeps a large ledger small."""

    @property
    def description(self) -> str:
        """What statements call the resource."""
        return self.form.format(self.name)

    def hours(self, now: int) -> int:
        """Return how many hours have started up to this instant."""
        end = now if self.closed is None else min(now, self.closed)
        return max(0, (end - self.opened) // HOUR + 1)
