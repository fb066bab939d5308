"""Output that nobody reads: no stream for people stops the server, a program's run, or their end."""

import errno
import http.client
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from cnx_mock.cli.background_stream import LIMIT, BackgroundStream
from tests import commands
from tests.commands import COMMAND
from tests.waiting import until

SECONDS = 20  # more than anything here takes; only a test that fails waits so long
KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
LONG = "/v1/plans?" + "x" * 8000
"""A target of which some two hundred fill every queue between the server and a reader."""
NOTICE = re.compile(r"cnx-mock: (\d+) lines? dropped here: this stream was full, or nobody read it")
DEV_FULL = Path("/dev/full")
FULL = pytest.mark.skipif(not DEV_FULL.exists(), reason="this system has no device that is full")

Start = Callable[..., "subprocess.Popen[str]"]
Ready = Callable[["subprocess.Popen[str]"], "Server"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `cnx-mock` with pipes, or the streams that are given; whatever still runs at the end is killed. If
    `impatient`, its end waits for a stream that takes nothing for half a second, in place of two."""
    started: list[subprocess.Popen[str]] = []

    def starting(*arguments: str, impatient: bool = False, **streams: Any) -> "subprocess.Popen[str]":
        environ = {name: value for name, value in os.environ.items() if not name.startswith("CNX_MOCK_")}
        environ |= {commands.GRACE: "500000"} if impatient else {}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        started.append(commands.Popen([COMMAND, *arguments], text=True, env=environ, **pipes))
        return started[-1]

    yield starting
    for each in started:
        if each.poll() is None:
            each.kill()
        each.communicate()


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The end to write to of a pipe that nobody reads, and that takes no more."""
    read, write = os.pipe()
    filled(write)
    yield write
    os.close(read)
    os.close(write)


@pytest.fixture
def stopped_terminal() -> Iterator[int]:
    """A terminal on which somebody has pressed Ctrl-S."""
    master, slave = pty.openpty()
    os.write(master, b"\x13")
    filled(slave)
    yield slave
    os.close(slave)
    os.close(master)


def filled(descriptor: int) -> None:
    os.set_blocking(descriptor, False)
    try:
        for size in (4096, 1):
            while True:
                try:
                    os.write(descriptor, b"." * size)
                except BlockingIOError:
                    break
    finally:
        os.set_blocking(descriptor, True)


class Server:
    """What is asked of a server on one connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=SECONDS)

    def close(self) -> None:
        self._connection.close()

    def status(self, target: str) -> int:
        self._connection.request("GET", target, headers={"Authorization": f"Bearer {KEY}"})
        answer = self._connection.getresponse()
        self.body = answer.read()
        return answer.status

    def dropped(self) -> int:
        """How many lines the server says were dropped."""
        assert self.status("/_mock/health") == 200
        return int(json.loads(self.body)["log_lines_dropped"])

    def answers_until_lines_are_dropped(self) -> None:
        for _ in range(2000):
            assert self.status(LONG) in (200, 429)
            if self.dropped():
                return
        raise AssertionError("no line was dropped")


@pytest.fixture
def ready() -> Iterator[Ready]:
    """Reads the line of a server that is ready."""
    servers: list[Server] = []

    def reading(process: "subprocess.Popen[str]") -> Server:
        assert process.stdout is not None
        servers.append(Server(json.loads(process.stdout.readline())["url"]))
        return servers[-1]

    yield reading
    for each in servers:
        each.close()


def interrupted(process: "subprocess.Popen[str]") -> int:
    """The status of a process that Ctrl-C ends; one that comes between two waits may be for what was there before."""
    for _ in range(SECONDS // 2):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.wait(2)
    raise AssertionError("it does not end")


def ended(process: "subprocess.Popen[str]", number: signal.Signals) -> int:
    process.send_signal(number)
    return process.wait(SECONDS)


# ---- serve


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_whose_output_nobody_reads_answers_and_stops(
    start: Start, ready: Ready, number: signal.Signals
) -> None:
    process = start("serve", "--port", "0", "--json", impatient=True)
    server = ready(process)
    server.answers_until_lines_are_dropped()
    assert server.status("/v1/plans") == 200
    assert ended(process, number) == 0


@pytest.mark.slow
def test_who_reads_again_is_told_how_many_lines_are_missing(start: Start, ready: Ready) -> None:
    process = start("serve", "--port", "0", "--json")
    assert process.stderr is not None
    server = ready(process)
    server.answers_until_lines_are_dropped()
    dropped = server.dropped()
    lines = iter(process.stderr.readline, "")
    notice = next(found for line in lines if (found := NOTICE.match(line)))
    assert int(notice[1]) == dropped
    assert server.status("/v1/regions") == 200
    assert "/v1/regions" in next(lines)
    assert ended(process, signal.SIGTERM) == 0


@pytest.mark.slow
def test_a_server_stops_whatever_its_streams_wait_for(
    start: Start, full_pipe: int, stopped_terminal: int, tmp_path: Path
) -> None:
    """The sandbox's warning about a rule that can never happen is written before the server is ready."""
    story = tmp_path / "story.yaml"
    story.write_text("rules: [{id: never, match: {operation: plans.list, method: POST}, fault: {status: 500}}]\n")
    servers = []
    for stream, unread in product(("stdout", "stderr"), (full_pipe, stopped_terminal)):
        words = ("serve", "--port", "0", "--scenario", str(story), "--json")
        process = start(*words, impatient=True, **{stream: unread})
        # The ready line, or the warning: the server is up, or comes up.
        first = (process.stderr if stream == "stdout" else process.stdout).readline()  # type: ignore[union-attr]
        assert ("url" in first) if stream == "stderr" else first
        servers.append(process)
    for each in servers:
        each.send_signal(signal.SIGTERM)
    assert [each.wait(SECONDS) for each in servers] == [0] * 4


@pytest.mark.slow
@FULL
def test_a_log_on_a_full_disk_is_counted_and_stops_nothing(start: Start, ready: Ready) -> None:
    with DEV_FULL.open("w") as full:
        process = start("serve", "--port", "0", "--json", stderr=full)
    server = ready(process)
    while not server.dropped():
        assert server.status("/v1/plans") in (200, 429)
    assert ended(process, signal.SIGTERM) == 0


# ---- run


@pytest.mark.slow
def test_a_summary_that_nobody_reads_leaves_the_programs_status(
    start: Start, full_pipe: int, stopped_terminal: int
) -> None:
    words = ("run", "--seed", "random", "--", "sh", "-c", "exit 7")
    runs = [start(*words, impatient=True, stderr=each) for each in (full_pipe, stopped_terminal)]
    assert [each.wait(SECONDS) for each in runs] == [7, 7]


@pytest.mark.slow
@FULL
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_summary_on_a_full_disk_leaves_the_programs_status(start: Start, stream: str) -> None:
    with DEV_FULL.open("w") as full:
        process = start("run", "--", "sh", "-c", "exit 7", **{stream: full})
    assert process.wait(SECONDS) == 7


@pytest.mark.slow
def test_a_summary_whose_reader_has_gone_leaves_the_programs_status(start: Start) -> None:
    read, write = os.pipe()
    os.close(read)
    process = start("run", "--", "sh", "-c", "exit 7", stderr=write)
    os.close(write)
    assert process.wait(SECONDS) == 7


@pytest.mark.slow
def test_a_report_that_nobody_reads_can_be_interrupted(start: Start, full_pipe: int) -> None:
    process = start("run", "--report", "/dev/stdout", "--", "sh", "-c", "exit 7", stdout=full_pipe)
    assert process.stderr is not None
    assert process.stderr.readline() == "cnx-mock: 0 requests\n"
    assert interrupted(process) == 7


# ---- sweep, and commands whose output is what they are for

CALLS = """
import os, urllib.request
headers = {"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"]}
url = os.environ["CLOUDNEXUS_BASE_URL"] + "/v1/plans"
urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10)
"""


def sweep(start: Start, folder: Path, **streams: Any) -> "subprocess.Popen[str]":
    options = ("--faults", "error", "--scenarios", str(folder / "sweep"), "--report", str(folder / "report.json"))
    return start("sweep", *options, "--", sys.executable, "-c", CALLS, **streams)


@pytest.mark.slow
def test_the_progress_that_nobody_reads_leaves_the_verdict(start: Start, tmp_path: Path, full_pipe: int) -> None:
    process = sweep(start, tmp_path, impatient=True, stderr=full_pipe)
    stdout, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, "GET /v1/plans #1" in stdout) == (0, True)


