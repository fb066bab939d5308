"""Answers that come late show a moment that has passed, and must not overwrite what events have told since then."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cnx_mock import MockServer, Sandbox
from tests.conftest import INSTANCE, Client, wire_to
from tests.dashboard.conftest import LivePage
from tests.dashboard.late import late, read

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

Opener = Callable[..., Awaitable[LivePage]]


async def test_what_events_have_told_stays_when_older_answers_come(page: LivePage, sandbox: Sandbox) -> None:
    old = sandbox.instances.add(name="old-1")
    sandbox.instances.add(name="kept-1")
    sandbox.inject("plans.list", error="INTERNAL_ERROR", times=1, id="once")
    async with late(page, "instances", "clock", "account", "rules", "scenario") as answers:
        await page.open("world", sandbox.id)
        await answers.given()
        await page.call("POST", "/v1/instances", {**INSTANCE, "name": "new-1"})
        await page.call("DELETE", f"/v1/instances/{old.id}")
        sandbox.clock.freeze()
        await page.sees("new-1", ".instances .row")
        await page.sees("frozen", ".vitals")
    await read(page)
    await page.sees("kept-1", ".instances .row")
    await page.sees("new-1", ".instances .row")
    assert await page.tab.locator(".instances .row", has_text="old-1").count() == 0
    await page.sees("frozen", ".vitals")


async def test_the_list_of_sandboxes_does_not_go_back(own_server: MockServer, opened: Opener) -> None:
    one, two = own_server.sandbox(name="one"), own_server.sandbox(name="two")
    page = await opened(own_server.url, Client(own_server.url, one.api_key))
    await page.open()
    await read(page)
    async with late(page, "sandboxes", times=1) as answers:
        two.instances.add(name="web-1")  # with it the list is read again
        await answers.given()
        own_server.sandbox(name="three")
        await page.sees("three", ".chooser")
        await asyncio.to_thread(Client(own_server.url).delete, f"/_mock/sandboxes/{one.id}")
        await page.until("() => !document.querySelector('.chooser').textContent.includes('one')")
    await page.sees("1", ".vital:has-text('Instances')")
    names = await page.tab.locator(".chooser option").all_inner_texts()
    assert sorted(name.split(" · ")[-1] for name in names) == ["All sandboxes (2)", "three", "two"]


async def test_a_request_that_was_under_way_stays_complete(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.inject("plans.list", connection="hang")
    head = f"GET /v1/plans HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {sandbox.api_key}\r\n\r\n"
    with wire_to(page.url) as wire:
        wire.sendall(head.encode())
        await page.eventually("/requests", lambda found: len(found["data"]) == 1)
        async with late(page, "requests?**") as answers:
            await page.open(sandbox=sandbox.id)
            await answers.given()
            wire.close()
            await page.sees("cut", ".requests .row")
    await read(page)
    await page.sees("cut", ".requests .row")


async def test_of_two_answers_the_one_that_was_asked_for_last_counts(page: LivePage, sandbox: Sandbox) -> None:
    await page.open("world", sandbox.id)
    await read(page)
    async with late(page, "usage", times=1) as answers:
        sandbox.account.balance = "$50.00"
        await answers.given()
        sandbox.account.balance = "$7.50"
        await page.sees("$7.50", ".cards")
    await page.sees("$7.50", ".cards")
