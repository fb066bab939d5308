"""One run of a program: bounded in time, and with nothing of it left running."""

import asyncio
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from cnx_mock.errors import ProgramError
from cnx_mock.world.clock import SECOND, ticks

_LAST_BYTES = 4000
"""Of what a program says, how much of its end is kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended."""

    status: int | None
    """The exit status, below zero for the signal that ended it; None where it went on beyond the limit."""
    seconds: float
    """How long it took."""
    words: str
    """The end of what it said on stdout and stderr."""


async def run(command: Sequence[str], environ: Mapping[str, str], seconds: float | None, executor: Executor) -> Ended:
    """Run a program in a process group of its own, and kill whatever is left of the group at its end: at the limit,
    and when this is cancelled. Raises ProgramError."""
    began = ticks()
    with tempfile.TemporaryFile() as said:
        try:
            process = _started(list(command), environ, said)
        except OSError as error:
            raise ProgramError(command[0], error) from None
        waiting = asyncio.get_running_loop().run_in_executor(executor, _wait, process)
        try:
            in_time, _ = await asyncio.wait([waiting], timeout=seconds)
            took = (ticks() - began) / SECOND
        finally:
            _kill(process)
            await waiting
            process.wait()
        return Ended(process.returncode if in_time else None, took, _end(said))


def _started(command: list[str], environ: Mapping[str, str], said: IO[bytes]) -> "subprocess.Popen[bytes]":
    """The process; a script without a `#!` line is the shell's, as everywhere. Raises OSError."""

    def start(words: list[str]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            words, env=dict(environ), stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )

    try:
        return start(command)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    return start(["/bin/sh", shutil.which(command[0]) or command[0], *command[1:]])


def _wait(process: "subprocess.Popen[bytes]") -> None:
    """Until the process has ended. Where that is possible it is left to be reaped, so that its group's number cannot be
    somebody else's yet."""
    if hasattr(os, "waitid"):
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            return
    process.wait()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses where only the dead are left
        os.killpg(process.pid, signal.SIGKILL)


def _end(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _LAST_BYTES))
    return said.read().decode("utf-8", "replace")
