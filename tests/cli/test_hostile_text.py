"""Text from outside has no effect on a terminal, and begins no line of a log."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cnx_mock import MockServer
from cnx_mock.cli.output_filter import OutputFilter
from cnx_mock.errors import InputRefusedError
from tests import commands
from tests.cases import cases
from tests.commands import COMMAND

pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")

HOSTILE = "\x1b]0;owned\x07 \x1b[2K\x1b[1A \x9b31m \x7f \u202egnp\u2066 \u2028cnx-mock: all is well"
EFFECT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
OURS = re.compile(r"\x1b\[[0-9;]*m")


def on_a_terminal(folder: Path, *words: str) -> str:
    """What a command writes if both its streams are a terminal with colours."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    process = commands.Popen([COMMAND, *words], cwd=folder, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    data = b""
    try:
        while part := os.read(master, 4096):
            data += part
    except OSError:  # Linux: the other end is closed
        pass
    process.wait(60)
    os.close(master)
    return data.decode()


@cases(
    "words",
    [
        ("serve", "--scenario", HOSTILE),
        ("serve", "--fixture", HOSTILE),
        ("scenarios", "show", HOSTILE),
        ("scenarios", "check", HOSTILE),
        ("scenarios", "new", HOSTILE),
        ("fixtures", "check", HOSTILE),
        ("audit", "--ignore", HOSTILE),
        ("audit", HOSTILE),
        ("sweep", "--faults", HOSTILE, "--", "true"),
        ("run", "--quiet", "--", HOSTILE),
        (HOSTILE,),
        ("run", f"--{HOSTILE}"),
    ],
    ids=lambda words: "-".join(words).replace(HOSTILE, "HOSTILE"),
)
def test_no_argument_steers_the_terminal(words: tuple[str, ...], tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, *words)
    assert not EFFECT.search(shown), shown
    assert "owned" in shown


def test_no_file_steers_the_terminal(tmp_path: Path) -> None:
    name = "\x1b[2Kstory\nforged: good.yaml"
    (tmp_path / name).write_text(f'name: x\n"{chr(0x202E)}key\\e[1A": 1\nrules: [{{"\\u2028": 1}}]\n')
    shown = on_a_terminal(tmp_path, "scenarios", "check", name)
    assert not EFFECT.search(shown)
    assert "\nforged" not in shown.replace("\r", "")
    assert r"\u001b[2Kstory\u000aforged: good.yaml:2" in shown


def test_our_own_colours_stay_and_no_other_sequence_does() -> None:
    output = OutputFilter(colour=True)
    assert output.feed("\x1b[31mred\x1b[0m \x1b[1;36mbold\x1b[0m\n") == "\x1b[31mred\x1b[0m \x1b[1;36mbold\x1b[0m\n"
    assert output.feed("\x1b[8mhidden \x1b[2J\n") == "\\u001b[8mhidden \\u001b[2J\n"
    assert OutputFilter(colour=False).feed("\x1b[31mred\n") == "\\u001b[31mred\n"


@cases("character", ["\x00", "\n", "\x1b", "\x7f", "\x9b", "\u2028", "\u202e", "\u2066"])
def test_a_sandbox_name_has_no_control_characters(character: str) -> None:
    with MockServer() as server, pytest.raises(InputRefusedError, match=f"contains U\\+{ord(character):04X}"):
        server.sandbox(name=f"a{character}b")


def test_a_program_of_a_sweep_steers_no_terminal(tmp_path: Path) -> None:
    code = f"print({HOSTILE!r}); raise SystemExit(1)"
    shown = OURS.sub("", on_a_terminal(tmp_path, "sweep", "--", sys.executable, "-c", code, HOSTILE))
    assert "\x1b]" not in shown
    assert "\u202e" not in shown


def test_a_line_of_the_log_is_one_line(tmp_path: Path) -> None:
    code = "import logging, sys; from cnx_mock.cli.streams import warn_on_stderr, prepare_output, end_output\n"
    code += "prepare_output(); warn_on_stderr(); logging.getLogger('cnx_mock').warning('a %s b', 'x\\ncnx-mock: y')\n"
    code += "end_output()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stderr.decode() == "cnx-mock: a x\\u000acnx-mock: y b\n"
