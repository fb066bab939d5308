"""The callbacks for completed exchanges."""

import logging
from collections.abc import Callable

from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.tenant import Tenant
from cnx_mock.world.clock import ticks

log = logging.getLogger("cnx_mock")

Observer = Callable[[JournalRecord, Tenant | None], None]
"""Called with every completed record, and with its tenant."""


class Observers:
    """The observers of one server; none by default, so that no line is formatted that is not shown."""

    def __init__(self) -> None:
        self.all: list[Observer] = []
        """All of them."""

    def add(self, observer: Observer) -> None:
        """Call this with every record that is completed from now on. An error that it raises is logged, and has no
        effect on the answer."""
        self.all.append(observer)

    def remove(self, observer: Observer) -> None:
        """Do not call this any more."""
        self.all.remove(observer)

    def complete(self, record: JournalRecord, status: int | None, tenant: Tenant | None) -> None:
        """Complete a record with the status that the client is sent, None if it is sent none. Idempotent."""
        if record.duration is not None:
            return
        record.status = status
        record.duration = ticks() - record.request.arrived
        if record.journal is not None:
            record.journal.measure(record)
        self.tell(record, tenant)

    def tell(self, record: JournalRecord, tenant: Tenant | None) -> None:
        """Call all of them with a record that is complete."""
        for observer in self.all:
            try:
                observer(record, tenant)
            except Exception:
                log.exception("cnx-mock: an observer of requests failed; please report this")
