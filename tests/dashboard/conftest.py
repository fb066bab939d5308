"""The live page in a real browser: one chromium for all tests, and for each test a page, a sandbox and a watchful eye.

The tests are coroutines in one loop, because Playwright's synchronous API would stay in the way of pytest-asyncio.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, async_playwright

from cnx_mock import MockServer, Sandbox
from tests.conftest import Client

FLAGS = [
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--enable-precise-memory-info",
]
REPORT_VIOLATIONS = """
    addEventListener("securitypolicyviolation", (event) =>
        console.error("CSP", event.effectiveDirective, event.blockedURI, event.sourceFile, event.lineNumber));
"""
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 740}
PATIENCE = 20_000
"""Milliseconds: long, because the machine may be busy. Nothing waits for so long if all is well."""


@dataclass
class LivePage:
    """A page of the browser, and all that it complained about and asked for."""

    tab: Page
    url: str
    api: Client
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    down: bool = False
    """Whether the server is down on purpose: then a refused connection is no complaint."""

    def __post_init__(self) -> None:
        self.tab.on("console", self._said)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))

    def _said(self, message: ConsoleMessage) -> None:
        refused = self.down and ("ERR_CONNECTION" in message.text or "ERR_INCOMPLETE" in message.text)
        if message.type in ("error", "warning") and not refused:
            self.complaints.append(message.text)

    async def open(self, view: str = "requests", sandbox: str | None = None, **more: str) -> None:
        """Go to a view and wait until the stream runs."""
        query = urlencode({**({"sandbox": sandbox} if sandbox else {}), **more})
        await self.tab.goto(f"{self.url}/_mock/#/{view}" + (f"?{query}" if query else ""))
        await self.tab.locator(".connection.live").wait_for(state="attached")

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
def chromium() -> str:
    """The browser's path."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing, and CI is set: there the page has to be looked at")
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One browser for all tests."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, chromium_sandbox=False, args=FLAGS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def opened(browser: Browser) -> AsyncIterator[Callable[..., Awaitable[LivePage]]]:
    """Opens pages; at the end each must be without a complaint, and have asked nobody but its server."""
    contexts: list[BrowserContext] = []
    pages: list[LivePage] = []

    async def open_one(url: str, api: Client, *, size: dict[str, int] = WIDE, theme: str = "light") -> LivePage:
        context = await browser.new_context(viewport=size, color_scheme=theme)  # type: ignore[arg-type]
        await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        tab = await context.new_page()
        await tab.add_init_script(REPORT_VIOLATIONS)
        pages.append(LivePage(tab, url, api))
        return pages[-1]

    yield open_one
    for context in contexts:
        await context.close()
    for each in pages:
        assert each.complaints == []
        assert [url for url in each.asked if not url.startswith((f"{each.url}/", "blob:", "data:image/"))] == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(
    opened: Callable[..., Awaitable[LivePage]], server: MockServer, api: Client, sandbox: Sandbox
) -> LivePage:
    """A page that shows the test's own sandbox, when it is opened."""
    return await opened(server.url, api)


@pytest.fixture
def own_server() -> Iterator[MockServer]:
    """A server of the test's own, to see all of its sandboxes. Ask for it before `opened`: pages are closed first."""
    with MockServer() as running:
        yield running
