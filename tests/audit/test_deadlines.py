"""A body that comes piece by piece: who waits for all of it has no deadline. A minute is three seconds here."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from cnx_mock import MockServer
from cnx_mock.audit.audit import findings, hammered
from cnx_mock.audit.call import calls_of
from cnx_mock.net.sockets import ListeningSockets
from cnx_mock.settings import Settings
from cnx_mock.sweep.causes import causes
from cnx_mock.sweep.plan import SweepFault
from cnx_mock.sweep.results import Entries, SweepOptions
from cnx_mock.sweep.runner import Sweep
from cnx_mock.sweep.trial import RunConfig, private
from tests.audit.journal import codes, get
from tests.sweep.builders import Silence

FOLDER = Path(__file__).with_name("deadlines")
RUNNERS = {".py": sys.executable, ".mjs": "node", ".sh": "sh"}
DRIP = {"drip": {"chunks": 30, "over": "3500ms"}}
MINUTE = {"deadline": "3s"}


def command(client: str) -> list[str]:
    """What runs a client; skips the test if it cannot run here."""
    path = FOLDER / client
    runner = RUNNERS[path.suffix]
    if shutil.which("curl" if path.suffix == ".sh" else runner) is None and "CI" not in os.environ:
        pytest.skip(f"needs {runner}")
    return [runner, str(path)]


def environment(url: str, key: str) -> dict[str, str]:
    return {"CLOUDNEXUS_BASE_URL": url, "CLOUDNEXUS_API_KEY": key, "PYTHONPATH": str(FOLDER.parents[2])}


CLIENTS = sorted(path.name for path in FOLDER.iterdir() if path.is_file())


def found(server: MockServer, client: str) -> set[str]:
    """The codes of what is found about a client whose first call is answered drop by drop."""
    sandbox = server.sandbox({"rules": [{"match": {"operation": "plans.list"}, "times": 1, "fault": DRIP}]})
    environ = {**os.environ, **environment(sandbox.url, sandbox.api_key)}
    subprocess.run(command(client), env=environ, capture_output=True, timeout=60, check=False)
    calls = calls_of(sandbox.call("GET", "/requests")["data"])
    assert calls
    return {each.code for each in findings(calls, MINUTE)}


@pytest.fixture(scope="module")
def findings_of() -> Iterator[Callable[[str], set[str]]]:
    """Gives what is found about a client. They run beside each other and beside the sweep, because all that they do is
    to wait."""
    with MockServer() as server, ThreadPoolExecutor(len(CLIENTS)) as pool:
        runs = {client: pool.submit(found, server, client) for client in CLIENTS}
        yield lambda client: runs[client].result()


def test_it_is_a_minute_and_a_call_without_an_answer_does_not_count() -> None:
    assert codes(get(lasts="61s")) == ["no-deadline"]
    assert codes(get(lasts="59s")) == codes(get(status=None, lasts="61s")) == []


BOTH = """
import json, os, urllib.request
def call(method, path, body=None):
    headers = {"Authorization": f"Bearer {os.environ['CLOUDNEXUS_API_KEY']}", "Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["CLOUDNEXUS_BASE_URL"] + path, body, headers, method=method)
    return json.load(urllib.request.urlopen(request, timeout=5))
call("GET", "/v1/plans")
call("POST", "/v1/instances", b'{"name": "a", "plan": "pro", "region": "us-east-1", "image": "debian-12"}')
call("GET", "/v1/plans")
"""


@pytest.mark.slow
@pytest.mark.usefixtures("findings_of")
def test_a_sweep_tells_it_once_and_no_run_is_hung() -> None:
    def judged(entries: Entries, fault_free: Sequence[Entries], failed: bool) -> list[str]:
        return [str(each) for each in hammered(calls_of(entries), MINUTE, map(calls_of, fault_free), failed)]

    def served(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
        return environment(sockets.url, key)

    drip = SweepFault("drip", "a slow body", lambda call: call.leads, DRIP, seconds=3.5)
    config = RunConfig(command=[sys.executable, "-c", BOTH], settings=private(Settings()), environment=served)
    options = SweepOptions(faults=[drip], jobs=2)
    sweep = Sweep(options=options, check_hammering=partial(judged), config=config, progress=Silence())
    asyncio.run(sweep.run())
    [cause] = causes(sweep.results[cell.name] for cell in sweep.cells)  # as reports do: in the order of the plan
    assert (cause.verdict, len(cause.results)) == ("hammered", 2)
    assert "your client has no total deadline: #1 waited up to " in cause.sentence
    assert cause.places == "2 cells: GET /v1/plans #1 drip; POST /v1/instances #1 drip"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.clients
@pytest.mark.slow
def test_a_client_has_a_deadline_or_this_is_found(findings_of: Callable[[str], set[str]], client: str) -> None:
    assert findings_of(client) == ({"no-deadline"} if client.startswith("without") else set())
