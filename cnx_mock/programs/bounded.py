"""A program run with a time limit and without a terminal; none of its processes is left running. (`start` says how
`run` differs.)"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import IO

from cnx_mock.programs.marked import MARK, kill_marked
from cnx_mock.programs.start import ProgramResult, start
from cnx_mock.world.clock import SECOND, ticks

_LAST_BYTES = 4000
"""How much of the end of a program's output is kept."""


async def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    limit: Callable[[], float | None],
    executor: Executor,
    *,
    folder: Path | None = None,
    killed: asyncio.Event | None = None,
    started: Callable[[int], None] | None = None,
) -> ProgramResult:
    """Run a program in a process group of its own, and return how it ended.

    `limit` returns the time limit in seconds since the start, None for none. It is asked again when that time is over,
    and may then return a later one. `folder` is where the program is run, None for here; `killed` is set when it is to
    be killed at once; `started` is called with the number of its process group, and may take its time, as the program
    runs meanwhile. What is left at the end is killed: at the time limit, and if this is cancelled. That is the process
    group, and on Linux every process that the program has started, also one in a session of its own. Raises
    ProgramError.
    """
    began = ticks()
    with tempfile.TemporaryFile() as output:
        mark = f"{os.getpid()}-{began}-{output.fileno()}"
        process = start(command, lambda words: _spawned(words, {**environ, MARK: mark}, output, folder))
        waiting = asyncio.get_running_loop().run_in_executor(executor, _wait, process)
        killing = asyncio.ensure_future(_killed_when(killed, process)) if killed is not None else None
        try:
            if started is not None:
                started(process.pid)
            in_time = await _ends_in_time(waiting, limit, began)
            took = (ticks() - began) / SECOND
        finally:
            if killing is not None:
                killing.cancel()
            _kill(process)
            await waiting
            process.wait()
            kill_marked(mark, process.pid, began)
        return ProgramResult(process.returncode if in_time else None, took, _end(output))


async def _ends_in_time(waiting: "asyncio.Future[None]", limit: Callable[[], float | None], began: int) -> bool:
    while (seconds := limit()) is None or (remaining := seconds - (ticks() - began) / SECOND) > 0:
        if (await asyncio.wait([waiting], timeout=None if seconds is None else remaining))[0]:
            return True
    return waiting.done()


async def _killed_when(killed: asyncio.Event, process: "subprocess.Popen[bytes]") -> None:
    await killed.wait()
    _kill(process)


def _spawned(
    command: list[str], environ: Mapping[str, str], output: IO[bytes], folder: Path | None
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        cwd=folder,
    )


def _wait(process: "subprocess.Popen[bytes]") -> None:
    """Wait until the process has ended. If the system can, do not reap it yet: the number of its group must not be
    given to another process before the group is killed."""
    if hasattr(os, "waitid"):
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            return
    process.wait()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses if only ended processes are left
        os.killpg(process.pid, signal.SIGKILL)


def _end(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _LAST_BYTES))
    return output.read().decode("utf-8", "replace")