@pytest.mark.slow
def test_a_matrix_whose_reader_has_gone_leaves_the_verdict(start: Start, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    process = sweep(start, tmp_path, stdout=write)
    os.close(write)
    assert (process.wait(SECONDS), (tmp_path / "report.json").exists()) == (0, True)


@pytest.mark.slow
def test_a_matrix_that_nobody_reads_can_be_interrupted_and_its_report_is_there(
    start: Start, tmp_path: Path, full_pipe: int
) -> None:
    process = sweep(start, tmp_path, stdout=full_pipe)
    assert process.stderr is not None
    assert any("1/1" in line for line in iter(process.stderr.readline, ""))
    until(lambda: (tmp_path / "report.json").exists() or process.poll() is not None)
    assert interrupted(process) == 128 + signal.SIGINT


@pytest.mark.slow
def test_a_document_that_nobody_reads_can_be_interrupted(start: Start) -> None:
    process = start("openapi")
    assert process.stdout is not None
    assert process.stdout.read(1) == "{"  # it is longer than a pipe
    assert ended(process, signal.SIGINT) == 128 + signal.SIGINT


@pytest.mark.slow
def test_a_pipe_that_another_program_has_made_non_blocking_gets_everything(start: Start) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    start("openapi", stdout=write)
    os.close(write)
    with os.fdopen(read) as reader:
        assert json.load(reader)["openapi"].startswith("3.")


@pytest.mark.slow
@FULL
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["scenarios", "check", "calm"]])
def test_what_cannot_be_printed_is_an_error_of_one_line(start: Start, arguments: list[str]) -> None:
    with DEV_FULL.open("w") as full:
        process = start(*arguments, stdout=full)
    _, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stderr) == (2, "cnx-mock: stdout: No space left on device\n")


