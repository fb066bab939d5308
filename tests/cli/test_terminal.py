"""What people see on a terminal: colour, width and characters as it has them; and plain text elsewhere."""

import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
import requests

from cnx_mock import MockServer
from cnx_mock.cli.access_log import AccessLog, plain_line, terminal_line
from cnx_mock.cli.background_stream import BackgroundStream
from cnx_mock.cli.main import cli
from cnx_mock.cli.terminal import shown
from cnx_mock.http.access_record import AccessRecord
from cnx_mock.services import operations
from tests import commands
from tests.commands import COMMAND

pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CLIENT = """
import os, urllib.request
headers = {"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"]}
url = os.environ["CLOUDNEXUS_BASE_URL"] + "/v1/plans"
urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10)
"""


class Terminal:
    """A pseudo-terminal; what is written to its `stream` is read all the time, since its buffer is small."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.stream: TextIO = os.fdopen(slave, "w", encoding="utf-8")
        self._bytes = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        try:
            while data := os.read(self._master, 4096):
                self._bytes += data
        except OSError:  # Linux: the other end is closed
            pass

    def text(self) -> str:
        """All that was written; nothing more can be."""
        self.close()
        return self._bytes.decode().replace("\r\n", "\n")

    def lines(self) -> list[str]:
        return [COLOUR.sub("", line).rstrip() for line in self.text().splitlines()]

    def close(self) -> None:
        if not self.stream.closed:
            self.stream.close()
            self._reader.join()
            os.close(self._master)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal of 120 columns that knows colours."""
    for name in ("NO_COLOR", "FORCE_COLOR", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("COLUMNS", "120")):
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    yield terminal
    terminal.close()


