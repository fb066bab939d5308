"""The garbage collector of a server: no pause that grows with what the sandboxes hold.

A call leaves no reference cycles, so a collection finds next to nothing; but a full one looks at every object that was
made since the last one that was frozen. So full ones come often, and what they have seen is frozen: no later one looks
at it again. Measured with 40,000 creates: the longest pause went from 72 ms, growing with the world, to 12 ms. What is
frozen is still freed when nobody refers to it any more. Only cycles among it are not found: a sandbox that was given
back leaves some 70 small objects. So now and then everything is looked at. With a large world in it that is a long
pause (a second for 400,000 instances): the cycles then wait until the world is gone.
"""

import gc
import sys
from typing import Any

_FULL_AFTER = 2
"""The number of collections of the middle generation before a full one."""

_EVERYTHING_AFTER = 100
"""The number of full collections after which the frozen objects are searched too."""

_FEW_BLOCKS = 250_000
"""How many objects there may be beside those of the start, about, for everything to be looked at: some 20 ms."""


class ShortCollections:
    """Keeps the collections of this process short, from `start` on."""

    def __init__(self) -> None:
        self._full = 0
        self._most_blocks = 0

    def start(self) -> None:
        """Freeze what there is, and all that later collections have seen."""
        gc.freeze()  # what was made at start-up stays
        self._most_blocks = sys.getallocatedblocks() + _FEW_BLOCKS
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _FULL_AFTER)
        gc.callbacks.append(self._collected)

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if info["generation"] < 2:
            return
        if phase == "stop":
            gc.freeze()
        else:
            self._full += 1
            if self._full % _EVERYTHING_AFTER == 0 and sys.getallocatedblocks() < self._most_blocks:
                gc.unfreeze()
