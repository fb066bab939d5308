"""`cnx-mock serve`, as people and scripts meet it: a process that is started, spoken to, and stopped."""

import http.client
import json
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import MockServer, __version__
from tests import commands
from tests.commands import COMMAND, REAL
from tests.conftest import taken_port
from tests.waiting import until

pytestmark = pytest.mark.slow

KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
BODY = {"name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts"}
SECONDS = 20  # more than anything here takes; only a test that fails waits so long


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CNX_MOCK_")} | more


class Process:
    """`cnx-mock serve` with these arguments, its stderr in a file."""

    def __init__(self, folder: Path, *arguments: str, **more: Any) -> None:
        self.log = folder / "stderr"
        with self.log.open("w") as stderr:
            self.process = commands.Popen(
                [COMMAND, "serve", *arguments],
                **{"stdout": subprocess.PIPE, "stderr": stderr, "text": True, "cwd": folder, "env": environment()}
                | more,
            )

    @property
    def stderr(self) -> str:
        return self.log.read_text()

    def line(self) -> str:
        """The next line on stdout."""
        assert self.process.stdout is not None
        return str(self.process.stdout.readline())

    def ready(self) -> dict[str, Any]:
        """The line of `--json`."""
        line = self.line()
        assert line, self.stderr
        return dict(json.loads(line))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """The exit status and what was left on stdout."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        rest, _ = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, rest


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `cnx-mock serve`; whatever still runs at the end is killed."""
    started: list[Process] = []

    def starting(*arguments: str, **more: Any) -> Process:
        started.append(Process(tmp_path, *arguments, **more))
        return started[-1]

    yield starting
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


