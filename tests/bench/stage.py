"""What the benchmarks share: the mock in a process of its own on a core of its own, calls to it, and wrk."""

import http.client
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMMAND = Path(sys.executable).with_name("cnx-mock")
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


def mock_command(core: int | None, *options: object) -> list[str]:
    """What starts the mock in the world of world.yaml, on a free port."""
    serve = [COMMAND, "serve", "--port", "0", "--json", "--quiet", "--scenario", HERE / "world.yaml"]
    return pinned(core, *serve, *options)


def wrk_path() -> str:
    """Where wrk is. Raises Failure where it is not."""
    found = shutil.which("wrk")
    if not found:
        raise Failure("the benchmark needs wrk (Debian, Ubuntu: apt-get install wrk)")
    return found


@contextmanager
def running(command: list[str], what: str) -> Iterator[dict[str, Any]]:
    """The server's ready line and its `pid`, while it runs."""
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
            yield {**json.loads(line), "pid": process.pid}
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

    def get(self, url: str, seconds: int) -> Round:
        """Load a URL with GETs."""
        return self._load("get", url, seconds)

    def create(self, url: str, seconds: int) -> Round:
        """Load a URL with the documented create."""
        return self._load("create", url, seconds, "-s", HERE / "create.lua")

    def create_named(self, url: str, seconds: int) -> Round:
        """Load a URL with the same creates, but for their names: each has one of its own."""
        return self._load("create", url, seconds, "-s", HERE / "create.lua", behind=["--", "named"])

    def _load(self, kind: str, url: str, seconds: int, *script: object, behind: Sequence[str] = ()) -> Round:
        options = ["-t1", f"-c{self.connections}", f"-d{seconds}s", "--latency"]
        command = pinned(
            self.core, self.path, *options, "-H", f"Authorization: Bearer {self.key}", *script, url, *behind
        )
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


def machine(server_core: int | None, load_core: int | None) -> str:
    """The machine and the versions, in one line."""
    pins = f"server on core {server_core}, load on core {load_core}" if server_core is not None else "nothing pinned"
    return f"{os.cpu_count()} cores ({pins}), {processor()}, " + ", ".join(
        f"{name} {number}" for name, number in versions().items()
    )


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The versions of what is measured."""
    names = ("cnx-mock", "uvicorn", "uvloop", "httptools", "starlette")
    return {"Python": platform.python_version()} | {name: version(name) for name in names}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def resident(pid: int) -> int:
    """How many bytes of memory a process has. Raises Failure where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        raise Failure("the memory of a process is only known on Linux") from None
    return pages * os.sysconf("SC_PAGE_SIZE")
