"""Where the command begins. Signals are obeyed before the imports, which take most of the time of a start. `--version`
is answered before them, because scripts ask for it, and click is slow to load."""

import os
import signal
import sys

from cnx_mock import __version__


def main() -> None:
    """Run the command, and leave with its exit status. A signal during the imports ends it quietly: with 0 for `serve`,
    with 130 for others; another command than `serve` has nothing of its own to say to SIGTERM."""
    if sys.argv[1:] == ["--version"] and _print_version():
        return
    serves = sys.argv[1:2] == ["serve"]
    status = 0 if serves else 130
    for number in (signal.SIGINT, signal.SIGTERM) if serves else (signal.SIGINT,):
        if signal.getsignal(number) is not signal.SIG_IGN:  # such as SIGINT under nohup
            signal.signal(number, lambda *_: os._exit(status))
    from cnx_mock.cli.main import main as run  # lazy: see above

    if not serves and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def _print_version() -> bool:
    """Print the version; return False if stdout does not take it. The command itself then says why."""
    try:
        os.write(1, f"cnx-mock {__version__}\n".encode())
    except OSError:
        return False
    return True
