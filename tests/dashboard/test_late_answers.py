"""Answers that come late show a moment that has passed, and must not overwrite what events have told since then."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Route

from cnx_mock import MockServer, Sandbox
from tests.conftest import INSTANCE, Client, wire_to
from tests.dashboard.conftest import PATIENCE, LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

Opener = Callable[..., Awaitable[LivePage]]

LOADED = "async () => (await import('/_mock/ui/store.js')).state.loaded"
"""Whether everything has been read."""
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
        self._coming.append(asyncio.get_running_loop().create_future())
        coming, answer = self._coming[-1], await route.fetch()
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
    yield held
    await held.come()
    await page.tab.evaluate(DRAW)
    for path in paths:
        await page.tab.unroute(f"**/_mock/{path}", held.hold)


async def test_what_events_have_told_stays_when_older_answers_come(page: LivePage, sandbox: Sandbox) -> None:
    old = sandbox.instances.add(name="old-1")
    sandbox.instances.add(name="kept-1")
    sandbox.inject("plans.list", error="INTERNAL_ERROR", times=1, id="once")
    async with late(page, "instances", "clock", "account", "rules", "scenario") as answers:
        await page.open("world", sandbox.id)
        await answers.given()
        await page.call("POST", "/v1/instances", {**INSTANCE, "name": "new-1"})
        await page.call("DELETE", f"/v1/instances/{old.id}")
        sandbox.clock.freeze()
        await page.sees("new-1", ".instances .row")
        await page.sees("frozen", ".vitals")
    await page.until(LOADED)
    await page.sees("kept-1", ".instances .row")
    await page.sees("new-1", ".instances .row")
    assert await page.tab.locator(".instances .row", has_text="old-1").count() == 0
    await page.sees("frozen", ".vitals")


async def test_the_list_of_sandboxes_does_not_go_back(own_server: MockServer, opened: Opener) -> None:
    one, two = own_server.sandbox(name="one"), own_server.sandbox(name="two")
    page = await opened(own_server.url, Client(own_server.url, one.api_key))
    await page.open()
    await page.until(LOADED)
    async with late(page, "sandboxes", times=1) as answers:
        two.instances.add(name="web-1")  # with it the list is read again
        await answers.given()
        own_server.sandbox(name="three")
        await page.sees("three", ".chooser")
        await asyncio.to_thread(Client(own_server.url).delete, f"/_mock/sandboxes/{one.id}")
        await page.until("() => !document.querySelector('.chooser').textContent.includes('one')")
    await page.sees("1", ".vital:has-text('Instances')")
    names = await page.tab.locator(".chooser option").all_inner_texts()
    assert sorted(name.split(" · ")[-1] for name in names) == ["All sandboxes (2)", "three", "two"]


async def test_a_request_that_was_under_way_stays_complete(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.inject("plans.list", connection="hang")
    head = f"GET /v1/plans HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {sandbox.api_key}\r\n\r\n"
    with wire_to(page.url) as wire:
        wire.sendall(head.encode())
        await page.eventually("/requests", lambda found: len(found["data"]) == 1)
        async with late(page, "requests?**") as answers:
            await page.open(sandbox=sandbox.id)
            await answers.given()
            wire.close()
            await page.sees("cut", ".requests .row")
    await page.until(LOADED)
    await page.sees("cut", ".requests .row")


async def test_of_two_answers_the_one_that_was_asked_for_last_counts(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("world", sandbox.id)
    await page.until(LOADED)
    async with late(page, "usage", times=1) as answers:
        sandbox.account.balance = "$50.00"
        await answers.given()
        sandbox.account.balance = "$7.50"
        await page.sees("$7.50", ".cards")
    await page.sees("$7.50", ".cards")
