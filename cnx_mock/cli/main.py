"""The command `cnx-mock`. `--version` is answered here, because scripts ask for it, and click is slow to load."""

import os
import sys

from cnx_mock import __version__

TYPE_CHECKING = False  # that of `typing`, which is slow to load
if TYPE_CHECKING:
    from typing import Any

    from cnx_mock.cli.commands import COMMANDS, cli

__all__ = ["COMMANDS", "cli", "main"]


def __getattr__(name: str) -> "Any":
    if name not in __all__:
        raise AttributeError(f"module 'cnx_mock.cli.main' has no attribute {name!r}")
    from cnx_mock.cli import commands  # lazy: see the head of this module

    return getattr(commands, name)


def main() -> None:
    """Run the command, and leave with its exit status."""
    if sys.argv[1:] == ["--version"] and _print_version():
        return
    from cnx_mock.cli import commands  # lazy: as above

    commands.main()


def _print_version() -> bool:
    """Print the version; return False if stdout does not take it. The command itself then says why."""
    try:
        os.write(1, f"cnx-mock {__version__}\n".encode())
    except OSError:
        return False
    return True
