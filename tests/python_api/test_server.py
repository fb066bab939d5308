"""`MockServer`: a server inside a Python process, and nothing left of it afterwards."""

import asyncio
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import (
    MockServer,
    Sandbox,
    ScenarioError,
    ServerNotFoundError,
    Settings,
    SettingsError,
    SourceError,
    StartError,
    create_app,
)
from tests.conftest import taken_port
from tests.interrupts import interrupted_start
from tests.waiting import until

KEY = "cnx_test_0123456789abcdef0123456789abcdef"


def left_open() -> set[str]:
    """The threads and the open files (sockets, polls) of this process."""
    found = {thread.name for thread in threading.enumerate()}
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            found.add(f"{each.name} {each.readlink()}")
    return found


# ---- starting and stopping


@pytest.mark.usefixtures("server")  # the first loop of a process makes a pipe that libuv keeps
def test_twenty_starts_and_stops_leave_no_thread_and_no_socket(client: Any) -> None:
    before = left_open()
    for _ in range(20):
        with MockServer() as server:
            sandbox = server.sandbox()
            client(sandbox.url, sandbox.api_key).create()
            assert left_open() - before
    assert left_open() <= before


@pytest.mark.usefixtures("server", "trusted")
def test_starts_with_tls_and_a_proxy_leave_none_either(client: Any) -> None:
    before = left_open()
    for _ in range(5):
        with (
            MockServer(proxy=True) as server,
            socket.create_connection(("127.0.0.1", port_of(server.tls_url))) as silent,
        ):
            sandbox = server.sandbox()
            client(server.tls_url, sandbox.api_key).create()
            server.stop()
            assert silent.recv(1) == b""
    assert left_open() <= before


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_a_start_that_is_interrupted_leaves_none_either() -> None:
    before = left_open()
    with interrupted_start("cnx-mock http"), pytest.raises(KeyboardInterrupt):
        MockServer().start()
    assert left_open() == before


def test_a_system_without_threads_is_the_reason_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    with pytest.raises(StartError, match="the server did not start: can't start new thread"):
        MockServer().start()


def test_stop_is_idempotent() -> None:
    server = MockServer().start()
    server.stop()
    server.stop()
    MockServer().stop()  # nor does it matter whether it was ever started


def test_a_stopped_server_starts_again_and_remembers_nothing(client: Any) -> None:
    server = MockServer()
    with server:
        client(server.url, KEY).create()
    with server:
        assert client(server.url, KEY).get("/v1/instances").json["data"] == []


def test_a_server_that_does_not_run_says_so() -> None:
    server = MockServer()
    with pytest.raises(RuntimeError, match="use it as `with MockServer"):
        _ = server.url
    with pytest.raises(RuntimeError, match="does not run"):
        _ = MockServer(tls=True).ca_path
    with server:
        sandbox = server.sandbox()
        for secure in ("tls_url", "ca_path"):
            with pytest.raises(RuntimeError, match=re.escape("has no HTTPS: use it as `with MockServer(tls=True)")):
                getattr(server, secure)
        with pytest.raises(RuntimeError, match=re.escape("has no proxy: use it as `with MockServer(proxy=True)")):
            _ = server.proxy_url
        with pytest.raises(RuntimeError, match="started already"):
            server.start()
    with pytest.raises(RuntimeError, match="does not run"):
        server.sandbox()
    with pytest.raises(ConnectionError, match="no cnx-mock answers at http://127"):
        _ = sandbox.requests


def test_a_stop_resets_connections_that_wait(client: Any) -> None:
    with MockServer() as server, ThreadPoolExecutor() as threads:
        sandbox = server.sandbox()
        rule = sandbox.inject("instances.list", latency="60s")
        hanging = threads.submit(client(server.url, sandbox.api_key).get, "/v1/instances")
        until(lambda: rule.fired)
        server.stop()
        assert isinstance(hanging.exception(), ConnectionResetError)


def test_a_taken_port_is_the_reason_given() -> None:
    before = left_open()
    with taken_port() as port:
        with pytest.raises(StartError, match=f"port {port} on 127.0.0.1 is already in use") as caught:
            MockServer(port=port).start()
        assert isinstance(caught.value, OSError)
    assert left_open() <= before


def test_a_taken_port_of_https_frees_the_other(client: Any) -> None:
    before = left_open()
    with taken_port() as port, pytest.raises(StartError, match=f"port {port} on 127.0.0.1 is already in use"):
        MockServer(settings=Settings(port=0, tls_port=port)).start()
    assert left_open() <= before


def test_a_broken_ca_is_the_reason_given(tmp_path: Path) -> None:
    (tmp_path / "ca-key.pem").touch(mode=0o600)
    with pytest.raises(StartError, match="ca-key.pem is not a CA that cnx-mock created"):
        MockServer(settings=Settings(port=0, tls=True, ca_dir=str(tmp_path))).start()


def test_a_port_that_only_ipv6_has_taken_is_taken_too() -> None:
    """Else `localhost` would lead some clients to somebody else. A machine without ::1 has nothing to take."""
    with (
        suppress(OSError),
        taken_port("::1") as port,
        pytest.raises(StartError, match=f"port {port} on ::1 is already in use"),
    ):
        MockServer(port=port).start()


def test_a_bad_scenario_file_is_refused_at_its_place_before_anything_starts(tmp_path: Path) -> None:
    before = left_open()
    story = tmp_path / "story.yaml"
    story.write_text("rules:\n  - fault: {error: INTERNAL_ERRO}\n")
    with pytest.raises(SourceError, match=rf"^{re.escape(str(story))}:2:20: .*did you mean 'INTERNAL_ERROR'"):
        MockServer(story).start()
    assert left_open() <= before


