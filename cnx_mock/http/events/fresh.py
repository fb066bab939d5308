"""Completed requests that are not sent to listeners yet. To keep one costs a busy server almost nothing."""

from cnx_mock.http.events.watch import EventSource
from cnx_mock.http.journal import JournalRecord

Run = tuple[EventSource, list[JournalRecord]]
"""Requests of one source that were completed one after the other."""


class FreshRequests:
    """They are kept in the order in which they ended."""

    __slots__ = ("_records", "_runs", "_source", "_sources", "bytes", "count")

    def __init__(self) -> None:
        self.count = 0
        """How many there are."""
        self.bytes = 0
        """How many bytes they hold, as their journals count them."""
        self._runs: list[Run] = []
        self._sources: set[EventSource] = set()
        self._source: EventSource | None = None
        self._records: list[JournalRecord] = []

    def add(self, source: EventSource, record: JournalRecord) -> bool:
        """Add a request that is complete. Return whether it is the only one of its source."""
        is_first = False
        if source is not self._source:
            self._source, self._records = source, []
            self._runs.append((source, self._records))
            is_first = source not in self._sources
            self._sources.add(source)
        self._records.append(record)
        self.count += 1
        self.bytes += record.size
        return is_first

    def take(self) -> list[Run]:
        """Return all of them, and be empty."""
        runs, self._runs = self._runs, []
        self._sources.clear()
        self._source, self._records = None, []
        self.count = self.bytes = 0
        return runs
