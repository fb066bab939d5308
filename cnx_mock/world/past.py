"""Tables and money as they were at an earlier instant, for reads that lag behind: made for one read, then forgotten."""

from dataclasses import replace
from typing import TypeVar

from cnx_mock.world.ledger import OPENING, Ledger
from cnx_mock.world.records import MadeRecord
from cnx_mock.world.statement import Statement
from cnx_mock.world.table import Table

M = TypeVar("M", bound=MadeRecord)


def table_as_of(table: Table[M], instant: int) -> Table[M]:
    """A table of copies: what was there at an instant, as it was then."""
    past: Table[M] = Table()
    for record in table.since(instant):
        copy = record.as_of(instant)
        if copy is not None:
            past.add(copy)
    return past


class PastLedger(Ledger):
    """A ledger that is only read. Its balance is right at any instant, which takes longer than at the last one."""

    __slots__ = ()

    def balance(self, now: int) -> int:
        """Cents left then."""
        return Statement(self, now).balance


def ledger_as_of(ledger: Ledger, instant: int) -> PastLedger:
    """The ledger to read at an instant. What the account began with was always there: no read is so stale that there
    was no account. Like all money it goes by whole seconds."""
    past = PastLedger()
    past.meters = ledger.meters
    past.credits = [
        replace(credit, at=min(credit.at, instant)) if credit.description == OPENING else credit
        for credit in ledger.credits
    ]
    return past
