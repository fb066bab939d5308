"""Real clients with several workers, and one that looks like several. A run without faults shows which calls they
make."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox
from cnx_mock.audit.audit import findings
from cnx_mock.audit.call import Call, calls_of
from tests import commands

pytestmark = [pytest.mark.clients, pytest.mark.slow]

FOLDER = Path(__file__).with_name("crowds")
TOGETHER = Path(__file__).with_name("together.mjs")
RUNNERS = {".py": sys.executable, ".mjs": "node", ".sh": "sh"}
RETRIES = ["early-retry", "flat-backoff", "amplification", "blind-create"]

FAULTS: dict[str, list[dict[str, Any]]] = {
    "error": [{"times": 1, "fault": {"error": "INTERNAL_ERROR"}}],
    "limited": [{"times": 1, "fault": {"error": "RATE_LIMITED", "retry_after": "1s"}}],
    "some limited": [{"times": 3, "fault": {"error": "RATE_LIMITED", "retry_after": "1s"}}],
    "outage": [{"times": 6, "fault": {"error": "INTERNAL_ERROR"}}],  # six waits that are alike differ on a busy machine
    "reset": [{"times": 1, "fault": {"connection": "reset"}}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def run(client: str, sandboxes: list[Sandbox]) -> None:
    """Run a client in each of these sandboxes; with a client for Node, a single process does it."""
    path = FOLDER / client
    runner = RUNNERS[path.suffix]
    if shutil.which("curl" if path.suffix == ".sh" else runner) is None and "CI" not in os.environ:
        pytest.skip(f"needs {runner}")
    given = {"CLOUDNEXUS_BASE_URL": sandboxes[0].url, "CLOUDNEXUS_API_KEY": sandboxes[0].api_key}
    command = [runner, str(path)]
    if path.suffix == ".mjs":
        command = [runner, str(TOGETHER), str(path), *(each.api_key for each in sandboxes)]
    commands.run(command, env={**os.environ, **given}, capture_output=True, timeout=60, popen=commands.popen_program)


def calls(sandbox: Sandbox) -> list[Call]:
    """What a client has done in a sandbox."""
    found = calls_of(sandbox.call("GET", "/requests")["data"])
    assert found
    return found


CROWDS = ["threads.py", "curls.sh", "pool.mjs"]
ONE = "one_fetch.mjs"
FOUND = {
    "error": {"blind-create"},
    "limited": {"early-retry"},
    "outage": {"blind-create", "flat-backoff"},
    "reset": {"blind-create"},
}
"""What is found about the one client, by fault."""
NO_FAULT = "none"
"""In the place of a fault: a run without faults."""
AT_ONCE = 8
"""So many clients run beside each other: they wait for most of their time."""

Judge = Callable[[str, str], set[str]]


@pytest.fixture(scope="module")
def judged(server: MockServer) -> Iterator[Judge]:
    """Gives the codes of what is found about a client's retries. Its run without faults is made once."""
    operations = dict.fromkeys(CROWDS, "plans.list") | {ONE: "instances.create"}
    sandboxes = {(client, NO_FAULT): server.sandbox() for client in operations} | {
        (client, fault): server.sandbox(
            {"rules": [{"match": {"operation": operations[client]}, **rule} for rule in FAULTS[fault]]}
        )
        for client in operations
        for fault in (FOUND if client == ONE else FAULTS)
    }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs: dict[tuple[str, str], Future[None]] = {}
        for client in operations:
            mine = [pair for pair in sandboxes if pair[0] == client]
            for pairs in [mine] if client.endswith(".mjs") else [[pair] for pair in mine]:
                runs |= dict.fromkeys(pairs, pool.submit(run, client, [sandboxes[pair] for pair in pairs]))

        def done(client: str, fault: str) -> list[Call]:
            runs[client, fault].result()
            return calls(sandboxes[client, fault])

        def judge(client: str, fault: str) -> set[str]:
            found = findings(done(client, fault), fault_free=[done(client, NO_FAULT)])
            return {each.code for each in found if each.code in RETRIES}

        yield judge


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("client", CROWDS)
def test_workers_that_each_wait_are_not_one_that_hammers(judged: Judge, client: str, fault: str) -> None:
    assert judged(client, fault) == set()


@pytest.mark.parametrize("fault", FOUND)
def test_one_client_that_takes_turns_between_connections_is_one(judged: Judge, fault: str) -> None:
    assert judged(ONE, fault) == FOUND[fault]
