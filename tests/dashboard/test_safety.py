"""What a client sends is text on the page and stays text, whatever it is; and the page asks nobody but its server."""

import asyncio

import pytest

from cnx_mock import Sandbox
from tests.conftest import INSTANCE
from tests.dashboard.conftest import LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

MARKUP = "<img src=x onerror=alert(1)>"
ESCAPES = "\x1b]0;owned\x07\x1b[31mred"
TURNED = "\u202egnirts"
VIEWS = {"requests": ".requests .row", "world": ".gauge", "story": ".rules", "time": "canvas", "audit": "h1"}
"""Each view, and what is there when it is complete."""


async def send_everything(page: LivePage, sandbox: Sandbox) -> None:
    """A body, a header, a path, a query, a tag, an injected message and a rule, all of them hostile."""
    sandbox.inject("plans.list", error="INTERNAL_ERROR", message=f"{MARKUP}{ESCAPES}", id="message")
    await page.control("POST", "/rules", {"match": {"header": {"X-A": MARKUP}}, "fault": {"latency": "1ms"}})
    await page.control(
        "PUT",
        "/scenario",
        {"name": "hostile", "description": MARKUP + TURNED, "phases": [{"name": "one"}], "rules": []},
    )
    await page.call("GET", "/v1/plans", headers={"X-A": MARKUP, "X-B": "'\"><script>alert(1)</script>"})
    await page.call("POST", "/v1/instances", {**INSTANCE, "name": MARKUP, "plan": ESCAPES, "image": TURNED})
    await page.call("GET", "/v1/%3Cimg%20src=x%20onerror=alert(1)%3E?q='\"><img/src=x>")
    await page.call("POST", "/v1/instances", {**INSTANCE, "tags": ["javascript:alert(1)"]})


async def test_hostile_text_stays_text_in_every_view(page: LivePage, sandbox: Sandbox) -> None:
    dialogs: list[str] = []

    async def seen(dialog: object) -> None:
        dialogs.append(str(dialog))

    page.on("dialog", seen)
    await send_everything(page, sandbox)
    entries = (await page.control("GET", "/requests"))["data"]
    for view, css in VIEWS.items():
        await page.open(view, sandbox.id)
        await page.tab.locator(css).first.wait_for()
        assert await page.tab.locator("main img, main script, .vitals img").count() == 0
    for entry in entries:
        await page.open("requests", sandbox.id, open=f"{sandbox.id}/{entry['seq']}")
        await page.sees("What the rules decided", ".detail")
        assert await page.tab.locator("main img, main script").count() == 0
        words = await page.tab.locator(".detail").inner_text()
        assert not {"\x1b", "\x07", "\u202e"} & set(words)
    await page.open("requests", sandbox.id, open=f"{sandbox.id}/1")
    await page.sees(MARKUP, ".detail .headers")
    await page.sees(MARKUP, ".detail pre")
    await page.sees("\\u001b", ".detail pre")
    assert dialogs == []


async def test_bytes_that_are_no_json_are_shown_with_signs(page: LivePage, sandbox: Sandbox) -> None:
    headers = {"Content-Type": "application/json"}
    await page.call("POST", "/v1/instances", raw=f"{ESCAPES}{TURNED}{MARKUP}".encode(), headers=headers)
    await page.open("requests", sandbox.id, open=f"{sandbox.id}/1")
    await page.sees("␛]0;owned␇␛[31mred\\u202egnirts<img", ".detail pre")
    assert await page.tab.locator("main img").count() == 0


async def test_the_policy_forbids_what_is_inline(page: LivePage) -> None:
    reply = await asyncio.to_thread(page.api.get, "/_mock/")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"<script>" not in reply.body
    assert b"style=" not in reply.body
    assert b"onclick" not in reply.body
