"""The time limit of a test that a sweep runs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from _pytest.outcomes import Failed


class OverLimit(Failed):
    """A run took longer than its limit."""


class TimeLimit:
    """Ends a test that runs longer than a limit in the main thread. Only POSIX can; elsewhere there is no limit.

    It raises only while a phase of the test runs. Between the phases pytest writes its reports, and must not be
    interrupted.
    """

    def __init__(self) -> None:
        self.exceeded = False
        self._in_phase = False

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
        """Limit the block to so many seconds; None is no limit. Afterwards `exceeded` is whether it took longer."""
        self.exceeded = False
        main = threading.current_thread() is threading.main_thread()
        if seconds is None or not hasattr(signal, "setitimer") or not main:
            yield
            return

        def end(*_: object) -> None:
            self.exceeded = True
            if self._in_phase:
                raise OverLimit(f"the test ran longer than {seconds:.1f} s")

        before = signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # and again every second, if the test catches it
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
