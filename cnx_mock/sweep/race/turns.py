"""Whose turn it is to make a call. A program that does not have the turn is stopped, and its request is kept."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.race.schedule import RACERS, Part, Racer, Schedule, other

SHORTEST_IDLE_SECONDS = 0.5
"""The shortest time that a program with the turn may take without a call."""
_PAUSES = 3
"""And how many of the longest pauses that it makes alone."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a program calls when it is alone."""

    calls: int
    """How many calls it makes."""
    pause: float
    """Its longest time without a call, in seconds, also before the first one and after the last one."""

    @property
    def idle(self) -> float:
        """How long its turn lasts without a call, in seconds."""
        return max(SHORTEST_IDLE_SECONDS, _PAUSES * self.pause)


class Turns:
    """Gives the turns of one run by a schedule.

    Both programs run until each has its first call ready, or has ended; then the first turn begins. A turn also ends
    when its program has ended, when it makes no call for a while, and when it has made as many calls as it makes alone.
    After that, the two programs alternate, so a program that waits for the other one does not wait for ever.
    """

    def __init__(
        self,
        schedule: Schedule,
        paces: Mapping[Racer, Pace],
        hold: Callable[[Racer], None],
        go_on: Callable[[Racer], None],
    ) -> None:
        """`hold` stops a program, `go_on` lets it go on."""
        self._parts = deque(schedule.parts)
        self._paces = paces
        self._hold = hold
        self._go_on = go_on
        self._waiting: dict[Racer, deque[asyncio.Future[None]]] = {racer: deque() for racer in RACERS}
        self._running: set[Racer] = set()
        self._coming: set[Racer] = set()
        """Programs that were started and have made no call yet. While there are any, no turn begins."""
        self._held: set[Racer] = set()
        self._alternating = False
        self._timer: asyncio.TimerHandle | None = None
        self.order: list[Racer] = []
        """The program of each call that was performed."""
        self.gave_up = False
        """Whether a program gave up a call while it was held: that call was never performed."""
        self.idled = False
        """Whether a turn has passed because no call came in it: then the order is not that of the schedule."""
        self.now: Racer
        """Whose turn it is."""
        self.now, self._left, self._used = self._next_part()

    def started(self, racer: Racer) -> None:
        """A program was started."""
        self._running.add(racer)
        self._coming.add(racer)
        self._watch()

    def ended(self, racer: Racer) -> None:
        """A program has ended."""
        self._running.discard(racer)
        self._coming.discard(racer)
        if racer == self.now:
            self._pass_on(None)
        else:
            self._grant()

    async def enter(self, racer: Racer) -> None:
        """Wait until this program may make a call."""
        self._coming.discard(racer)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[racer].append(turn)
        if racer == self.now and not self._coming and not self._may(racer):
            self._pass_on(1 if self._alternating else None)
        self._grant()
        if not turn.done():
            self._stop(racer)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._waiting[racer]:
                self._waiting[racer].remove(turn)
                self.gave_up = True
            raise

    def answered(self, racer: Racer) -> None:
        """A call was performed and answered. Only now its program continues, so that the answer has arrived before the
        program reads the time."""
        if racer == self.now and self._waiting[racer] and not self._may(racer):  # it makes several calls at a time
            self._pass_on(1 if self._alternating else None)
            return
        if racer == self.now:
            self._resume(racer)
        self._watch()

    def close(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()

    def _may(self, racer: Racer) -> bool:
        if racer != self.now or self._left == 0 or self._coming:
            return False
        alone = self._paces[racer].calls
        if self._left is None and self._used >= alone and other(racer) in self._running:
            self._alternating = True
            return False
        return True

    def _grant(self) -> None:
        """Let the calls continue that may be performed now."""
        waiting = self._waiting[self.now]
        while waiting and self._may(self.now):
            self.order.append(self.now)
            self._used += 1
            if self._left is not None:
                self._left -= 1
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
        self._watch()

    def _next_part(self) -> tuple[Racer, int | None, int]:
        part = self._parts.popleft() if self._parts else Part("A", None)
        return part.racer, part.calls, 0

    def _pass_on(self, calls: int | None) -> None:
        """End the turn. The next one is that of the schedule, or a turn of the other program for this many calls."""
        before = self.now
        while self._parts and not self._alternating:
            self.now, self._left, self._used = self._next_part()
            if self.now in self._running or not self._running:
                break
        else:
            self.now, self._left, self._used = other(before), calls, 0
        if self.now not in self._running and self._running:
            self.now, self._left, self._used = other(self.now), None, 0
        if self.now != before and before in self._running:
            self._stop(before)
        if not self._waiting[self.now]:
            self._resume(self.now)
        self._grant()

    def _stop(self, racer: Racer) -> None:
        self._held.add(racer)
        self._hold(racer)

    def _resume(self, racer: Racer) -> None:
        if racer in self._held:
            self._held.discard(racer)
            self._go_on(racer)

    def _watch(self) -> None:
        """Let the turn pass if no call comes."""
        self.close()
        slowest = max(self._paces[racer].idle for racer in {self.now, *self._coming})
        self._timer = asyncio.get_running_loop().call_later(slowest, self._idle)

    def _idle(self) -> None:
        self.idled = True
        if self._coming:
            self._coming.clear()
            self._grant()
        elif other(self.now) in self._running:
            self._parts.clear()
            self._pass_on(None)
