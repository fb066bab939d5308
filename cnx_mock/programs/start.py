"""How a program is started, and how its end is described. This is the same for `run`, where one program has the
terminal, and for `sweep` and `shrink`, which run one program many times without a terminal.

What differs stands in two modules, since the two cannot share it:

    passthrough   the program stays in our process group, so that a terminal treats it as if it were alone: Ctrl-C,
                  Ctrl-Z and background reads reach it from the terminal itself. We block signals and pass on those
                  that a terminal does not send. The program decides how it ends.
    bounded       the program gets a session of its own without a terminal, so that all of it can be killed at a time
                  limit, and when Ctrl-C ends the sweep. We decide when it ends.
"""

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from typing import TypeVar

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import ProgramError

Process = TypeVar("Process")


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """How a run of a program ended."""

    status: int | None
    """The exit status; negative for the signal that ended the program; None if it was ended at the time limit."""
    seconds: float
    """How long it took."""
    output: str = ""
    """The end of what it wrote to stdout and stderr, if that was kept."""

    @property
    def shell_status(self) -> int:
        """The exit status as shells give it: 128 + N if signal N ended the program."""
        status = self.status or 0
        return 128 - status if status < 0 else status


def ending(status: int) -> str:
    """Return in words how a program ended: "exit status 1", "signal 9"."""
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def start(command: Sequence[str], spawn: Callable[[list[str]], Process]) -> Process:
    """Start a program by `spawn`, and return what that returns.

    A script without a `#!` line is run by the shell, as shells do. Raises ProgramError if it cannot be started.
    """
    name = command[0]
    try:
        if not name:  # posix_spawn and Popen refuse it, each in its own way
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        try:
            return spawn([*command])
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
        return spawn(["/bin/sh", shutil.which(name) or name, *command[1:]])
    except OSError as error:
        from cnx_mock.programs.hints import hint  # lazy: most programs can be started

        raise ProgramError(name, error, hint(name, error)) from None
