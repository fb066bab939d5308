"""A program run with a time limit, out of sight; nothing of it is left running. (`start` says how `run` differs.)"""

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

from cnx_mock.programs.start import ProgramResult, start
from cnx_mock.world.clock import SECOND, ticks

_PIECE = 1 << 17
"""How many bytes of an environment are read at once."""

MARK = "CNX_MOCK_RUN"
"""The variable by which the processes of one run are known."""
_ROUNDS = 5
"""How often processes are looked for that have left the group."""
_SECONDS_OF_NUMBERS = 2
"""In so many seconds the numbers of processes cannot have begun again and come so far: there are 32,000 at least."""
_FEW_NUMBERS = 200
"""Of more numbers than this, it is quicker to list the processes that there are."""
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


def kill_marked(mark: str, first: int, began: int) -> None:
    """Kill the processes that inherited this mark, also those that have left the group. `first` is the number of the
    process that had it first, `began` is when that was started. Only Linux shows environments."""
    wanted = f"{MARK}={mark}".encode()
    for _ in range(_ROUNDS):  # one that is killed may have started another meanwhile
        found = [each for each in _processes_since(first, began) if _has(each, wanted)]
        for number in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        if not found:
            return


def _processes_since(first: int, began: int) -> Sequence[int]:
    """Return the numbers that processes may have which were started after the `first` one; none on a system that does
    not show them.

    Numbers are given in order, and begin again at the end. As long as that cannot have happened, only the few behind
    the first one are looked at: a machine may have many hundreds of processes.
    """
    if ticks() - began < _SECONDS_OF_NUMBERS * SECOND:
        with suppress(OSError, ValueError, IndexError):
            newest = int(Path("/proc/loadavg").read_text(encoding="ascii").split()[-1])
            if first <= newest < first + _FEW_NUMBERS:
                return range(first + 1, newest + 1)
    try:
        with os.scandir("/proc") as found:
            return [int(each.name) for each in found if each.name.isdigit()]
    except OSError:
        return []


def _has(process: int, variable: bytes) -> bool:
    """Return whether a process has this variable, given as NAME=VALUE; no if it is another user's, or has ended. Each
    run asks all processes, so this does without Python's files, which take several times as long."""
    try:
        file = os.open(f"/proc/{process}/environ", os.O_RDONLY)
    except OSError:
        return False
    try:
        data = os.read(file, _PIECE)
        while len(data) % _PIECE == 0 and (more := os.read(file, _PIECE)):
            data += more
    except OSError:
        return False
    finally:
        os.close(file)
    return variable in data and variable in data.split(b"\0")


def _end(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _LAST_BYTES))
    return output.read().decode("utf-8", "replace")
