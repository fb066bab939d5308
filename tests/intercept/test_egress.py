"""The egress guard: a test that reaches for another host than this machine fails, and says for which."""

import _socket
import asyncio
import errno
import socket
import subprocess
import sys
from contextlib import suppress

import pytest

from cnx_mock import InvalidInputError, MockServer
from cnx_mock.errors import EgressError
from cnx_mock.intercept.egress import guard_egress
from cnx_mock.intercept.reachable_hosts import ReachableHosts, is_own
from cnx_mock.text.host_names import address_of
from tests.cases import cases
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


@cases(
    ("allowed", "reached"),
    [
        ("192.0.2.0/24", ELSEWHERE),
        ("192.0.2.77/24", ELSEWHERE),
        (ELSEWHERE, f"::ffff:{ELSEWHERE}"),
        ("2001:db8::/32", "2001:db8:1::5"),
        ("[2001:db8::5]", "2001:db8::5"),
    ],
)
def test_networks_and_addresses_are_allowed(allowed: str, reached: str) -> None:
    hosts = ReachableHosts([allowed])
    for host, free in ((reached, True), ("198.51.100.1", False), ("2001:db9::1", False)):
        address = address_of(host)
        assert address is not None
        assert hosts.has_address(address) == free


@pytest.mark.parametrize("name", ["db.internal", "a.b.internal", "DB.Internal."])
def test_a_wildcard_allows_every_name_below_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ELSEWHERE, 0))]
    monkeypatch.setattr(_socket, "getaddrinfo", lambda *_: found)
    with guard_egress(["*.internal"]) as guard:
        assert socket.getaddrinfo(name, 5432)[0][4][0] == ELSEWHERE
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.connect((ELSEWHERE, 53))  # what the name was resolved to
        for other in ("internal", "db.internal.example.com", "notinternal"):
            with pytest.raises(EgressError):
                socket.getaddrinfo(other, 5432)
    assert len(guard.attempts) == 3


@cases(
    ("text", "why"),
    [
        ("http://db.internal", "it is a URL; write a name"),
        ("db.internal:5432", "leave the port out: db.internal; "),
        ("10.0.0.0/33", "write a name"),
        ("10.0.0.256", "write a name"),
        ("*", "it would allow everything"),
        ("db.*.internal", "write a name"),
        ("two words", "write a name"),
        ("", "write a name"),
    ],
)
def test_what_is_not_a_host_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidInputError) as refusal, guard_egress([text]):
        pass
    assert str(refusal.value).startswith(f"{text!r} is not a host: {why}")


def test_every_address_of_this_machine_is_this_machine() -> None:
    own = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
    with socket.socket(type=socket.SOCK_DGRAM) as sock, suppress(OSError):
        sock.connect((ELSEWHERE, 9))  # sends nothing; it shows the address that this machine would send from
        own.add(sock.getsockname()[0])
    with guard_egress() as guard:
        for address in own:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                assert sock.connect_ex((address, 1)) in (0, errno.ECONNREFUSED)
    assert guard.attempts == []


@cases("address", ["224.0.0.1", "255.255.255.255", "ff02::1", ELSEWHERE, "2001:db8::1"])
def test_an_address_of_others_is_not(address: str) -> None:
    found = address_of(address)
    assert found is not None
    assert not is_own(found)


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
        pytester.makeini("[pytest]\ncnx_no_egress = true\n")
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
    pytester.makeini(f"[pytest]\ncnx_egress_hosts = {ELSEWHERE}\n")
    tests = f"""
import socket


def test_it(cnx_no_egress):
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.connect(("{ELSEWHERE}", 53))
"""
    run(tests).assert_outcomes(passed=1)


def test_an_ini_option_that_names_no_host_ends_the_run(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ncnx_egress_hosts = 10.0.0.0/99\n")
    result = run("def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: cnx_egress_hosts: '10.0.0.0/99' is not a host: write a name (db.internal), *"])


GREEN = """
from gevent import monkey
{patch}
import socket
import gevent.socket

from cnx_mock import MockServer, StartError
from cnx_mock.errors import EgressError
from cnx_mock.intercept.egress import guard_egress

with guard_egress() as guard:
    for sockets in (socket, gevent.socket):
        for reach in (
            lambda: sockets.create_connection(("192.0.2.1", 80), timeout=1),
            lambda: sockets.create_connection(("example.com", 443), timeout=1),
            lambda: sockets.gethostbyname("example.org"),
            lambda: sockets.socket(type=socket.SOCK_DGRAM).sendto(b"?", ("192.0.2.1", 53)),
        ):
            try:
                reach()
                print("leaked")
            except EgressError:
                pass
print(sorted(guard.attempts))
try:
    with MockServer():
        print("served")
except StartError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("patch", ["monkey.patch_all()", "monkey.patch_socket()", ""])
def test_gevent_is_guarded_and_a_server_in_its_process_is_refused_at_once(patch: str) -> None:
    pytest.importorskip("gevent")
    program = GREEN.format(patch=patch)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    attempts, end = done.stdout.splitlines()
    assert attempts == str(
        [
            "192.0.2.1:53, connected to",
            "192.0.2.1:80, connected to",
            "example.com:443, looked up",
            "example.org, looked up",
        ]
    )
    refused = end.startswith("the server cannot run in this process, because gevent has replaced Python's threads")
    assert refused if patch else end == "served"
