"""Indexed tables: filtered lists without a look at every record.

A status is a function of time, so the index keeps what is due in a heap. When somebody looks, the records that are due
by then, and those that were touched, are sorted anew; all others are where they belong. Stale reads ask the other way
round: which records have moved since an instant.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import chain
from operator import itemgetter
from typing import Generic, TypeVar

from cnx_mock.dataclass import dataclass
from cnx_mock.world.clock import NEVER
from cnx_mock.world.places import PlaceSet
from cnx_mock.world.records import IndexKey, MadeRecord
from cnx_mock.world.release import Holder
from cnx_mock.world.table import Table

P = TypeVar("P", bound=MadeRecord)


_BLOCK = 1024
"""How many places have one line that says when a record there moved last, so that a stale read can skip them."""

_MOVES_KEPT = 10_000
"""How many moves are kept beside two for each record."""


class _Index:
    """The places of a table's records, by what lists are filtered by."""

    __slots__ = ("_due", "_held", "_keys", "_latest", "_moves", "_settled", "_sorted", "_statuses", "moves_from")

    def __init__(self) -> None:
        self._keys: dict[IndexKey, PlaceSet] = {}
        self._held: dict[int, tuple[IndexKey, ...]] = {}
        """The keys under which a place is found, for records whose keys change."""
        self._statuses: dict[str, PlaceSet] = {}
        self._due: list[tuple[int, int]] = []
        """A heap: when a record's status changes by itself, and the record's place."""
        self._settled = 0
        """The instant for which the statuses are right."""
        self._sorted = 0
        """The places before this one have a status."""
        self._moves: list[tuple[int, int]] = []
        """When a record was made or changed, or its status changed, and its place, in order of time."""
        self._latest: dict[int, int] = {}
        """The last move in each block of places."""
        self.moves_from = NEVER
        """The instant from which on all moves are known: nobody wants to know them as long as no read is stale."""

    def with_key(self, key: IndexKey) -> PlaceSet:
        """Return the places of the records that have this value in this field."""
        return self._keys.get(key, PlaceSet())

    def with_status(self, status: str) -> PlaceSet:
        """Return the places of the records that have this status, as of the last `settle`."""
        return self._statuses.get(status, PlaceSet())

    @property
    def end(self) -> int:
        """The place after the last one that it has seen."""
        return self._sorted

    def holders(self) -> list[Holder]:
        """Return what holds something for each record."""
        return [list(self._held.values()), self._held, self._due, self._moves]

    def remove(self, record: MadeRecord) -> None:
        """Remove a record."""
        for key in self._held.pop(record.place) if record.keys_change else record.index_keys():
            self._take_out(key, record.place)
        for places in self._statuses.values():
            places.discard(record.place)

    def settle(self, table: "IndexedTable[P]", changed: set[int], now: int) -> None:
        """Make the statuses right for an instant. `changed` are the places of the records that were touched."""
        if now < self._settled:  # the clock was set back, which only another start of a new world does
            changed.update(record.place for record in table)
            self.moves_from = NEVER
        while self._due and self._due[0][0] <= now:
            changed.add(heappop(self._due)[1])
        fresh = table.at(range(self._sorted, table.extent))
        former = table.at(place for place in changed if place < self._sorted) if changed else []
        if former:
            places = PlaceSet()
            places.add_all(record.place for record in former)
            for each in self._statuses.values():
                each.discard_all(places)
        for record in (*former, *fresh):
            if (due := record.changes(now)) != NEVER:
                heappush(self._due, (due, record.place))
        self._note_moves((*former, *fresh), now)
        _add_all(self._statuses, ((record.status(now), record.place) for record in (*former, *fresh)))
        _add_all(self._keys, ((key, record.place) for record in fresh for key in self._keys_of(record)))
        for record in former:
            if record.keys_change:
                self._sort_again(record)
        if self.moves_from != NEVER:
            self._moves += [(now, record.place) for record in (*former, *fresh)]
        self._settled, self._sorted = now, table.extent

    def _note_moves(self, records: Iterable[MadeRecord], now: int) -> None:
        latest = self._latest
        for record in records:
            moved, block = record.moved(now), record.place // _BLOCK
            if moved > latest.get(block, 0):
                latest[block] = moved

    def _keys_of(self, record: MadeRecord) -> Iterable[IndexKey]:
        """Return the keys of a new record, and remember them if they can change."""
        if not record.keys_change:
            return record.index_keys()
        keys = self._held[record.place] = tuple(dict.fromkeys(record.index_keys()))
        return keys

    def _sort_again(self, record: MadeRecord) -> None:
        """Find a record under the keys that it has now."""
        before, place = self._held[record.place], record.place
        after = self._held[place] = tuple(dict.fromkeys(record.index_keys()))
        if after != before:
            for key in set(before).difference(after):
                self._take_out(key, place)
            _add_all(self._keys, ((key, place) for key in set(after).difference(before)))

    def _take_out(self, key: IndexKey, place: int) -> None:
        places = self._keys[key]
        places.discard(place)
        if not places:
            del self._keys[key]

    def moved(self, table: "IndexedTable[P]", since: int) -> set[int]:
        """Return the places of the records that were made or changed, or whose status changed, after an instant and up
        to the last `settle`; others may be among them. Records that were removed are not.

        The first stale read of a sandbox, and one of an earlier instant than any before, looks at all records of the
        blocks in which one has moved. Others look at what has moved."""
        if since < self.moves_from or len(self._moves) > _MOVES_KEPT + 2 * len(table):
            now = self._settled
            blocks = sorted(block for block, latest in self._latest.items() if latest > since)
            records = chain.from_iterable(table.at(_places(block, table.extent)) for block in blocks)
            moves = ((each.moved(now), each.place) for each in records)
            self._moves = sorted(move for move in moves if move[0] > since)
            self.moves_from = since
        return {place for _, place in self._moves[bisect_right(self._moves, since, key=itemgetter(0)) :]}


