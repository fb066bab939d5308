"""A table: records of one kind, in the order of their creation."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from cnx_mock.world.records import Record

R = TypeVar("R", bound=Record)


class Table(Generic[R]):
    """Records by id, in order of creation."""

    __slots__ = ("_records", "pages")

    def __init__(self) -> None:
        self._records: dict[str, R] = {}
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
        self.pages.clear()
        return record

    def remove(self, record: R) -> None:
        """Forget a record."""
        del self._records[record.id]
        self.pages.clear()
