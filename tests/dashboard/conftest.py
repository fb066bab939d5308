"""The live page in a real browser: for each test a sandbox and a watchful eye. A test
leaves its tab to the next one, emptied: a new one costs more than most tests do. If both look at the same server, it
leaves the loaded page, too: all of its state is emptied, and the next test mounts the page's app anew. To load the page
again, with its forty files, takes three times as long as most tests take with it.

The tests are coroutines in one loop, because Playwright's synchronous API would stay in the way of pytest-asyncio.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, ViewportSize
from playwright.async_api import Error as PlaywrightError

from cnx_mock import MockServer, Sandbox
from tests.browser import REPORT_VIOLATIONS
from tests.conftest import Client

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 375, "height": 740}
Theme = Literal["light", "dark"]
Motion = Literal["no-preference", "reduce"]
EMPTY = """async () => {
    const { render } = await import("/_mock/ui/lib.js");
    render(null, document.getElementById("app"));
    localStorage.clear();
    sessionStorage.clear();
    history.replaceState(null, "", "#/left");
}"""
"""Take the app out of a page, with all that it keeps in the browser."""
MOUNT = """async (number) => {
    const [known, initial] = await Promise.all(["", `?${number}`].map((query) => import(`/_mock/ui/store.js${query}`)));
    for (const name of Object.keys(known.state)) delete known.state[name];
    Object.assign(known.state, initial.state);
    await import(`/_mock/ui/app.js?${number}`);
}"""
"""Put the app into a page again, with a state as it is at first: a module is run once for each address."""
HASTE = """{
    const later = setTimeout;
    window.setTimeout = (task, wait = 0) => later(task, wait < 5000 ? wait / 5 : wait);
}"""
"""A script for a page: its own waits are a fifth as long, but for those in which people read something."""
PATIENCE = 20_000
"""Milliseconds: long, because the machine may be busy. Nothing waits for so long if all is well."""
_numbers = count(1)


@dataclass
class LivePage:
    """A page of the browser, and all that it complained about: also that it asked others for something, which the
    policy of our pages forbids."""

    tab: Page
    url: str
    api: Client
    complaints: list[str] = field(default_factory=list)
    down: bool = False
    """Whether the server is down on purpose: then neither a refused connection is a complaint, nor that a new server
    does not know the old sandbox."""
    handlers: list[tuple[str, Callable[[Any], object]]] = field(default_factory=list)
    lasting: bool = False
    """Whether later tests look at the same server."""
    worn: bool = False
    """Whether the test has changed the browser in a way that its tab has for ever."""
    left: bool = field(init=False)
    """Whether a page is there whose app has been left by another test."""

    def __post_init__(self) -> None:
        self.left = self.tab.url.startswith(f"{self.url}/_mock/")
        self.on("console", self._said)
        self.on("pageerror", lambda error: self.complaints.append(str(error)))

    def on(self, event: str, handler: Callable[[Any], object]) -> None:
        """Listen to the tab, until the test is over."""
        tab: Any = self.tab  # whose types list every event
        tab.on(event, handler)
        self.handlers.append((event, handler))

    async def leave(self) -> bool:
        """Leave the page, with all that it keeps in the browser. Returns whether the tab can be used again."""
        if self.worn or self.tab.is_closed():
            return False
        try:
            if not self.left and self.tab.url.startswith(f"{self.url}/_mock/"):
                await self.tab.evaluate(EMPTY)
            if not self.lasting:
                await self.tab.goto("about:blank")
        except PlaywrightError:  # the server is down, or the page has crashed
            return False
        for event, handler in self.handlers:
            self.tab.remove_listener(event, handler)
        return True

    def _said(self, message: ConsoleMessage) -> None:
        refused = self.down and any(words in message.text for words in ("ERR_CONNECTION", "ERR_INCOMPLETE", "404"))
        if message.type in ("error", "warning") and not refused:
            self.complaints.append(f"{message.text} {message.location['url']}")

    async def open(self, view: str = "requests", sandbox: str | None = None, **more: str) -> None:
        """Go to a view and wait until the stream runs."""
        query = urlencode({**({"sandbox": sandbox} if sandbox else {}), **more})
        await self.tab.goto(f"{self.url}/_mock/#/{view}" + (f"?{query}" if query else ""))
        if self.left:
            self.left = False
            await self.tab.evaluate(MOUNT, next(_numbers))
        await self.tab.locator(".connection.live").wait_for(state="attached")

    async def look(self, size: ViewportSize, theme: Theme, motion: Motion = "no-preference") -> None:
        """Give the page a screen of this size, and a user who prefers this theme."""
        await self.tab.set_viewport_size(size)
        await self.tab.emulate_media(color_scheme=theme, reduced_motion=motion)

    def button(self, name: str, exact: bool = True) -> Locator:
        return self.tab.get_by_role("button", name=name, exact=exact)

    def text(self, text: str) -> Locator:
        return self.tab.get_by_text(text)

    @property
    def rows(self) -> Locator:
        """The rows of the list of requests that are drawn."""
        return self.tab.locator(".requests .row")

    async def sees(self, text: str, within: str = "body") -> None:
        """Wait until a text is there."""
        await self.tab.locator(within).filter(has_text=text).first.wait_for()

    async def until(self, script: str, argument: Any = None) -> None:
        """Wait until a script of the page says so."""
        await self.tab.wait_for_function(script, arg=argument)

    async def until_count(self, css: str, number: int) -> None:
        await self.until("([css, number]) => document.querySelectorAll(css).length === number", [css, number])

    async def clipboard(self) -> str:
        return str(await self.tab.evaluate("navigator.clipboard.readText()"))

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control plane with the sandbox's key, beside the page."""
        reply = await asyncio.to_thread(self.api.call, method, f"/_mock{path}", body)
        assert reply.status < 300, reply.body
        return reply.json

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """A call of the API with the sandbox's key; its answer, None if the connection broke."""
        try:
            return await asyncio.to_thread(self.api.call, method, path, body, **more)
        except OSError:
            return None

    async def eventually(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Ask the control plane until what it answers is right."""
        for _ in range(200):
            found = await self.control("GET", path)
            if holds(found):
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} still answers {found}")


@pytest.fixture(scope="session")
def idle() -> list[Page]:
    """The tabs that no test uses now."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def opened(
    browser: Browser, idle: list[Page], server: MockServer
) -> AsyncIterator[Callable[..., Awaitable[LivePage]]]:
    """Opens pages; at the end each must be without a complaint. The tab that has
    loaded the page of the server of most tests is kept for these."""
    pages: list[LivePage] = []

    async def open_one(
        url: str, api: Client, *, theme: Theme = "light", lasting: bool = False, fresh: bool = False
    ) -> LivePage:
        """An empty page with a tab of its own: `lasting` if later tests look at the same server, and `fresh` to load
        what it shows, whatever the tab has loaded before."""
        here, most = (f"{each}/" for each in (url, server.url))
        tabs = [tab for tab in idle if tab.url.startswith(here) or not tab.url.startswith(most)]
        tab = max(tabs, key=lambda tab: tab.url.startswith(here), default=None)
        if tab is None:
            tab = await new_tab(browser)
        else:
            idle.remove(tab)
        if fresh or not tab.url.startswith(here):
            await tab.goto("about:blank")  # the page of another server may still ask for something
        await tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        pages.append(LivePage(tab, url, api, lasting=lasting))
        await pages[-1].look(WIDE, theme)
        return pages[-1]

    yield open_one
    for each in pages:
        if await each.leave():
            idle.append(each.tab)
        else:
            await each.tab.context.close()
    for each in pages:
        assert each.complaints == []


async def new_tab(browser: Browser) -> Page:
    """A tab with cookies and a storage of its own."""
    context = await browser.new_context(viewport=WIDE)
    context.set_default_timeout(PATIENCE)
    tab = await context.new_page()
    await tab.add_init_script(REPORT_VIOLATIONS + HASTE)
    return tab


@pytest_asyncio.fixture(loop_scope="session")
async def page(
    opened: Callable[..., Awaitable[LivePage]], server: MockServer, api: Client, sandbox: Sandbox
) -> LivePage:
    """A page that shows the test's own sandbox, when it is opened."""
    return await opened(server.url, api, lasting=True)


@pytest.fixture
def own_server() -> Iterator[MockServer]:
    """A server of the test's own, to see all of its sandboxes. Ask for it before `opened`: pages are closed first."""
    with MockServer() as running:
        yield running
