"""How long a run may take: a client that waits longer after every failure gets more time."""

from collections.abc import Iterable
from itertools import pairwise

_GROWTH = 1.2
"""A pause counts as longer than all pauses before if it is longer by this factor, because timers are not exact."""
_PAUSES = 4
"""How many pauses of the longest length are waited for. With waits that double, the next one is twice as long; with
random ones, a shorter one may come first."""
MOST_EXTRA_SECONDS = 120
"""How much longer a run may take than its time limit. Waits of 1, 2, 4, 8, 16 and 32 s are 63 s."""

BACKOFF_SECONDS = 45
"""How much longer a run may take if its calls cannot be watched and its fault lasts: waits of 1, 2, 4, 8 and 16 s, and
half as much again if they are random."""


def extended_limit(seconds: float, calls: Iterable[float]) -> float:
    """Return the time limit of a run that has made these calls, in seconds since its start. `seconds` is its limit
    otherwise; `calls` are the times of the calls in order, in seconds since the start.

    A pause between two calls that is longer than all pauses before shows that the client backs off. The limit is then
    four such pauses after it, and as much as `seconds` for the rest. A client that calls at a steady pace gets nothing.
    """
    longest, limit = 0.0, seconds
    for one, two in pairwise(calls):
        pause = two - one
        if pause > longest * _GROWTH:
            if longest:
                limit = max(limit, two + _PAUSES * pause + seconds)
            longest = pause
    return min(limit, seconds + MOST_EXTRA_SECONDS)
