"""`make soak`: a real server under clients that misbehave, for a few minutes, on this machine alone.

    python tests/soak/soak.py --seconds 240 --keys 20000 --seed 0

Clients vanish, read slowly, say nothing; sandboxes are reset and the scenario is reloaded while requests are under way;
thousands of keys come and go under a bound. At the end it prints what it measured, and leaves with status 1 if memory
grew after the warm-up, if something was written to the log, if a request got stuck, if a journal has an open entry, or
if a counter is wrong.
"""

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SANDBOXES = 500
SECONDS_FOR_AN_ANSWER = 30
KEYS_AT_ONCE = 50
GROWTH = 1.10
"""How much larger the memory may be at the end than after the warm-up."""

STORY = """
name: soak
world: {{rate_limit: 1000000/min}}
rules:
  - {{id: errors, match: {{operation: instances.list}}, probability: 0.1, fault: {{error: INTERNAL_ERROR}}}}
  - {{id: resets, match: {{operation: plans.list}}, probability: {resets}, fault: {{connection: reset}}}}
  - {{id: slow, match: {{operation: images.list}}, probability: 0.2, fault: {{latency: 50ms}}}}
"""
CALLS = ("/v1/instances", "/v1/plans", "/v1/images", "/v1/instances?per_page=100", "/v1/no-such-thing")


