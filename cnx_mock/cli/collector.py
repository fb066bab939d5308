"""The garbage collector of a server: no pause that grows with what the sandboxes hold.

A call leaves no reference cycles, so a collection finds next to nothing; but it looks at every object that was made
since the last one. So what any collection has seen is frozen, and no later one looks at it again. Measured with 105,000
creates: full collections that looked at what smaller ones had seen took 0.30 s together, and the longest 10 ms; these
take 0.14 s, and the longest 3 ms. What is frozen is still freed when nobody refers to it any more. Only cycles among it
are not found: a sandbox that was given back leaves some 70 small objects. So now and then everything is looked at. With
a large world in it that is a long pause (a second for 400,000 instances): the cycles then wait until the world is gone.
"""

import gc
import sys
from typing import Any

_YOUNG = 1000
"""The number of objects, more than there were, after which a collection comes."""

_EVERYTHING_AFTER = (10, 140)
"""The number of collections after which one is of the middle generation, and the number of those after which one
searches the frozen objects too."""

_FEW_BLOCKS = 250_000
"""How many objects there may be beside those of the start, about, for everything to be looked at: some 20 ms."""


class ShortCollections:
    """Keeps the collections of this process short, from `start` on."""

    def __init__(self) -> None:
        self._most_blocks = 0

    def start(self) -> None:
        """Freeze what there is, and all that later collections have seen."""
        gc.freeze()  # what was made at start-up stays
        self._most_blocks = sys.getallocatedblocks() + _FEW_BLOCKS
        gc.set_threshold(_YOUNG, *_EVERYTHING_AFTER)
        gc.callbacks.append(self._collected)

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "stop":
            gc.freeze()
        elif info["generation"] == 2 and sys.getallocatedblocks() < self._most_blocks:
            gc.unfreeze()
