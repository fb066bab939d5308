"""The views of time and of the audit."""

import pytest

from cnx_mock import Sandbox
from tests.conftest import INSTANCE
from tests.dashboard.conftest import LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_the_clock_is_frozen_advanced_and_set_to_another_speed(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("time", sandbox.id)
    await page.button("Freeze").click()
    await page.sees("frozen", ".clock")
    before = sandbox.clock.now
    for step, seconds in (("+10s", 10), ("+1m", 60), ("+10m", 600), ("+1h", 3600), ("+1d", 86400)):
        await page.button(step).click()
        await page.sees(f"Advanced by {step[1:]}", ".toasts")
        after = sandbox.clock.now
        assert (after - before).total_seconds() == seconds
        await page.sees(f"{after:%Y-%m-%d %H:%M:%S}", ".clock")
        before = after
    await page.tab.get_by_label("Advance by").fill("90s")
    await page.button("Advance").click()
    await page.sees("Advanced by 90s", ".toasts")
    assert (sandbox.clock.now - before).total_seconds() == 90
    await page.button("Let it go on").click()
    await page.button("60 ×").click()
    await page.sees("60 × real time", ".clock")
    clock = await page.control("GET", "/clock")
    assert (clock["speed"], clock["frozen"]) == (60, False)


async def test_a_change_from_outside_is_seen(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("time", sandbox.id)
    await page.sees("Sandbox time", ".clock")
    sandbox.clock.freeze()
    await page.sees("frozen", ".clock")


async def test_the_chart_says_what_it_draws(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.use({"phases": [{"name": "calm", "for": "60s"}, {"name": "storm"}], "rules": []})
    await page.open("time", sandbox.id)
    sandbox.inject("plans.list", error="INTERNAL_ERROR", times=2)
    for _ in range(5):
        await page.call("GET", "/v1/plans")
    await page.control("POST", "/story/jump", {"phase": "storm"})
    label = "([words]) => document.querySelector('.charts').ariaLabel?.includes(words)"
    await page.until(label, ["5 requests, 2 of them without success"])
    await page.until(label, ["Phases that began: calm, storm"])
    assert await page.tab.locator(".charts canvas").count() == 2
    for minutes in ("2 min", "10 min"):
        await page.button(minutes).click()
        await page.until(label, [f"the last {minutes.split()[0]} minutes"])


async def test_a_finding_leads_to_its_requests(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("audit", sandbox.id)
    await page.sees("No findings")
    sandbox.inject("instances.create", connection="reset", at="after", times=1)
    for _ in range(2):
        await page.call("POST", "/v1/instances", INSTANCE)
    await page.sees("blind-create", ".finding")
    for words in ("Why it matters.", "What to do."):
        await page.sees(words, ".finding")
    await page.call("GET", "/v1/instances?limt=5")
    await page.sees("/openapi.json", ".finding p code")
    assert "`" not in await page.tab.locator(".findings, main").first.inner_text()
    await page.tab.locator(".finding a", has_text="#1").click()
    await page.sees("The client got no answer", ".detail")
    await page.tab.locator(".tabs [aria-current=page]", has_text="Requests").wait_for()
