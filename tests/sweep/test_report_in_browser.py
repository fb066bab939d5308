"""The reports in a real browser: a click on a cell opens its calls, and nothing is loaded from anywhere."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from cnx_mock.cli.run_report import html_page
from cnx_mock.sweep.journal import shown_calls
from cnx_mock.sweep.report.html import html_report
from tests.sweep.builders import report, resource, result
from tests.sweep.test_report import AGAIN, ENTRY, RESET

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
SEQUENCE = ({"sandbox": "#1", "seq": 1}, {"sandbox": "#1", "seq": 2})
RUN = {
    "command": ["deploy", "<img src=x onerror=alert(1)>"],
    "exit_status": 0,
    "command_status": 0,
    "duration_ms": 300.0,
    "seed": 0,
    "scenario": ["lost-response"],
    "requests_before_second_run": 0,
    "journal": [{**each, **more} for each, more in zip((ENTRY, AGAIN), SEQUENCE, strict=True)],
    "findings": [],
    "summary": {"requests": 2, "statuses": {"cut": 1, "201": 1}, "faults": [], "left": [], "unmet": ["<b>web</b>"]},
}


async def test_a_click_on_a_cell_opens_its_calls_beside_those_without_a_fault(browser: Browser, tmp_path: Path) -> None:
    left = result(RESET, "duplicated", left=[resource("web-1")] * 2, journal=shown_calls([ENTRY, AGAIN]))
    swept = report(left)
    swept.sweep.fault_free_journal = shown_calls([AGAIN])
    (tmp_path / "sweep.html").write_bytes(html_report(swept))
    (tmp_path / "run.html").write_bytes(html_page(RUN))

    loaded: list[str] = []
    complaints: list[str] = []
    page = await browser.new_page(viewport={"width": 375, "height": 800})
    page.on("request", lambda request: loaded.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto((tmp_path / "sweep.html").as_uri())
    cell = page.locator("section.cell")
    seen = [await cell.is_visible()]
    await page.click(".matrix td a")
    seen.append(await cell.is_visible())
    await page.click("section.cell header a")
    seen.append(await cell.is_visible())
    width = await page.evaluate("document.documentElement.scrollWidth")
    await page.goto((tmp_path / "run.html").as_uri())
    seen.append(await page.locator("text=created inst_1, and the answer was lost").is_visible())
    assert width == await page.evaluate("document.documentElement.scrollWidth") == 375
    await page.close()
    assert seen == [False, True, False, True]
    assert all(url.startswith("file://") for url in loaded)
    assert complaints == []
