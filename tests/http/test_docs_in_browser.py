"""The page at /docs in a real browser: it renders, it works, and it asks nobody but this server.

One visit serves all tests.
"""

from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Response

from cnx_mock import MockServer
from cnx_mock.services import operations
from tests.browser import REPORT_VIOLATIONS

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visit(browser: Browser, server: MockServer) -> Visit:
    """Open the page, read its operations, and try `GET /v1/instances` with nothing but clicks."""
    visit = Visit()
    page = await browser.new_page()
    page.set_default_timeout(20_000)
    visit.listen(page)
    await page.add_init_script(REPORT_VIOLATIONS)
    await page.goto(f"{server.url}/docs")
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
    await page.close()
    return visit


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
