"""`cnx-mock journal follow`: what happens in a running server, printed as it happens."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox, Settings
from cnx_mock.cli.event_lines import EventLines
from cnx_mock.cli.event_stream import ReceivedEvent
from tests import commands
from tests.commands import COMMAND
from tests.conftest import Client
from tests.waiting import until

SECONDS = 20


def listeners(server: MockServer) -> int:
    bounds = server.call("GET", "/health")["bounds"]
    return int(next(each["used"] for each in bounds if each["option"] == "--max-listeners"))


class Follower:
    """A running `cnx-mock journal follow`."""

    def __init__(self, server: MockServer, *options: str, **more: Any) -> None:
        before = listeners(server)
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | more
        self.process = commands.Popen([COMMAND, "journal", "follow", server.url, *options], **given)
        until(lambda: listeners(server) > before or self.process.poll() is not None)
        assert self.process.poll() is None

    def line(self) -> str:
        assert self.process.stdout is not None
        return str(self.process.stdout.readline())

    def ended(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer() as running:
        yield running


@pytest.fixture
def world(mock: MockServer) -> Sandbox:
    return mock.sandbox(name="world")


@pytest.fixture
def follow(mock: MockServer) -> Iterator[Callable[..., Follower]]:
    started: list[Follower] = []

    def starting(*options: str, **more: Any) -> Follower:
        started.append(Follower(mock, *options, **more))
        return started[-1]

    yield starting
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


def test_a_request_is_a_line_with_the_fault_that_hit_it(follow, world):
    world.inject("plans.list", error="INTERNAL_ERROR", times=1)
    client, follower = Client(world.url, world.api_key), follow()
    client.get("/v1/plans?page=1")
    client.get("/v1/plans")
    hit, clean = follower.line(), follower.line()
    time_and_id = rf"\d\d:\d\d:\d\d\.\d{{3}}  {world.id}  "
    assert re.fullmatch(
        time_and_id
        + r"500       GET    /v1/plans\?page=1 +\d+\.\dms  plans.list  \[inject-1: error=INTERNAL_ERROR\]\n",
        hit,
    )
    assert re.fullmatch(time_and_id + r"200       GET    /v1/plans +\d+\.\dms  plans.list\n", clean)
    assert hit.index("ms  plans") == clean.index("ms  plans"), "aligned"


def test_everything_else_is_a_line_of_its_own(follow, world):
    follower = follow("--key", world.api_key)
    world.inject("plans.list", latency="0s")
    world.use("flapping")
    world.clock.freeze()
    world.account.balance = "$5.03"
    instance = world.instances.add(name="web-1")
    Client(world.url, world.api_key).delete(f"/v1/instances/{instance.id}")
    world.reset()
    lines = [follower.line()[14:].rstrip("\n") for _ in range(9)]
    assert lines[0] == "phase     scenario none, rules changed"
    assert lines[1] == "phase     scenario flapping, phase up"
    assert re.fullmatch(r"clock     \S+Z  frozen", lines[2])
    assert lines[3] == "account   $5.03  professional  300/min  8 scopes"
    assert lines[5] == f"resource  instance {instance.id}  running  web-1"
    assert lines[6].startswith("200       DELETE /v1/instances/inst_")
    assert lines[7] == f"resource  instance {instance.id}  deleted"
    assert lines[8] == "reset     the world was reset or replaced: 0 instances"


def test_a_request_without_a_sandbox_is_there_only_without_a_key(follow, world):
    everything, one = follow(), follow("--key", world.api_key)
    Client(world.url).get("/v1/plans")
    Client(world.url, world.api_key).get("/v1/plans")
    assert "  -                 401       GET    /v1/plans" in everything.line()
    assert "  200       GET    /v1/plans" in one.line()


def test_jsonl_has_every_event_with_its_id(follow, world):
    world.inject("plans.list", error="INTERNAL_ERROR", times=1)
    follower = follow("--format", "jsonl")
    Client(world.url, world.api_key).get("/v1/plans")
    fired, request = json.loads(follower.line()), json.loads(follower.line())
    assert (fired["event"], request["event"]) == ("fired", "request")
    assert fired["id"] < request["id"]
    assert fired["sandbox"] == request["sandbox"] == world.id
    assert fired["request_id"] == request["request"]["request_id"]


def test_control_characters_are_escaped(follow, world):
    follower = follow("--key", world.api_key)
    host, port = world.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        head = f"GET /v1/plans?a=\x1b[31m\x9b HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {world.api_key}\r\n"
        raw.sendall(f"{head}\r\n".encode("latin-1"))
        raw.recv(1000)
    line = follower.line()
    assert "\x1b" not in line
    assert "\x9b" not in line
    assert "/v1/plans" in line


def test_a_lost_event_is_said() -> None:
    lines = EventLines(sandboxes=True, colour=False)
    lost = ReceivedEvent("1795920109232265", "lost", {"sandbox": None, "count": 12, "reason": "behind"})
    assert str(lines.line(lost)).endswith(
        "-                 lost      12 events are missing, because they were not read fast enough"
    )
    lost = ReceivedEvent("1795920109232265", "lost", {"sandbox": None, "count": None, "reason": "evicted"})
    assert "events are missing, because the journal no longer has them" in str(lines.line(lost))


def test_colour_is_for_terminals_alone(world, mock):
    for variables, coloured in (({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", **variables}
        follower = Follower(mock, stdout=theirs, env=environment, text=False)
        os.close(theirs)
        Client(world.url, world.api_key).get("/v1/plans")
        text = b""
        while b"plans.list" not in text:
            text += os.read(ours, 1000)
        assert (b"\x1b[32m200" in text) == coloured
        follower.process.kill()
        follower.process.communicate()
        os.close(ours)
        until(lambda: not listeners(mock))  # the server notices that it has left


# ---- its end


def test_it_ends_with_a_line_and_status_1_when_the_server_stops(follow, mock):
    follower = follow()
    mock.stop()
    assert follower.ended() == (1, "", f"cnx-mock: the server at {follower.process.args[3]} has stopped\n")


def test_it_ends_with_status_0_on_ctrl_c(follow):
    follower = follow()
    follower.process.send_signal(signal.SIGINT)
    status, out, err = follower.ended()
    assert (status, out, err.strip()) == (0, "", "")


def test_it_ends_quietly_when_nobody_reads_any_more(follow, world):
    reading, writing = os.pipe()
    follower = follow(stdout=writing)
    os.close(writing)
    os.close(reading)
    Client(world.url, world.api_key).get("/v1/plans")
    assert follower.process.wait(SECONDS) == 1
    assert follower.process.stderr.read() == ""


def relayed(gate: socket.socket, server: MockServer) -> tuple[socket.socket, socket.socket]:
    """The next connection at a gate, led to a server: both ends, to be closed."""
    client, _ = gate.accept()
    host, port = server.url.removeprefix("http://").split(":")
    onward = socket.create_connection((host, int(port)))
    onward.sendall(client.recv(65536))

    def relay() -> None:
        with suppress(OSError):
            while data := onward.recv(65536):
                client.sendall(data)

    threading.Thread(target=relay, daemon=True).start()
    return client, onward


def test_it_goes_on_where_a_lost_connection_broke_off(world, mock):
    client = Client(mock.url, world.api_key)
    with socket.create_server(("127.0.0.1", 0)) as gate:
        url = f"http://127.0.0.1:{gate.getsockname()[1]}"
        words = [COMMAND, "journal", "follow", url, "--format", "jsonl"]
        process = commands.Popen(words, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        ends = relayed(gate, mock)
        until(lambda: listeners(mock))
        client.get("/v1/plans")
        paths = [json.loads(process.stdout.readline())["request"]["path"]]
        for end in ends:
            end.shutdown(socket.SHUT_RDWR)
            end.close()
        client.get("/v1/regions")
        client.get("/v1/images")
        ends = relayed(gate, mock)
        paths += [json.loads(process.stdout.readline())["request"]["path"] for _ in range(2)]
        process.kill()
        process.communicate()
        for end in ends:
            end.close()
    assert paths == ["/v1/plans", "/v1/regions", "/v1/images"]


def test_a_server_that_is_not_there_is_one_line(unused: str) -> None:
    done = commands.run([COMMAND, "journal", "follow", unused], capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"cnx-mock: no cnx-mock answers at {unused}: Connection refused; start one with `cnx-mock serve`, or name the "
        "URL of another\n"
    )


def test_a_refusal_says_why() -> None:
    with MockServer(settings=Settings(port=0, max_listeners=1)) as mock:
        first = Follower(mock)
        done = commands.run([COMMAND, "journal", "follow", mock.url], capture_output=True, text=True, timeout=SECONDS)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--max-listeners" in done.stderr
    assert first.ended()[0] == 1


@pytest.fixture
def unused() -> str:
    """The URL of a port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
