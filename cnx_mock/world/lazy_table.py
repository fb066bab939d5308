"""A table whose records need not exist: most of a generated fleet is never looked at, and every key has a fleet.

A source makes such a record when it is read, always the same one. It is forgotten after the read, unless it has
changed: then the table keeps it, as any other record. So a key that only reads costs a few bytes for each record.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

from cnx_mock.world.index import IndexedTable
from cnx_mock.world.recent import Recent
from cnx_mock.world.records import ProvisionedRecord
from cnx_mock.world.release import Holder

P = TypeVar("P", bound=ProvisionedRecord)
P_co = TypeVar("P_co", bound=ProvisionedRecord, covariant=True)


class RecordSource(Protocol[P_co]):
    """Makes records on demand. They are numbered from 0, in order of creation."""

    def __len__(self) -> int: ...

    def find(self, record_id: str) -> int | None:
        """Return the number of the record with this id, None if it has none."""

    def make(self, number: int) -> P_co:
        """Return a record, as it was when the table got the source."""


class LazyTable(IndexedTable[P]):
    """An indexed table that can have a source. Without one it is an ordinary table."""

    __slots__ = ("_named", "_names", "_recent", "_source")

    def __init__(self, recent: Recent | None = None) -> None:
        """`recent` keeps the cached answers of what was read last; None if it is a table for one read."""
        super().__init__()
        self._source: RecordSource[P] | None = None
        self._recent = recent
        self._names: Counter[str] | None = None
        """How many records have each name, of those before the place `_named`; None as long as nobody has asked."""
        self._named = 0

    def fill(self, source: RecordSource[P]) -> None:
        """Add all records of a source behind those that are there. It is done once."""
        self._source = source
        self.changes.lazy = range(self.extent, self.extent + len(source))
        if self._live is not None:
            for place in self.changes.lazy:
                self._live.add(place)

    def __len__(self) -> int:
        return self.extent if self._live is None else len(self._live)

    def __iter__(self) -> Iterator[P]:
        if self._source is None:
            return super().__iter__()
        return filter(None, map(self._at_place, range(self.extent) if self._live is None else list(self._live)))

    def __contains__(self, record_id: str) -> bool:
        return self.get(record_id) is not None

    def get(self, record_id: str) -> P | None:
        """Return the record with this id, or None."""
        record = self._records.get(record_id)
        if record is None and self._source is not None:
            number = self._source.find(record_id)
            record = None if number is None else self._at_place(self.changes.lazy.start + number)
        recent = self._recent
        if record is not None and recent is not None and record not in recent.newer:
            recent.keep(record)
        return record

    def own(self) -> Iterable[P]:
        """Return the records that are not from the source, in order of creation."""
        return self._records.values()

    def holders(self) -> list[Holder]:
        """Return what holds its records, also removed ones, and what the index keeps for each."""
        return [*super().holders(), list(self.changes.kept.values()), self._names or {}]

    def ids(self) -> list[str]:
        """Return every id, in order of creation."""
        return [record.id for record in self]

    def at(self, places: Iterable[int]) -> list[P]:
        """Return the records at these places, without those that were removed."""
        if self._source is None:
            return super().at(places)
        return [record for record in map(self._at_place, places) if record is not None]

    def read(self, places: Iterable[int]) -> list[P]:
        """Return the same to be shown: what is cached of them is kept for a while."""
        records = self.at(places)
        if self._recent is not None:
            for record in records:
                self._recent.keep(record)
        return records

    def remove(self, record: P, now: int) -> None:
        """Remove a record. Raises KeyError if the table does not hold it."""
        changes = self.changes
        if record.place in changes.lazy and self.get(record.id) is record:
            self._records[record.id] = record
        super().remove(record, now)
        if self._names is not None and record.place < self._named:
            self._names[record.name] -= 1
        changes.kept.pop(record.place, None)

    def has_name(self, name: str) -> bool:
        """Return whether a record has this name, which never changes. All are counted when somebody asks first, and
        after that those that are new."""
        if self._names is None:
            self._names = Counter()
        self._names.update(record.name for record in self.at(range(self._named, self.extent)))
        self._named = self.extent
        return self._names[name] > 0

    @property
    def extent(self) -> int:
        """How many records it ever had: every place is below that."""
        return len(self._at) + len(self.changes.lazy)

    def _slot(self, place: int) -> int:
        lazy = self.changes.lazy
        return place - len(lazy) if place >= lazy.stop else place

    def _forget(self, place: int) -> None:
        if place not in self.changes.lazy:
            super()._forget(self._slot(place))

    def _at_place(self, place: int) -> P | None:
        lazy = self.changes.lazy
        if place not in lazy:
            return self._at[self._slot(place)]
        if self._live is not None and place not in self._live:
            return None
        kept: Any = self.changes.kept.get(place)
        return self._made(place) if kept is None else kept

    def _made(self, place: int) -> P:
        """Return an unchanged record of the source. As long as somebody has it, it is the same object."""
        assert self._source is not None and self._recent is not None, "it was filled"
        alive, key = self._recent.alive, (self.changes, place)
        found: Any = alive.get(key)
        if found is not None:
            record: P = found
        else:
            record = self._source.make(place - self.changes.lazy.start)
            record.changes_of_table, record.place = self.changes, place
            alive[key] = record
        return record
