"""A program with a time limit: nothing of it is left running."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from select import select

import pytest

from cnx_mock.programs import bounded, marked

DETACHES = """
import os, subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", "import threading; print('up', flush=True); threading.Event().wait()"],
    start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
)
child.stdout.readline()
print(child.pid, flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the environment of processes")
@pytest.mark.parametrize("few", [200, 0], ids=["few new processes", "many new processes"])
def test_a_child_in_a_session_of_its_own_is_killed_too(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(marked, "_FEW_NUMBERS", few)
    with ThreadPoolExecutor() as executor:
        command = [sys.executable, "-c", DETACHES]
        result = asyncio.run(bounded.run(command, os.environ, lambda: None, executor))
    assert result.status == 0
    with suppress(ProcessLookupError):
        process = os.pidfd_open(int(result.output.split()[0]))
        assert select([process], [], [], 30)[0], "it has ended, though nobody may have waited for it"
        os.close(process)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the environment of processes")
def test_processes_of_another_run_are_left_alone() -> None:
    async def both() -> list[int | None]:
        with ThreadPoolExecutor() as executor:
            command = [sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(7)"]
            runs = [bounded.run(command, os.environ, lambda: None, executor) for _ in range(2)]
            return [each.status for each in await asyncio.gather(*runs)]

    assert asyncio.run(both()) == [7, 7]
