"""`make soak-page`: the live page beside a large world and steady traffic, and what an open page costs the server.

    python -m tests.soak.live_page --seconds 60 --rate 100 --instances 1000

Chromium opens the page, a client sends requests at a steady rate, and every few seconds the elements of the document
and the browser's heap are noted. Then the server's work for a request is measured without a page and with one open, in
turn: as time of the processor, because client, server and browser share the machine. It leaves with status 1 if the
document or the heap grows without a bound, or if an open page costs too much.
"""

import argparse
import asyncio
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from playwright.async_api import Page, async_playwright

KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--enable-precise-memory-info"]
NOTE_EVERY = 5.0
MOST_NODES = 3000
MOST_HEAP_MB = 60.0
MOST_LOSS = 0.10
"""The part of its throughput that a server may lose to one open page."""


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """A server of its own; its address, and its process."""
    command = [sys.executable, "-m", "cnx_mock", "serve", "--port", "0", "--json", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield str(json.loads(process.stdout.readline())["url"]), process.pid
        finally:
            process.terminate()


class Client:
    """One connection that sends requests one after the other."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def call(self, method: str, path: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text.decode()}")

    def steady(self, seconds: float, rate: float) -> int:
        """Send requests at a steady rate; how many there were."""
        began, sent = time.monotonic(), 0
        while (gone := time.monotonic() - began) < seconds:
            self.call("GET", "/v1/plans" if sent % 2 else "/v1/regions")
            sent += 1
            time.sleep(max(0.0, sent / rate - gone))
        return sent


def work(url: str, process: int) -> float:
    """Microseconds of the processor that the server needs for a request, while it gets as many as it can take."""
    began = processor_time(process)
    command = ["wrk", "-t1", "-c16", "-d6s", "-H", f"Authorization: Bearer {KEY}", f"{url}/v1/regions/us-east-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"(\d+) requests in", done.stdout)
    assert found, done.stdout
    return (processor_time(process) - began) / int(found[1]) * 1e6


def processor_time(process: int) -> float:
    """Seconds that a process has worked so far (Linux, proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def live_page(url: str, view: str) -> AsyncIterator[Page]:
    """The page in a chromium of its own."""
    async with async_playwright() as playwright:
        path = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=path, chromium_sandbox=False, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        await page.goto(f"{url}/_mock/#/{view}")
        await page.locator(".connection.live").wait_for(state="attached", timeout=60_000)
        yield page
        await browser.close()


async def noted(page: Page) -> tuple[int, float]:
    """The elements of the document, and the megabytes that its scripts hold after a collection of garbage."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    nodes = await page.evaluate("document.getElementsByTagName('*').length")
    heap = await page.evaluate("performance.memory.usedJSHeapSize")
    await session.detach()
    return int(nodes), heap / 1024**2


async def watched(url: str, view: str, seconds: float, rate: float) -> list[tuple[int, float]]:
    """What the page holds, again and again, while requests come in."""
    notes = []
    async with live_page(url, view) as page:
        sending = asyncio.create_task(asyncio.to_thread(Client(url).steady, seconds, rate))
        while not sending.done():
            await asyncio.wait([sending], timeout=NOTE_EVERY)
            notes.append(await noted(page))
        print(f"{view}: {await sending} requests in {seconds:.0f} s")
    for nodes, heap in notes:
        print(f"  {nodes:6} elements  {heap:6.1f} MB")
    return notes


async def cost(url: str, process: int, rounds: int) -> float:
    """The part of the throughput that is lost while a page is open."""
    without, beside = [], []
    await asyncio.to_thread(work, url, process)  # the first requests load what is loaded late
    for _ in range(rounds):
        without.append(await asyncio.to_thread(work, url, process))
        async with live_page(url, "requests"):
            await asyncio.sleep(5)  # until the page has read what it shows
            beside.append(await asyncio.to_thread(work, url, process))
    lost = 1 - median(without) / median(beside)
    print(f"a request: {median(without):.0f} µs without a page, {median(beside):.0f} µs with one: {lost:.1%} lost")
    return lost


def main() -> int:
    """Run it; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with server() as (url, process):
        client = Client(url)
        client.call("PATCH", "/_mock/account", {"rate_limit": "1000000/min"})
        for number in range(given.instances):
            client.call("POST", "/_mock/instances", {"name": f"web-{number}"})
        notes = asyncio.run(watched(url, "requests", given.seconds, given.rate))
        notes += asyncio.run(watched(url, "world", given.seconds / 4, given.rate))
        lost = asyncio.run(cost(url, process, given.rounds))
    problems = [f"{nodes} elements" for nodes, _ in notes if nodes > MOST_NODES]
    problems += [f"{heap:.0f} MB" for _, heap in notes if heap > MOST_HEAP_MB]
    problems += [f"{lost:.0%} of the throughput lost"] if lost > MOST_LOSS else []
    print("too much:", ", ".join(problems)) if problems else print("all within their bounds")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
