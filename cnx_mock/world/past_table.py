"""A table as it was at an earlier instant, for one stale read, at a cost that depends on what has moved since then.

What has not moved is as it was: the present table finds it, and it is copied when it is read. What was made, changed or
removed since, or has another status since, is copied first and looked at record by record.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from cnx_mock.world.index import IndexedTable, Selection
from cnx_mock.world.places import PlaceSet
from cnx_mock.world.records import IndexKey, MadeRecord

P = TypeVar("P", bound=MadeRecord)


class PastTable(IndexedTable[P]):
    """What a table had at an instant. It is only read, and its records are copies."""

    def __init__(self, present: IndexedTable[P], instant: int, now: int) -> None:
        """`now` is the present instant. Nothing is looked at before the first read."""
        super().__init__()
        self._present, self._instant, self._now = present, instant, now

    @cached_property
    def _moved(self) -> dict[int, P | None]:
        """The records that may have been otherwise, as they were, by place; None for those that were not there."""
        present, instant = self._present, self._instant
        found = [*present.removed_since(instant), *present.at(present.moved(self._now, instant))]
        return {record.place: self._as_it_was(record) for record in found}

    @cached_property
    def _all(self) -> PlaceSet:
        """The places of all records that there were."""
        return self._united(self._present.places(), [place for place, each in self._moved.items() if each is not None])

    def _united(self, present: PlaceSet, moved: Iterable[int]) -> PlaceSet:
        """Return some places of records that have not moved, without any others, and these places of others."""
        places = present.copy()
        places.discard_all(PlaceSet(self._moved))
        return places | PlaceSet(moved)

    def _as_it_was(self, record: P) -> P | None:
        copy = record.as_of(self._instant)
        if copy is not None:
            copy.place = record.place
        return copy

    def matching(
        self, now: int, keys: Sequence[IndexKey] = (), any_of: Sequence[IndexKey] = (), status: str | None = None
    ) -> "IndexedTable[P] | Selection[P]":
        """Return the records that had all of these keys, at least one of `any_of`, and this status."""
        found = self._present.matching(self._now, keys, any_of, status)
        if not isinstance(found, Selection):
            return self
        moved = []
        for place, record in self._moved.items():
            if record is not None and status in (None, record.status(now)):
                own = set(record.index_keys())
                if own.issuperset(keys) and not (any_of and own.isdisjoint(any_of)):
                    moved.append(place)
        return Selection(self, self._united(found.places, moved))

    def get(self, record_id: str) -> P | None:
        """Return the record with this id, or None."""
        record = self._present.get(record_id)
        if record is not None:
            return self._moved[record.place] if record.place in self._moved else self._as_it_was(record)
        return next((each for each in self._moved.values() if each is not None and each.id == record_id), None)

    def at(self, places: Iterable[int]) -> list[P]:
        """Return the records at these places, without those that were not there."""
        moved = self._moved
        found = [moved[place] if place in moved else self._unmoved(place) for place in places]
        return [record for record in found if record is not None]

    def _unmoved(self, place: int) -> P | None:
        return next(map(self._as_it_was, self._present.at([place])), None)

    def page(self, start: int, limit: int) -> list[P]:
        """Return at most `limit` records after the first `start`, in order of creation."""
        return self.at(self._all.page(start, limit))

    def ids(self) -> list[str]:
        """Return every id, in order of creation."""
        return [record.id for record in self]

    @property
    def extent(self) -> int:
        """How many records there ever were: every place is below that."""
        return self._present.extent

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[P]:
        return iter(self.at(self._all))

    def __contains__(self, record_id: str) -> bool:
        return self.get(record_id) is not None