@pytest.mark.parametrize(
    ("story", "problem"),
    [
        ({"rules": [{"fault": {"eror": "INTERNAL_ERROR"}}]}, "rules[0].fault.eror: unknown key, did you mean 'error'"),
        ({"wrld": {}}, "wrld: unknown key, did you mean 'world'"),
    ],
)
def test_a_bad_scenario_in_python_is_refused_too(story: dict[str, Any], problem: str) -> None:
    with pytest.raises(ScenarioError, match=f"^{re.escape(problem)}"):
        MockServer(story).start()


def test_an_unknown_scenario_is_answered_with_a_known_one() -> None:
    with pytest.raises(LookupError, match="did you mean 'flaky-network'"):
        MockServer("flaky-netwrk").start()


@pytest.mark.parametrize("wrong", [{"port": 65536}, {"speed": 0}, {"seed": -1}])
def test_a_bad_value_is_refused_when_it_is_given(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^'{next(iter(wrong))}' must be"):
        MockServer(**wrong)


# ---- living beside others


def test_it_serves_inside_a_running_event_loop(client: Any) -> None:
    async def calls() -> list[int]:
        with MockServer() as server:
            sandbox = server.sandbox()
            api = client(server.url, sandbox.api_key)
            replies = await asyncio.gather(*(asyncio.to_thread(api.get, "/v1/instances") for _ in range(8)))
            assert len(sandbox.requests) == 8
            return [reply.status for reply in replies]

    assert asyncio.run(calls()) == [200] * 8


def test_it_serves_many_threads(server: MockServer, client: Any) -> None:
    def work(number: int) -> tuple[int, int]:
        mine = server.sandbox()
        with mine.inject("instances.create", error="INTERNAL_ERROR", times=1) as rule:
            replies = [client(server.url, mine.api_key).post("/v1/instances", {}) for _ in range(number)]
        return rule.fired, sum(reply.status == 500 for reply in replies)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, [3] * 16)) == [(1, 1)] * 16


def test_rules_injected_from_many_threads_are_all_there(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(8) as threads:
        rules = list(threads.map(lambda _: sandbox.inject(latency="0s"), range(32)))
    assert len({rule.id for rule in rules}) == len(sandbox.call("GET", "/rules")["data"]) == 32


@pytest.mark.slow
def test_two_servers_share_nothing(client: Any) -> None:
    with MockServer("rate-limited") as one, MockServer(seed=1) as other:
        created = client(one.url, KEY).create()
        reply = client(other.url, KEY).get("/v1/instances")
        assert reply.json["data"] == []
        assert reply.headers["x-ratelimit-limit"] == "300"
        assert client(other.url, KEY).create()["id"] != created["id"]


def test_the_same_seed_is_the_same_world_again(client: Any) -> None:
    def ids(seed: int) -> list[str]:
        with MockServer(seed=seed) as server:
            sandboxes = [server.sandbox(), server.sandbox(name="mine"), server.sandbox(seed=5)]
            return [client(server.url, each.api_key).create()["id"] for each in sandboxes]

    first, again, other = ids(7), ids(7), ids(8)
    assert first == again
    assert first[:2] != other[:2]
    assert first[2] == other[2], "a seed of its own beats the server's"


def test_speed_is_sandbox_seconds_per_real_second(client: Any) -> None:
    with MockServer(speed=100_000) as server:
        sandbox = server.sandbox()
        assert sandbox.clock.speed == 100_000
        api = client(server.url, sandbox.api_key)
        instance = api.create()
        until(lambda: api.get(f"/v1/instances/{instance['id']}").json["status"] == "running")


def test_a_server_that_listens_everywhere_is_found_on_loopback() -> None:
    with MockServer(settings=Settings(host="0.0.0.0", port=0)) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.sandbox().requests == []


def test_an_app_for_another_server_needs_no_thread() -> None:
    before = left_open()
    assert create_app(Settings(scenario=("calm",))).settings.scenario == ("calm",)
    assert left_open() <= before


@pytest.mark.parametrize("host", ["203.0.113.9", "a" * 64], ids=["elsewhere", "nonsense"])
def test_an_address_that_is_not_the_machines_is_named(host: str) -> None:
    with pytest.raises(StartError, match=host):
        MockServer(settings=Settings(host=host, port=0)).start()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_address_of_the_machine_is_listened_on(host: str) -> None:
    """Where the machine has no IPv6, the reason is said."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError:
        with pytest.raises(StartError, match=host):
            MockServer(settings=Settings(host=host, port=0)).start()
    else:
        with MockServer(settings=Settings(host=host, port=0)) as server:
            assert server.sandbox().env["CLOUDNEXUS_BASE_URL"] == server.url


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"settings": {"port": 0}}, "settings must be a Settings, not dict"),
        (
            {"scenario": "calm"},
            r"scenario must be a Scenario, not str; a name or a path is .* Settings\(scenario=\('calm'",
        ),
        ({"fixture": "empty"}, "fixture must be a Fixture, not str; a name or a path is given as Settings"),
    ],
)
def test_an_argument_of_another_type_is_told_where_it_belongs(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        create_app(**arguments)


def test_a_server_that_has_stopped_is_not_found_and_the_reason_is_in_words() -> None:
    with MockServer() as server:
        sandbox = server.sandbox()
    with pytest.raises(ServerNotFoundError, match=r"no cnx-mock answers at [^ ]+: Connection refused$"):
        sandbox.state()
