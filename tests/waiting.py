"""Waiting for something that another thread or process does."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(found: Callable[[], T], seconds: float = 20) -> T:
    """What `found` gives, as soon as it gives something. It is asked every few milliseconds, and not all the time: that
    would take the processor from what it waits for."""
    late = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < late, "waited too long"
        time.sleep(0.003)
    return result
