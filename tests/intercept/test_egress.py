"""The egress guard: a test that reaches for another host than this machine fails, and says for which."""

import asyncio
import socket

import pytest

from cnx_mock import MockServer
from cnx_mock.errors import EgressError
from cnx_mock.intercept.egress import guard_egress
from tests.pytest_plugin.conftest import Run

ELSEWHERE = "192.0.2.1"  # an address for documentation (RFC 5737): nobody is there


def test_a_name_is_not_even_looked_up() -> None:
    with guard_egress() as guard, pytest.raises(EgressError, match=r"example\.com:443 may not be looked up"):
        socket.create_connection(("example.com", 443), timeout=10)
    assert guard.attempts == ["example.com:443, looked up"]


def test_an_address_is_not_connected_to() -> None:
    with guard_egress() as guard, pytest.raises(EgressError):
        socket.create_connection((ELSEWHERE, 80), timeout=10)
    assert guard.attempts == [f"{ELSEWHERE}:80, connected to"]


def test_an_address_of_ipv6_is_not_connected_to() -> None:
    with guard_egress() as guard, socket.socket(socket.AF_INET6) as sock, pytest.raises(EgressError):
        sock.connect(("2001:db8::1", 443))
    assert guard.attempts == ["[2001:db8::1]:443, connected to"]


def test_connect_ex_answers_as_it_always_does() -> None:
    with guard_egress(), socket.socket() as sock:
        assert sock.connect_ex((ELSEWHERE, 80)) != 0


def test_a_datagram_is_not_sent() -> None:
    with guard_egress() as guard, socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(EgressError):
        sock.sendto(b"?", (ELSEWHERE, 53))
    assert len(guard.attempts) == 1


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_loop_is_met_as_well(loop: str) -> None:
    runner = pytest.importorskip(loop)

    async def reach() -> None:
        await asyncio.open_connection("example.com", 443)

    with guard_egress() as guard, pytest.raises(EgressError):
        runner.run(reach())
    assert guard.attempts == ["example.com:443, looked up"]


def test_this_machine_is_free() -> None:
    with MockServer() as server, guard_egress() as guard:
        host, port = server.url.removeprefix("http://").split(":")
        for name in (host, "localhost"):
            socket.create_connection((name, int(port)), timeout=10).close()
        socket.gethostbyname("localhost")
    assert guard.attempts == []


def test_hosts_that_are_allowed_are_reached() -> None:
    with guard_egress([ELSEWHERE]) as guard, socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect((ELSEWHERE, 53))  # a datagram socket sends nothing by this
    assert guard.attempts == []


def test_what_is_led_to_the_mock_goes_nowhere_else() -> None:
    with MockServer() as server, server.intercept(), guard_egress() as guard:
        socket.create_connection(("api.cloudnexus.com", 443), timeout=10).close()
    assert guard.attempts == []


def test_afterwards_everything_is_as_before() -> None:
    before = socket.socket.connect, socket.getaddrinfo
    with pytest.raises(ZeroDivisionError), guard_egress():
        raise ZeroDivisionError
    assert (socket.socket.connect, socket.getaddrinfo) == before


# ---- in pytest

REACHES = """
import socket


def reach():
    try:
        socket.create_connection(("example.com", 443), timeout=10)
    except OSError:
        pass
"""


def test_the_fixture_fails_a_test_that_passes_over_the_refusal(run: Run) -> None:
    result = run(REACHES + "\ndef test_it(cnx_no_egress):\n    reach()\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the egress guard refused*", "*example.com:443, looked up*"])


@pytest.mark.parametrize("way", ["option", "ini"])
def test_the_option_and_the_ini_option_guard_every_test(way: str, run: Run, pytester: pytest.Pytester) -> None:
    if way == "ini":
        pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\ncnx_no_egress = true\n")
    tests = (
        REACHES + "\ndef test_one():\n    reach()\n\n\ndef test_two(cnx):\n    assert call(cnx, 'GET', '/v1/plans')\n"
    )
    result = run(tests, *(["--cnx-no-egress"] if way == "option" else []))
    result.assert_outcomes(failed=1, passed=1)


def test_without_it_nobody_stands_guard(run: Run) -> None:
    run(
        "import socket\nBEFORE = socket.socket.connect\n\n\ndef test_it(): assert socket.socket.connect is BEFORE"
    ).assert_outcomes(passed=1)


def test_a_host_of_the_ini_option_is_reached(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(f"[pytest]\nasyncio_default_fixture_loop_scope = function\ncnx_egress_hosts = {ELSEWHERE}\n")
    tests = f"""
import socket


def test_it(cnx_no_egress):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect(("{ELSEWHERE}", 53))
"""
    run(tests).assert_outcomes(passed=1)
