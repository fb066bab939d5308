"""`make bench ARGS=--sweep`: what a sweep adds to the program that it runs.

A run of a sweep is a server with a proxy and TLS, the program, and what is taken down of both: what is not the
program's, from its start to its end, is what the sweep costs. Beside it stands the processor time of our own process,
which a busy machine changes less. Then what a race of two programs adds to each of their calls. And a test of ten
calls, in process, swept with every usual fault: the time above the same session without a sweep, and how much of it
the client itself waits for answers that never come.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

from cnx_mock.cli.program_runs import ProgramRuns
from cnx_mock.settings import Settings
from cnx_mock.sweep.plan import NO_FAULTS
from cnx_mock.sweep.race.schedule import RACERS, Schedule, order_of
from cnx_mock.sweep.race.trial import race_once
from cnx_mock.sweep.race.world import ANY_PACE
from cnx_mock.sweep.trial import run_once
from tests.bench.stage import Failure, machine, two_cores

RUNS = 100
PROGRAMS = {
    "/bin/true": ("/bin/true",),
    "one call from Python": (
        sys.executable,
        "-c",
        "import os, urllib.request as u\n"
        "k = {'Authorization': 'Bearer ' + os.environ['CLOUDNEXUS_API_KEY']}\n"
        "u.urlopen(u.Request(os.environ['CLOUDNEXUS_BASE_URL'] + '/v1/plans', headers=k)).read()",
    ),
}
CALLS = """
import http.client, os, sys
from urllib.parse import urlsplit
place = urlsplit(os.environ["CLOUDNEXUS_BASE_URL"])
connection = http.client.HTTPConnection(place.hostname, place.port)
for _ in range(int(sys.argv[1])):
    connection.request("GET", "/v1/plans", headers={"Authorization": "Bearer " + os.environ["CLOUDNEXUS_API_KEY"]})
    connection.getresponse().read()
"""
"""A program that makes so many calls."""
FEW, MANY = 5, 55
"""How many calls it makes: the difference of the two is without its start and end."""
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


def measure(rounds: int) -> None:
    """Measure and print everything."""
    print(machine(*two_cores()))
    print(f"medians (and the 9th in 10) of {rounds} × {RUNS} runs, above the program's own time, in milliseconds")
    for name, command in PROGRAMS.items():
        _show(f"a run of {name}", [each for _ in range(rounds) for each in asyncio.run(_overheads(command))])
    _show("a call in a race", [each for _ in range(rounds) for each in asyncio.run(_raced())])
    print(f"(each may be {GOAL:g} ms)")
    swept = [_swept() for _ in range(rounds)]
    cells, seconds = swept[0][0], median(seconds for _, seconds in swept)
    print(f"a test of ten calls, {cells} cells: {seconds:.2f} s, {HANGS * LIMIT:.2f} s of it the client's own waiting")


Cost = tuple[float, float]
"""Seconds, and seconds of our process on a processor."""


def _show(name: str, costs: Sequence[Cost]) -> None:
    wall, processor = ([each[index] * 1000 for each in costs] for index in (0, 1))
    nine_in_ten = quantiles(wall, n=10)[-1]
    print(f"{name:31} {median(wall):6.2f} ({nine_in_ten:.2f}), of our own processor time {median(processor):6.2f}")


async def _overheads(command: tuple[str, ...]) -> list[Cost]:
    """What each run costs beyond the program's own time, from its start to its end."""
    config = ProgramRuns(command, Settings(port=0, proxy=True)).config
    found = []
    with ThreadPoolExecutor(1) as executor:
        await run_once(config, NO_FAULTS, None, executor)  # the first one loads what is loaded late
        for _ in range(RUNS):
            began, used = time.perf_counter(), time.process_time()
            run = await run_once(config, NO_FAULTS, None, executor)
            found.append((time.perf_counter() - began - run.ended.seconds, time.process_time() - used))
    return found


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
