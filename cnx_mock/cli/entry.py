"""Where the command begins. Signals are obeyed before the imports, which take most of the time of a start.

`--version` and `--help` are answered before them: click alone takes three times as long as Python to load. A test holds
the text of the help equal to click's."""

import gc
import os
import signal
import sys

from cnx_mock import __version__
from cnx_mock.cli.help_text import TEXTS


def main() -> None:
    """Run the command, and leave with its exit status. A signal during the imports ends it quietly: with 0 for `serve`,
    with 130 for others; another command than `serve` has nothing of its own to say to SIGTERM."""
    if (text := _known(sys.argv[1:])) and _printed(text):
        return
    serves = sys.argv[1:2] == ["serve"]
    status = 0 if serves else 130
    for number in (signal.SIGINT, signal.SIGTERM) if serves else (signal.SIGINT,):
        if signal.getsignal(number) is not signal.SIG_IGN:  # such as SIGINT under nohup
            signal.signal(number, lambda *_: os._exit(status))
    gc.disable()  # what imports make stays: see `lazy.uncollected`
    try:
        from cnx_mock.cli.main import main as run  # lazy: see above
    finally:
        gc.freeze()
        gc.enable()

    if not serves and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def _known(arguments: list[str]) -> str:
    """Return the output of these arguments if it is known without click, else an empty text."""
    if arguments == ["--version"]:
        return f"cnx-mock {__version__}\n"
    if arguments not in (["--help"], ["-h"]) or "COLUMNS" in os.environ:
        return ""
    try:
        columns = os.get_terminal_size(1).columns
    except OSError:  # not a terminal
        columns = 0
    return TEXTS.get(min(columns or 80, 100), "")


def _printed(text: str) -> bool:
    """Print the text; return False if stdout does not take it. The command itself then says why."""
    try:
        return os.write(1, text.encode()) == len(text)
    except OSError:
        return False
