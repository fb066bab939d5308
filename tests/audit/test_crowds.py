"""Real clients with several workers, and one that looks like several. A run without faults shows their usual calls."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import MockServer
from cnx_mock.audit.audit import findings
from cnx_mock.audit.call import Call, calls_of

pytestmark = [pytest.mark.clients, pytest.mark.slow]

FOLDER = Path(__file__).with_name("crowds")
RUNNERS = {".py": sys.executable, ".mjs": "node", ".sh": "sh"}
RETRIES = ["early-retry", "flat-backoff", "amplification", "blind-create"]

FAULTS: dict[str, list[dict[str, Any]]] = {
    "error": [{"times": 1, "fault": {"error": "INTERNAL_ERROR"}}],
    "limited": [{"times": 1, "fault": {"error": "RATE_LIMITED", "retry_after": "2s"}}],
    "some limited": [{"times": 3, "fault": {"error": "RATE_LIMITED", "retry_after": "2s"}}],
    "outage": [{"times": 5, "fault": {"error": "INTERNAL_ERROR"}}],
    "reset": [{"times": 1, "fault": {"connection": "reset"}}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def calls(server: MockServer, client: str, rules: list[dict[str, Any]]) -> list[Call]:
    """What a client does in a new sandbox with these rules."""
    path = FOLDER / client
    runner = RUNNERS[path.suffix]
    if shutil.which("curl" if path.suffix == ".sh" else runner) is None and "CI" not in os.environ:
        pytest.skip(f"needs {runner}")
    sandbox = server.sandbox({"rules": rules})
    given = {"CLOUDNEXUS_BASE_URL": sandbox.url, "CLOUDNEXUS_API_KEY": sandbox.api_key}
    subprocess.run([runner, str(path)], env={**os.environ, **given}, capture_output=True, timeout=60, check=False)
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
AT_ONCE = 4
"""So many clients run beside each other: they wait for most of their time."""

Judge = Callable[[str, str], set[str]]


@pytest.fixture(scope="module")
def judged(server: MockServer) -> Iterator[Judge]:
    """Gives the codes of what is found about a client's retries. Its run without faults is made once."""
    operations = dict.fromkeys(CROWDS, "plans.list") | {ONE: "instances.create"}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        usual = {client: pool.submit(calls, server, client, []) for client in operations}
        faulty = {
            (client, fault): pool.submit(
                calls, server, client, [{"match": {"operation": operations[client]}, **rule} for rule in FAULTS[fault]]
            )
            for client in operations
            for fault in (FOUND if client == ONE else FAULTS)
        }

        def judge(client: str, fault: str) -> set[str]:
            found = findings(faulty[client, fault].result(), usual=[usual[client].result()])
            return {each.code for each in found if each.code in RETRIES}

        yield judge


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("client", CROWDS)
def test_workers_that_each_wait_are_not_one_that_hammers(judged: Judge, client: str, fault: str) -> None:
    assert judged(client, fault) == set()


@pytest.mark.parametrize("fault", FOUND)
def test_one_client_that_takes_turns_between_connections_is_one(judged: Judge, fault: str) -> None:
    assert judged(ONE, fault) == FOUND[fault]
