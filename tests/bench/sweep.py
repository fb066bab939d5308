"""`make bench ARGS=--sweep`: what a sweep adds to the program that it runs.

Programs that make no call, one, ten and many are swept with a fault that does nothing, and run as often beside it
against a plain `cnx-mock serve`. What a run of the sweep takes longer, from one verdict to the next, is what the sweep
adds: a server with a proxy and TLS, folders, the journal, the verdict. Beside it stands the processor time of our own
process, with that of the calls. Then what a race of two programs adds to each of their calls. And a test of ten calls,
in process, swept with every usual fault: the time above the same session without a sweep, and how much of it the
client itself waits for answers that never come. `--quick` leaves the test out.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from statistics import median

from cnx_mock.audit.audit import Hammering
from cnx_mock.cli.program_runs import ProgramRuns
from cnx_mock.programs.bounded import run
from cnx_mock.settings import Settings
from cnx_mock.sweep.plan import NO_FAULTS, SweepFault
from cnx_mock.sweep.race.schedule import RACERS, Schedule, order_of
from cnx_mock.sweep.race.trial import race_once
from cnx_mock.sweep.race.world import ANY_PACE
from cnx_mock.sweep.results import CellResult, SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.trial import run_once
from cnx_mock.text.plural import counted
from cnx_mock.world.keys import test_key
from tests.bench.stage import COMMAND, Failure, machine, running, two_cores

RUNS = 30
CALLS = """
import http.client, json, os, sys
from urllib.parse import urlsplit
place = urlsplit(os.environ["CLOUDNEXUS_BASE_URL"])
connection = http.client.HTTPConnection(place.hostname, place.port)
headers = {"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"]}
body = {"name": "web", "plan": "pro", "region": "us-east-1", "image": "debian-12"}
def call(method, path, body=None):
    connection.request(method, path, body and json.dumps(body), headers)
    return json.loads(connection.getresponse().read())
for number in range(int(sys.argv[1])):
    if number % 5 == 0:
        made = call("POST", "/v1/instances", body)["id"]
    else:
        call("GET", "/v1/instances" if number % 5 == 4 else "/v1/instances/" + made)
"""
"""A program that makes so many calls: creates, reads and lists."""
FEW, MANY = 5, 55
"""How many calls it makes in a race: the difference of the two is without its start and end."""
NOTHING = "nothing"
"""The faults do nothing: a run with one takes as long as a run without."""
RACES = 10
GOAL = 5.0
"""Milliseconds that a sweep may add to a run, and a race to a call."""
LIMIT = 0.05
TEST = f"""
import http.client, json

