"""The frame of the page: the chooser, the colours, what a lonely server shows, and a server that starts again."""

import asyncio
import json
import subprocess
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox
from tests import commands
from tests.conftest import Client
from tests.dashboard.conftest import LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

Opener = Callable[..., Awaitable[LivePage]]
KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"


async def test_a_new_server_says_what_to_do_with_its_real_address(own_server: MockServer, opened: Opener) -> None:
    page = await opened(own_server.url, Client(own_server.url, KEY))
    await page.open()
    await page.sees(f"curl {own_server.url}/v1/instances", ".empty")
    for view in ("world", "story"):
        await page.open(view)
        await page.sees("No sandbox yet")
    await page.open("requests")
    await page.tab.locator(".code-line", has_text="curl").get_by_role("button", name="Copy").click()
    await page.sees("Copied the curl line")
    line = await page.clipboard()
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", f"{line} -s --noproxy '*'"],
        env={"PATH": "/usr/bin:/bin", "CLOUDNEXUS_API_KEY": KEY},
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout)["name"] == "web-1"
    await page.sees("/v1/instances", ".requests .row")


async def test_all_sandboxes_or_one_by_the_end_of_its_key_until_it_is_removed(
    own_server: MockServer, opened: Opener
) -> None:
    one, two = own_server.sandbox(name="one"), own_server.sandbox(name="two")
    page = await opened(own_server.url, Client(own_server.url, one.api_key))
    await page.open()
    for sandbox, path in ((one, "/v1/plans"), (two, "/v1/regions")):
        await asyncio.to_thread(Client(own_server.url, sandbox.api_key).get, path)
    await asyncio.to_thread(Client(own_server.url).get, "/v1/images")  # without a key: the server's own journal
    await page.until_count(".requests .row", 3)
    await page.sees("Requests 3", ".vital")
    chooser = page.tab.get_by_label("Sandbox", exact=True)
    assert one.api_key[-4:] in await chooser.inner_text()
    assert one.api_key not in await page.tab.content()
    await chooser.select_option(two.id)
    await page.until_count(".requests .row", 1)
    await page.sees("/v1/regions", ".requests .row")
    await page.tab.keyboard.press("2")
    await page.sees("Instances", ".view")
    await chooser.select_option("")
    await page.sees("World: of which sandbox?")
    one.instances.add(name="web-1")
    await page.sees("1", "tr:has-text('one') td:nth-child(2)")
    await page.tab.get_by_role("link", name="one").click()
    await page.sees("$", ".cards")  # all of it has been read
    await asyncio.to_thread(Client(own_server.url).delete, f"/_mock/sandboxes/{one.id}")
    await page.sees("This sandbox was removed")


async def test_a_link_to_a_sandbox_that_is_gone_shows_all(page: LivePage) -> None:
    await page.open("world", "sbx_000000000000")
    await page.sees("This sandbox does not exist any more")
    await page.button("Close the notice").click()


async def test_a_reset_empties_the_page(page: LivePage, sandbox: Sandbox) -> None:
    await page.call("GET", "/v1/plans")
    await page.open(sandbox=sandbox.id)
    await page.until_count(".requests .row", 1)
    sandbox.reset()
    await page.sees("No requests yet")


SHOW = """() => {
    delete document.hidden;
    document.dispatchEvent(new Event("visibilitychange"));
}"""
HIDE = """() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    const later = setTimeout;
    const asked = [];
    window.setTimeout = (task, wait) => (asked.push(wait), later(task, 0));
    document.dispatchEvent(new Event("visibilitychange"));
    window.setTimeout = later;
    return asked;
}"""
"""Hide the page. What it then does later it does at once; returns how much later, in milliseconds."""


async def test_a_page_that_nobody_sees_gives_its_connection_back(page: LivePage, sandbox: Sandbox) -> None:
    await page.call("GET", "/v1/plans")
    await page.open(sandbox=sandbox.id)
    await page.call("GET", "/v1/plans")
    await page.until_count(".requests .row", 2)

    def listeners(health: Any) -> Any:
        return next(bound["used"] for bound in health["bounds"] if bound["option"] == "--max-listeners")

    before = listeners(await page.control("GET", "/health"))
    assert await page.tab.evaluate(HIDE) == [60_000]
    await page.eventually("/health", lambda health: listeners(health) == before - 1)
    await page.call("GET", "/v1/regions")
    await page.tab.evaluate(SHOW)
    await page.sees("/v1/regions", ".requests .row")
    assert await page.rows.count() == 3


