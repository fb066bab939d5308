"""What was read last, kept for the next read. All sandboxes of a server share one bound, so that keys which are only
read stay small, however many there are."""

from collections.abc import Hashable
from typing import Any
from weakref import WeakValueDictionary

from cnx_mock.world.records import Record, TableChanges

GENERATION = 300
"""What one generation holds, in KB, about."""

RECORD = 3
"""What a record takes with its cached answers, in KB: about as much as an instance with all details."""


class Recent:
    """Pages by key, and records with the answers that are cached in them. The oldest go when they take too much memory.

    They are kept in two generations. When the newer one is full, it becomes the older one, and the former older one is
    forgotten. What is used moves into the newer one.
    """

    __slots__ = ("_free", "_older", "_size", "alive", "newer")

    def __init__(self, kilobytes: int = GENERATION) -> None:
        """`kilobytes` is what one generation holds."""
        self._size = self._free = kilobytes
        self.newer: dict[Hashable, tuple[Any, int]] = {}
        """What the newer generation holds: of that, nothing is to be done to keep it."""
        self._older: dict[Hashable, tuple[Any, int]] = {}
        self.alive: WeakValueDictionary[tuple[TableChanges, int], Record] = WeakValueDictionary()
        """The records of lazy tables that somebody still has, by table and place: see `lazy_table`."""

    def get(self, key: Hashable) -> Any:
        """Return the value of a key, None if there is none any more."""
        kept = self.newer.get(key)
        if kept is None:
            kept = self._older.pop(key, None)
            if kept is None:
                return None
            self.put(key, *kept)
        return kept[0]

    def put(self, key: Hashable, value: Any, kilobytes: int) -> None:
        """Keep a value, which takes so much memory."""
        if self._free < kilobytes:
            self._turn()
        self.newer[key] = (value, kilobytes)
        self._free -= kilobytes

    def keep(self, record: Record) -> None:
        """Keep a record and its cached answers for a while."""
        if record not in self.newer:
            self._older.pop(record, None)
            self.put(record, None, RECORD)

    def _turn(self) -> None:
        for each in self._older:
            if isinstance(each, Record):
                each.forget()
        self._older, self.newer, self._free = self.newer, {}, self._size
