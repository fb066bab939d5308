"""The last checks before a create: the account's quota, then its balance."""

from cnx_mock.api.errors import InsufficientCredits, QuotaExceeded
from cnx_mock.text.units import format_money
from cnx_mock.world.account import MINIMUM_BALANCE
from cnx_mock.world.records import Record
from cnx_mock.world.sandbox import SandboxState


def check_quota(sandbox: SandboxState, record_class: type[Record]) -> None:
    """Check the account's quota. Raises QuotaExceeded if it allows no further record of this class."""
    quota = sandbox.account.quotas.get(record_class.kind.plural)
    if quota is None:
        return
    current = len(sandbox.table(record_class))
    if current >= quota:
        raise QuotaExceeded(resource=record_class.kind.noun, current=str(current), limit=str(quota))


def check_balance(sandbox: SandboxState, now: int) -> None:
    """Check the account's balance. Raises InsufficientCredits if it is below the minimum for a billable create."""
    if not sandbox.ledger.has(MINIMUM_BALANCE, now):
        balance = sandbox.ledger.balance(now)
        raise InsufficientCredits(current_balance=format_money(balance), required=format_money(MINIMUM_BALANCE))
