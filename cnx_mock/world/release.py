"""How a large world is let go of: in small steps, between which others can go on.

A million records that nobody holds any more would be freed in one go, which takes more than a second, and so would the
lists that hold them. So all of them are put into another list first, and the lists are let go of one after the other.
That takes nothing from a call that still uses the world.
"""

from collections.abc import Iterator
from typing import Any

Holder = list[Any] | dict[Any, Any]
"""A list whose entries are to be freed one by one, or a dict whose values are in such lists, too, or are few."""

_TAKEN = 10_000
_TOGETHER = 100
"""How many are taken, and how many are freed, in one step: less than a millisecond."""


def released(holders: list[Holder]) -> Iterator[None]:
    """Let go of these holders, and of all that is in them, and yield between the steps. The list of them is emptied.
    They are freed only if nobody else has them."""
    taken: list[Any] = []
    for place in range(len(holders)):
        holder = holders[place]
        for start in range(0, len(holder) if isinstance(holder, list) else 0, _TAKEN):
            taken += holder[start : start + _TAKEN]
            yield
        del holder
    while holders:
        del holders[-1]
        yield
    while taken:
        del taken[-_TOGETHER:]
        yield