BODY = {{"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "debian-12"}}

def test_ten_calls(cnx):
    def call(method, path, body=None):
        connection = http.client.HTTPConnection(cnx.url.removeprefix("http://"), timeout={LIMIT})
        try:
            headers = {{"Authorization": "Bearer " + cnx.api_key}}
            connection.request(method, path, body and json.dumps(body), headers)
            answer = connection.getresponse()
            assert answer.status < 300
            return json.loads(answer.read())
        finally:
            connection.close()

    made = call("POST", "/v1/instances", BODY)
    for _ in range(4):
        call("GET", "/v1/instances/" + made["id"])
    for path in ("/v1/plans", "/v1/regions", "/v1/instances", "/v1/billing/balance"):
        call("GET", path)
    call("DELETE", "/v1/instances/" + made["id"])
"""
HANGS = 12
"""Of the cells of that test: ten calls hang before the effect, two after it."""


def measure(rounds: int, *, quick: bool) -> None:
    """Measure and print everything."""
    print(machine(*two_cores()))
    print(f"medians of {rounds} × {RUNS} runs, above the program's own time, in milliseconds; each may be {GOAL:g}")
    _show("a run of /bin/true", [asyncio.run(_without_calls()) for _ in range(rounds)])
    for calls in (1, 10, MANY):
        found = [_overhead(calls) for _ in range(rounds)]
        own = median(own for _, _, own in found) * 1000
        _show(
            f"a run with {counted(calls, 'call')}", [each[:2] for each in found], f", beside {own:.1f} of the program"
        )
    _show("a call in a race", [each for _ in range(rounds) for each in asyncio.run(_raced())])
    if not quick:
        swept = [_swept() for _ in range(rounds)]
        cells, seconds = swept[0][0], median(seconds for _, seconds in swept)
        waiting = HANGS * LIMIT
        print(f"a test of ten calls, {cells} cells: {seconds:.2f} s, {waiting:.2f} s of it the client's own waiting")


Cost = tuple[float, float]
"""Seconds, and seconds of our process on a processor."""


def _show(name: str, costs: Sequence[Cost], more: str = "") -> None:
    wall, processor = ([each[index] * 1000 for each in costs] for index in (0, 1))
    spread = f"{min(wall):.2f}–{max(wall):.2f}"
    print(f"{name:20} {median(wall):6.2f} ({spread}), of our own processor time {median(processor):6.2f}{more}")


async def _without_calls() -> Cost:
    """What a run of a program that makes no call costs: it cannot be swept."""
    config = ProgramRuns(("/bin/true",), Settings(port=0, proxy=True)).config
    found, used = [], time.process_time()
    with ThreadPoolExecutor(1) as executor:
        for _ in range(RUNS):
            began = time.perf_counter()
            run = await run_once(config, NO_FAULTS, None, executor)
            found.append(time.perf_counter() - began - run.ended.seconds)
    return median(found), (time.process_time() - used) / RUNS


class _Stopwatch:
    """Notes when each verdict is there."""

    def __init__(self) -> None:
        self.verdicts: list[float] = []

    def message(self, line: str) -> None: ...

    def planned(self, sweep: Sweep) -> None: ...

    def judged(self, result: CellResult) -> None:
        self.verdicts.append(time.perf_counter())


def _overhead(calls: int) -> tuple[float, float, float]:
    """What a run of a sweep costs beyond what the program takes against a plain server, and how long that is."""
    command = (sys.executable, "-S", "-c", CALLS, str(calls))
    watch = _Stopwatch()
    faults = [
        SweepFault(f"{NOTHING}-{number}", NOTHING, lambda call: True, {"latency": "0ms"}) for number in range(RUNS)
    ]
    runs = ProgramRuns(command, Settings(port=0, proxy=True))
    options = SweepOptions(faults=faults, most=RUNS, all_calls=True)
    sweep = Sweep(config=runs.config, options=options, check_hammering=Hammering(), progress=watch)
    before = asyncio.run(_against_a_server(command))
    used = time.process_time()
    runs.complete(sweep.run)
    used = (time.process_time() - used) / RUNS
    if {each.verdict for each in sweep.results.values()} != {"survived"}:
        raise Failure("the program did not survive that nothing happens")
    own = (before + asyncio.run(_against_a_server(command))) / 2
    return median(later - one for one, later in pairwise(watch.verdicts)) - own, used, own


async def _against_a_server(command: Sequence[str]) -> float:
    """The median of what the program takes against a plain server."""
    serve = [str(COMMAND), "serve", "--port", "0", "--json", "--quiet", "--proxy", "--provisioning", "polls:1"]
    found = []
    with running(serve, "the server") as ready, ThreadPoolExecutor(1) as executor:
        for number in range(RUNS):
            place = {"CLOUDNEXUS_BASE_URL": ready["url"], "CLOUDNEXUS_API_KEY": test_key(f"{number + 1:032x}")}
            ended = await run(command, {**os.environ, **place}, lambda: None, executor)
            if ended.status != 0:
                raise Failure(f"the program failed: {ended.output}")
            found.append(ended.seconds)
    return median(found)


async def _raced() -> list[Cost]:
    """What a race costs for each call of two programs that take turns at every call, beyond what the same calls take
    while each program is alone."""
    config = {
        calls: ProgramRuns((sys.executable, "-c", CALLS, str(calls)), Settings(port=0)).config for calls in (FEW, MANY)
    }
    found = []
    with ThreadPoolExecutor(2) as executor:
        for _ in range(RACES):
            alone, together = {}, {}
            for calls in (FEW, MANY):
                alone[calls] = (await run_once(config[calls], NO_FAULTS, None, executor)).ended.seconds
                turns = Schedule(order_of(("A", "B") * calls))
                both = dict.fromkeys(RACERS, config[calls])
                began, used = time.perf_counter(), time.process_time()
                raced = await race_once(both, turns, dict.fromkeys(RACERS, ANY_PACE), None, executor)
                together[calls] = time.perf_counter() - began, time.process_time() - used
                if len(raced.order) != 2 * calls:
                    raise Failure(f"the race had {len(raced.order)} calls, not {2 * calls}")
            each = (MANY - FEW) * 2
            longer = together[MANY][0] - together[FEW][0] - 2 * (alone[MANY] - alone[FEW])
            found.append((longer / each, (together[MANY][1] - together[FEW][1]) / each))
    return found


def _swept() -> tuple[int, float]:
    """How many cells the test of ten calls has, and how many seconds its sweep takes."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_it.py").write_text(TEST, encoding="utf-8")
        plain, _ = _session(folder)
        seconds, shown = _session(folder, "--cnx-sweep")
    totals = next((line for line in shown.splitlines() if line.startswith("in all ")), None)
    if totals is None:
        raise Failure(f"the test was not swept: {shown}")
    return sum(int(word) for word in totals.split() if word.isdigit()), seconds - plain


def _session(folder: str, *options: str) -> tuple[float, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return time.perf_counter() - began, done.stdout + done.stderr
