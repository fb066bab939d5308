"""Large worlds are built in slices of a few milliseconds, and other calls are served between them.

A request that enters a sandbox which is not complete yet raises WorldLoading. The code that received the call waits for
the world, and then starts the request again. Code that does not wait gets a complete world too: `Tenant.sandbox` builds
the rest at once.
"""

import asyncio
from collections.abc import Callable, Iterator

from cnx_mock.world.clock import ticks

SLICE = 2_000
"""How long one slice takes, in microseconds, before other calls are served."""

LoadObserver = Callable[["WorldLoad"], None]
"""Called after each slice, and once more when the world is complete or is not needed any more."""


class WorldLoad:
    """One large world that is being built."""

    def __init__(
        self,
        steps: Iterator[None],
        expected: int,
        label: str,
        observers: list[LoadObserver],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        """`expected` is about how many steps there are; `label` is what people call the sandbox. `prepare` is called in
        a thread before the first slice: for what takes long and cannot be cut into steps."""
        self.label = label
        self.is_over = False
        """Whether the world is complete, or is not needed any more."""
        self._prepare = prepare
        self._steps, self._expected, self._observers = steps, expected, observers
        self._done = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def share(self) -> float:
        """How much of the work is done, from 0 to 1."""
        return 1.0 if self.is_over else min(1.0, self._done / self._expected)

    async def wait(self) -> None:
        """Wait until the world is complete, or is not needed any more. The first who waits starts the work."""
        if self._task is None and not self.is_over:
            self._task = asyncio.create_task(self._run())
        if self._task is not None:
            await asyncio.shield(self._task)

    def finish(self) -> None:
        """Build the rest at once."""
        while not self.is_over:
            self._slice()

    def abandon(self) -> None:
        """Stop: the world is not needed any more."""
        self._end()

    async def _run(self) -> None:
        await asyncio.to_thread(self._prepare)
        while not self.is_over:
            self._slice()
            await asyncio.sleep(0)

    def _slice(self) -> None:
        began = ticks()
        while ticks() - began < SLICE:
            try:
                next(self._steps)
            except StopIteration:
                self._end()
                return
            self._done += 1
        self._tell()

    def _end(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._tell()

    def _tell(self) -> None:
        for observer in self._observers:
            observer(self)


class WorldLoading(Exception):
    """Raised by who needs a world that is not complete yet: wait for `load`, then do the same again."""

    def __init__(self, load: WorldLoad, again_as: str | None = None) -> None:
        """`again_as` is the method to call again with if what the call wanted is done when the world is complete."""
        super().__init__(load.label)
        self.load = load
        self.again_as = again_as
