"""Real clients with several workers, and one that looks like several. A run without faults shows their usual calls."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
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


Judge = Callable[[str, str, str], set[str]]


@pytest.fixture(scope="module")
def judged(server: MockServer) -> Judge:
    """Gives the codes of what is found about a client's retries. Its run without faults is made once."""
    usual = cache(lambda client: calls(server, client, []))

    def judge(client: str, operation: str, fault: str) -> set[str]:
        rules = [{"match": {"operation": operation}, **rule} for rule in FAULTS[fault]]
        found = findings(calls(server, client, rules), usual=[usual(client)])
        return {each.code for each in found if each.code in RETRIES}

    return judge


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("client", ["threads.py", "curls.sh", "pool.mjs"])
def test_workers_that_each_wait_are_not_one_that_hammers(judged: Judge, client: str, fault: str) -> None:
    assert judged(client, "plans.list", fault) == set()


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("error", {"blind-create"}),
        ("limited", {"early-retry"}),
        ("outage", {"blind-create", "flat-backoff"}),
        ("reset", {"blind-create"}),
    ],
)
def test_one_client_that_takes_turns_between_connections_is_one(judged: Judge, fault: str, codes: set[str]) -> None:
    assert judged("one_fetch.mjs", "instances.create", fault) == codes
