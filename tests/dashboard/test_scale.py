"""A large world and much traffic: the document stays small, and the page keeps a bounded number of requests."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from cnx_mock import MockServer, Sandbox, Settings
from tests.conftest import INSTANCE, Client, wire_to
from tests.dashboard.conftest import LivePage

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

MOST_NODES = 2500
"""Elements of the document, whatever happens on the server."""


async def nodes(page: LivePage) -> int:
    return int(await page.tab.evaluate("document.getElementsByTagName('*').length"))


async def test_a_thousand_instances_are_few_elements(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.load({"accounts": [{"instances": [{**INSTANCE, "name": f"web-{number}"} for number in range(1000)]}]})
    await page.open("world", sandbox.id)
    await page.sees("1,000", "[aria-label=Instances] h2")
    assert await nodes(page) < MOST_NODES
    await page.tab.locator(".instances").evaluate("box => { box.scrollTop = box.scrollHeight; }")
    await page.sees("web-999", ".instances .row")
    assert await nodes(page) < MOST_NODES


async def test_of_many_requests_the_newest_are_kept(page: LivePage) -> None:
    await page.open()
    kept = await page.tab.evaluate(
        """async () => {
            const { RequestLog, MOST } = await import("/_mock/ui/requests_log.js");
            const log = new RequestLog();
            const wall = "2026-01-01T00:00:00Z";
            const entry = { wall, method: "GET", path: "/", status: 200, duration_ms: 1, faults: [] };
            for (let seq = 1; seq <= 10_000; seq += 1) log.add("sbx_a", { ...entry, seq });
            return [log.items.length <= MOST + 200, log.byKey.size === log.items.length, log.items.at(-1).seq];
        }"""
    )
    assert kept == [True, True, 10_000]


async def test_a_page_that_cannot_follow_says_so_and_catches_up(opened: Callable[..., Awaitable[LivePage]]) -> None:
    with MockServer(settings=Settings(port=0, max_listener_events=10)) as server:
        sandbox = server.sandbox(name="busy")
        page = await opened(server.url, Client(server.url, sandbox.api_key))
        await page.open("requests", sandbox.id)

        with wire_to(server.url) as wire:  # all at once: however busy the machine is, they are too many
            wire.sendall(pipelined(200, sandbox.api_key))
            await page.sees("came faster than this page is told of them", ".notice")
            await page.until("() => document.querySelector('.scroll-space').offsetHeight === 200 * 30")
        await page.tab.close()


def pipelined(number: int, key: str) -> bytes:
    """So many calls, as bytes of one connection."""
    call = f"GET /v1/regions/us-east-1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
    return call.encode() * number


async def test_a_burst_leaves_a_small_document(page: LivePage, sandbox: Sandbox) -> None:
    sandbox.account.rate_limit = "100000/min"
    await page.open("requests", sandbox.id)

    def burst() -> None:
        for _ in range(500):
            page.api.get("/v1/regions/us-east-1")

    await asyncio.to_thread(burst)
    await page.call("GET", "/v1/plans")
    await page.sees("/v1/plans", ".requests .row")
    assert await nodes(page) < MOST_NODES