async def test_the_keyboard_skips_the_head_and_the_colours_are_the_systems_until_the_switch_is_used(
    opened: Opener, server: MockServer, sandbox: Sandbox, api: Client
) -> None:
    page = await opened(server.url, api, lasting=True, theme="dark", fresh=True)
    await page.open(sandbox=sandbox.id)
    await page.tab.keyboard.press("Tab")
    assert await page.tab.evaluate("document.activeElement.textContent") == "Skip to the view"
    await page.tab.keyboard.press("Enter")
    assert await page.tab.evaluate("document.activeElement.id") == "main"
    await page.button("Keys").click()
    await page.sees("Keys", "dialog h2")
    await page.tab.locator("dialog").get_by_role("button", name="Close").click()
    theme = "() => document.documentElement.dataset.theme"
    assert await page.tab.evaluate(theme) == "dark"
    await page.button("Colours: system").click()
    assert await page.tab.evaluate(theme) == "light"
    await page.tab.reload()
    await page.button("Colours: light").click()
    assert await page.tab.evaluate(theme) == "dark"
    await page.button("Colours: dark").click()
    await page.button("Colours: system").wait_for()


def serve(port: int) -> tuple["subprocess.Popen[Any]", str]:
    """Start the command; the process, and its address."""
    process = commands.Popen(
        [commands.COMMAND, "serve", "--port", str(port), "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process.stdout as lines:  # type: ignore[union-attr]
        return process, str(json.loads(lines.readline())["url"])


def sandbox_of(url: str) -> str:
    with urllib.request.urlopen(f"{url}/_mock/sandboxes") as answer:
        return str(json.load(answer)["data"][0]["id"])


@pytest.mark.parametrize("chosen", [False, True])
async def test_a_server_that_starts_again_is_survived_and_said(opened: Opener, chosen: bool) -> None:
    process, url = await asyncio.to_thread(serve, 0)
    page = await opened(url, Client(url, KEY))
    try:
        await page.call("GET", "/v1/plans")
        await page.open(sandbox=await asyncio.to_thread(sandbox_of, url) if chosen else None)
        await page.until_count(".requests .row", 1)
        page.down = True
        process.terminate()
        await asyncio.to_thread(process.wait)
        await page.sees("The server does not answer", ".notice")
        process, _ = await asyncio.to_thread(serve, int(url.rpartition(":")[2]))
        await page.sees("The server was started again", ".notice")
        await page.tab.locator(".connection.live").wait_for(state="attached")
        await page.sees("No requests yet")
        await page.call("GET", "/v1/regions")
        await page.sees("/v1/regions", ".requests .row")
        await page.button("Close the notice").click()
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def test_another_server_is_noticed_by_a_page_that_nobody_has_seen_meanwhile(opened: Opener) -> None:
    process, url = await asyncio.to_thread(serve, 0)
    page = await opened(url, Client(url, KEY))
    try:
        await page.call("GET", "/v1/plans")
        sandbox = await asyncio.to_thread(sandbox_of, url)
        await page.open(sandbox=sandbox)
        await page.until_count(".requests .row", 1)
        await page.tab.evaluate(HIDE)
        page.down = True
        process.terminate()
        await asyncio.to_thread(process.wait)
        process, _ = await asyncio.to_thread(serve, int(url.rpartition(":")[2]))
        await page.call("GET", "/v1/regions")
        assert await asyncio.to_thread(sandbox_of, url) == sandbox, "it is the same key's"
        await page.tab.evaluate(SHOW)
        await page.sees("The server was started again", ".notice")
        await page.sees("/v1/regions", ".requests .row")
        assert await page.rows.count() == 1
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def test_requests_without_a_sandbox_are_forgotten_when_their_journal_is_emptied(
    own_server: MockServer, opened: Opener
) -> None:
    own_server.sandbox(name="one")
    page = await opened(own_server.url, Client(own_server.url))
    await page.call("GET", "/v1/images")
    await page.open()
    await page.until_count(".requests .row", 1)
    await page.control("DELETE", "/requests")
    await page.sees("No requests yet")
    assert await page.tab.locator(".notice").count() == 0


async def test_a_page_that_asks_anybody_but_its_server_is_a_complaint_of_these_tests(page: LivePage) -> None:
    await page.open()
    await page.tab.evaluate("fetch('http://localhost:1/').catch(() => null)")
    async with page.tab.expect_console_message(lambda message: message.text.startswith("CSP img-src")):  # the last
        await page.tab.evaluate(
            "() => { document.body.append(Object.assign(new Image(), { src: 'http://localhost:1/a.png' })); }"
        )
    told = " ".join(page.complaints)
    page.complaints.clear()
    assert "connect-src" in told
    assert "img-src" in told