def refused(folder: Path, *arguments: str, **variables: str) -> str:
    """What `cnx-mock serve` says on stderr before it ends with exit status 2 and nothing on stdout."""
    done = commands.run(
        [COMMAND, "serve", "--port", "0", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(**variables),
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def busy(port: str, option: str, holder: str = "the program that uses it does not answer") -> str:
    """What it says of a port that another server has."""
    there = f"cnx-mock: port {port} on 127.0.0.1 is already in use; {holder}"
    return f"{there}; choose another with {option}, or {option} 0 for a free one"


def asked(url: str) -> http.client.HTTPConnection:
    """A connection on which the list was asked for."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=SECONDS)
    connection.request("GET", "/v1/instances", headers={"Authorization": f"Bearer {KEY}"})
    return connection


# ---- what it says


def test_the_greeting_has_a_url_a_ready_key_and_a_curl_that_works(start: Start) -> None:
    served = start("--port", "0")
    lines = list(iter(served.line, "Ctrl-C stops it.\n"))
    greeting = "".join(lines)
    url = re.search(r"http://127\.0\.0\.1:\d+", greeting)
    assert url, served.stderr
    assert KEY in greeting
    assert re.search(r"scenario +none\n", greeting)

    [curl] = [line for line in lines if line.strip().startswith("curl ")]
    answer = subprocess.run([*shlex.split(curl), "-sf"], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert json.loads(answer.stdout)["data"] == []
    assert served.stop(signal.SIGINT) == (0, "")


def test_the_greeting_has_the_address_of_the_page_and_open_shows_it(start: Start, tmp_path: Path) -> None:
    browser, asked_for = tmp_path / "browser", tmp_path / "asked"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {asked_for}.part && mv {asked_for}.part {asked_for}\n')
    browser.chmod(0o755)
    served = start("--port", "0", "--open", env=environment(BROWSER=f"{browser} %s"))
    page = next(line.split()[1] for line in iter(served.line, "") if line.startswith("  page "))
    assert until(asked_for.exists)
    assert asked_for.read_text() == page
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/_mock/", page)
    assert served.stop()[0] == 0


def test_without_a_browser_open_says_so_and_the_server_goes_on(start: Start) -> None:
    nothing = dict.fromkeys(("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"), "")
    served = start("--port", "0", "--json", "--open", env=environment(**nothing))
    url = served.ready()["url"]
    assert until(lambda: served.stderr) == f"cnx-mock: no browser was found: the page is at {url}/_mock/\n"
    with closing(asked(url)) as connection:
        assert connection.getresponse().read()
    assert served.stop()[0] == 0


def test_streams_of_events_do_not_hold_up_the_end(start: Start) -> None:
    served = start("--port", "0", "--json", "--quiet")
    url = served.ready()["url"]
    with ExitStack() as open_connections:
        streams = []
        for _ in range(3):
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=SECONDS)
            open_connections.callback(connection.close)
            connection.request("GET", "/_mock/events")
            streams.append(connection.getresponse())
        assert served.stop(signal.SIGINT)[0] == 0
        assert all(stream.read().startswith(b"retry: 1000\n") for stream in streams)


def test_json_prints_one_line_for_programs_and_nothing_else(start: Start, client: Any) -> None:
    served = start("--port", "0", "--json", "--quiet")
    ready = served.ready()
    assert list(ready) == ["url", "api_key", "control", "pid"]
    assert ready["pid"] == served.process.pid
    client(ready["url"], ready["api_key"]).create()
    assert ready["control"] == f"{ready['url']}/_mock"
    assert client(ready["url"]).get("/_mock/health").json["sandboxes"] == 1
    assert served.stop() == (0, "")
    assert served.stderr == "", "--quiet leaves out the access lines"


def test_access_lines_say_what_happened_to_every_call(start: Start, client: Any) -> None:
    served = start("--port", "0", "--json", "--scenario", "rate-limited", "--scenario", "lost-response")
    ready = served.ready()
    api = client(ready["url"], KEY)
    with pytest.raises(ConnectionResetError):
        api.post("/v1/instances", BODY)
    assert api.get("/v1/instances?limit=5").json["pagination"]["total"] == 1, "the lost create was committed"
    assert client(ready["url"]).get("/v1/nowhere").status == 401

    until(lambda: served.stderr.count("\n") >= 3)
    lost, listed, unknown = served.stderr.splitlines()
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(
        rf"{time} POST /v1/instances cut \d+\.\dms instances\.create …0d9c \[lost:connection=reset\]", lost
    )
    assert re.fullmatch(rf"{time} GET /v1/instances\?limit=5 200 \d+\.\dms instances\.list …0d9c", listed)
    assert re.fullmatch(rf"{time} GET /v1/nowhere 401 \d+\.\dms - -", unknown)
    assert served.stop()[0] == 0


def test_scenarios_stack_in_the_order_given(start: Start, client: Any) -> None:
    served = start("--port", "0", "--json", "--scenario", "insufficient-credits", "--scenario", "rate-limited")
    reply = client(served.ready()["url"], KEY).post("/v1/instances", BODY)
    assert reply.error["code"] == "INSUFFICIENT_CREDITS"
    assert reply.headers["x-ratelimit-limit"] == "5"


@pytest.mark.parametrize("form", ["--json", "--quiet"])
def test_a_random_seed_is_printed_and_brings_the_same_ids_back(start: Start, client: Any, form: str) -> None:
    served = start("--port", "0", "--seed", "random", form)
    if form == "--json":
        url = served.ready()["url"]
        said = until(lambda: served.stderr)
    else:
        said = "".join(iter(served.line, "Ctrl-C stops it.\n"))
        url = re.findall(r"http://[\d.:]+", said)[0]
    seed = re.findall(r"seed\D+(\d+)\n", said)[0]
    first = client(url, KEY).create()
    with MockServer(seed=int(seed)) as again:
        assert client(again.url, KEY).create()["id"] == first["id"]


def test_tls_is_in_the_ready_line_and_in_the_greeting(start: Start, client: Any, tmp_path: Path) -> None:
    folder = tmp_path / "ca"
    ready = start("--port", "0", "--tls", "--ca-dir", str(folder), "--json").ready()
    assert list(ready) == ["url", "api_key", "control", "pid", "tls_url", "ca_path"]
    assert ready["ca_path"] == str(folder / "ca.pem")
    assert (ready["tls_url"].startswith("https://127.0.0.1:"), ready["control"]) == (True, f"{ready['url']}/_mock")

    served = start("--port", "0", env=environment(CNX_MOCK_REQUIRE_TLS="1", CNX_MOCK_CA_DIR=str(folder)))
    lines = list(iter(served.line, "Ctrl-C stops it.\n"))
    assert f"  CA       {folder / 'ca.pem'}\n" in lines
    [curl] = [line for line in lines if line.strip().startswith("curl ")]
    answer = subprocess.run([*shlex.split(curl), "-sf"], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert json.loads(answer.stdout)["data"] == []
    assert served.stop() == (0, "")


def test_a_name_of_ones_own_is_believed_with_the_ca_of_the_ready_line(start: Start, tmp_path: Path) -> None:
    names = "cloudnexus.local mock"
    served = start("--port", "0", "--json", env=environment(CNX_MOCK_TLS_NAME=names, CNX_MOCK_CA_DIR=str(tmp_path)))
    line = served.ready()
    port = line["tls_url"].rpartition(":")[2]
    context = ssl.create_default_context(cafile=line["ca_path"])
    for name in [*names.split(), "localhost", "api.cloudnexus.com"]:
        with (
            socket.create_connection(("127.0.0.1", int(port)), SECONDS) as wire,
            context.wrap_socket(wire, server_hostname=name) as secure,
        ):
            assert secure.version() == "TLSv1.3"


def test_the_proxy_is_in_the_ready_line_and_in_the_greeting(start: Start, client: Any) -> None:
    ready = start("--port", "0", "--proxy", "--json").ready()
    assert list(ready) == ["url", "api_key", "control", "pid", "tls_url", "ca_path", "proxy_url"]

    variables = environment(CNX_MOCK_PROXY="1", CNX_MOCK_CONTROL_HOST="one.example two.example")
    served = start("--port", "0", env=variables)
    greeting = "".join(iter(served.line, "Ctrl-C stops it.\n"))
    assert re.search(r"  proxy    http://127\.0\.0\.1:\d+\n", greeting)
    [url] = re.findall(r"API at (\S+)\n", greeting)
    assert client(url).get("/_mock/health", headers={"Host": "two.example"}).status == 200


def test_a_drawn_control_token_is_in_the_ready_line_and_in_the_greeting(start: Start) -> None:
    ready = start("--port", "0", "--control-token", "random", "--json").ready()
    assert re.fullmatch("[0-9a-f]{32}", ready["control_token"])

    greeting = "".join(iter(start("--port", "0", "--control-token", "0123456789abcdef").line, "Ctrl-C stops it.\n"))
    assert "  token    0123456789abcdef\n" in greeting


def test_the_port_of_https_can_be_chosen_and_alone_means_https(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    ready = start("--port", "0", "--tls-port", str(port), "--json").ready()
    assert ready["tls_url"] == f"https://127.0.0.1:{port}"


# ---- where it listens, and what it takes from the environment


def loopback_hosts() -> list[str]:
    """Those of 127.0.0.1 and [::1] that this machine has."""
    found = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with suppress(OSError), socket.socket(family) as probe:
            probe.bind((address, 0))
            found.append(f"[{address}]" if ":" in address else address)
    return found


def test_variables_stand_for_flags_and_localhost_may_mean_either_address(start: Start) -> None:
    variables = environment(CNX_MOCK_JSON="1", CNX_MOCK_QUIET="true", CNX_MOCK_SCENARIO="calm rate-limited")
    served = start("--port", "0", env=variables)
    port = int(served.ready()["url"].rpartition(":")[2])
    for host in loopback_hosts():
        connection = asked(f"http://{host}:{port}")
        response = connection.getresponse()
        assert (response.status, response.headers["X-RateLimit-Limit"]) == (200, "5")
        connection.close()


def test_several_hosts_are_in_the_ready_line_and_in_the_greeting(start: Start) -> None:
    ready = start("--json", "--port", "0", "--host", "127.0.0.2", "--host", "127.0.0.1").ready()
    port = ready["url"].rpartition(":")[2]
    assert list(ready) == ["url", "api_key", "control", "pid", "urls"]
    assert ready["urls"][:2] == [f"http://127.0.0.2:{port}", f"http://127.0.0.1:{port}"]

    served = start("--port", "0", env=environment(CNX_MOCK_HOST="127.0.0.3 127.0.0.2"))
    greeting = "".join(iter(served.line, "Ctrl-C stops it.\n"))
    found = re.findall(r"API at http://127\.0\.0\.3:(\d+)\n  also at  http://127\.0\.0\.2:(\d+)\n", greeting)
    assert found and found[0][0] == found[0][1]


def test_what_kubernetes_says_of_a_service_is_no_port(tmp_path: Path) -> None:
    with taken_port() as number:
        port = str(number)
        said = refused(tmp_path, "--port", port, CNX_MOCK_PORT="tcp://10.0.0.1:4269")
    ignored, problem = said.splitlines()
    assert ignored.startswith("cnx-mock: ignoring CNX_MOCK_PORT=tcp://10.0.0.1:4269")
    assert problem == busy(port, "--port")


# ---- what it does not take


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--port", "99999"], "cnx-mock: 'port' must be from 0 to 65535"),
        (["--tls-port", "-1"], "cnx-mock: 'tls-port' must be from 0 to 65535"),
        (["--proxy-port", "65536"], "cnx-mock: 'proxy-port' must be from 0 to 65535"),
        (["--host", "127.0.0.1", "--host", "203.0.113.9"], r"cnx-mock: port \d+ on 203\.0\.113\.9: .+"),
        (["--tls-name", "*"], r"cnx-mock: 'tls-name': '\*' is not a name: a wildcard is .+"),
        (["--allow-host", "a.example:https"], "cnx-mock: 'allow-host' must be a host name, with or without a port"),
        (["--speed", "nan"], "cnx-mock: 'speed' must be above 0 and at most 1000000"),
        (["--seed", "-1"], "cnx-mock: 'seed' must be a whole number or the word random"),
        (["--host", "203.0.113.9"], r"cnx-mock: port 0 on 203\.0\.113\.9: .+"),
        (
            ["--scenario", "flaky-netwrk"],
            r"cnx-mock: no scenario is called 'flaky-netwrk', did you mean 'flaky-network'\? \(the gallery has .+\)",
        ),
    ],
)
def test_a_bad_value_is_one_clear_line(tmp_path: Path, arguments: list[str], line: str) -> None:
    assert re.fullmatch(line + "\n", refused(tmp_path, *arguments))


def test_a_port_that_another_cnx_mock_has_says_so(tmp_path: Path, server: MockServer) -> None:
    port = server.url.rpartition(":")[2]
    said = refused(tmp_path, "--port", port)
    assert said == busy(port, "--port", f"a cnx-mock {__version__} answers there") + "\n"


@pytest.mark.parametrize("option", ["--tls-port", "--proxy-port"])
def test_any_other_busy_port_is_one_clear_line_too(tmp_path: Path, option: str) -> None:
    with taken_port() as number:
        port = str(number)
        said = refused(tmp_path, option, port)
    assert said == busy(port, option) + "\n"


def test_a_broken_ca_folder_is_one_clear_line(tmp_path: Path) -> None:
    key = tmp_path / "ca-key.pem"
    key.touch(mode=0o600)
    key.write_text("nonsense")
    said = refused(tmp_path, "--tls", "--ca-dir", str(tmp_path))
    assert said == (
        f"cnx-mock: {tmp_path / 'ca-key.pem'} is not a CA that cnx-mock created: `cnx-mock ca reset` removes it\n"
    )


def test_a_word_in_place_of_a_number_names_the_option_and_the_variable(tmp_path: Path) -> None:
    said = refused(tmp_path, CNX_MOCK_SPEED="fast")
    assert "Invalid value for '--speed' (env var: 'CNX_MOCK_SPEED'): 'fast' is not a valid float" in said


def test_a_bad_scenario_shows_every_problem_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(
        "rules:\n  - match: {operation: instances.crate}\n    fault: {error: INTERNAL_ERROR}\n    tmes: 2\n"
    )
    assert refused(tmp_path, "--scenario", "story.yaml") == (
        "story.yaml:2:24: 'operation': no operation is called 'instances.crate', did you mean 'instances.create'?\n"
        "      - match: {operation: instances.crate}\n"
        "                           ^\n"
        "story.yaml:4:5: unknown key 'tmes', did you mean 'times'?\n"
        "        tmes: 2\n"
        "        ^\n"
    )


def test_two_scenarios_with_one_id_do_not_stack(tmp_path: Path) -> None:
    assert "the id 'lost' is used by two" in refused(
        tmp_path, "--scenario", "lost-response", "--scenario", "lost-response"
    )


# ---- how it stops


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_with_a_request_hanging_and_a_connection_idle(
    start: Start, client: Any, number: signal.Signals
) -> None:
    served = start("--port", "0", "--json")
    url = served.ready()["url"]
    api = client(url, KEY)
    idle = asked(url)
    assert idle.getresponse().read()
    rule = {"match": {"operation": "instances.list"}, "fault": {"latency": "60s"}}
    assert api.call("PUT", "/_mock/rules/slow", rule).status == 201
    hanging = asked(url)
    until(lambda: api.get("/_mock/rules/slow").json["fired"])

    assert served.stop(number) == (0, "")
    assert idle.sock.recv(1) == b""
    with pytest.raises(ConnectionResetError):
        hanging.getresponse()
    idle.close()
    hanging.close()
    assert "Traceback" not in served.stderr


IN_ITS_IMPORTS = ["click", "cnx_mock.settings", "cnx_mock.asgi", "uvicorn", "cnx_mock.net.serving"]
"""Modules that are imported while the command starts, from the first to the last."""

SIGNALLED = """
import os, sys

class Signalling:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["SIGNAL_AT"]:
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))

