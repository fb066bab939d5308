"""Ctrl-C at a moment that a test chooses."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def interrupted_start(name: str) -> Iterator[None]:
    """Interrupt the main thread while it waits for a new thread, whose name begins with this, to start."""
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        if thread.name.startswith(name) and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt

    with mock.patch.object(threading.Thread, "start", interrupted):
        yield
