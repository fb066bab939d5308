"""Deliberate waits, and how they are cancelled."""

import asyncio

from cnx_mock.world.clock import ticks


class Cancelled(Exception):
    """The sandbox was reset, or the server stops, while an exchange waited. Its connection is to be aborted."""


class Delays:
    """Every deliberate wait in one sandbox, so that a reset can end them all at once."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    async def pause(self, microseconds: int) -> None:
        """Wait for this many microseconds of real time, never less. Raises Cancelled."""
        loop = asyncio.get_running_loop()
        due = ticks() + microseconds
        left = microseconds
        while left > 0:  # uvloop's timers have a resolution of 1 ms, and end up to 1 ms early
            future: asyncio.Future[None] = loop.create_future()
            timer = loop.call_later(-(-left // 1000) / 1000, _wake, future)
            try:
                await self.until(future)
            finally:
                timer.cancel()
            left = due - ticks()

    async def until(self, future: "asyncio.Future[None]") -> None:
        """Wait until the future is done. Raises Cancelled."""
        if self._closed:
            raise Cancelled
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def cancel(self) -> None:
        """End every wait now, by Cancelled."""
        for future in self._waiting:
            if not future.done():
                future.set_exception(Cancelled())

    def close(self) -> None:
        """End every wait now, and every later one when it begins: the server stops."""
        self._closed = True
        self.cancel()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
