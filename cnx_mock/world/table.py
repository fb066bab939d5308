"""A table: records of one kind, in the order of their creation."""

from collections import deque
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from cnx_mock.world.records import Record

R = TypeVar("R", bound=Record)

_REMOVED_KEPT = 1000


class Table(Generic[R]):
    """Records by id, in order of creation. The last 1,000 that were removed are kept, for reads that lag behind."""

    __slots__ = ("_given", "_records", "_removed", "pages")

    def __init__(self) -> None:
        self._records: dict[str, R] = {}
        self._given = 0
        self._removed: deque[tuple[int, R]] = deque(maxlen=_REMOVED_KEPT)
        self.pages: dict[Any, Any] = {}
        """Pages that were shown, kept by the service that shows them; whatever changes a record forgets them all."""

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._records

    def get(self, record_id: str) -> R | None:
        """The record with this id, or None."""
        return self._records.get(record_id)

    def ids(self) -> list[str]:
        """Every id, in order of creation."""
        return list(self._records)

    def add(self, record: R) -> R:
        """Keep a new record and give it back."""
        self._records[record.id] = record
        record.pages = self.pages
        self._given = record.place = self._given + 1
        self.pages.clear()
        return record

    def remove(self, record: R, now: int) -> None:
        """Have a record no longer."""
        del self._records[record.id]
        self._removed.append((now, record))
        self.pages.clear()

    def since(self, instant: int) -> list[R]:
        """The records that were there at an instant or came later, in order of creation, each as it is now."""
        removed = [record for gone, record in self._removed if gone > instant]
        return sorted([*removed, *self], key=lambda record: record.place) if removed else list(self)