def on(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run a command in this process with its stdout on the terminal."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal.stream)
        cli(list(arguments), standalone_mode=False)


# ---- access lines


def record(status: int | None, **more: Any) -> AccessRecord:
    record = AccessRecord(1_767_225_600_123_000, "GET", "/v1/plans", 200, 1_250, "plans.list", "…0d9c", ())
    return record._replace(status=status, **more)


STRUCK = record(429, target="/v1/plans?limit=5", faults=("limit:error=RATE_LIMITED",))
LONG = record(503, method="DELETE", target=f"/v1/instances/{'x' * 80}", faults=("down:status=503",))


def written(stream: TextIO) -> None:
    background = BackgroundStream(stream)
    log = AccessLog(background)
    for each in (record(200), record(404), STRUCK, LONG, record(None)):
        log.write(each)
    background.drain()


def test_access_lines_are_in_columns_and_only_429_5xx_and_cut_have_a_colour(terminal: Terminal) -> None:
    written(terminal.stream)
    colours = [COLOUR.findall(line)[:1] for line in terminal.text().splitlines()]
    assert colours == [[], [], ["\x1b[33m"], ["\x1b[31m"], ["\x1b[31m"]]
    lines = terminal.lines()
    assert all(re.match(r"\d\d:\d\d:\d\d  (200|404|429|503|cut) +1\.2ms (GET|DELETE) +/v1/", each) for each in lines)
    assert {line.index("/v1/") for line in lines} == {lines[0].index("/v1/")}
    assert {line.index("…0d9c") for line in (lines[0], lines[1], lines[2])} == {lines[0].index("…0d9c")}
    assert lines[0].endswith("/v1/plans                            …0d9c  plans.list")
    assert lines[2].endswith("plans.list [limit:error=RATE_LIMITED]")


def test_an_access_line_says_why_a_request_could_not_be_read() -> None:
    broken = record(None, operation="-", problem="the client left after 9 of 45 bytes of the body")
    wanted = "GET /v1/plans cut 1.2ms - …0d9c (the client left after 9 of 45 bytes of the body)"
    assert plain_line(broken).endswith(wanted)
    assert terminal_line(broken, 200, colour=False).endswith("(the client left after 9 of 45 bytes of the body)")


def test_access_lines_fit_60_columns(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    written(terminal.stream)
    lines = terminal.lines()
    assert max(map(len, lines)) <= 60
    assert lines[2].endswith("/v1/plans?limit=5 [limit:err…")


def test_access_lines_obey_no_color_and_the_locale_c(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("LC_ALL", "C")
    written(terminal.stream)
    text = terminal.text()
    assert "\x1b" not in text
    assert text.isascii()
    assert "...0d9c" in text


def test_access_lines_of_a_log_have_the_whole_time_and_are_never_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    log = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    written(log)
    lines = log.buffer.getvalue().decode().splitlines()
    assert lines[0] == "2026-01-01T00:00:00.123Z GET /v1/plans 200 1.2ms plans.list …0d9c"
    assert lines[3].endswith(f"{'x' * 80} 503 1.2ms plans.list …0d9c [down:status=503]")
    assert lines[4].split()[3] == "cut"


# ---- tables and paragraphs


def test_a_table_on_a_terminal_is_coloured_and_complete(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    on(terminal, monkeypatch, "routes")
    text = terminal.text()
    assert "\x1b[1m" in text
    assert [line.split()[2] for line in terminal.lines()[1:]] == [operation.name for operation in operations()]


@pytest.mark.parametrize("command", [["routes"], ["readings"], ["scenarios", "list"], ["fixtures", "list"]])
def test_lists_fit_60_columns_without_colour_in_ascii(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    for name, value in (("COLUMNS", "60"), ("NO_COLOR", "1"), ("LC_ALL", "C")):
        monkeypatch.setenv(name, value)
    on(terminal, monkeypatch, *command)
    text = terminal.text()
    assert text.isascii()
    assert "\x1b" not in text
    assert 30 < max(map(len, text.splitlines())) <= 60


@pytest.mark.parametrize(("width", "gone"), [(120, []), (85, ["PROVENANCE"]), (70, ["PROVENANCE", "SCOPE"]), (60, [])])
def test_routes_break_no_word_however_narrow_the_terminal_is(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, width: int, gone: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    on(terminal, monkeypatch, "routes")
    lines = terminal.lines()
    words = {word for line in lines for word in line.split()}
    assert max(map(len, lines)) <= width
    assert {word for each in operations() for word in (each.method, each.path, each.name)} <= words
    assert words.isdisjoint(gone)


def test_routes_have_the_operation_below_the_path_in_60_columns(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    on(terminal, monkeypatch, "routes")
    assert terminal.lines()[:2] == ["METHOD  PATH", "          OPERATION"]
    assert len(terminal.lines()) == 2 + 2 * len(operations())


def test_a_long_cell_goes_on_in_the_next_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    on(terminal, monkeypatch, "scenarios", "list")
    lines = terminal.lines()
    place = next(number for number, line in enumerate(lines) if line.startswith("slow-then-stuck"))
    assert lines[place].startswith("slow-then-stuck       The first instance takes")
    assert lines[place + 1].startswith(" " * 22)


def test_paragraphs_are_wrapped_under_their_indent(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    on(terminal, monkeypatch, "readings")
    lines = terminal.lines()
    why = lines.index("    402 is not in the list of codes; 403 is the listed one")
    assert lines[why + 1] == "    that refuses a well-formed request"


def test_an_audit_has_bold_findings_and_fits(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with MockServer() as server:
        sandbox = server.sandbox()
        sandbox.inject("images.list", error="INTERNAL_ERROR", times=1)
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        assert requests.get(f"{server.url}/v1/images", headers=headers, timeout=10).status_code == 500
        on(terminal, monkeypatch, "audit", server.url, "--also", "gave-up")
    text, lines = terminal.text(), terminal.lines()
    assert text.startswith("\x1b[1mgave-up: #1")
    assert any(line.startswith("    why: ") for line in lines)
    assert max(map(len, lines)) <= 60


@pytest.mark.slow
def test_what_programs_read_is_the_same_on_a_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("COLUMNS", "60"), ("LC_ALL", "C")):
        monkeypatch.setenv(name, value)
    on(terminal, monkeypatch, "openapi")
    text = terminal.text()
    assert "\x1b" not in text
    assert json.loads(text)["info"]["title"]


def test_a_terminal_that_can_do_nothing_gets_plain_text(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    on(terminal, monkeypatch, "fixtures", "list")
    assert "\x1b" not in terminal.text()


def test_only_the_locale_c_by_name_asks_for_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert shown("a × b → …") == "a × b → …"
    monkeypatch.setenv("LANG", "POSIX")
    assert shown("a × b → … ü") == "a x b -> ... \\xfc"
    monkeypatch.setenv("LC_CTYPE", "en_US.UTF-8")
    assert shown("ü") == "ü"


# ---- the commands that run programs, with stderr on a terminal


def ran(terminal: Terminal, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command with its stderr on the terminal."""
    return commands.run(
        [COMMAND, *arguments, "--", sys.executable, "-c", CLIENT],
        stdout=subprocess.PIPE,
        stderr=terminal.stream,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=os.environ | variables,
        timeout=60,
        check=False,
    )


def test_a_sweep_draws_its_matrix_and_takes_it_away(terminal: Terminal, tmp_path: Path) -> None:
    done = ran(terminal, tmp_path, "sweep", "--faults", "error,reset")
    assert done.returncode == 0
    text = terminal.text()
    assert "GET /v1/plans #1" in text
    assert "1/2" in text and "2/2" in text
    assert "\x1b[36mfail\x1b[0m" in text, "coloured as on stdout"
    assert text.rindex("\x1b[2K") > text.rindex("fail"), "the last thing is that the drawing is erased"
    assert "\x1b" not in done.stdout, "a pipe"


@pytest.mark.slow
def test_a_sweep_obeys_no_color_and_the_locale_c(terminal: Terminal, tmp_path: Path) -> None:
    done = ran(terminal, tmp_path, "sweep", "--faults", "error", NO_COLOR="1", LC_ALL="C", COLUMNS="60")
    text = terminal.text()
    assert done.returncode == 0
    assert not COLOUR.findall(text)
    assert (text + done.stdout).isascii()
    assert max(map(len, done.stdout.splitlines()[:2])) <= 60


def test_what_run_finds_wrong_has_a_colour(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(
        "rules: [{id: never, match: {method: PUT}, fault: {status: 500}}]\nexpect: {fired: {never: 1}}\n"
    )
    done = ran(terminal, tmp_path, "run", "--scenario", "story.yaml")
    lines = terminal.text().splitlines()
    assert done.returncode == 3
    assert lines[0] == "cnx-mock: 1 request (200 × 1)"
    assert lines[1].startswith("cnx-mock: \x1b[31mexpected: ")
