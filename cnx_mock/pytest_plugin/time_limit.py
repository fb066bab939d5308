"""The time limit of a test that a sweep runs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from _pytest.outcomes import Failed

_REPEATED = 1.0
"""Seconds after which a test is interrupted again, if it has caught the interruption."""


class OverLimit(Failed):
    """A run took longer than its limit."""


class TimeLimit:
    """Ends a test that runs longer than a limit in the main thread. Only POSIX can; elsewhere there is no limit.

    A thread watches the time and interrupts the test by a signal that nobody else handles. The alarm clock of the
    process (SIGALRM) is left alone: it may belong to pytest-timeout, or to the code under test.

    It raises only while a phase of the test runs. Between the phases pytest writes its reports, and must not be
    interrupted.
    """

    def __init__(self) -> None:
        self.exceeded = False
        self.signal = _free_signal()
        """The signal; None if the platform has none."""
        self._in_phase = False
        self._most: float | None = None
        self._running: float | None = None
        self._watchdog: _Watchdog | None = None
        self._watched = False
        if self.signal is not None:
            signal.signal(self.signal, self._end)

    def close(self) -> None:
        """Give the signal back."""
        if self.signal is not None:
            signal.signal(self.signal, signal.SIG_DFL)
            self.signal = None

    @contextmanager
    def phase(self) -> Iterator[None]:
        """Let the limit raise for the length of the block."""
        self._in_phase = True
        try:
            yield
        finally:
            self._in_phase = False

    @contextmanager
    def limited(self, seconds: float | None) -> Iterator[None]:
        """Limit the block to this many seconds, or to `at_most` if that is less; With None, only `at_most` limits it.
        Afterwards `exceeded` is whether it took longer."""
        self.exceeded, self._watched = False, True
        self._watch(_lower(seconds, self._most))
        try:
            yield
        finally:
            self._watched = False
            self._watch(None)

    def at_most(self, seconds: float | None) -> None:
        """Limit every block to this many seconds. A block that already runs gets them from now on. None ends this."""
        self._most = seconds
        if self._watched and seconds is not None:
            self._watch(_lower(seconds, self._running))

    def _watch(self, seconds: float | None) -> None:
        """Watch for this many seconds from now on, instead of an earlier limit; None for no longer."""
        if self._watchdog is not None:
            self._watchdog.stop()
        self._watchdog, self._running = None, seconds
        if seconds is not None and self.signal is not None:
            self._watchdog = _Watchdog(seconds, self.signal)

    def _end(self, *_: object) -> None:
        if not self._watched:
            return
        self.exceeded = True
        if self._in_phase:
            raise OverLimit(f"the test ran longer than {self._running or 0:.1f} s")


class _Watchdog:
    """Sends a signal to the main thread after a number of seconds, and again until it is stopped."""

    def __init__(self, seconds: float, number: int) -> None:
        self._seconds, self._number = seconds, number
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cnx-mock time limit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send nothing from now on."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        seconds = self._seconds
        while not self._stopped.wait(seconds):
            signal.pthread_kill(threading.main_thread().ident or 0, self._number)
            seconds = _REPEATED


def _free_signal() -> int | None:
    """Return a signal that nobody handles; None on a platform without signals for threads, or in another thread."""
    if not hasattr(signal, "pthread_kill") or threading.current_thread() is not threading.main_thread():
        return None
    names = ("SIGUSR2", "SIGUSR1")
    real_time = range(signal.SIGRTMAX, signal.SIGRTMIN, -1) if hasattr(signal, "SIGRTMAX") else ()
    known = (*real_time, *(getattr(signal, name) for name in names if hasattr(signal, name)))
    return next((int(each) for each in known if signal.getsignal(each) is signal.SIG_DFL), None)


def _lower(one: float | None, other: float | None) -> float | None:
    given = [each for each in (one, other) if each is not None]
    return min(given, default=None)
