"""The view of the story: a scenario is started, its phases are seen and begun, rules are armed, removed and saved."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnx_mock import Sandbox
from tests import commands
from tests.dashboard.conftest import LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

STORY = {
    "name": "three-acts",
    "description": "Calm, storm, and after.",
    "phases": [{"name": "calm", "for": "100s"}, {"name": "storm", "until": {"requests": 4}}, {"name": "after"}],
    "rules": [{"id": "down", "when": {"phase": "storm"}, "fault": {"error": "INTERNAL_ERROR"}}],
    "expect": {"fired": {"down": 4}},
}
NOW = ".timeline [aria-current=step]"


async def test_a_scenario_is_started_and_removed_and_need_not_have_a_description(
    page: LivePage, sandbox: Sandbox
) -> None:
    await page.open("story", sandbox.id)
    await page.sees("No scenario")
    await page.tab.get_by_label("Scenario of the gallery").select_option("flapping")
    await page.button("Start").click()
    await page.sees("Twenty seconds up, ten seconds down")
    assert (await page.control("GET", "/scenario"))["name"] == "flapping"
    await page.tab.get_by_label("Scenario", exact=True).get_by_role("button", name="Remove", exact=True).click()
    await page.sees("No fault is active")
    assert (await page.control("GET", "/scenario"))["name"] == "none"
    sandbox.use({"name": "bare", "rules": []})
    await page.sees("bare", "h2")
    assert "" not in await page.tab.locator("section[aria-label=Scenario] > p").all_inner_texts()


async def test_the_timeline_shows_now_and_a_click_begins_a_phase(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.clock.freeze()
    sandbox.use(STORY)
    await page.open("story", sandbox.id)
    await page.sees("calm", NOW)
    await page.sees("in 1 min 40 s")
    sandbox.clock.advance("40s")
    await page.sees("in 1 min", ".figures")
    await page.button("Begin phase storm now").click()
    await page.sees("storm", NOW)
    assert (await page.control("GET", "/story"))["index"] == 1
    assert (await page.call("GET", "/v1/plans")).status == 500
    await page.sees("after 3 more requests")
    for _ in range(3):
        await page.call("GET", "/v1/plans")
    await page.sees("after", NOW)


async def test_rules_count_and_say_why_they_have_not_fired(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.use(STORY)
    sandbox.inject("plans.list", error="INTERNAL_ERROR", id="often")
    await page.open("story", sandbox.id)
    await page.sees("Has not fired: no request came", ".rules")
    await page.sees("down fired 0 times, not 4", ".lines")
    await page.call("GET", "/v1/plans")
    row = page.tab.locator(".rules tr", has_text="often")
    await row.locator(".fired-count", has_text="1").wait_for()
    await page.button("Remove often").click()
    await row.wait_for(state="detached")
    assert [rule["id"] for rule in (await page.control("GET", "/rules"))["data"]] == ["down"]


async def test_what_where_how_often_and_when_can_be_changed_first(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("story", sandbox.id)
    await page.button("Arm a fault").click()
    label = page.tab.get_by_label
    await label("What").select_option("connection=reset")
    await label("Where").first.select_option("instances.create")
    await label("How often").first.select_option("2")
    await label("When").first.select_option("after")
    await page.button("Arm it").click()
    await page.sees("Armed inject-1")
    [rule] = (await page.control("GET", "/rules"))["data"]
    assert rule["rule"] == {
        "id": "inject-1",
        "match": {"operation": "instances.create"},
        "times": 2,
        "at": "after",
        "fault": {"connection": "reset"},
    }


VALUES: list[tuple[str, str | None, dict[str, Any]]] = [
    ("status", "418", {"status": 418}),
    ("body=truncate", '{"truncate": 0.25}', {"body": {"truncate": 0.25}}),
    ("error=RATE_LIMITED", None, {"error": "RATE_LIMITED"}),
]


async def test_a_fault_takes_a_value_and_a_wrong_one_is_refused_in_the_dialog(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("story", sandbox.id)
    await page.button("Arm a fault").click()
    await page.tab.get_by_label("What").select_option("latency")
    await page.tab.get_by_label("Value").fill("soon")
    await page.button("Arm it").click()
    await page.sees("latency", "dialog [role=alert]")
    assert (await page.control("GET", "/rules"))["data"] == []
    page.complaints.clear()  # the browser itself names every answer of 400 in its console
    await page.tab.get_by_label("Value").fill("1500ms")
    await page.button("Arm it").click()
    await page.sees("inject-1", ".rules")
    for number, (what, value, _) in enumerate(VALUES, start=2):
        await page.button("Arm a fault").click()
        await page.tab.get_by_label("What").select_option(what)
        if value is not None:
            await page.tab.get_by_label("Value").fill(value)
        await page.button("Arm it").click()
        await page.sees(f"inject-{number}", ".rules")
    rules = {each["id"]: each["rule"]["fault"] for each in (await page.control("GET", "/rules"))["data"]}
    wanted = [{"latency": "1500ms"}, *(fault for _, _, fault in VALUES)]
    assert rules == {f"inject-{number}": fault for number, fault in enumerate(wanted, start=1)}


async def test_what_was_clicked_together_is_a_file_that_is_accepted(
    page: LivePage, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.use(STORY)
    await page.open("story", sandbox.id)
    await page.button("Arm a fault").click()
    await page.button("Arm it").click()
    await page.sees("inject-1", ".rules")
    await page.button("Save as YAML").click()
    async with page.tab.expect_download() as coming:
        await page.button("Download").click()
    saved = await coming.value
    path = tmp_path / saved.suggested_filename
    await saved.save_as(path)
    done = await asyncio.to_thread(
        commands.run, [commands.COMMAND, "scenarios", "check", path], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = yaml.safe_load(path.read_text())
    assert [rule["id"] for rule in written["rules"]] == ["inject-1", "down"]
    await page.button("Copy").click()
    await page.sees("Copied three-acts.yaml")
    assert yaml.safe_load(await page.clipboard()) == written
