"""The view of requests: what comes in is seen at once, and everything about it can be read, copied and broken."""

import asyncio
import os
import subprocess

import pytest

from cnx_mock import Sandbox
from tests.conftest import INSTANCE
from tests.dashboard.conftest import LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_a_request_is_seen_while_the_page_is_open_unless_the_list_is_paused(
    page: LivePage, sandbox: Sandbox
) -> None:
    await page.open(sandbox=sandbox.id)
    await page.sees("No requests yet")
    await page.call("GET", "/v1/plans")
    await page.sees("/v1/plans", ".requests .row")
    sandbox.inject("plans.list", error="INTERNAL_ERROR", times=1)
    await page.call("GET", "/v1/plans")
    row = page.rows.first
    await page.sees("error=INTERNAL_ERROR", ".requests .row")
    assert "500" in await row.inner_text()
    await page.button("Pause").click()
    await page.call("GET", "/v1/regions")
    await page.sees("1 new request since")
    assert await page.rows.count() == 2
    await page.tab.locator(".filters").get_by_role("button", name="Go on").click()
    await page.until_count(".requests .row", 3)


async def test_every_filter_hides_what_it_is_not_about(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.inject("regions.list", error="INTERNAL_ERROR", id="broken")
    for path in ("/v1/plans", "/v1/regions", "/v1/instances/inst_0000000000000000"):
        await page.call("GET", path)
    await page.open(sandbox=sandbox.id)
    await page.until_count(".requests .row", 3)
    tries = [
        ("Operation", "plans.list", "/v1/plans"),
        ("Status", "failed", "/v1/regions"),
        ("Status", "404", "/v1/instances/inst_"),
        ("Fault", "any", "/v1/regions"),
        ("Fault", "rule:broken", "/v1/regions"),
    ]
    for label, option, path in tries:
        await page.tab.get_by_label(label, exact=True).select_option(option)
        await page.until_count(".requests .row", 1)
        assert path in await page.rows.first.inner_text()
        await page.tab.get_by_label(label, exact=True).select_option("")
        await page.until_count(".requests .row", 3)
    await page.tab.get_by_label("Fault", exact=True).select_option("none")
    await page.until_count(".requests .row", 2)
    await page.tab.get_by_label("Filter by text").fill("inst_0000")
    await page.until_count(".requests .row", 1)
    await page.tab.get_by_label("Filter by text").fill("nothing like this")
    await page.sees("No request passes the filters")
    await page.button("Clear the filters").click()
    await page.until_count(".requests .row", 3)


async def test_an_exchange_shows_all_that_is_known_of_it_and_whether_it_was_cut(
    page: LivePage, sandbox: Sandbox
) -> None:
    sandbox.inject("instances.create", latency="120ms", id="slow")
    sandbox.inject("instances.delete", error="INTERNAL_ERROR", id="other")
    await page.call("POST", "/v1/instances", {**INSTANCE, "name": "seen-1"}, headers={"X-Trace": "abc-123"})
    await page.open(sandbox=sandbox.id)
    await page.rows.first.click()
    detail = page.tab.locator(".detail")
    await detail.get_by_text("slow", exact=True).wait_for()
    words = await detail.inner_text()
    for part in (
        "instances.create",
        "x-trace",
        "abc-123",
        '"seen-1"',
        "yes, it changed something",
        "injected",
        "fired: match 1",
    ):
        assert part in words, part
    assert "operation is instances.create, not instances.delete" in words
    [entry] = (await page.control("GET", "/requests"))["data"]
    assert entry["request_id"] in words
    assert entry["created_id"] in words
    assert await detail.locator(".timing .waited").count() == 1
    assert "120 ms injected" in str(await detail.locator(".timing").get_attribute("aria-label"))
    await page.button("Close the request").click()
    await detail.wait_for(state="detached")
    sandbox.inject("plans.list", connection="reset", times=1)
    await page.call("GET", "/v1/plans")
    await page.sees("cut", ".requests .row .status")
    await page.rows.first.click()
    await page.sees("The client got no answer", ".detail")


async def test_the_curl_line_is_copied_and_runs_and_so_is_the_test(page: LivePage, sandbox: Sandbox) -> None:
    """tests/http/test_replay.py runs such tests."""
    await page.call(
        "POST", "/v1/instances", {**INSTANCE, "name": "again-1"}, headers={"Content-Type": "application/json"}
    )
    await page.open(sandbox=sandbox.id)
    await page.rows.first.click()
    await page.button("Copy as curl").click()
    await page.sees("Copied the curl line")
    line = await page.clipboard()
    assert sandbox.api_key not in line
    environment = {**os.environ, "CLOUDNEXUS_API_KEY": sandbox.api_key}
    await asyncio.to_thread(subprocess.run, ["bash", "-c", f"{line} -s --noproxy '*'"], env=environment, check=True)
    await page.until_count(".requests .row", 2)
    assert [each.name for each in sandbox.instances] == ["again-1", "again-1"]
    await page.button("Copy as pytest").click()
    await page.sees("Copied the test")
    first = (await page.control("GET", "/requests"))["data"][0]
    replay = await page.control("GET", f"/requests/{first['request_id']}/replay?base_url={page.url}")
    assert await page.clipboard() == replay["pytest"]


async def test_two_clicks_break_exactly_this_call_once(page: LivePage, sandbox: Sandbox) -> None:
    await page.call("GET", "/v1/regions")
    await page.open(sandbox=sandbox.id)
    await page.rows.first.click()
    await page.button("Break this call").click()
    await page.button("Arm it").click()
    await page.sees("Armed inject-1")
    [rule] = (await page.control("GET", "/rules"))["data"]
    assert rule["rule"] == {
        "id": "inject-1",
        "match": {"operation": "regions.list"},
        "times": 1,
        "fault": {"error": "INTERNAL_ERROR"},
    }
    answers = [await page.call("GET", path) for path in ("/v1/plans", "/v1/regions", "/v1/regions")]
    assert [each.status for each in answers] == [200, 500, 200]
    await page.sees("error=INTERNAL_ERROR", ".requests .row")
    await page.button("Undo").click()
    await page.eventually("/rules", lambda found: found["data"] == [])


async def test_the_keys_do_what_the_list_of_keys_says(page: LivePage, sandbox: Sandbox) -> None:
    for path in ("/v1/plans", "/v1/regions", "/v1/images"):
        await page.call("GET", path)
    await page.open(sandbox=sandbox.id)
    await page.until_count(".requests .row", 3)
    title = page.tab.locator(".detail-title")
    keyboard = page.tab.keyboard
    for key, path in (("j", "/v1/images"), ("j", "/v1/regions"), ("ArrowDown", "/v1/plans"), ("k", "/v1/regions")):
        await keyboard.press(key)
        await title.filter(has_text=path).wait_for()
    await page.tab.locator(".actions button:enabled", has_text="Copy as curl").wait_for()  # the exchange has been read
    await keyboard.press("c")
    await page.sees("Copied the curl line")
    await keyboard.press("t")
    await page.sees("Copied the test")
    await keyboard.press("b")
    await page.button("Arm it").wait_for()
    await keyboard.press("Escape")
    await page.button("Arm it").wait_for(state="detached")
    await keyboard.press("Escape")
    await title.wait_for(state="detached")
    await keyboard.press("Enter")
    await title.filter(has_text="/v1/images").wait_for()
    await keyboard.press("Escape")
    await keyboard.press("/")
    await keyboard.type("regions")
    await page.until_count(".requests .row", 1)
    await keyboard.press("Escape")
    await page.until_count(".requests .row", 3)
    await keyboard.press("p")
    await page.sees("Paused. Nothing new yet. Go on")
    await keyboard.press("p")
    await keyboard.press("?")
    await page.sees("the next, the former request", "dialog")
    await keyboard.press("Escape")
    await keyboard.press("f")
    await page.button("Cancel").click()
    for number, view in enumerate(("Requests", "World", "Story", "Time", "Audit"), start=1):
        await keyboard.press(str(number))
        await page.tab.locator(".tabs [aria-current=page]").filter(has_text=view).wait_for()


async def test_keys_that_follow_each_other_at_once_each_find_what_the_last_one_did(
    page: LivePage, sandbox: Sandbox
) -> None:
    await page.call("GET", "/v1/plans")
    await page.open(sandbox=sandbox.id)
    await page.until_count(".requests .row", 1)
    addresses = await page.tab.evaluate("""async () => {
        const found = [];
        for (const key of ["Enter", "Escape", "j", "2"]) {
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            for (let each = 0; each < 10; each += 1) await null; // what is drawn at once, and no event of the browser
            const [view, open] = [location.hash.match(/[a-z]+/)[0], location.hash.includes("open=")];
            found.push(open ? `${view}, open` : view);
        }
        return found;
    }""")
    assert addresses == ["requests, open", "requests", "requests, open", "world"]


async def test_what_is_read_stays_where_it_is_while_requests_come_in(page: LivePage, sandbox: Sandbox) -> None:
    for _ in range(60):
        await page.call("GET", "/v1/plans")
    await page.open(sandbox=sandbox.id)
    await page.until("() => document.querySelector('.scroll-space')?.offsetHeight === 1800")
    await page.tab.locator(".requests").evaluate("box => { box.scrollTop = 600; }")
    first = """() => {
        const { top } = document.querySelector(".requests").getBoundingClientRect();
        const rows = [...document.querySelectorAll(".requests .row")];
        return rows.find((row) => row.getBoundingClientRect().top >= top).dataset.key;
    }"""
    await page.button("Newest ↑").wait_for()
    before = await page.tab.evaluate(first)
    for _ in range(5):
        await page.call("GET", "/v1/regions")
    await page.until("() => document.querySelector('.scroll-space').offsetHeight === 1950")
    assert await page.tab.evaluate(first) == before
    await page.button("Newest ↑").click()
    await page.sees("/v1/regions", ".requests .row")