@pytest.mark.slow
def test_a_verdict_survives_a_reader_that_leaves(start: Start, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("rules: 1\n")
    read, write = os.pipe()
    os.close(read)
    good, bad = (
        start("scenarios", "check", "calm", *more, stdout=write) for more in ([], [str(tmp_path / "bad.yaml")])
    )
    os.close(write)
    assert (good.wait(SECONDS), bad.wait(SECONDS)) == (0, 2)


# ---- the stream


class Disk(io.RawIOBase):
    """A file that takes as many bytes as there is room for."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        taken = bytes(data[: self.room])
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(taken)
        self.data += taken
        return len(taken)


def on(disk: Disk) -> BackgroundStream:
    buffered = io.BufferedWriter(disk)
    return BackgroundStream(io.TextIOWrapper(buffered, encoding="utf-8", write_through=True))


def test_a_disk_with_room_again_gets_the_count_on_a_line_of_its_own() -> None:
    disk = Disk(5)
    stream = on(disk)
    for line in ("first\n", "second\nthird\n"):
        stream.write(line)
        stream.drain()
    disk.room = 1000
    stream.write("fourth\n")
    stream.drain()
    notice = "cnx-mock: 3 lines dropped here: this stream was full, or nobody read it"
    assert (disk.data.decode(), stream.dropped) == (f"first\n{notice}\nfourth\n", 3)


def test_a_line_that_cannot_be_made_is_said_and_the_next_one_is_written() -> None:
    disk = Disk(1000)
    stream = on(disk)
    stream.put(lambda: str(1 // 0), 1)
    stream.write("next\n")
    stream.drain()
    first, second = disk.data.decode().splitlines()
    assert "ZeroDivisionError" in first
    assert second == "next"


def test_lines_that_fit_are_all_written_in_their_order() -> None:
    read, write = os.pipe()
    lines = [f"{number}\n" for number in range(LIMIT // 200)]
    with os.fdopen(write, "w") as pipe, os.fdopen(read) as reader:
        stream = BackgroundStream(pipe)
        for line in lines:
            stream.write(line)
        assert [reader.readline() for _ in lines] == lines
        assert stream.dropped == 0
