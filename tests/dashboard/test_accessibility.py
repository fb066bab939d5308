"""axe-core judges each view in both themes and both widths: nothing serious, nothing critical. And screenshots of them,
in build/screenshots, for people to look at."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]

from cnx_mock import MockServer, Sandbox
from tests.conftest import INSTANCE, Client
from tests.dashboard.conftest import PHONE, WIDE, LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
STORY = {
    "name": "checkout-storm",
    "description": "A calm start, a storm of errors, and a slow recovery.",
    "phases": [{"name": "calm", "for": "2m"}, {"name": "storm", "for": "1m"}, {"name": "recovery"}],
    "rules": [
        {"id": "storm-errors", "when": {"phase": "storm"}, "fault": {"error": "INTERNAL_ERROR"}},
        {"id": "slow-lists", "match": {"operation": "instances.list"}, "fault": {"latency": "40ms"}},
    ],
    "expect": {"fired": {"storm-errors": 3}},
}
FORWARD = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}


async def live(page: LivePage, sandbox: Sandbox) -> None:
    """A sandbox in which much has happened."""
    sandbox.use(STORY)
    made = [(await page.call("POST", "/v1/instances", {**INSTANCE, "name": f"web-{n}"})).json["id"] for n in range(4)]
    sandbox.clock.advance("100s")
    sandbox.instances.set_status(made[1], "stopped")
    balancer = {"name": "front", "regions": ["us-east-1"], "forwarding_rules": [FORWARD], "instance_ids": made[:3]}
    await page.call("POST", "/v1/network/load-balancers", balancer)
    await page.call("POST", "/v1/network/firewall", {"name": "office", "rules": [], "instance_ids": made[:1]})
    await page.call("POST", "/v1/snapshots", {"instance_id": made[0], "name": "before-upgrade"})
    sandbox.inject("instances.create", connection="reset", at="after", times=1, id="lost-create")
    for _ in range(2):
        await page.call("POST", "/v1/instances", {**INSTANCE, "name": "db-1"})
    for path in ("/v1/instances", "/v1/instances?status=running", f"/v1/instances/{made[0]}", "/v1/instances/inst_00"):
        await page.call("GET", path)
    await page.control("POST", "/story/jump", {"phase": "storm"})
    for path in ("/v1/plans", "/v1/regions"):
        await page.call("GET", path)


async def judge(page: LivePage, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.tab.screenshot(path=SCREENSHOTS / f"{name}.png")
    found = (await Axe().run(page.tab)).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in grave] == []


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["1280", "375"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_serious_in_any_view(
    opened: Callable[..., Awaitable[LivePage]],
    server: MockServer,
    api: Client,
    sandbox: Sandbox,
    theme: str,
    size: dict[str, int],
) -> None:
    page = await opened(server.url, api, size=size, theme=theme)
    await live(page, sandbox)
    ending = f"{size['width']}-{theme}"
    for view, css in (
        ("requests", ".requests .row"),
        ("world", ".gauge"),
        ("story", ".timeline"),
        ("time", "canvas"),
        ("audit", ".finding"),
    ):
        await page.open(view, sandbox.id)
        await page.tab.locator(css).first.wait_for()
        await judge(page, f"{view}-{ending}")
        overflow = await page.tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{view} is wider than the screen"
    await page.open("requests", sandbox.id, open=f"{sandbox.id}/1")
    await page.sees("What the rules decided", ".detail")
    await judge(page, f"request-{ending}")
    await page.button("Break this call").click()
    await page.button("Arm it").wait_for()
    await judge(page, f"arm-{ending}")
    await page.button("Cancel").click()
    server.sandbox(name="another")
    await page.open("world")
    await page.sees("of which sandbox?")
    await judge(page, f"choose-{ending}")


async def test_motion_is_reduced_for_who_wants_it(page: LivePage, sandbox: Sandbox) -> None:
    await page.tab.emulate_media(reduced_motion="reduce")
    await page.open("world", sandbox.id)
    moving = "() => document.getAnimations().length"
    assert await page.tab.evaluate(moving) == 0
