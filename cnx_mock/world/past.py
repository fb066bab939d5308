"""Tables and the ledger as they were at an earlier instant, for stale reads. Made for one read, then thrown away."""

from dataclasses import replace
from typing import Any, TypeVar, cast

from cnx_mock.world.charges import Charges
from cnx_mock.world.clock import SECOND
from cnx_mock.world.index import IndexedTable
from cnx_mock.world.ledger import OPENING, Ledger
from cnx_mock.world.past_table import PastTable
from cnx_mock.world.statement import Statement

T = TypeVar("T", bound=IndexedTable[Any])


def table_as_of(table: T, instant: int, now: int) -> T:
    """Return a table of copies: the records that existed at an instant, as they were then. `now` is the present one."""
    return cast("T", PastTable(table, instant, now))  # it is read like the table that it is of


class PastLedger(Ledger):
    """A ledger that is only read. Its balance is right at any instant."""

    __slots__ = ("_of",)

    def __init__(self, of: Ledger) -> None:
        super().__init__()
        self._of = of
        self._kept = of.meters

    @property
    def sums(self) -> Charges:
        """The sums of all charges: those of the ledger itself, since what was charged does not change."""
        return self._of.sums

    def balance(self, now: int) -> int:
        """Return the cents left at that instant."""
        return Statement(self, now).balance


def ledger_as_of(ledger: Ledger, instant: int) -> PastLedger:
    """Return the ledger to read at an instant.

    The opening balance is always in it, also at an instant before the account was made: a stale read is never so stale
    that the account does not exist. As in every ledger, instants are rounded down to whole seconds.
    """
    past = PastLedger(ledger)
    past.credits = [
        replace(credit, at=min(credit.at, instant - instant % SECOND)) if credit.description == OPENING else credit
        for credit in ledger.credits
    ]
    return past