class Soak:
    """One run: the server, the clients, and what they count."""

    def __init__(self, folder: Path, seed: int, keys: int) -> None:
        self.story = folder / "story.yaml"
        self.log = folder / "stderr"
        self.random = random.Random(seed)
        self.keys = keys
        self.next_key = 0
        self.is_over = False
        """Whether the time is up: nobody begins anything whose answers are counted."""
        self.counts: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        """Requests of each of the keys that are never reset."""
        self.memory: list[tuple[float, float]] = []
        """Seconds since the start, and MB."""
        self.problems: list[str] = []
        self.write_story(0.02)
        options = [
            "--port",
            "0",
            "--json",
            "--quiet",
            "--watch",
            "--scenario",
            str(self.story),
            "--fixture",
            "small-team",
        ]
        bounds = [
            "--max-sandboxes",
            str(SANDBOXES),
            "--journal-size",
            "200",
            "--journal-total-bytes",
            str(16 * 1024**2),
        ]
        command = [sys.executable, "-m", "cnx_mock", "serve", *options, *bounds, "--read-timeout", "5"]
        with self.log.open("w") as log:
            self.server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.server.stdout is not None
        address = urlsplit(json.loads(self.server.stdout.readline())["url"])
        self.host, self.port = str(address.hostname), address.port

    def write_story(self, resets: float) -> None:
        """Write the scenario, which the server then reloads."""
        new = self.story.with_suffix(".new")
        new.write_text(STORY.format(resets=resets))
        new.replace(self.story)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Connect, and close the connection at the end. A reset is not an error."""
        with suppress(ConnectionError):
            reader, writer = await asyncio.open_connection(self.host, self.port, limit=4096)
            try:
                yield reader, writer
            finally:
                writer.close()

    async def call(self, method: str, path: str, key: str | None = None, body: object = None) -> tuple[int, Any]:
        """Return the status and the JSON of an answer; (0, None) if the connection was reset. A request that is stuck
        is a problem."""
        data = b"" if body is None else json.dumps(body).encode()
        head = request_head(method, path, key, last=True, length=len(data))
        try:
            answer = b""
            async with asyncio.timeout(SECONDS_FOR_AN_ANSWER), self.connected() as (reader, writer):
                writer.write(head.encode() + data)
                answer = await reader.read()
        except TimeoutError:
            self.problems.append(f"{method} {path} got stuck")
            return 0, None
        status = int(answer[9:12] or b"0")
        text = answer.partition(b"\r\n\r\n")[2]
        return status, json.loads(text) if text else None

    async def well_behaved(self, key: str) -> None:
        """One call after the other, all of them counted."""
        while True:
            self.sent[key] += 1
            status, _ = await self.call("GET", self.random.choice(CALLS), key)
            self.counts[f"status {status}" if status else "reset by a fault"] += 1
            await asyncio.sleep(0.02)

    async def vanishing(self) -> None:
        """Begin something, and vanish in the middle."""
        beginnings = (
            b"GET /v1/pla",
            b"POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{",
            b"POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
            b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20,
            b"\x16\x03\x01",
            b"",
        )
        while True:
            async with self.connected() as (_, writer):
                writer.write(self.random.choice(beginnings))
                await asyncio.sleep(self.random.random() / 5)
                if self.random.random() < 0.5:
                    writer.transport.abort()
            self.counts["vanished"] += 1

    async def slow_reader(self) -> None:
        """Ask for much, read little, and leave after a while."""
        while True:
            async with self.connected() as (reader, writer):
                writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10)
                for _ in range(self.random.randrange(20)):
                    await reader.read(4096)
                    await asyncio.sleep(0.05)
            self.counts["read slowly"] += 1

    async def idle(self) -> None:
        """Connect, and say nothing for some seconds."""
        while True:
            async with self.connected():
                await asyncio.sleep(self.random.uniform(1, 5))
            self.counts["idle"] += 1

    async def resets_and_reloads(self, key: str) -> None:
        """Reset a sandbox while its requests are under way, and let the scenario be reloaded."""
        while True:
            calls = [self.call("GET", "/v1/images", key) for _ in range(5)]
            status, _ = (await asyncio.gather(*calls, self.call("POST", "/_mock/reset", key)))[-1]
            if status != 200:
                self.problems.append(f"a reset was answered with {status}")
            self.write_story(self.random.choice((0.01, 0.02, 0.03)))
            self.counts["resets and reloads"] += 1
            await asyncio.sleep(0.2)

    async def many_keys(self) -> None:
        """New keys, many to a connection. When there is no room for more, give back those that were idle longest."""
        while self.next_key < self.keys and not self.is_over:
            keys = range(self.next_key + 1, self.next_key + 1 + KEYS_AT_ONCE)
            self.next_key = keys[-1]
            statuses = await self.batch([("GET", "/v1/instances", f"{key:032x}") for key in keys])
            self.counts["keys"] += len(statuses)
            self.counts["sandboxes refused"] += statuses.count(429)
            if 429 in statuses:
                await self.make_room()

    async def make_room(self) -> None:
        """Give back half of the sandboxes, without those of the other clients."""
        _, listed = await self.call("GET", "/_mock/sandboxes")
        others = [each["id"] for each in listed["data"] if not each["last4"].startswith("ff")]
        deletions = [("DELETE", f"/_mock/sandboxes/{each}", None) for each in others[: SANDBOXES // 2]]
        self.counts["sandboxes given back"] += (await self.batch(deletions)).count(200)

    async def batch(self, calls: Sequence[tuple[str, str, str | None]]) -> list[int]:
        """Send calls on one connection without waiting for answers. Return their statuses."""
        answer = b""
        try:
            async with asyncio.timeout(SECONDS_FOR_AN_ANSWER), self.connected() as (reader, writer):
                heads = [request_head(*call, last=call is calls[-1]) for call in calls]
                writer.write("".join(heads).encode())
                answer = await reader.read()
        except TimeoutError:
            self.problems.append(f"{len(calls)} requests got stuck")
        statuses = [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]
        if len(statuses) != len(calls):
            self.problems.append(f"{len(statuses)} of {len(calls)} requests were answered")
        return statuses

    async def sample(self, begun: float) -> None:
        """Note the server's memory every second."""
        while True:
            self.memory.append((time.monotonic() - begun, resident(self.server.pid)))
            await asyncio.sleep(1)

    async def run(self, seconds: float) -> None:
        """Run all clients for so long, then check everything."""
        good = [f"{number:028x}ff{number:02x}" for number in range(4)]
        clients = [self.well_behaved(key) for key in good]
        clients += [self.vanishing() for _ in range(4)] + [self.slow_reader() for _ in range(4)]
        clients += [self.idle() for _ in range(50)]
        clients += [self.resets_and_reloads(f"{'e' * 28}ffee"), self.sample(time.monotonic())]
        keys = asyncio.create_task(self.many_keys())
        tasks = [keys, *(asyncio.create_task(client) for client in clients)]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        self.is_over = True
        await asyncio.wait([keys])  # its answers are counted, here and by the server
        self.problems += [f"a client failed: {each.exception()!r}" for each in done if each.exception()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.check(good)

    async def check(self, good: list[str]) -> None:
        """Note everything that is wrong when all clients have gone."""
        for _ in range(100):
            _, health = await self.call("GET", "/_mock/health")
            bounds = {each["option"]: each for each in health["bounds"]}
            if bounds["--max-connections"]["used"] <= 1:
                break
            await asyncio.sleep(0.2)
        else:
            self.problems.append(f"{bounds['--max-connections']['used']} connections never ended")
        _, listed = await self.call("GET", "/_mock/sandboxes")
        seen = {each["last4"]: each["requests"] for each in listed["data"]}
        for key in good:  # the last request of each may have been cancelled before it was sent
            if seen.get(key[-4:], 0) not in (self.sent[key], self.sent[key] - 1):
                self.problems.append(f"{key[-4:]} has {seen.get(key[-4:])} requests, and {self.sent[key]} were sent")
        _, journals = await self.call("GET", "/_mock/journals")
        entries = [entry for journal in journals["data"] for entry in journal["requests"]]
        is_open = [entry["request_id"] for entry in entries if entry["duration_ms"] is None]
        if is_open:
            self.problems.append(f"{len(is_open)} journal entries are not complete, such as {is_open[0]}")
        if bounds["--max-sandboxes"]["used"] != len(listed["data"]):
            self.problems.append("health counts other sandboxes than the list has")
        if bounds["--max-sandboxes"]["refused"] != self.counts["sandboxes refused"]:
            self.problems.append(f"health counts {bounds['--max-sandboxes']['refused']} refused sandboxes")
        for option, bound in bounds.items():
            if bound["used"] > bound["limit"]:
                self.problems.append(f"{option} is {bound['used']}, above {bound['limit']}")
        self.counts["journal entries at the end"] = len(entries)

    def stop(self) -> None:
        """Stop the server, and look at what it has written."""
        self.server.terminate()
        try:
            status = self.server.wait(10)
        except subprocess.TimeoutExpired:
            self.server.kill()
            status = self.server.wait()
        if status != 0:
            self.problems.append(f"the server ended with status {status}")
        log = self.log.read_text()
        if "Traceback" in log or "please report" in log or "Exception" in log:
            self.problems.append(f"the server wrote:\n{log[-3000:]}")

    def growth(self) -> tuple[float, float]:
        """Return the memory after the warm-up, which is the first half, and at the end, in MB."""
        third = max(1, len(self.memory) // 6)
        middle = [mb for _, mb in self.memory[len(self.memory) // 2 :][:third]]
        end = [mb for _, mb in self.memory[-third:]]
        return sum(middle) / len(middle), sum(end) / len(end)


def request_head(method: str, path: str, key: str | None, *, last: bool, length: int = 0) -> str:
    """Return the head of a request. `last` says that its connection ends after it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {length}"]
    lines += [] if key is None else [f"Authorization: Bearer cnx_test_{key}"]
    lines += ["Connection: close"] if last else []
    return "\r\n".join([*lines, "", ""])


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(shown.stdout) / 1024


def main() -> int:
    """Run, print the figures, and return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), given.seed, given.keys)
        try:
            asyncio.run(soak.run(given.seconds))
        finally:
            soak.stop()
    before, after = soak.growth()
    if after > before * GROWTH:
        soak.problems.append(f"the memory grew from {before:.1f} MB to {after:.1f} MB")
    print(
        f"seed {given.seed}, {given.seconds:g} s; memory {before:.1f} MB after the warm-up, {after:.1f} MB at the end"
    )
    curve = [mb for _, mb in soak.memory][:: max(1, len(soak.memory) // 12)]
    print(f"  memory over time: {' '.join(f'{mb:.0f}' for mb in curve)} MB")
    for name, count in sorted(soak.counts.items()):
        print(f"  {count:>8,}  {name}")
    for problem in soak.problems:
        print(f"PROBLEM: {problem}")
    print("it holds" if not soak.problems else f"{len(soak.problems)} problems")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
