"""A table: records of one kind, in order of creation."""

from collections import deque
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from cnx_mock.world.records import Record

R = TypeVar("R", bound=Record)

_REMOVED_KEPT = 1000


class Table(Generic[R]):
    """Records by id, in order of creation. The last 1,000 removed records are kept for stale reads."""

    __slots__ = ("_given", "_records", "_removed", "pages")

    def __init__(self) -> None:
        self._records: dict[str, R] = {}
        self._given = 0
        self._removed: deque[tuple[int, R]] = deque(maxlen=_REMOVED_KEPT)
        self.pages: dict[Any, Any] = {}
        """Pages cached by the service that shows them. Every change of a record clears them all."""

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._records

    def get(self, record_id: str) -> R | None:
        """Return the record with this id, or None."""
        return self._records.get(record_id)

    def ids(self) -> list[str]:
        """Return every id, in order of creation."""
        return list(self._records)

    def add(self, record: R) -> R:
        """Add a new record, and return it."""
        self._records[record.id] = record
        record.pages = self.pages
        self._given = record.place = self._given + 1
        self.pages.clear()
        return record

    def remove(self, record: R, now: int) -> None:
        """Remove a record. Raises KeyError if the table does not hold it."""
        del self._records[record.id]
        self._removed.append((now, record))
        self.pages.clear()

    def since(self, instant: int) -> list[R]:
        """Return the records that existed at an instant or were made later, in order of creation, as they are now."""
        removed = [record for gone, record in self._removed if gone > instant]
        return sorted([*removed, *self], key=lambda record: record.place) if removed else list(self)
