"""A table: records of one kind, in order of creation."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Generic, TypeVar

from cnx_mock.world.places import PlaceSet
from cnx_mock.world.records import Record, TableChanges
from cnx_mock.world.release import Holder

R = TypeVar("R", bound=Record)

_REMOVED_KEPT = 1000


class Table(Generic[R]):
    """Records by id, in order of creation. The last 1,000 removed records are kept for stale reads."""

    __slots__ = ("_at", "_live", "_records", "_removed", "changes")

    def __init__(self) -> None:
        self._records: dict[str, R] = {}
        self._at: list[R | None] = []
        """The record at each place; None if it was removed. No place is used again: the ledger, too, keeps a line for
        each resource that there ever was."""
        self._live: PlaceSet | None = None
        """The places that have a record; None as long as all have one."""
        self._removed: deque[tuple[int, R]] | None = None
        """Those removed last, and when; None as long as all are there."""
        self.changes = TableChanges()
        """What its records tell it. After every change of one, `version` is another object."""

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._records

    @property
    def extent(self) -> int:
        """How many records it ever had: every place is below that."""
        return len(self._at)

    def observe(self, observer: Callable[[R], None] | None) -> None:
        """Call this with every record that is added, changed or removed from now on; None ends it."""
        self.changes.observer = observer

    def get(self, record_id: str) -> R | None:
        """Return the record with this id, or None."""
        return self._records.get(record_id)

    def ids(self) -> list[str]:
        """Return every id, in order of creation."""
        return list(self._records)

    def page(self, start: int, limit: int) -> list[R]:
        """Return at most `limit` records after the first `start`, in order of creation."""
        if self._live is None:
            return self.at(range(start, min(start + limit, self.extent)))
        return self.at(self._live.page(start, limit))

    def at(self, places: Iterable[int]) -> list[R]:
        """Return the records at these places, without those that were removed."""
        found = [self._at[place] for place in places]
        return [record for record in found if record is not None]

    def read(self, places: Iterable[int]) -> list[R]:
        """Return the same to be shown, for a list that is not cached as a whole."""
        return self.at(places)

    def add(self, record: R) -> R:
        """Add a new record, and return it."""
        self._records[record.id] = record
        record.changes_of_table = self.changes
        record.place = self.extent
        self._at.append(record)
        if self._live is not None:
            self._live.add(record.place)
        self.changes.note(record)
        return record

    def remove(self, record: R, now: int) -> None:
        """Remove a record. Raises KeyError if the table does not hold it."""
        del self._records[record.id]
        if self._live is None:
            self._live = PlaceSet.below(self.extent)
        self._live.discard(record.place)
        self._forget(record.place)
        if self._removed is None:
            self._removed = deque(maxlen=_REMOVED_KEPT)
        self._removed.append((now, record))
        self.changes.note(record)

    def removed_since(self, instant: int) -> list[R]:
        """Return the records that were removed after an instant, the last one first."""
        removed = reversed(self._removed or ())
        return [record for _, record in takewhile(lambda each: each[0] > instant, removed)]

    def places(self) -> PlaceSet:
        """Return the places that have a record. The set is not to be changed."""
        return PlaceSet.below(self.extent) if self._live is None else self._live

    def holders(self) -> list[Holder]:
        """Return what holds its records, also removed ones."""
        return [self._at, self._records, list(self._removed or ())]

    def _forget(self, place: int) -> None:
        """Note that there is no record at a place any more."""
        self._at[place] = None
