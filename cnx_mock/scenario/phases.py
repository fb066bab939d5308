"""The phases of a story, on the sandbox's clock: which one it is in, since when, and when it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a story. It lasts a time, or a number of requests; without either it stays."""

    name: str
    lasts: int | None = None
    """Microseconds of the sandbox's clock."""
    requests: int | None = None

    @property
    def ends(self) -> bool:
        """Whether anything comes behind it."""
        return self.lasts is not None or self.requests is not None


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant of a story."""

    age: int
    """Microseconds since the story began."""
    phase: Phase | None = None
    elapsed: int = 0
    """Microseconds since the phase began."""

    @property
    def progress(self) -> float:
        """How much of the phase is over, from 0 to 1."""
        lasts = self.phase.lasts if self.phase else None
        return min(max(self.elapsed / lasts, 0.0), 1.0) if lasts else 0.0


class Timeline:
    """A story as it goes by. Nothing waits: where it is, is worked out when somebody asks."""

    def __init__(self, phases: Sequence[Phase], repeat: bool, now: int) -> None:
        self._phases = tuple(phases)
        self._repeat = repeat
        self._began = now
        self._since = now
        self._index = 0
        self._requests = 0
        times = [phase.lasts for phase in self._phases]
        self._cycle = sum(times) if repeat and all(times) else None  # type: ignore[arg-type]  # then none is None

    def at(self, now: int) -> Moment:
        """Where the story is."""
        if not self._phases:
            return Moment(now - self._began)
        self._go_on(now)
        return Moment(now - self._began, self._phases[self._index], now - self._since)

    def count(self, now: int) -> None:
        """A request has come in the phase of now; the last one that the phase waits for ends it."""
        if self._phases:
            self._go_on(now)  # nobody asks on behalf of a request that no rule can mean
            self._requests += 1
            if self._requests == self._phases[self._index].requests and not self._stays:
                self._enter_next(now)

    @property
    def since(self) -> int:
        """The instant at which the phase began that the story was last found in."""
        return self._since

    def shift(self, by: int) -> None:
        """Move to a clock that is so far ahead; the story's age stays."""
        self._began += by
        self._since += by

    @property
    def _stays(self) -> bool:
        return not self._repeat and self._index == len(self._phases) - 1

    def _go_on(self, now: int) -> None:
        if self._cycle and now > self._since:
            self._since += (now - self._since) // self._cycle * self._cycle
        while not self._stays:
            lasts = self._phases[self._index].lasts
            if lasts is None or now < self._since + lasts:
                return
            self._enter_next(self._since + lasts)

    def _enter_next(self, now: int) -> None:
        self._index = (self._index + 1) % len(self._phases)
        self._since, self._requests = now, 0
