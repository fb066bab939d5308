"""A generated fleet whose instances are made when they are read: see `world/lazy_table.py`.

What is drawn of a fleet depends on the seed alone, so all keys share it. A key has its own ids and its own instant of
creation, and both follow from an instance's number.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from cnx_mock.dataclass import dataclass
from cnx_mock.services.compute import METERED_NAME
from cnx_mock.services.worlds.document import GenerateEntry
from cnx_mock.services.worlds.fleet import fleet_record
from cnx_mock.services.worlds.generate import FleetInstance, generated
from cnx_mock.world import kinds
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.clock import SECOND
from cnx_mock.world.ledger import Ledger
from cnx_mock.world.meter import Meter
from cnx_mock.world.records import InstanceRecord
from cnx_mock.world.sandbox import SandboxState

LAZY_BELOW = 2_000
"""Fleets with fewer instances than this are made when they are read. What is kept of a larger one is made in slices."""


@dataclass(frozen=True, slots=True)
class DrawnFleet:
    """What all keys share of a fleet. It is never changed."""

    instances: Sequence[FleetInstance]
    """The oldest first."""
    charges: Ledger
    """Their meters, as if all had been made at the instant 0."""


def drawn_fleet(entry: GenerateEntry, seed: int, catalogue: Catalogue) -> DrawnFleet:
    """Return a fleet below LAZY_BELOW instances. The same one is drawn once."""
    return _drawn(_FleetWords(entry, entry.model_dump_json(), catalogue), seed)


class _FleetWords:
    """A declaration of a fleet, as a key of the cache: equal if the words are."""

    __slots__ = ("catalogue", "entry", "words")

    def __init__(self, entry: GenerateEntry, words: str, catalogue: Catalogue) -> None:
        self.entry, self.words, self.catalogue = entry, words, catalogue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _FleetWords) and self.words == other.words

    def __hash__(self) -> int:
        return hash(self.words)


@lru_cache(maxsize=4)
def _drawn(drawing: _FleetWords, seed: int) -> DrawnFleet:
    instances = tuple(each for each in generated(drawing.entry, seed, drawing.catalogue) if each is not None)
    charges = Ledger()
    for number, each in enumerate(instances):
        plan = drawing.catalogue.plans.get(each.plan)
        assert plan is not None, "a spread only names plans of the catalogue"
        form = METERED_NAME.format(name="{}", plan=plan.id)
        charges.restore(str(number), each.name, plan.hourly_cents, -each.age, None, form)
    return DrawnFleet(instances, charges)


class LazyFleet:
    """The fleet of one key: it makes its instances and their meters, which nobody keeps."""

    def __init__(self, sandbox: SandboxState, fleet: DrawnFleet, now: int) -> None:
        """Add the instances to a sandbox that is made now. They get its next numbers."""
        self._fleet, self._now = fleet, now
        self._chance, self._catalogue = sandbox.chance, sandbox.catalogue
        self._rule = sandbox.rule(kinds.INSTANCE)
        self._first = sandbox.chance.count(kinds.INSTANCE.prefix)
        sandbox.chance.resume({kinds.INSTANCE.prefix: self._first + len(self) - 1})
        self._starts, self._sorted = array("I"), array("H")
        """The first 32 bits of each id, and the numbers of the instances in the order of these."""
        sandbox.instances.fill(self)
        for number, each in enumerate(fleet.instances if self._rule.polls else ()):
            if each.status == "provisioning":
                record = sandbox.instances.get(self.id(number))
                assert record is not None, "it was added"
                record.touch()  # reads change it: the table keeps it
                sandbox.polling[record.id] = record

    def __len__(self) -> int:
        return len(self._fleet.instances)

    @property
    def first_created(self) -> int:
        """The instant at which its oldest instance was created."""
        return self._now - self._fleet.instances[0].age

    def id(self, number: int) -> str:
        """Return the id of an instance."""
        return self._chance.new_id(kinds.INSTANCE.prefix, self._first + number)

    def find(self, record_id: str) -> int | None:
        """Return the number of the instance with this id, None if it has none."""
        if not record_id.startswith(f"{kinds.INSTANCE.prefix}_"):
            return None
        if not self._sorted:
            self._starts = array("I", (_start(self.id(number)) for number in range(len(self))))
            self._sorted = array("H", sorted(range(len(self)), key=self._starts.__getitem__))
        start = _start(record_id)
        place = bisect_left(self._sorted, start, key=self._starts.__getitem__)
        while place < len(self) and self._starts[self._sorted[place]] == start:
            if self.id(self._sorted[place]) == record_id:
                return self._sorted[place]
            place += 1
        return None

    def make(self, number: int) -> InstanceRecord:
        """Return an instance, as it was when the sandbox was made."""
        return fleet_record(
            self._fleet.instances[number],
            self.id(number),
            self._first + number,
            self._now,
            catalogue=self._catalogue,
            chance=self._chance,
            rule=self._rule,
        )

    def meters(self) -> "FleetMeters":
        """Return what is charged for them."""
        return FleetMeters(self, self._fleet.charges, self._now - self._now % SECOND)


class FleetMeters:
    """The meters of one key's fleet."""

    def __init__(self, fleet: LazyFleet, charges: Ledger, made: int) -> None:
        """`charges` has the meters as if the fleet had been made at the instant 0, and not at `made`."""
        self._fleet, self._charges, self._made = fleet, charges, made

    def __len__(self) -> int:
        return len(self._fleet)

    def __contains__(self, resource_id: str) -> bool:
        return self._fleet.find(resource_id) is not None

    def meters(self, first: int) -> list[Meter]:
        """Return all of them, the first with this number."""
        identify, made = self._fleet.id, self._made
        return [
            Meter(identify(number), each.name, each.hourly_cents, each.opened + made, first + number, form=each.form)
            for number, each in enumerate(self._charges.meters)
        ]

    def cents(self, now: int) -> int:
        """Return what they have cost up to an instant."""
        return -self._charges.balance(now - self._made)

    def next_charge(self, now: int) -> int:
        """Return the next instant at which one of them is charged."""
        return self._charges.next_charge(now - self._made) + self._made


def _start(record_id: str) -> int:
    """Return the first 32 bits of an id; -1 if it is not spelt as an id."""
    digits = kinds.INSTANCE.id_digits(record_id)[:8]
    try:
        return int(digits, 16)
    except ValueError:
        return -1
