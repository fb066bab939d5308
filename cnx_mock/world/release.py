"""How a large world is let go of: in small steps, between which others can go on.

A million records that nobody holds any more would be freed in one go, which takes more than a second, and so would the
lists that hold them. So all of them are put into another list first, and the lists are let go of one after the other
(some milliseconds for each of a million entries). A call that still uses the world loses nothing. If it still does when
all steps are done, it frees the world itself at its end, in one go.
"""

from collections.abc import Iterator
from typing import Any

Holder = list[Any] | dict[Any, Any]
"""A list whose entries are to be freed one by one, or a dict whose entries are freed elsewhere."""

_TAKEN_A_STEP = 10_000
"""How many entries are put into the other list in one step: less than a millisecond."""

_FREED_A_STEP = 100
"""How many are freed in one step: less than a millisecond."""


def release_steps(holders: list[Holder]) -> Iterator[None]:
    """Let go of these holders, and of all that is in them, and yield between the steps. The list of them is emptied.
    They are freed only if nobody else has them."""
    taken: list[Any] = []
    holder: Holder | None
    for holder in holders:
        for start in range(0, len(holder) if isinstance(holder, list) else 0, _TAKEN_A_STEP):
            taken += holder[start : start + _TAKEN_A_STEP]
            yield
    holder = None
    while holders:
        del holders[-1]
        yield
    while taken:
        del taken[-_FREED_A_STEP:]
        yield
