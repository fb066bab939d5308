"""The page at /docs in a real browser: it renders, it works, and it asks nobody but this server.

Debian's chromium is driven by Playwright's asynchronous API in a loop of its own: the synchronous one would stay in the
way of pytest-asyncio. One visit serves all tests.
"""

import asyncio
import os
import shutil
from dataclasses import dataclass, field

import pytest
from playwright.async_api import ConsoleMessage, Page, Response, async_playwright

from cnx_mock import MockServer
from cnx_mock.services import operations

pytestmark = [pytest.mark.browser, pytest.mark.slow]

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
]
REPORT_VIOLATIONS = """
    addEventListener("securitypolicyviolation", (event) =>
        console.error("CSP", event.effectiveDirective, event.blockedURI, event.sourceFile, event.lineNumber));
"""


@dataclass
class Visit:
    """What was seen."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    title: str = ""
    operations: set[tuple[str, str]] = field(default_factory=set)
    tried: str = ""
    answer: str = ""

    def listen(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda request: self.failures.append(request.url))
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _answered(self, answer: Response) -> None:
        if answer.status >= 400:
            self.failures.append(f"{answer.status} {answer.url}")


async def visited(chromium: str, url: str) -> Visit:
    """Open the page, read its operations, and try `GET /v1/instances` with nothing but clicks."""
    visit = Visit()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, chromium_sandbox=False, args=FLAGS)
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        visit.listen(page)
        await page.add_init_script(REPORT_VIOLATIONS)
        await page.goto(f"{url}/docs")
        await page.locator(".opblock").first.wait_for()
        visit.title = await page.title()
        visit.operations = {
            (method, path)
            for method, path in await page.locator(".opblock-summary").evaluate_all(
                """all => all.map(one => [
                    one.querySelector(".opblock-summary-method").textContent,
                    one.querySelector("[data-path]").dataset.path,
                ])"""
            )
        }
        block = page.locator(".opblock-get", has=page.locator('[data-path="/v1/instances"]'))
        await block.locator(".opblock-summary-control").click()
        await block.get_by_role("button", name="Execute").click()
        answer = block.locator(".live-responses-table .response")
        visit.answer = await answer.inner_text()
        visit.tried = await block.locator(".request-url").inner_text()
        await browser.close()
    return visit


@pytest.fixture(scope="module")
def visit(server: MockServer) -> Visit:
    """A visit to the page."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing, and CI is set: there the page has to be looked at")
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    return asyncio.run(visited(chromium, server.url))


def test_every_operation_is_on_the_page(visit: Visit) -> None:
    assert visit.operations == {(each.method, each.path) for each in operations()}
    assert visit.title == "CloudNexus API · cnx-mock"


def test_the_browser_has_nothing_to_complain_about(visit: Visit) -> None:
    """No error and no warning in the console, and no violation of the policy."""
    assert (visit.complaints, visit.failures) == ([], [])


def test_nobody_but_this_server_is_asked(visit: Visit, server: MockServer) -> None:
    assert visit.requests
    assert [url for url in visit.requests if not url.startswith((f"{server.url}/", "data:image/"))] == []


def test_a_call_can_be_tried_with_the_key_that_is_filled_in(visit: Visit, server: MockServer) -> None:
    assert f"{server.url}/v1/instances?" in visit.tried
    assert visit.answer.startswith("200")
    assert '"pagination"' in visit.answer
