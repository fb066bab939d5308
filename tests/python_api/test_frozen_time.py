"""A test that freezes Python's clocks has a server beside it, in the same process, that does not notice."""

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography import x509
from freezegun import freeze_time

from cnx_mock import MockServer, Sandbox
from cnx_mock.net.certificates import authority
from cnx_mock.net.serving import asyncio_loop
from cnx_mock.scenario.delays import Delays
from cnx_mock.world.clock import SECOND, wall_now
from tests.cases import cases
from tests.pytest_plugin.conftest import Run, run

pytestmark = pytest.mark.slow  # freezegun looks through all modules for each test

__all__ = ["run"]

FREEZES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "freezegun, later": lambda: freeze_time("2040-01-01"),
    "freezegun, before": lambda: freeze_time("1990-01-01"),
    "freezegun, ticking": lambda: freeze_time("2040-01-01", tick=True),
    "time-machine, later": lambda: time_machine.travel("2040-01-01", tick=False),
    "time-machine, before": lambda: time_machine.travel(datetime(1990, 1, 1, tzinfo=UTC), tick=False),
    "time-machine, ticking": lambda: time_machine.travel("2040-01-01"),
}


@pytest.fixture(params=FREEZES)
def frozen(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The whole test runs at a time that is not now."""
    started = wall_now() / SECOND
    with FREEZES[request.param]() as traveller:
        assert abs(time.time() - started) > 10 * 365 * 86400, "Python's clock is frozen"
        yield traveller


def is_now(second: float) -> bool:
    return abs(second - wall_now() / SECOND) < 60


# ---- certificates


def test_a_new_ca_is_valid_on_the_machines_dates(frozen: Any, tmp_path: Path, client: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("CNX_MOCK_CA_DIR", str(tmp_path))
    with MockServer(tls=True) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_path))
        sandbox = server.sandbox()
        assert client(server.tls_url, sandbox.api_key).get("/v1/plans").status == 200  # OpenSSL knows what day it is
    made = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    assert is_now(made.not_valid_before_utc.timestamp() + 86400)  # of the day before: the clocks of machines differ
    assert is_now(made.not_valid_after_utc.timestamp() - 3650 * 86400)


def test_threads_that_sign_at_the_same_time_leave_the_freeze_as_it_was(tmp_path: Path) -> None:
    with freeze_time("2040-01-01"), ThreadPoolExecutor(8) as threads:
        cas = list(threads.map(lambda number: authority(tmp_path / str(number)), range(8)))
        list(threads.map(lambda ca: ca.server_context(), cas))
        assert dt.datetime.now(UTC).year == 2040


PROGRAM_S_OWN = """
from datetime import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from freezegun import freeze_time

def signed():
    key, name = generate_private_key(SECP256R1()), x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(datetime.now()).not_valid_after(datetime.now())
    return builder.sign(key, hashes.SHA256())
"""

OURS_FIRST = (
    "with freeze_time('2040-01-01'): authority(folder).server_context()\nauthority(folder).server_context(); signed()"
)
OTHERS_FIRST = "with freeze_time('2040-01-01'): signed()\nauthority(folder).server_context()"


@pytest.mark.parametrize("use", [OURS_FIRST, OTHERS_FIRST], ids=["ours first", "the program's first"])
def test_what_signs_in_a_freeze_signs_after_it(tmp_path: Path, use: str) -> None:
    ours = (
        f"from pathlib import Path\nfrom cnx_mock.net.certificates import authority\nfolder = Path({str(tmp_path)!r})"
    )
    script = f"{PROGRAM_S_OWN}\n{ours}\n{use}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ---- clocks


@cases("freeze", FREEZES.values(), ids=FREEZES)
def test_a_running_clock_does_not_jump_and_nothing_is_charged(sandbox: Sandbox, api: Any, freeze: Any) -> None:
    api.create()
    before = sandbox.clock.now, sandbox.account.balance
    with freeze():
        assert 0 <= (sandbox.clock.now - before[0]).total_seconds() < 60
        assert sandbox.account.balance == before[1]
        assert is_now(sandbox.clock.now.timestamp())


def test_a_clock_that_starts_in_a_freeze_does_not_jump_back_after_it(server: MockServer, client: Any) -> None:
    for freeze in FREEZES.values():
        with freeze():
            sandbox = server.sandbox()
            client(server.url, sandbox.api_key).create()
            charged = sandbox.account.balance
        assert is_now(sandbox.clock.now.timestamp())
        assert sandbox.account.balance == charged


def test_the_sandboxs_own_clock_can_be_moved_and_frozen_beside(frozen: Any, server: MockServer) -> None:
    sandbox = server.sandbox({"world": {"clock": {"start": "2026-01-01T00:00:00Z", "frozen": True}}})
    assert sandbox.clock.now.isoformat() == "2026-01-01T00:00:00+00:00"
    sandbox.clock.advance("2h")
    assert sandbox.clock.now == datetime(2026, 1, 1, 2, tzinfo=UTC)


def test_the_wire_and_the_journal_say_what_time_it_is(frozen: Any, sandbox: Sandbox, api: Any) -> None:
    headers = api.get("/v1/instances").headers
    assert is_now(parsedate_to_datetime(headers["date"]).timestamp())
    assert is_now(int(headers["x-ratelimit-reset"]) - 60)
    [entry] = sandbox.requests
    assert is_now(datetime.fromisoformat(entry.wall).timestamp())
    assert is_now(datetime.fromisoformat(str(entry.at)).timestamp())
    assert entry.duration_ms is not None
    assert 0 <= entry.duration_ms < 60_000


def test_a_report_of_days_reads_and_writes_the_same_days(frozen: Any, sandbox: Sandbox, api: Any) -> None:
    sandbox.load("small-team")
    reply = api.get("/v1/billing/reports?start=2026-01-01&end=2026-01-31")
    assert reply.status == 200, reply.body
    assert '"2026-01-31"' in reply.body.decode()


# ---- rate limits


@pytest.mark.parametrize("style", ["anchored", "aligned", "sliding"])
def test_a_rate_window_neither_opens_nor_stays_shut(frozen: Any, server: MockServer, client: Any, style: str) -> None:
    sandbox = server.sandbox({"world": {"rate_limit": "1/min", "readings": {"rate-window": style}}})
    api = client(server.url, sandbox.api_key)
    assert api.get("/v1/plans").status in (200, 429)
    refused = api.get("/v1/plans")
    if style != "aligned":  # whose minute may have ended in between
        assert refused.status == 429
        assert 58 <= int(refused.headers["retry-after"]) <= 60
    frozen.move_to("2050-06-01")
    if style != "aligned":
        assert api.get("/v1/plans").status == 429
    sandbox.clock.advance("60s")
    assert api.get("/v1/plans").status == 200


# ---- waiting


def test_a_delay_takes_its_time(frozen: Any, sandbox: Sandbox, api: Any) -> None:
    with sandbox.inject("plans.list", latency="30ms"):
        assert api.get("/v1/plans").status == 200
    [entry] = sandbox.requests
    assert entry.delayed_ms >= 30


def test_so_it_does_on_the_loop_of_windows(frozen: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnx_mock.python_api.server_thread.loop_factory", lambda: asyncio_loop)
    with MockServer() as server:
        sandbox = server.sandbox()
        with sandbox.inject("plans.list", latency="30ms"):
            assert client(server.url, sandbox.api_key).get("/v1/plans").status == 200
        [entry] = sandbox.requests
        assert entry.delayed_ms >= 30


def test_a_loop_of_ours_passes_a_deadline(frozen: Any) -> None:
    loop = asyncio_loop()
    try:
        loop.run_until_complete(Delays().pause(2000))
    finally:
        loop.close()


@pytest.mark.parametrize("freeze", ["freezegun, later", "time-machine, before"])
def test_a_client_that_really_waits_is_not_accused(sandbox: Sandbox, api: Any, freeze: str) -> None:
    with FREEZES[freeze](), sandbox.inject("plans.list", times=1, error="INTERNAL_ERROR", retry_after="1s"):
        asked = float(api.get("/v1/plans").headers["retry-after"])
        time.sleep(asked)  # which neither of them freezes
        assert api.get("/v1/plans").status == 200
        sandbox.audit.assert_clean()


def test_a_client_that_only_moves_its_clock_is_accused(sandbox: Sandbox, api: Any) -> None:
    with freeze_time("2040-01-01") as clock:
        with sandbox.inject("plans.list", times=1, error="INTERNAL_ERROR", retry_after="30s"):
            api.get("/v1/plans")
            clock.tick(30)
            api.get("/v1/plans")
        with pytest.raises(AssertionError, match="early-retry"):
            sandbox.audit.assert_clean()


# ---- the first use of the package is in a freeze

FIRST_USE = """
import sys
import http.client, ssl
{freeze}
import cnx_mock
with cnx_mock.MockServer(tls=True) as server, server.intercept():
    sandbox = server.sandbox()
    def get(path):
        connection = http.client.HTTPSConnection("api.cloudnexus.com", timeout=10)
        connection.request("GET", path, headers={{"Authorization": "Bearer " + sandbox.api_key}})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status
    seen = [get("/v1/plans"), get("/v1/billing/reports?start=2026-01-01&end=2026-01-02")]
    thaw()
    seen += [get("/v1/plans"), get("/v1/billing/reports?start=2026-01-01&end=2026-01-02")]
    print(seen, [call.wall[:2] for call in sandbox.requests])
"""

BEGIN = {
    "freezegun": "from freezegun import freeze_time\nit = freeze_time('1985-10-26'); it.start(); thaw = it.stop",
    "time-machine": "import time_machine\nit = time_machine.travel('1985-10-26'); it.start(); thaw = it.stop",
}


@pytest.mark.parametrize("freeze", BEGIN.values(), ids=BEGIN)
def test_a_freeze_may_begin_before_the_package_is_imported(freeze: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("CNX_MOCK_CA_DIR", str(tmp_path))
    command = [sys.executable, "-W", "error", "-c", FIRST_USE.format(freeze=freeze)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == (f"{[200] * 4} {['20'] * 4}\n", "")


# ---- in pytest

IN_PYTEST = {
    "freezer first": "def test_it(freezer, cnx):\n    freezer.move_to('2040-01-01')",
    "cnx first": "def test_it(cnx, freezer):\n    freezer.move_to('1990-01-01')",
    "time_machine": "def test_it(cnx, time_machine):\n    time_machine.move_to('2040-01-01', tick=False)",
    "mark": "@pytest.mark.freeze_time('2040-01-01')\ndef test_it(cnx):\n    pass",
}


@pytest.mark.parametrize("test", IN_PYTEST.values(), ids=IN_PYTEST)
def test_the_fixtures_of_both_go_with_ours(run: Run, test: str) -> None:
    rest = """
    status, made = create(cnx)
    assert (status, made["created_at"]) == (201, "2026-01-01T00:00:00Z")
    cnx.clock.advance("2h")
    assert cnx.account.balance == "$99.88"
    assert cnx.requests[0].wall[:2] == "20"
    cnx.audit.assert_clean()
"""
    run(test + rest, beside=("freezer", "time_machine")).assert_outcomes(passed=1)
