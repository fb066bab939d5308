"""axe-core judges each view in both themes and both widths: nothing serious, nothing critical. `make test-long` also
takes screenshots of them, in build/screenshots, for people to look at."""

from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]

from cnx_mock import MockServer, Sandbox
from tests.cases import rounds
from tests.conftest import INSTANCE
from tests.dashboard.conftest import PHONE, WIDE, LivePage, Theme

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
PICTURES = rounds(0, 1)
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
GRAVE = """async ([within, rules]) => {
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    const asked = axe._audit.rules.filter(({ id, impact }) =>
        ["serious", "critical"].includes(impact) && (!rules || rules.includes(id)));
    const mild = axe._audit.rules.filter((rule) => !asked.includes(rule));
    const { violations } = await axe.run(within, {
        rules: Object.fromEntries(mild.map(({ id }) => [id, { enabled: false }])),
        resultTypes: ["violations"],
        preload: false,
    });
    return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}"""
"""What is serious or critical in a part of the page. The other rules of axe are not asked: they take a quarter of the
time. Nor does axe load the page's style sheets once more: no rule that is asked reads them."""
RULES: dict[Theme, list[str] | None] = {"light": None, "dark": ["color-contrast", "link-in-text-block"]}
"""Which of axe's rules are asked in a theme: the dark one differs in nothing but its colours."""
FORWARD = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}


async def live(page: LivePage, sandbox: Sandbox) -> None:
    """A sandbox in which much has happened."""
    sandbox.use(STORY)
    made = [(await page.call("POST", "/v1/instances", {**INSTANCE, "name": "web-0"})).json["id"]]
    made += [sandbox.instances.add(name=f"web-{number}").id for number in range(1, 4)]
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


WIDER = """[document.documentElement, ...document.querySelectorAll("main, .view, .pane")]
    .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.className)"""
"""What is wider than its place. (A table can be: it has a place of its own, in which it is scrolled.)"""


async def judge(page: LivePage, name: str, within: str = "main") -> None:
    """Judge a part of what is shown, in both widths and both themes, in which it must not be wider than the screen."""
    if not await page.tab.evaluate("'axe' in window"):  # to load it takes longer than to judge most views
        await page.tab.evaluate(Axe().axe_script)
    for size, theme in product((WIDE, PHONE), RULES):
        await page.look(size, theme)
        shown = f"{name}-{size['width']}-{theme}"
        if PICTURES:
            await page.tab.screenshot(path=SCREENSHOTS / f"{shown}.png")
        assert await page.tab.evaluate(GRAVE, [within, RULES[theme]]) == [], shown
        assert await page.tab.evaluate("document.documentElement.dataset.theme") == theme
        await page.until(f"() => !{WIDER}.length")  # a chart takes its new width a moment later
    await page.look(WIDE, "light")


@pytest.mark.judge
async def test_nothing_serious_in_any_view(page: LivePage, server: MockServer, sandbox: Sandbox) -> None:
    """The frame is the same in each view: it is judged with the first."""
    await live(page, sandbox)
    for view, css, within in (
        ("requests", ".requests .row", "html"),
        ("world", ".gauge", "main"),
        ("story", ".timeline", "main"),
        ("time", "canvas", "main"),
        ("audit", ".finding", "main"),
    ):
        await page.open(view, sandbox.id)
        await page.tab.locator(css).first.wait_for()
        await judge(page, view, within)
    await page.open("requests", sandbox.id, open=f"{sandbox.id}/1")
    await page.sees("What the rules decided", ".detail")
    await judge(page, "request", ".detail")
    await page.button("Break this call").click()
    await page.button("Arm it").wait_for()
    await judge(page, "arm", "dialog")
    await page.button("Cancel").click()
    server.sandbox(name="another")
    await page.open("world")
    await page.sees("of which sandbox?")
    await judge(page, "choose")
    await page.open("audit")
    await page.sees(sandbox.api_key[-4:], "h2")
    await judge(page, "audits")


async def test_motion_is_reduced_for_who_wants_it(page: LivePage, sandbox: Sandbox) -> None:
    await page.look(WIDE, "light", motion="reduce")
    await page.open("world", sandbox.id)
    moving = "() => document.getAnimations().length"
    assert await page.tab.evaluate(moving) == 0
