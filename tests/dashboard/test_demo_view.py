"""The page's view of `cnx-mock demo`, in a real browser beside the real command and its real clients."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cnx_mock import MockServer
from tests.cli.test_demo import read, shown
from tests.conftest import Client
from tests.dashboard.conftest import PHONE, WIDE, LivePage
from tests.dashboard.test_accessibility import judge

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

Opener = Callable[..., Awaitable[LivePage]]


@asynccontextmanager
async def showing(opened: Opener, *arguments: str, **more: Any) -> AsyncIterator[tuple[LivePage, str]]:
    """A page with a demo's view, and the address of its server."""
    with shown(*arguments, "--no-browser") as (_, url):
        page = await opened(url, Client(url), **more)
        await page.open("demo")
        yield page, url
        await page.tab.goto("about:blank")  # before the server ends


async def over(page: LivePage) -> None:
    await page.text("The show is over").wait_for()


def lane(page: LivePage, label: str) -> Any:
    return page.tab.get_by_role("article", name=f"The client {label}")


async def test_each_client_has_a_lane_with_its_verdict_and_its_bill(opened: Opener) -> None:
    async with showing(opened, "lost-response") as (page, url):
        await over(page)
        facts = {each["label"]: each for each in read(url)["lanes"]}
        for label, verdict, waste in (("naive", "duplicated", "$29.20"), ("careful", "survived", "$0.00")):
            text = await lane(page, label).inner_text()
            assert verdict in text
            assert waste in text
            assert facts[label]["monthly_cost"] in text
            assert await lane(page, label).locator(".demo-mark").count() == facts[label]["attempts"]
        assert await lane(page, "naive").locator(".demo-mark.cut").count() == 1
        assert await lane(page, "naive").locator(".demo-mark.twin").count() == 2
        assert await lane(page, "careful").locator(".demo-mark.twin").count() == 0


async def test_the_end_says_what_was_seen_and_what_to_try_next(opened: Opener) -> None:
    async with showing(opened, "credits-run-out") as (page, url):
        await over(page)
        found = read(url)
        await page.sees(found["summary"], ".demo-end")
        assert await page.tab.locator("p[role=status]", has_text=found["summary"]).count() == 1
        await page.tab.locator(".demo-end").get_by_role("button", name="Copy").click()
        await page.sees("Copied the command")
        assert await page.clipboard() == found["next"]


async def test_attempts_are_reached_with_the_keyboard_and_lead_to_their_requests(opened: Opener) -> None:
    async with showing(opened, "lost-response") as (page, _):
        await over(page)
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


async def test_a_show_is_seen_live_and_can_be_played_again(opened: Opener) -> None:
    async with showing(opened, "lost-response", "--speed", "2") as (page, _):
        await page.tab.locator(".demo-state.running", has_text="Live").wait_for()
        await lane(page, "careful").locator(".demo-mark").nth(3).wait_for()
        assert await page.tab.locator(".demo-word").count() < 2
        await over(page)
        await page.button("Play again").click()
        await page.tab.locator(".demo-state.running", has_text="Playing again").wait_for()
        assert await page.tab.locator(".demo-word").count() == 0
        assert await page.tab.locator(".demo-track .demo-mark").count() < 33
        await over(page)
        await page.until_count(".demo-track .demo-mark", 33)
        await page.button("Play again").click()
        await page.button("Stop").click()
        await over(page)


async def test_only_a_demo_has_the_view(opened: Opener, own_server: MockServer) -> None:
    page = await opened(own_server.url, Client(own_server.url))
    await page.open("demo")
    await page.sees("This server has no show.")
    assert await page.tab.get_by_role("link", name="Demo").count() == 0
    async with showing(opened) as (other, _):
        await other.open("requests")
        await other.tab.get_by_role("link", name="Demo").click()
        await other.sees("Lost response", "h1")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["1280", "375"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_serious_in_the_demo(opened: Opener, theme: str, size: dict[str, int]) -> None:
    hostile = "sh -c '# <img src=x onerror=alert(1)>'"
    async with showing(opened, "thundering-429s", "--client", hostile, size=size, theme=theme) as (page, _):
        await over(page)
        await page.sees("<img src=x onerror=alert(1)>", ".demo-lane")
        await judge(page, f"demo-{size['width']}-{theme}")
        assert await page.tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
