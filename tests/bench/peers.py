"""`make bench-peers`: other mock servers that do the same work, installed below `.bench-peers`, which git ignores.

Each peer answers the list, the get and the create with the bytes that the mock answers, by its own means: stubs, an
OpenAPI document with examples, or a file of data. `python -m tests.bench.peers` installs what it can, and says what it
cannot.
"""

import http.client
import json
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import peer_files
from tests.bench.stage import HERE, ROOT, Failure, free_port, pinned

FOLDER = ROOT / ".bench-peers"
SECONDS = 60
"""How long a peer may take to start."""

Answers = dict[str, Any]
"""What the mock answers, by the kind of the call: status, headers, body."""

Command = Callable[[Path, int, Answers, str], list[object]]
"""Writes what a peer needs into a folder, and returns the command that serves at a port: folder, port, answers, and the
id of the instance."""


def path(kind: str, instance: str) -> str:
    """The path of a call, as the API has it."""
    return f"/v1/instances/{instance}" if kind == "get" else "/v1/instances"


@dataclass(frozen=True)
class Peer:
    """Another mock server."""

    name: str
    package: str
    """Name and version, as npm or pip takes them."""
    command: Command
    path: Callable[[str, str], str] = path
    keeps_creates: bool = False
    """Whether each create makes its list longer."""

    @property
    def is_npm(self) -> bool:
        """Whether npm installs it; otherwise pip does."""
        return "==" not in self.package

    @property
    def version(self) -> str:
        """Its version alone."""
        return self.package.rpartition("@" if self.is_npm else "==")[2]

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        return FOLDER / self.name

    @property
    def is_there(self) -> bool:
        """Whether it is installed."""
        return (self.folder / "installed").exists()


class Started:
    """A peer with the files that it needs."""

    def __init__(self, peer: Peer, folder: Path, answers: Answers, instance: str, core: int | None) -> None:
        self._peer, self._answers, self._instance, self._core = peer, answers, instance, core
        self._folder = folder / peer.name
        self._folder.mkdir(exist_ok=True)

    def command(self, port: int) -> list[str]:
        """The command that serves at a port; its files are written anew."""
        return pinned(self._core, *self._peer.command(self._folder, port, self._answers, self._instance))

    def is_ready(self, port: int) -> bool:
        """Whether it answers the list."""
        return answers_at(port, self._peer.path("list", self._instance))

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its URL while it runs. Raises Failure if it does not start."""
        port = free_port()
        log = self._folder / "log"
        with log.open("w") as out:
            process = subprocess.Popen(self.command(port), stdout=out, stderr=out, cwd=self._folder)
            try:
                late = time.monotonic() + SECONDS
                while not self.is_ready(port):
                    if process.poll() is not None or time.monotonic() > late:
                        raise Failure(f"{self._peer.name} did not start: {log.read_text()[-500:]}")
                    time.sleep(0.05)
                yield f"http://127.0.0.1:{port}"
            finally:
                end(process)


def answers_at(port: int, path: str, key: str | None = None) -> bool:
    """Whether a server at this port answers a GET with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={} if key is None else {"Authorization": f"Bearer {key}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process: politely, then not."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# ---- the peers


def _program(peer: str, name: str) -> Path:
    return FOLDER / peer / "node_modules" / ".bin" / name


def _wiremock(folder: Path, port: int, answers: Answers, instance: str) -> list[object]:
    peer_files.wiremock(folder, answers, instance)
    jar = next((FOLDER / "WireMock").glob("node_modules/wiremock/build/*.jar"))
    options = ("--root-dir", folder, "--no-request-journal", "--disable-banner", "--bind-address", "127.0.0.1")
    return ["java", "-jar", jar, "--port", port, *options]


def _mountebank(folder: Path, port: int, answers: Answers, instance: str) -> list[object]:
    config = peer_files.mountebank(folder, port, answers, instance)
    options = ("--port", free_port(), "--localOnly", "--nologfile", "--loglevel", "warn", "--pidfile", folder / "pid")
    return [_program("mountebank", "mb"), "start", *options, "--configfile", config]


def _prism(folder: Path, port: int, answers: Answers, instance: str) -> list[object]:
    document = peer_files.prism(folder, answers, instance)
    return [_program("Prism", "prism"), "mock", document, "--port", port, "--host", "127.0.0.1", "-v", "error"]


def _mockoon(folder: Path, port: int, answers: Answers, instance: str) -> list[object]:
    data = peer_files.mockoon(folder, port, answers, instance)
    options = ("--port", port, "--hostname", "127.0.0.1", "--repair", "--disable-log-to-file")
    return [_program("Mockoon", "mockoon-cli"), "start", "--data", data, *options]


def _json_server(folder: Path, port: int, answers: Answers, instance: str) -> list[object]:
    data, routes = peer_files.json_server(folder, answers)
    options = ("--port", port, "--host", "127.0.0.1", "--quiet", "--routes", routes)
    return [_program("json-server", "json-server"), *options, data]


def _pytest_httpserver(folder: Path, port: int, answers: Answers, instance: str) -> list[object]:
    (folder / "answers.json").write_text(json.dumps({"instance": instance, "answers": answers}), encoding="utf-8")
    python = FOLDER / "pytest-httpserver" / "bin" / "python"
    return [python, HERE / "peer_httpserver.py", folder / "answers.json", port]


def _json_server_path(kind: str, instance: str) -> str:
    return "/v1/instances?_limit=20" if kind == "list" else path(kind, instance)


PEERS = (
    Peer("WireMock", "wiremock@3.13.2", _wiremock),
    Peer("mountebank", "mountebank@2.9.1", _mountebank),
    Peer("Prism", "@stoplight/prism-cli@5.16.0", _prism),
    Peer("Mockoon", "@mockoon/cli@9.9.0", _mockoon),
    Peer("json-server", "json-server@0.17.4", _json_server, _json_server_path, keeps_creates=True),
    Peer("pytest-httpserver", "pytest-httpserver==1.2.0", _pytest_httpserver),
)


# ---- installing


def install(peer: Peer) -> str | None:
    """Install a peer. Return why that is not possible, None if it is there."""
    if peer.name == "WireMock" and shutil.which("java") is None:
        return "it needs Java (Debian, Ubuntu: apt-get install default-jre-headless)"
    if peer.is_npm and shutil.which("npm") is None:
        return "it needs Node and npm (Debian, Ubuntu: apt-get install npm)"
    if peer.is_there:
        return None
    peer.folder.mkdir(parents=True, exist_ok=True)
    if peer.is_npm:
        options = ("--no-audit", "--no-fund", "--silent", "--prefix", str(peer.folder))
        command = ["npm", "install", *options, peer.package]
    else:
        venv.create(peer.folder, with_pip=True)
        command = [str(peer.folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", peer.package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return done.stderr.strip()[-500:] or f"{command[0]} ended with status {done.returncode}"
    (peer.folder / "installed").touch()
    return None


def main() -> None:
    """Install every peer that can be installed, and say which cannot."""
    for peer in PEERS:
        print(f"{peer.name} ({peer.package}) …", file=sys.stderr, flush=True)
        if reason := install(peer):
            print(f"  left out: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
