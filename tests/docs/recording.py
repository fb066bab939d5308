"""The recording of a demo for the README: what the real command shows in a terminal, as an SVG."""

import io
import os
import pty
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests import commands
from tests.commands import COMMAND

_LINE = "cnx-mock demo lost-response --script"
_WIDTH = 100
_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<title>cnx-mock demo lost-response --script</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px; \
line-height: {line_height}px }}
.{unique_id}-title {{ font-family: system-ui, sans-serif; font-size: 18px; font-weight: bold }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own form without the fonts, which a browser would load from elsewhere."""


def recording() -> str:
    """The SVG. The command is run, in a terminal that takes its stdout alone, so that nothing moves in it."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), color_system="standard", force_terminal=True)
    console.print(Text(f"$ {_LINE}", "bold"))
    console.print(Text.from_ansi(shown()), soft_wrap=True)
    console.print()
    svg = console.export_svg(title="cnx-mock demo", code_format=_FORMAT, unique_id="demo")
    return "".join(f"{line.rstrip()}\n" for line in svg.splitlines() if line.strip())


def shown() -> str:
    """What the command writes to a terminal, with its colours."""
    own, theirs = pty.openpty()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {**os.environ, "PATH": path, "TERM": "xterm", "COLUMNS": str(_WIDTH), "LC_ALL": "C.UTF-8"}
    environ.pop("NO_COLOR", None)
    words = [str(COMMAND), *_LINE.split()[1:], "--speed", "10"]
    process = commands.Popen(words, stdin=theirs, stdout=theirs, env=environ)
    os.close(theirs)
    with process, io.FileIO(own) as terminal:
        text = b"".join(iter(lambda: _read(terminal), b""))
    assert process.returncode == 0
    return text.decode().replace("\r\n", "\n").rstrip()


def _read(terminal: io.FileIO) -> bytes:
    try:
        return terminal.read(1 << 16)
    except OSError:  # Linux's way of saying that nobody writes any more
        return b""
