"""Rows of the start: from the command to its first answer, or to its end."""

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from cnx_mock.world.keys import EXAMPLE_KEY
from tests.bench import peers
from tests.bench.plan import Plan
from tests.bench.results import OURS, Goal, Result, alone, compared
from tests.bench.stage import COMMAND, HERE, Failure, Mock, free_port, mock_command, pinned, running

BARE = "Starlette on uvicorn"
PATH = "/v1/plans"
PYTHON = "python -c pass"
SECONDS = 60
TIMES = 3
"""How many starts a round has: they are short."""


def measure(plan: Plan, rows: Sequence[str]) -> Iterator[Result]:
    """Measure the rows `start`, `command` and `run`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        taken = _rounds(plan, _timers(plan, rows, folder))
    if "start" in rows:
        for name in (OURS, *(each.name for each in plan.peers)):
            if name in taken:
                yield Result(
                    row="start",
                    work="start to first answer",
                    by=name,
                    unit="ms",
                    beside=BARE,
                    goal=Goal("ratio", "≤", 1.5) if name == OURS else None,
                    **compared(taken[name], taken[BARE]),
                )
    for option in ("--version", "--help"):
        if option in taken:
            goal = Goal("ratio", "≤", 3)
            fields = compared(taken[option], taken[PYTHON])
            yield Result(row="command", work=f"cnx-mock {option}", unit="ms", beside=PYTHON, goal=goal, **fields)
    if "run" in rows:
        above = [run - start for run, start in zip(taken["run"], taken[OURS], strict=True)]
        work = "cnx-mock run -- true, above the start of serve"
        yield Result(row="run", work=work, unit="ms", goal=Goal("value", "≤", 60, "ms"), **alone(above))


def _timers(plan: Plan, rows: Sequence[str], folder: Path) -> dict[str, Callable[[], float]]:
    """What measures each side once, in milliseconds, by its name."""
    core = plan.server_core
    found: dict[str, Callable[[], float]] = {}
    if {"start", "run"} & {*rows}:
        found[OURS] = lambda: _first_answer(lambda port: pinned(core, COMMAND, "serve", "--port", port), PATH)
    if "start" in rows:
        uvicorn = (sys.executable, "-m", "uvicorn", "--app-dir", HERE, "one_route:app")
        found[BARE] = lambda: _first_answer(lambda port: pinned(core, *uvicorn, "--port", port), PATH)
        found |= _peers(plan, folder)
    if "command" in rows:
        found[PYTHON] = lambda: _end(pinned(core, sys.executable, "-c", "pass"))
        found["--version"] = lambda: _end(pinned(core, COMMAND, "--version"))
        found["--help"] = lambda: _end(pinned(core, COMMAND, "--help"))
    if "run" in rows:
        found["run"] = lambda: _end(pinned(core, COMMAND, "run", "--", "true"))
    return found


def _peers(plan: Plan, folder: Path) -> dict[str, Callable[[], float]]:
    if not plan.peers:
        return {}
    with running(mock_command(plan.server_core), OURS) as ready:
        mock = Mock(ready["url"], ready["api_key"])
        instance = mock.fresh()
        answers = mock.answers(instance)

    def timer(peer: peers.Peer) -> Callable[[], float]:
        started = peers.Started(peer, folder, answers, instance, plan.server_core)
        return lambda: _first_answer(started.command, peer.path("list", instance))

    return {peer.name: timer(peer) for peer in plan.peers}


def _rounds(plan: Plan, timers: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """The times of every round, by name. The first round warms up, and is not counted."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    broken: set[str] = set()
    names = [*timers]
    for number in range(plan.rounds * TIMES + 1):
        turn = number % len(names)
        for name in (*names[turn:], *names[:turn]):
            if name in broken:
                continue
            try:
                milliseconds = timers[name]() * 1000
            except Failure as failure:
                if name not in {each.name for each in plan.peers}:
                    raise
                plan.say(f"{name}: {failure}")
                broken.add(name)
                taken.pop(name, None)
                continue
            if number:
                taken[name].append(milliseconds)
    plan.say(f"{', '.join(names)}: {plan.rounds * TIMES} times")
    return taken


def _first_answer(command: Callable[[int], list[str]], path: str) -> float:
    """Seconds from the start of a server to its first answer. Raises Failure if there is none."""
    port = free_port()
    words = command(port)
    began = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not peers.answers_at(port, path, EXAMPLE_KEY):
                if process.poll() is not None or time.perf_counter() - began > SECONDS:
                    raise Failure(f"{words} did not answer")
                time.sleep(0.001)
            return time.perf_counter() - began
        finally:
            peers.end(process)


def _end(command: list[str]) -> float:
    """Seconds from the start of a command to its end. Raises Failure if it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode != 0:
        raise Failure(f"{command} failed: {done.stderr}")
    return taken
