"""The processes that a program has started, wherever they are: a mark in their environment shows them."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cnx_mock.world.clock import SECOND, ticks

MARK = "CNX_MOCK_RUN"
"""The variable by which the processes of one run are known."""
_PIECE = 1 << 17
"""How many bytes of an environment are read at once."""
_ROUNDS = 5
"""How often processes are looked for that have left the group."""
_SECONDS_OF_NUMBERS = 2
"""Process ids cannot be used again within this many seconds: there are at least 32,000 of them."""
_FEW_NUMBERS = 200
"""Of more numbers than this, it is quicker to list the processes that there are."""


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
