"""Time: the only module that reads the machine's clocks. All others get a `Clock` or call a function of this one.

Instants and durations are whole microseconds, instants since the Unix epoch, so that `advance` is exact.

A test may replace Python's clocks: freezegun puts other functions in the place of those in `time` and `datetime`, in
every module that has imported them, and time-machine changes the functions themselves. The server runs in the same
process, and its certificates, rate windows and journal must not follow. So the clocks are read below `time` and
`datetime`, by the functions of Python's C API that those call.
"""

import time
from collections.abc import Callable

from cnx_mock.errors import ClockError

try:
    import ctypes
except ImportError:  # a Python that was built without libffi
    ctypes = None  # type: ignore[assignment]

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 3600 * SECOND

NEVER = 1 << 63
"""An instant that does not come."""

Reader = Callable[[], int]
"""Reads a clock, in nanoseconds."""


def _reader(public: str, private: str, otherwise: Reader) -> Reader:
    """Return what reads a clock of the machine: a function of the C API, by its public name (Python 3.13 and newer) or
    its private one (Python 3.11 and 3.12). `otherwise` is for a Python that has neither, such as PyPy."""
    if ctypes is None:
        return otherwise
    for name, wrapped in ((public, _by_reference), (private, _by_value)):
        try:
            return wrapped((name, ctypes.pythonapi))
        except AttributeError:  # it has no such function
            continue
    return otherwise


def _by_value(function: tuple[str, "ctypes.PyDLL"]) -> Reader:
    """Return a reader of `int64_t function(void)`."""
    return ctypes.PYFUNCTYPE(ctypes.c_int64)(function)


def _by_reference(function: tuple[str, "ctypes.PyDLL"]) -> Reader:
    """Return a reader of `int function(int64_t *result)`."""
    read = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int64))(function)
    number, byref = ctypes.c_int64, ctypes.byref

    def reader() -> int:
        result = number()  # of this call alone: several threads read the clock
        read(byref(result))
        return result.value

    return reader


_wall = _reader("PyTime_Time", "_PyTime_GetSystemClock", time.time_ns)
_stopwatch = _reader("PyTime_Monotonic", "_PyTime_GetMonotonicClock", time.monotonic_ns)


def wall_now() -> int:
    """Return real time, as an instant."""
    return _wall() // 1000


def ticks() -> int:
    """Return the microseconds of a stopwatch that never goes back. Only differences have a meaning."""
    return _stopwatch() // 1000


def busy_ticks() -> int:
    """Return the microseconds of processor time that this thread has used. Only differences have a meaning."""
    return time.thread_time_ns() // 1000


_EVERY = SECOND // 20
"""How often real time is read at least, in microseconds."""


class RealTime:
    """Real time at moments of the stopwatch. It is read twenty times a second and carried on by the stopwatch, because
    reading a clock costs as much as ten calls of functions."""

    __slots__ = ("_ahead", "_next")

    def __init__(self) -> None:
        self._ahead = self._next = 0

    def at(self, moment: int) -> int:
        """Return real time, as an instant, at a moment of `ticks` that was read just now."""
        if moment >= self._next:
            self._ahead, self._next = wall_now() - ticks(), moment + _EVERY
        return moment + self._ahead


class Clock:
    """A sandbox's clock. It shows real time, unless it has a start or a speed of its own, is frozen, or is advanced.

    It never goes back. Nothing waits for it: everything that depends on time is computed from `now()` when it is read.
    So when `advance` returns, everything that was due has happened.
    """

    __slots__ = ("_anchor", "_at", "_frozen", "_speed", "advanced", "held")

    def __init__(self, start: int | None = None, speed: float = 1.0, frozen: bool = False) -> None:
        self._at = wall_now() if start is None else start
        self._anchor = ticks()
        self._speed = _checked(speed)
        self._frozen = frozen
        self.advanced = 0
        """All that `advance` ever added, in microseconds. Rate windows follow it; they do not follow `speed`."""
        self.held: int | None = None
        """The instant that `now` returns as long as it is set: all that one operation does happens at one instant."""

    def now(self) -> int:
        """Return the sandbox's time, as an instant."""
        return self.at(ticks()) if self.held is None else self.held

    def at(self, moment: int) -> int:
        """Return the sandbox's time at a moment of `ticks` that was read just now."""
        if self._frozen:
            return self._at
        if moment < self._anchor:  # a sandbox can be made after the arrival of its first request
            return self._at
        elapsed = moment - self._anchor
        return self._at + (elapsed if self._speed == 1.0 else int(elapsed * self._speed))

    @property
    def speed(self) -> float:
        """Sandbox seconds per real second. Setting it raises ClockError unless it is above 0 and at most 1,000,000."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        speed = _checked(speed)
        self._rebase()
        self._speed = speed

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        self._rebase()
        self._frozen = frozen

    def advance(self, by: int) -> None:
        """Move the clock forward. Raises ClockError for a negative duration, and beyond the year 9998."""
        if by < 0:
            raise ClockError("a sandbox's time never goes back")
        self._rebase()
        self._at = _within_calendar(self._at + by)
        self.advanced += by

    def until(self, instant: int) -> int | None:
        """Return how many microseconds of real time pass until an instant, 0 if it has come; None if the clock stands
        still."""
        left = instant - self.now()
        if left <= 0:
            return 0
        return None if self._frozen else int(left / self._speed) + 1

    def window_time(self) -> int:
        """Return `ticks()` plus all that `advance` added: the time of rate windows."""
        return ticks() + self.advanced

    def _rebase(self) -> None:
        self._at, self._anchor = self.now(), ticks()


def _checked(speed: float) -> float:
    if not 0 < speed <= 1_000_000:
        raise ClockError("speed must be above 0 and at most 1000000 (to stop the clock, use frozen)")
    return float(speed)


_LAST = 253_370_764_800 * SECOND
"""9999-01-01T00:00:00Z, one year before the last that RFC 3339 can write: nothing computed from `now` overflows."""


def _within_calendar(instant: int) -> int:
    if instant >= _LAST:
        raise ClockError("the time must be before the year 9999")
    return instant
