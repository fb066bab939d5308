"""Completed requests that nobody was told of yet. To keep one costs a busy server next to nothing."""

from cnx_mock.http.events.watch import EventSource
from cnx_mock.http.journal import JournalRecord

Run = tuple[EventSource, list[JournalRecord]]
"""Requests of one source that were completed one after the other."""


class FreshRequests:
    """They are kept in the order in which they ended."""

    __slots__ = ("_records", "_source", "bytes", "count", "runs")

    def __init__(self) -> None:
        self.count = 0
        """How many there are."""
        self.bytes = 0
        """How many bytes they hold, as their journals count them."""
        self.runs: list[Run] = []
        self._source: EventSource | None = None
        self._records: list[JournalRecord] = []

    def add(self, source: EventSource, record: JournalRecord) -> None:
        """Add a request that is complete."""
        if source is not self._source:
            self._source, self._records = source, []
            self.runs.append((source, self._records))
        self._records.append(record)
        self.count += 1
        self.bytes += record.size

    def take(self) -> list[Run]:
        """Return all of them, and be empty."""
        runs, self.runs = self.runs, []
        self._source, self._records = None, []
        self.count = self.bytes = 0
        return runs
