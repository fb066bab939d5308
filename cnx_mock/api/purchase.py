"""What stands between a valid request and its effect: the account's quota, then its money."""

from cnx_mock.api.errors import InsufficientCredits, QuotaExceeded
from cnx_mock.text.units import format_money
from cnx_mock.world.account import MINIMUM_BALANCE
from cnx_mock.world.records import Record
from cnx_mock.world.sandbox import SandboxState


def room_for(sandbox: SandboxState, kind: type[Record]) -> None:
    """Raise QuotaExceeded unless the account may have one more of these."""
    quota = sandbox.account.quotas.get(kind.table)
    current = len(sandbox.table(kind))
    if quota is not None and current >= quota:
        raise QuotaExceeded(resource=kind.noun, current=str(current), limit=str(quota))


def afford(sandbox: SandboxState, now: int) -> None:
    """Raise InsufficientCredits unless the balance reaches the minimum that a billable create needs."""
    balance = sandbox.ledger.balance(now)
    if balance < MINIMUM_BALANCE:
        raise InsufficientCredits(current_balance=format_money(balance), required=format_money(MINIMUM_BALANCE))