def _places(block: int, extent: int) -> range:
    return range(block * _BLOCK, min(block * _BLOCK + _BLOCK, extent))


K = TypeVar("K")


def _add_all(sets: dict[K, PlaceSet], pairs: Iterable[tuple[K, int]]) -> None:
    """Add each place, which is new to it, to the set with its key."""
    found: dict[K, list[int]] = {}
    for key, place in pairs:
        if key in found:
            found[key].append(place)
        else:
            found[key] = [place]
    for key, places in found.items():
        if key not in sets:
            sets[key] = PlaceSet()
        sets[key].add_all(places)


@dataclass(frozen=True, slots=True)
class Selection(Generic[P]):
    """Some records of a table, in order of creation."""

    table: Table[P]
    places: PlaceSet

    def __len__(self) -> int:
        return len(self.places)

    def get(self, record_id: str) -> P | None:
        """Return the record with this id if it is one of them, otherwise None."""
        record = self.table.get(record_id)
        return record if record is not None and record.place in self.places else None

    def page(self, start: int, limit: int) -> list[P]:
        """Return at most `limit` of the records after the first `start`."""
        return self.table.read(self.places.page(start, limit))


class IndexedTable(Table[P]):
    """A table whose records are also found by their index keys and by their status. The index is made when it is
    needed first, and maintained from then on."""

    __slots__ = ("_index",)

    def __init__(self) -> None:
        super().__init__()
        self._index: _Index | None = None

    def remove(self, record: P, now: int) -> None:
        """Remove a record. Raises KeyError if the table does not hold it."""
        super().remove(record, now)
        if self._index is not None and record.place < self._index.end:
            self._index.remove(record)

    def holders(self) -> list[Holder]:
        """Return what holds its records, also removed ones, and what the index keeps for each."""
        return [*super().holders(), *([] if self._index is None else self._index.holders())]

    def moved(self, now: int, since: int) -> set[int]:
        """Return the places of the records that may have been different at an instant, except for removed ones."""
        return self.index(now).moved(self, since)

    def index(self, now: int) -> _Index:
        """Return the index, right for an instant. It is made if there is none yet."""
        changed = self.changes.places
        if self._index is None or changed is None:
            self._index, changed = _Index(), set()
            self.changes.places = changed
        self._index.settle(self, changed, now)
        changed.clear()
        return self._index

    def matching(
        self, now: int, keys: Sequence[IndexKey] = (), any_of: Sequence[IndexKey] = (), status: str | None = None
    ) -> "Table[P] | Selection[P]":
        """Return the records that have all of these keys, at least one of `any_of`, and this status now.

        What is not given does not filter. Without any filter it is the table itself.
        """
        if not keys and not any_of and status is None:
            return self
        index = self.index(now)
        found = [index.with_key(key) for key in keys]
        if any_of:
            found.append(_union(index.with_key(key) for key in any_of))
        if status is not None:
            found.append(index.with_status(status))
        return Selection(self, _intersection(found))


def _union(sets: Iterable[PlaceSet]) -> PlaceSet:
    united = PlaceSet()
    for each in sets:
        united |= each
    return united


def _intersection(sets: Sequence[PlaceSet]) -> PlaceSet:
    """Return the places that all sets have, beginning with the smallest set."""
    first, *others = sorted(sets, key=len)
    for each in others:
        first &= each
    return first
