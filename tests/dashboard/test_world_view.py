"""The view of the world: what is there, what it costs, how full the rate window is, and the controls beside it."""

import pytest

from cnx_mock import Sandbox
from tests.conftest import INSTANCE
from tests.dashboard.conftest import LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

FORWARD = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}
SSH = {"direction": "inbound", "action": "allow", "protocol": "tcp", "ports": "22", "cidrs": ["10.0.0.0/8"]}


async def test_everything_in_the_sandbox_is_there(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("world", sandbox.id)
    await page.sees("No instances")
    web = (await page.call("POST", "/v1/instances", {**INSTANCE, "name": "web-1"})).json
    await page.sees("web-1", ".instances .row")
    sandbox.clock.advance("2m")
    await page.sees("running", ".instances .row")
    ids = {"instance_ids": [web["id"]]}
    await page.call(
        "POST",
        "/v1/network/load-balancers",
        {"name": "front", "regions": ["us-east-1"], "forwarding_rules": [FORWARD], **ids},
    )
    await page.call("POST", "/v1/network/firewall", {"name": "office", "rules": [SSH], **ids})
    await page.call("POST", "/v1/snapshots", {"instance_id": web["id"], "name": "before-upgrade"})
    await page.sees("healthy web-1", "[aria-label='Load balancers'] td")
    await page.sees("http 80 → 8080", "[aria-label='Load balancers'] td")
    await page.sees("inbound allow tcp 22 10.0.0.0/8", "[aria-label=Firewalls] td")
    await page.sees("before-upgrade", "[aria-label=Snapshots] th")
    sandbox.instances.set_status(web["id"], "stopped")
    await page.sees("unhealthy web-1", "[aria-label='Load balancers'] td")
    await page.call("DELETE", f"/v1/instances/{web['id']}")
    await page.sees("No instances")


async def test_provisioning_goes_on_by_the_sandboxs_clock(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.clock.freeze()
    await page.control("PUT", "/rules/slow", {"fault": {"provisioning": "100s"}})
    await page.call("POST", "/v1/instances", INSTANCE)
    await page.open("world", sandbox.id)
    value = "([part]) => Number(document.querySelector('.instances [role=progressbar]').ariaValueNow) === part"
    await page.tab.locator(".instances [role=progressbar]").wait_for()
    await page.until(value, [0])
    sandbox.clock.advance("40s")
    await page.until(value, [40])
    sandbox.clock.advance("60s")
    await page.sees("running", ".instances .row")


async def test_a_fleet_is_filtered_and_an_instance_finished_stopped_and_started_by_a_click(
    page: LivePage, sandbox: Sandbox
) -> None:
    await page.control("PUT", "/rules/never", {"fault": {"provisioning": "never"}})
    await page.call("POST", "/v1/instances", {**INSTANCE, "name": "web-1"})
    await page.open("world", sandbox.id)
    await page.sees("never ready", ".instances .row")
    for button, status in (("Finish web-1", "running"), ("Stop web-1", "stopped"), ("Start web-1", "running")):
        await page.button(button).click()
        await page.sees(status, ".instances .row")
        assert sandbox.instances["web-1"].status == status
    for number in range(8):
        sandbox.instances.add(name=f"api-{number}", tags=["even" if number % 2 == 0 else "odd"])
    await page.until_count(".instances .row", 9)
    await page.tab.get_by_label("Filter the instances").fill("odd")
    await page.until_count(".instances .row", 4)


async def test_money_is_that_of_the_account_and_only_an_amount_changes_it(page: LivePage, sandbox: Sandbox) -> None:
    await page.call("POST", "/v1/instances", {**INSTANCE, "plan": "pro"})
    await page.open("world", sandbox.id)
    for words in ("$99.96", "$0.04/h", "$29.20 a month"):
        await page.sees(words, ".cards")
    await page.button("Change the account").click()
    await page.tab.get_by_role("textbox", name="Balance").fill("a lot")
    await page.button("Change it").click()
    await page.sees("balance", ".toast.bad")
    page.complaints.clear()  # the browser itself names every answer of 400 in its console
    await page.button("Change the account").click()
    await page.tab.get_by_role("textbox", name="Balance").fill("$7.50")
    await page.tab.get_by_label("Rate limit").fill("5/min")
    await page.button("Change it").click()
    await page.sees("$7.50", ".cards")
    await page.sees("of 5 used", ".gauge")
    account = await page.control("GET", "/account")
    assert (account["balance"], account["rate_limit"]) == ("$7.50", "5/min")


async def test_the_gauge_fills_and_counts_down(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.account.rate_limit = "3/min"
    await page.open("world", sandbox.id)
    await page.sees("no window is open", ".gauge")
    for _ in range(4):
        await page.call("GET", "/v1/plans")
    await page.sees("429 until it resets", ".gauge")
    meter = page.tab.get_by_role("meter")
    assert await meter.get_attribute("aria-valuenow") == "3"
    await page.sees("resets in", ".gauge")
    sandbox.clock.advance("61s")
    await page.sees("no window is open", ".gauge")
