"""Keys and clicks that follow each other faster than the page draws, or than the server answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox
from tests.conftest import Client
from tests.dashboard.conftest import LivePage
from tests.dashboard.late import late, read

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

Opener = Callable[..., Awaitable[LivePage]]
HANDS = """async (steps) => {
    const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    const found = [];
    for (const [what, name] of steps) {
        if (what === "key") press(name);
        if (what === "click") document.querySelector(name).click();
        for (let each = 0; each < 10; each += 1) await null; // what is drawn at once, and no event of the browser
        if (what === "look") found.push(Boolean(document.querySelector(name)));
    }
    return found;
}"""
"""Press keys, click and look, one after the other. Returns whether what was looked for is there."""


async def do(page: LivePage, *steps: str) -> Any:
    return await page.tab.evaluate(HANDS, [step.split(" ", 1) for step in steps])


async def test_a_key_finds_what_a_click_on_a_link_did(page: LivePage, sandbox: Sandbox) -> None:
    await page.call("GET", "/v1/plans")
    await page.open("world", sandbox.id)
    await read(page)
    assert await do(page, "click .tabs a", "key Enter", "look .detail", "key Escape", "look .detail") == [True, False]


async def test_a_view_that_was_drawn_a_moment_ago_follows_the_address(page: LivePage, sandbox: Sandbox) -> None:
    await page.call("GET", "/v1/plans")
    await page.open("world", sandbox.id)
    await read(page)
    assert await do(page, "key 1", "key j", "look .detail") == [True]


async def test_a_dialog_has_the_keys_from_its_first_moment(page: LivePage, sandbox: Sandbox) -> None:
    await page.call("GET", "/v1/plans")
    await page.open(sandbox=sandbox.id)
    await page.until_count(".requests .row", 1)
    assert await do(page, "key f", "look dialog[open]", "key Enter", "look .detail") == [True, False]


@pytest.mark.parametrize("key", ["f", "?"])
async def test_back_goes_away_from_a_dialog(page: LivePage, sandbox: Sandbox, key: str) -> None:
    await page.open("world", sandbox.id)
    await do(page, "key 3")
    assert await do(page, f"key {key}", "look dialog") == [True]
    await page.tab.go_back()
    await page.tab.locator(".tabs [aria-current=page]").filter(has_text="World").wait_for()
    assert await page.tab.locator("dialog").count() == 0


async def test_a_fault_that_is_confirmed_twice_at_once_is_armed_once(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("story", sandbox.id)
    await read(page)
    confirm = "click dialog .primary"
    async with late(page, "rules"):
        await do(page, "key f", confirm, confirm)
    await page.sees("Armed inject-1", ".toast")
    assert [rule["id"] for rule in (await page.control("GET", "/rules"))["data"]] == ["inject-1"]


async def test_nothing_of_a_sandbox_is_there_once_another_one_is_chosen(own_server: MockServer, opened: Opener) -> None:
    one, two = (own_server.sandbox(name=name) for name in ("one", "two"))
    one.inject("plans.list", error="INTERNAL_ERROR", id="mine")
    page = await opened(own_server.url, Client(own_server.url, one.api_key))
    await page.open("story", one.id)
    await page.sees("mine", ".rules th")
    async with late(page, "sandboxes"):
        go = f"location.hash = '#/story?sandbox={two.id}'"
        await page.tab.evaluate(go)
        await page.until_count(".rules th[scope=row]", 0)
        await page.tab.keyboard.press("f")
        await page.button("Arm it").click()
        await page.sees("Armed inject-1", ".toast")
    await page.sees("inject-1", ".rules th")
    for sandbox, rules in ((one, ["mine"]), (two, ["inject-1"])):
        found = await asyncio.to_thread(Client(own_server.url, sandbox.api_key).get, "/_mock/rules")
        assert [rule["id"] for rule in found.json["data"]] == rules


async def test_a_paused_list_is_that_of_its_sandbox(own_server: MockServer, opened: Opener) -> None:
    one, two = (own_server.sandbox(name=name) for name in ("one", "two"))
    for sandbox, path in ((one, "/v1/plans"), (two, "/v1/regions")):
        await asyncio.to_thread(Client(own_server.url, sandbox.api_key).get, path)
    page = await opened(own_server.url, Client(own_server.url, one.api_key))
    await page.open(sandbox=one.id)
    await page.sees("/v1/plans", ".requests .row")
    await page.tab.keyboard.press("p")
    await page.sees("Paused", ".strip")
    await page.tab.get_by_label("Sandbox", exact=True).select_option(two.id)
    await page.sees("/v1/regions", ".requests .row")
    assert await page.tab.locator(".strip").count() == 0


async def test_findings_are_those_of_the_sandbox_that_is_chosen(own_server: MockServer, opened: Opener) -> None:
    one, two = (own_server.sandbox(name=name) for name in ("one", "two"))
    client = Client(own_server.url, one.api_key)
    with one.inject("instances.create", connection="reset", at="after", times=1):
        for _ in range(2):
            try:
                await asyncio.to_thread(client.create)
            except OSError:
                continue
    page = await opened(own_server.url, client)
    await page.open("audit", one.id)
    await page.sees("blind-create", ".finding")
    async with late(page, "audit"):
        await page.tab.get_by_label("Sandbox", exact=True).select_option(two.id)
        await page.sees("Judging the journal")
        assert await page.tab.locator(".finding").count() == 0
    await page.sees("No findings")


async def test_the_account_keeps_what_the_dialog_did_not_change(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("world", sandbox.id)
    await page.sees("$100.00", ".cards")
    await page.button("Change the account").click()
    sandbox.account.balance = "$7.50"
    await page.sees("$7.50", ".cards")
    await page.tab.get_by_label("Rate limit").fill("5/min")
    await page.button("Change it").click()
    await page.sees("of 5 used", ".gauge")
    assert str(sandbox.account.balance) == "$7.50"
