"""The phases of a story, on the sandbox's clock: which phase it is, since when, and when the next one begins."""

from collections.abc import Callable, Sequence
from copy import copy

from cnx_mock.dataclass import dataclass
from cnx_mock.world.clock import NEVER


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a story. It ends after a time or after a number of requests; without either it does not end."""

    name: str
    lasts: int | None = None
    """How long the phase lasts, in microseconds of the sandbox's clock."""
    requests: int | None = None
    """After how many requests the phase ends."""

    @property
    def ends(self) -> bool:
        """Whether the phase ends."""
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
        """The part of the phase that is over, from 0 to 1; 0 if the phase has no duration."""
        lasts = self.phase.lasts if self.phase else None
        return min(max(self.elapsed / lasts, 0.0), 1.0) if lasts else 0.0


class Timeline:
    """The course of a story. There is no timer: the phase is computed from the clock when it is read."""

    def __init__(
        self, phases: Sequence[Phase], repeat: bool, now: int, entered: Callable[[], None] = lambda: None
    ) -> None:
        """Begin the story at the instant `now`, in microseconds; with `repeat` the phases begin again after the last.
        `entered` is called when another phase has begun.

        An empty sequence of phases is allowed.
        """
        self._phases = tuple(phases)
        self.has_phases = bool(self._phases)
        """Whether the story has phases."""
        self._repeat = repeat
        self._entered = entered
        self._story_began = now
        self._phase_began = now
        self._index = 0
        self._requests = 0
        times = [phase.lasts for phase in self._phases]
        self._cycle = sum(times) if repeat and all(times) else None  # type: ignore[arg-type]  # then none is None

    def copy(self, entered: Callable[[], None]) -> "Timeline":
        """Return a copy of these phases in the same state, which continues separately."""
        other = copy(self)
        other._entered = entered
        return other

    def at(self, now: int) -> Moment:
        """Return the story's age and phase at the instant `now`."""
        if not self._phases:
            return Moment(now - self._story_began)
        self._advance(now)
        return Moment(now - self._story_began, self._phases[self._index], now - self._phase_began)

    def count(self, now: int) -> None:
        """Count one request at the instant `now`; if it is the last one that the phase waits for, the phase ends."""
        if self._phases:
            self._advance(now)  # `at` is not called for a request that no rule can match
            self._requests += 1
            if self._requests == self._phases[self._index].requests and not self._is_last:
                self._enter_next(now)

    def enter(self, name: str, now: int) -> None:
        """Begin the phase with this name at the instant `now`. Raises KeyError if there is none."""
        names = [phase.name for phase in self._phases]
        if name not in names:
            raise KeyError(name)
        self._index, self._phase_began, self._requests = names.index(name), now, 0

    @property
    def index(self) -> int:
        """The place of the current phase, as of the last call of `at` or `count`; from 0."""
        return self._index

    @property
    def requests(self) -> int:
        """Requests in the current phase so far."""
        return self._requests

    @property
    def since(self) -> int:
        """The instant at which the current phase began, as of the last call of `at` or `count`."""
        return self._phase_began

    def next_change(self, now: int) -> int:
        """Return the next instant at which a phase ends by its time, or NEVER."""
        self.at(now)
        lasts = self._phases[self._index].lasts if self._phases else None
        return NEVER if lasts is None or self._is_last else self._phase_began + lasts

    def shift(self, by: int) -> None:
        """Follow the clock when it is set by `by` microseconds; the story's age does not change."""
        self._story_began += by
        self._phase_began += by

    @property
    def _is_last(self) -> bool:
        return not self._repeat and self._index == len(self._phases) - 1

    def _advance(self, now: int) -> None:
        if self._cycle and now > self._phase_began:
            self._phase_began += (now - self._phase_began) // self._cycle * self._cycle
        while not self._is_last:
            lasts = self._phases[self._index].lasts
            if lasts is None or now < self._phase_began + lasts:
                return
            self._enter_next(self._phase_began + lasts)

    def _enter_next(self, now: int) -> None:
        self._index = (self._index + 1) % len(self._phases)
        self._phase_began, self._requests = now, 0
        self._entered()
