"""`make bench`: how many requests a second the mock answers, as a share of what a bare ASGI app answers.

The mock runs in the world of world.yaml (journal on, ten rules that never fire); bare.py answers the same bytes. Both
are pinned to one core, wrk to another. Rounds alternate, so that a noisy host hits both alike: compare the ratios
(medians of the rounds' own ratios), not the absolute numbers.
"""

import argparse
import http.client
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
KINDS = ("list", "get", "create")
SEEDED = 20  # the default page
EXAMPLE = {
    "name": "prod-api-01",
    "plan": "pro",
    "region": "us-east-1",
    "image": "ubuntu-22.04-lts",
    "tags": ["web", "production"],
}


class Failure(Exception):
    """Something that makes the numbers worthless, in one line."""


def pinned(core: int | None, *command: object) -> list[str]:
    return [*(["taskset", "--cpu-list", str(core)] if core is not None else []), *map(str, command)]


def two_cores() -> tuple[int | None, int | None]:
    """A core for the servers and another for wrk; (None, None) where a process cannot be pinned."""
    if not hasattr(os, "sched_getaffinity") or not shutil.which("taskset"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[-1]) if len(cores) > 1 else (None, None)


@contextmanager
def running(command: list[str], what: str) -> Iterator[dict[str, Any]]:
    """The server's ready line, while it runs."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        too_late = threading.Timer(15, process.kill)
        too_late.start()
        try:
            line = process.stdout.readline()
            too_late.cancel()
            if not line.strip():
                log.seek(0)
                raise Failure(f"{what} did not start: {log.read().strip() or 'no word from it within 15 s'}")
            yield json.loads(line)
        finally:
            too_late.cancel()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


@dataclass
class Mock:
    url: str
    key: str

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, list[tuple[str, str]], str]:
        at = urlsplit(self.url)
        connection = http.client.HTTPConnection(at.hostname or "127.0.0.1", at.port, timeout=10)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.status, response.getheaders(), response.read().decode()
        finally:
            connection.close()
        if answer[0] >= 400:
            raise Failure(f"{method} {path} answered {answer[0]}: {answer[2]}")
        return answer

    def fresh(self) -> str:
        """A world of 20 running instances; returns the id of one."""
        self.call("POST", "/_mock/reset")
        for _ in range(SEEDED):
            answer = self.call("POST", "/v1/instances", EXAMPLE)
        self.call("POST", "/_mock/clock/advance", {"by": "2m"})  # provisioned: the answers have all their fields
        return str(json.loads(answer[2])["id"])

    def answers(self, instance: str) -> dict[str, Any]:
        """What the mock says, for the bare app to repeat (uvicorn adds the date by itself)."""
        calls = {
            "list": self.call("GET", "/v1/instances"),
            "get": self.call("GET", f"/v1/instances/{instance}"),
            "create": self.call("POST", "/v1/instances", EXAMPLE),
        }
        captured = {}
        for kind, (status, headers, body) in calls.items():
            kept = [(name, value) for name, value in headers if name.lower() not in ("date", "connection")]
            captured[kind] = [status, kept, body]
        return captured


@dataclass
class Round:
    rate: float
    p99_ms: float


@dataclass
class Wrk:
    path: str
    core: int | None
    connections: int
    key: str

    def measure(self, kind: str, url: str, instance: str, seconds: int) -> Round:
        path = f"/v1/instances/{instance}" if kind == "get" else "/v1/instances"
        script = ["-s", HERE / "create.lua"] if kind == "create" else []
        options = [
            "-t1",
            f"-c{self.connections}",
            f"-d{seconds}s",
            "--latency",
            "-H",
            f"Authorization: Bearer {self.key}",
        ]
        command = pinned(self.core, self.path, *options, *script, url + path)
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=False)
        return self.read(done.stdout + done.stderr, kind)

    @staticmethod
    def read(output: str, kind: str) -> Round:
        rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
        p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", output)
        trouble = re.search(r"Non-2xx.*|Socket errors.*", output)
        if trouble or not rate or not p99 or not float(rate[1]):
            raise Failure(f"wrk on {kind}: {trouble[0] if trouble else output.strip()}")
        return Round(float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[p99[2]])


@dataclass
class Results:
    mock: list[Round] = field(default_factory=list)
    bare: list[Round] = field(default_factory=list)

    def row(self) -> str:
        ratio = median(mock.rate / bare.rate for mock, bare in zip(self.mock, self.bare, strict=True))
        rates = [median(r.rate for r in rounds) for rounds in (self.mock, self.bare)]
        tails = [median(r.p99_ms for r in rounds) for rounds in (self.mock, self.bare)]
        return f"{rates[0]:>10,.0f}{rates[1]:>10,.0f}{ratio:>8.2f}{tails[0]:>14.1f}{tails[1]:>10.1f}"


def bench(mock: Mock, bare_url: str, wrk: Wrk, rounds: int, seconds: int) -> dict[str, Results]:
    results = {kind: Results() for kind in KINDS}
    for number in range(-1, rounds):  # round -1 warms up
        for kind in KINDS:
            instance = mock.fresh()
            sides = [("mock", mock.url), ("bare", bare_url)]
            for side, url in sides if number % 2 else reversed(sides):
                measured = wrk.measure(kind, url, instance, seconds if number >= 0 else 1)
                if number >= 0:
                    getattr(results[kind], side).append(measured)
        mock.fresh()  # drop what the creates made
        print(f"\rround {number + 1} of {rounds}" if number >= 0 else "warmed up", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def machine(server_core: int | None, load_core: int | None) -> str:
    pins = f"server on core {server_core}, wrk on core {load_core}" if server_core is not None else "nothing pinned"
    names = ("cnx-mock", "uvicorn", "uvloop", "httptools")
    return f"{os.cpu_count()} cores ({pins}), Python {platform.python_version()}, " + ", ".join(
        f"{name} {version(name)}" for name in names
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Requests a second, beside a bare ASGI app.")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--connections", type=int, default=32)
    asked = parser.parse_args()
    wrk_path = shutil.which("wrk")
    if not wrk_path:
        raise Failure("the benchmark needs wrk (Debian, Ubuntu: apt-get install wrk)")
    if min(asked.rounds, asked.seconds, asked.connections) < 1:
        raise Failure("--rounds, --seconds and --connections are 1 or more")

    server_core, load_core = two_cores()
    serve = [Path(sys.executable).with_name("cnx-mock"), "serve", "--port", "0", "--json", "--quiet"]
    with ExitStack() as stack:
        ready = stack.enter_context(running(pinned(server_core, *serve, "--scenario", HERE / "world.yaml"), "cnx-mock"))
        mock = Mock(ready["url"], ready["api_key"])
        captured = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".json"))
        json.dump(mock.answers(mock.fresh()), captured)
        captured.flush()
        bare = stack.enter_context(
            running(pinned(server_core, sys.executable, HERE / "bare.py", captured.name), "bare")
        )
        wrk = Wrk(wrk_path, load_core, asked.connections, mock.key)
        print(machine(server_core, load_core))
        print(f"{asked.rounds} rounds of {asked.seconds} s, {asked.connections} connections, medians")
        results = bench(mock, bare["url"], wrk, asked.rounds, asked.seconds)
    print(f"{'':8}{'mock/s':>10}{'bare/s':>10}{'ratio':>8}{'p99 ms: mock':>14}{'bare':>10}")
    for kind in KINDS:
        print(f"{kind:8}{results[kind].row()}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
