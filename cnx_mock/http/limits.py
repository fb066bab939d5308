"""The rate limit: requests a minute per account, in a window that the first counted request opens.

The documented reset 1702834567 is at second :07, so windows are not aligned to the clock. The window runs on real time
plus whatever `advance` added: a client that really waits as it was told finds the window open.
"""

from cnx_mock.api.errors import RateLimited
from cnx_mock.scenario.exchange import Allowance
from cnx_mock.world.account import Account
from cnx_mock.world.clock import MINUTE, SECOND, Clock, wall_now


class Window:
    """One account's window."""

    __slots__ = ("_opened", "_used")

    def __init__(self) -> None:
        self._opened: int | None = None
        self._used = 0

    def count(self, account: Account, clock: Clock) -> tuple[Allowance, RateLimited | None]:
        """Count a request: where the window stands then, and the refusal if there was no room (which is not
        counted)."""
        now, limit = clock.wire(), account.limit
        if self._opened is None or now - self._opened >= MINUTE:
            self._opened, self._used = now, 0
        left = self._opened + MINUTE - now
        reset = -(-(wall_now() + left) // SECOND)
        if account.fate == "limited":
            return _refused(limit, -(-(wall_now() + MINUTE) // SECOND), MINUTE)
        if self._used >= limit:
            return _refused(limit, reset, left)
        self._used += 1
        return Allowance(limit, limit - self._used, reset), None


def _refused(limit: int, reset: int, left: int) -> tuple[Allowance, RateLimited]:
    retry_after = max(1, -(-left // SECOND))
    refusal = RateLimited(limit=str(limit), remaining="0", reset=str(reset), retry_after=str(retry_after))
    return Allowance(limit, 0, reset), refusal