sys.meta_path.insert(0, Signalling())
"""
"""A `sitecustomize` that sends a signal when a module is imported."""


def signalled(folder: Path, module: str, number: signal.Signals, *arguments: str) -> tuple[int, str, str]:
    """The installed command, with a signal at the import of a module: its status, its stdout and its stderr."""
    (folder / "sitecustomize.py").write_text(SIGNALLED)
    more = {"SIGNAL_AT": module, "SIGNAL": str(int(number)), "PYTHONPATH": str(folder)}
    command = [REAL, *arguments]
    ended = subprocess.run(
        command, env=environment(**more), cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("module", IN_ITS_IMPORTS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_while_it_starts(tmp_path: Path, module: str, number: signal.Signals) -> None:
    assert signalled(tmp_path, module, number, "serve", "--port", "0") == (0, "", "")


def test_ctrl_c_stops_other_commands_while_they_start(tmp_path: Path) -> None:
    assert signalled(tmp_path, "click", signal.SIGINT, "routes") == (130, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "begun",
    [
        b"POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\n{",
        b"POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}",
        b"POST /_mock/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n\r\n{",
        b"GET /v1/instances HT",
    ],
    ids=["a body", "a chunked body", "a control body", "a head"],
)
def test_a_signal_stops_it_while_half_a_request_has_arrived(start: Start, begun: bytes, number: signal.Signals) -> None:
    served = start("--port", "0", "--json")
    port = int(served.ready()["url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock:
        sock.sendall(begun)
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as other:  # what was sent before is read
            other.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert other.recv(8) == b"HTTP/1.1"
        served.process.send_signal(number)
        assert served.ended()[0] == 0
    assert "Traceback" not in served.stderr
    assert "Exception" not in served.stderr


def test_a_signal_stops_it_while_a_client_does_not_read(start: Start) -> None:
    """The answers fill every buffer on the way, so that the server waits in the middle of one."""
    served = start("--port", "0", "--json", "--quiet")
    port = int(served.ready()["url"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock:
        sock.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                sock.send(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
        served.process.send_signal(signal.SIGTERM)
        assert served.ended()[0] == 0
    assert served.stderr == ""


def test_it_ends_quietly_when_nobody_reads_its_greeting(start: Start) -> None:
    read, write = os.pipe()
    os.close(read)
    served = start("--port", "0", stdout=write)
    os.close(write)
    status, _ = served.ended()
    assert (status, served.stderr) == (1, "")


def test_it_goes_on_when_nobody_reads_its_access_lines(start: Start, client: Any) -> None:
    read, write = os.pipe()
    served = start("--port", "0", "--json", stderr=write)
    os.close(write)
    api = client(served.ready()["url"], KEY)
    os.close(read)
    assert [api.post("/v1/instances", BODY).status for _ in range(3)] == [201, 201, 201]
    assert served.stop() == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_it_serves_whatever_stream_is_closed(client: Any, closed: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["sh", "-c", f'exec "$@" {closed}', "sh", REAL, "serve", "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: process.poll() is not None or listens(port))
            assert client(f"http://127.0.0.1:{port}", KEY).get("/v1/plans").status == 200
        finally:
            process.terminate()
            _, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, "Traceback" in stderr) == (0, False)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# ---- --watch and warnings


STORY = "rules:\n  - {id: kept, match: {method: GET}, times: 1, fault: {status: 501}}\n"


@pytest.fixture
def watched(start: Start, tmp_path: Path, client: Any) -> tuple[Any, Path, Any]:
    """A server that follows story.yaml: its process, the file, and a client."""
    path = tmp_path / "story.yaml"
    path.write_text(STORY)
    process = start("--json", "--port", "0", "--scenario", "story.yaml", "--watch")
    return process, path, client(process.ready()["url"], KEY)


def said(api: Any) -> Any:
    return api.get("/_mock/scenario").json


def test_a_good_change_acts_at_once_and_keeps_the_state_and_unchanged_counters(watched: Any) -> None:
    process, path, api = watched
    instance = api.create()["id"]
    assert [api.get("/v1/plans").status for _ in range(2)] == [501, 200]
    path.write_text(STORY + "  - {id: new, match: {method: POST}, fault: {status: 502}}\n")
    until(lambda: "scenario story reloaded" in process.stderr)
    assert api.post("/v1/instances", BODY).status == 502
    assert api.get(f"/v1/instances/{instance}").status == 200, "the rule goes on counting, the instance is there"


def test_a_bad_change_changes_nothing_and_is_shown_until_it_is_mended(watched: Any, tmp_path: Path) -> None:
    process, path, api = watched
    path.write_text("rules:\n  - {id: kept, falt: {status: 502}}\n")
    shown = until(lambda: said(api)["error"])
    assert "story.yaml:2:" in shown and "unknown key 'falt', did you mean 'fault'?" in shown
    until(lambda: shown in process.stderr)  # a thread writes it
    assert api.get("/v1/plans").status == 501
    beside = tmp_path / "beside"
    beside.write_text("name: mended\n")
    beside.replace(path)  # as many editors write
    until(lambda: said(api)["name"] == "mended")
    assert said(api)["error"] is None


def test_a_sandbox_that_lives_by_a_scenario_of_its_own_keeps_it(watched: Any) -> None:
    process, path, api = watched
    api.call("PUT", "/_mock/scenario", {"name": "calm"})
    path.write_text(STORY.replace("501", "502"))
    until(lambda: "reloaded" in process.stderr)
    assert (said(api)["name"], api.get("/v1/plans").status) == ("calm", 200)


def test_a_signal_ends_it_while_it_watches(watched: Any) -> None:
    process, _, _ = watched
    assert process.stop(signal.SIGINT) == (0, "")


def test_watching_needs_a_scenario(tmp_path: Path) -> None:
    assert refused(tmp_path, "--watch") == "cnx-mock: 'watch' needs a scenario: give 'scenario' too\n"


def test_what_can_never_happen_is_a_warning(start: Start, tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text("rules:\n  - {fault: {status: 500}, probability: 0}\n")
    process = start("--json", "--port", "0", "--scenario", "story.yaml")
    process.ready()
    until(lambda: "story.yaml:2:41: 'probability' is 0: the rule can never fire" in process.stderr)
