"""Answers of the server that come late to the page, and how to know that the page has read everything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Route

from tests.dashboard.conftest import PATIENCE, LivePage

READ = """async () => {
    const { state, subscribe } = await import("/_mock/ui/store.js");
    if (!state.loaded) await new Promise((done) => subscribe(["frame"], () => state.loaded && done()));
}"""
DRAW = """async () => {
    await (await fetch("/_mock/health")).text();
    (await import("/_mock/ui/store.js")).changedNow("frame", "requests", "world", "story", "clock");
}"""
"""Take what has come before the answer of a call, and draw it now."""


class Late:
    """The page's next answers of some paths. The server has given them, and the page does not have them yet."""

    def __init__(self) -> None:
        self._given = asyncio.Event()
        self._sent = asyncio.Event()
        self._coming: list[asyncio.Future[None]] = []

    async def hold(self, route: Route) -> None:
        if self._sent.is_set():
            await route.continue_()
            return
        coming = asyncio.get_running_loop().create_future()
        self._coming.append(coming)
        answer = await route.fetch()
        self._given.set()
        await self._sent.wait()
        await route.fulfill(response=answer)
        coming.set_result(None)

    async def given(self) -> None:
        """Wait until the server has answered."""
        async with asyncio.timeout(PATIENCE / 1000):
            await self._given.wait()

    async def come(self) -> None:
        """Let the page have them."""
        self._sent.set()
        await asyncio.gather(*self._coming)


@asynccontextmanager
async def late(page: LivePage, *paths: str, times: int | None = None) -> AsyncIterator[Late]:
    """Let the answers of these paths come late; of the first ones only with `times`."""
    held = Late()
    for path in paths:
        await page.tab.route(f"**/_mock/{path}", held.hold, times=times)
    try:
        yield held
    finally:
        await held.come()
        await page.tab.evaluate(DRAW)
        for path in paths:
            await page.tab.unroute(f"**/_mock/{path}", held.hold)


async def read(page: LivePage) -> None:
    """Wait until the page has read everything."""
    async with asyncio.timeout(PATIENCE / 1000):
        await page.tab.evaluate(READ)
