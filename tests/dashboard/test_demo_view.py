"""The page's view of `cnx-mock demo`, in a real browser beside the real command and its real clients."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from tests.cli.test_demo import read, shown
from tests.conftest import Client
from tests.dashboard.conftest import LivePage
from tests.dashboard.test_accessibility import judge

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

Opener = Callable[..., Awaitable[LivePage]]
STOP = """async (button) => {
    button.click();
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    return document.querySelector("main").innerText;
}"""
"""Click a button, and return what the view shows three frames later: long before it would be over by itself."""


@asynccontextmanager
async def showing(opened: Opener, *arguments: str) -> AsyncIterator[LivePage]:
    """A page for a demo that begins."""
    with shown(*arguments, "--no-browser") as (_, url):
        page = await opened(url, Client(url))
        yield page
        await page.tab.goto("about:blank")  # before the server ends


@pytest.fixture(scope="module")
def past() -> Iterator[str]:
    """The server of a show that is over: its address."""
    with shown("lost-response", "--no-browser") as (process, url):
        while not process.stdout.readline().startswith("The page stays at "):
            assert process.poll() is None
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def page_of_past(opened: Opener, past: str) -> LivePage:
    """A page with the show that is over."""
    page = await opened(past, Client(past), lasting=True)
    await page.open("demo")
    await over(page)
    return page


async def over(page: LivePage) -> None:
    await page.text("The show is over").wait_for()


def lane(page: LivePage, label: str) -> Any:
    return page.tab.get_by_role("article", name=f"The client {label}")


async def test_clients_have_lanes_with_verdict_and_bill_and_the_end_says_what_to_try_next(
    page_of_past: LivePage, past: str
) -> None:
    page, found = page_of_past, read(past)
    facts = {each["label"]: each for each in found["lanes"]}
    for label, verdict, waste in (("naive", "duplicated", "$29.20"), ("careful", "survived", "$0.00")):
        shown_lane = lane(page, label)
        text = await shown_lane.inner_text()
        assert verdict in text
        assert waste in text
        assert facts[label]["monthly_cost"] in text
        assert await shown_lane.locator(".demo-mark").count() == facts[label]["attempts"]
    assert await lane(page, "naive").locator(".demo-mark.cut").count() == 1
    assert await lane(page, "naive").locator(".demo-mark.twin").count() == 2
    assert await lane(page, "careful").locator(".demo-mark.twin").count() == 0
    await page.sees(found["summary"], ".demo-end")
    assert await page.tab.locator("p[role=status]", has_text=found["summary"]).count() == 1
    await page.tab.locator(".demo-end").get_by_role("button", name="Copy").click()
    await page.sees("Copied the command")
    assert await page.clipboard() == found["next"]


async def test_attempts_are_reached_with_the_keyboard_and_lead_to_their_requests_and_back(
    page_of_past: LivePage,
) -> None:
    page = page_of_past
    marks = lane(page, "naive").locator(".demo-mark")
    await marks.first.focus()
    await page.tab.keyboard.press("ArrowRight")
    label = await page.tab.evaluate("document.activeElement.getAttribute('aria-label')")
    assert "POST /v1/instances, no answer" in label
    assert "web-1, connection=reset, but it has happened" in label
    await page.tab.keyboard.press("End")
    assert "DELETE" in await page.tab.evaluate("document.activeElement.getAttribute('aria-label')")
    await page.tab.keyboard.press("Home")
    await page.tab.keyboard.press("Enter")
    await page.sees("What the rules decided", ".detail")
    assert "/v1/network/firewall" in await page.tab.locator(".detail").inner_text()
    await page.tab.get_by_role("link", name="Demo").click()
    await page.sees("Lost response", "h1")


async def test_only_a_demo_has_the_view(page: LivePage) -> None:
    await page.open("demo")
    await page.sees("This server has no demo.")
    assert await page.tab.get_by_role("link", name="Demo").count() == 0


async def test_a_show_is_seen_live_can_be_played_again_and_has_nothing_serious(opened: Opener) -> None:
    hostile = "sh -c '# <img src=x onerror=alert(1)>'"
    async with showing(opened, "thundering-429s", "--client", hostile) as page:
        await page.tab.clock.install()
        page.worn = True
        await page.open("demo")
        await page.tab.locator(".demo-state.running", has_text="Live").wait_for()
        await lane(page, "careful").locator(".demo-mark").nth(3).wait_for()
        assert await page.tab.locator(".demo-word").count() < 3
        await over(page)
        marks = sum(each["attempts"] for each in read(page.url)["lanes"])
        await page.button("Play again").click()
        await page.tab.locator(".demo-state.running", has_text="Playing again").wait_for()
        assert await page.tab.locator(".demo-word").count() == 0
        assert await page.tab.locator(".demo-track .demo-mark").count() < marks
        await lane(page, "naive").locator(".demo-mark").nth(3).wait_for()  # it plays
        await page.tab.clock.fast_forward("01:00")
        await over(page)
        await page.until_count(".demo-track .demo-mark", marks)
        await page.button("Play again").click()
        assert "The show is over" in await page.button("Stop").evaluate(STOP)
        await page.sees("<img src=x onerror=alert(1)>", ".demo-lane")
        await judge(page, "demo")
