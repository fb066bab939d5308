"""The rate limit: requests a minute per account. The 429 of a reached limit is made here.

The documented reset 1702834567 is at second :07, so by default the first counted request opens the window; the reading
`rate-window` has two other styles. The window runs on real time plus whatever `advance` added: a client that waits for
the time in `Retry-After` finds it open.
"""

from collections import deque

from cnx_mock.api.errors import RateLimited
from cnx_mock.scenario.exchange import Allowance
from cnx_mock.world.account import SandboxAccount
from cnx_mock.world.clock import MINUTE, SECOND, Clock, wall_now


class Window:
    """The rate window of one account."""

    __slots__ = ("_counted", "_opened", "used")

    def __init__(self) -> None:
        self._opened: int | None = None
        self.used = 0
        """How many requests it has counted, unless it slides."""
        self._counted: deque[int] = deque()
        """When each request of the last minute came, if the window slides."""

    def count(
        self, account: SandboxAccount, now: int, wall: int, advanced: int, style: str
    ) -> tuple[Allowance, RateLimited | None]:
        """Count a request. Return the window's state after it, and the refusal if the limit was reached before; a
        refused request is not counted.

        `now` is the time of rate windows (`Clock.window_time`), `wall` is real time, `advanced` is what `advance` added
        to the sandbox's clock. `style` is the reading: anchored, aligned or sliding."""
        limit = account.limit
        if style == "sliding":
            used, left = self._slid(now)
        else:
            now = wall + advanced if style == "aligned" else now
            opened = self._opened
            if opened is None or not 0 <= now - opened < MINUTE:
                self._opened = opened = now - now % MINUTE if style == "aligned" else now
                self.used = 0
            used, left = self.used, opened + MINUTE - now
        if account.fate == "limited":
            used, left = limit, MINUTE
        reset = -(-(wall + left) // SECOND)
        if used >= limit:
            retry_after = str(max(1, -(-left // SECOND)))
            refusal = RateLimited(limit=str(limit), remaining="0", reset=str(reset), retry_after=retry_after)
            return Allowance(limit, 0, reset), refusal
        self.used += 1
        if style == "sliding":
            self._counted.append(now)
        return Allowance(limit, limit - used - 1, reset), None

    def left(self, limit: int, now: int) -> int:
        """Return how many microseconds are left of an anchored window that is open and has room for one more request.
        `used` may then be increased for it. Return 0 if `count` has to judge. `now` is as for `count`."""
        opened = self._opened
        if opened is None or self.used >= limit or now < opened or now - opened >= MINUTE:
            return 0
        return opened + MINUTE - now

    def look(self, account: SandboxAccount, clock: Clock, style: str) -> tuple[int, int]:
        """Return how many requests of the window are used, and how many microseconds are left until it resets; 0 if no
        window is open. Nothing is counted, and no window is opened by it."""
        if account.fate == "limited":
            return account.limit, MINUTE
        now = clock.window_time() if style != "aligned" else wall_now() + clock.advanced
        if style == "sliding":
            recent = [each for each in self._counted if now - each < MINUTE]
            return len(recent), recent[0] + MINUTE - now if recent else 0
        if self._opened is None or not 0 <= now - self._opened < MINUTE:
            return 0, 0
        return self.used, self._opened + MINUTE - now

    def _slid(self, now: int) -> tuple[int, int]:
        """Return how many requests came in the last minute, and for how many microseconds the oldest still counts."""
        while self._counted and now - self._counted[0] >= MINUTE:
            self._counted.popleft()
        oldest = self._counted[0] if self._counted else now
        return len(self._counted), oldest + MINUTE - now
