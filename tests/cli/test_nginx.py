"""`cnx-mock proxy-config nginx`: a real nginx in front of three servers, and each key in a world of its own.

Where nginx is not on the machine these tests are skipped; in .ci/run they are required."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cnx_mock import MockServer, Settings
from cnx_mock.python_api.remote import RemoteServer
from tests.cli.test_proxy_config import run
from tests.cli.test_serve import until
from tests.conftest import INSTANCE, Client
from tests.judges.node import missing
from tests.net.test_sockets import outer_address

pytestmark = pytest.mark.slow

KEYS = [f"cnx_test_{number:032x}" for number in range(0xA0, 0xC8)]
"""So many that with whatever ports no server is left without a key."""


def free_port(host: str) -> int:
    with socket.create_server((host, 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def nginx(folder: Path, servers: list[str], *options: str, host: str = "127.0.0.1") -> Iterator[str]:
    """The URL of an nginx in front of these servers, started as the configuration says."""
    if shutil.which("nginx") is None:
        missing("nginx is needed, and not installed (Debian, Ubuntu: apt-get install nginx-light)")
    listen = f"{host}:{free_port(host)}"
    upstreams = [word for url in servers for word in ("--upstream", url)]
    printed = run("proxy-config", "nginx", "--listen", listen, *upstreams, *options)
    assert printed.returncode == 0, printed.stderr
    config, log = folder / "nginx.conf", folder / "log"
    config.write_text(printed.stdout)
    command = ["nginx", "-p", str(folder), "-c", str(config), "-e", "stderr", "-g", "daemon off;"]
    with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr) as process:
        try:
            until(lambda: answers(listen) or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield f"http://{listen}"
        finally:
            process.terminate()
            process.wait(20)


def answers(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as sock:
        return sock.connect_ex((host, int(port))) == 0


@dataclass
class Farm:
    """Three servers, and the URL of the nginx in front of them."""

    servers: list[MockServer]
    url: str

    def home(self, key: str) -> MockServer:
        """The server with this key's world."""
        (found,) = [each for each in self.servers if key in {sandbox.api_key for sandbox in each.sandboxes()}]
        return found


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    servers = [MockServer().start() for _ in range(3)]
    try:
        with nginx(tmp_path, [each.url for each in servers]) as url:
            yield Farm(servers, url)
    finally:
        for each in servers:
            each.stop()


def names(api: Client) -> list[str]:
    return [each["name"] for each in api.get("/v1/instances").json["data"]]


def test_each_key_has_its_whole_world_in_one_server(farm: Farm, client: Callable[..., Client]) -> None:
    for key in KEYS:
        for number in range(3):
            client(farm.url, key).create(name=f"{key[-2:]}-{number}")
    for key in KEYS:
        home = farm.home(key)
        expected = {f"{key[-2:]}-{number}" for number in range(3)}
        assert {*names(client(farm.url, key))} == {*names(client(home.url, key))} == expected
    assert all(each.sandboxes() for each in farm.servers), "every server has some of the keys"


def test_the_control_plane_with_a_key_is_that_of_the_keys_server(farm: Farm, client: Callable[..., Client]) -> None:
    for key in KEYS:
        api = client(farm.url, key)
        fault = {"match": {"operation": "plans.list"}, "fault": {"status": 418}}
        assert api.call("PUT", "/_mock/rules/teapot", fault).status == 201
        assert api.get("/v1/plans").status == 418
        assert api.get("/_mock/rules/teapot").json["fired"] == 1
        (entry,) = client(farm.home(key).url, key).get("/_mock/requests").json["data"]
        assert (entry["path"], entry["status"]) == ("/v1/plans", 418)


@pytest.mark.parametrize("spelling", ["bearer {}", "BEARER {}", "Bearer   {}", "Bearer {}  "])
def test_a_key_may_be_written_in_every_way_that_a_server_reads(
    farm: Farm, client: Callable[..., Client], spelling: str
) -> None:
    for key in KEYS:
        client(farm.url, key).create(name="web-1")
        written = client(farm.url).get("/v1/instances", headers={"Authorization": spelling.format(key)})
        assert [each["name"] for each in written.json["data"]] == ["web-1"]


def test_the_death_of_a_server_costs_only_its_keys_and_no_key_meets_another_world(
    farm: Farm, client: Callable[..., Client]
) -> None:
    for key in KEYS:
        client(farm.url, key).create(name="web-1")
    dead = farm.home(KEYS[0])
    lost = {sandbox.api_key for sandbox in dead.sandboxes()}
    port = int(dead.url.rpartition(":")[2])
    assert lost != {*KEYS}

    dead.stop()
    for _ in range(5):  # nginx never gives up, and never asks another server
        for key in KEYS:
            reply = client(farm.url, key).get("/v1/instances")
            assert reply.status == (502 if key in lost else 200)
            if key in lost:
                assert (reply.error["code"], reply.details["server"]) == ("SERVER_DOWN", f"127.0.0.1:{port}")
    for key in {*KEYS} - lost:
        assert names(client(farm.url, key)) == ["web-1"]

    with MockServer(port=port) as back:
        for key in lost:
            assert names(client(farm.url, key)) == []
            client(farm.url, key).create(name="web-2")
        assert {sandbox.api_key for sandbox in back.sandboxes()} == lost


# ---- what a client sees of a call through nginx


def ended(url: str, key: str) -> tuple[bytes, str]:
    """What arrives for a list of instances, without its head, and how the connection ends."""
    host, port = url.removeprefix("http://").split(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        lines = ("GET /v1/instances HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {key}", "Connection: close")
        wire.sendall("\r\n".join((*lines, "", "")).encode())
        try:
            while data := wire.recv(65536):
                received += data
        except ConnectionResetError:
            return received.partition(b"\r\n\r\n")[2], "RST"
    return received.partition(b"\r\n\r\n")[2], "FIN"


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ({"connection": "reset"}, "RST"),
        ({"connection": "empty"}, "RST"),  # a FIN without nginx, which cannot tell the two apart
        ({"connection": "close"}, "FIN"),
        ({"connection": "garbage"}, "FIN"),
        ({"connection": "malformed_chunk"}, "FIN"),
        ({"body": {"truncate": 0.5}}, "FIN"),
        ({"body": "malformed_json"}, "FIN"),
        ({"status": 502}, "FIN"),
        ({"error": "INTERNAL_ERROR"}, "FIN"),
    ],
    ids=str,
)
def test_a_fault_reaches_the_client(
    farm: Farm, client: Callable[..., Client], fault: dict[str, object], end: str
) -> None:
    api = client(farm.url, KEYS[0])
    api.create(name="web-1")
    api.call("PUT", "/_mock/rules/fault", {"match": {"operation": "instances.list"}, "fault": fault})
    body, seen = ended(farm.url, KEYS[0])
    direct, _ = ended(farm.home(KEYS[0]).url, KEYS[0])
    assert seen == end
    if fault == {"connection": "malformed_chunk"}:
        assert (body, direct[:4]) == (b"", b"ZZ\r\n"), (
            "nginx drops the broken chunk; the last one is missing either way"
        )
    else:
        assert without_id(body) == without_id(direct)


def without_id(body: bytes) -> bytes:
    """A body without the id of its request, which is another one for each call."""
    return body.partition(b'"request_id"')[0]


def test_a_call_that_hangs_ends_when_the_client_leaves(farm: Farm, client: Callable[..., Client]) -> None:
    api = client(farm.url, KEYS[0])
    api.call("PUT", "/_mock/rules/hang", {"fault": {"connection": "hang"}})
    host, port = farm.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as wire:
        wire.sendall(f"GET /v1/plans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEYS[0]}\r\n\r\n".encode())
        until(lambda: api.get("/_mock/rules/hang").json["fired"])
        (entry,) = api.get("/_mock/requests").json["data"]
        assert entry["duration_ms"] is None
    until(lambda: api.get("/_mock/requests").json["data"][0]["duration_ms"] is not None)


def test_headers_and_bodies_arrive_as_they_were_sent(farm: Farm, client: Callable[..., Client]) -> None:
    api = client(farm.url, KEYS[0])
    large = api.post("/v1/instances", {**INSTANCE, "name": "x" * 2_000_000})
    assert (large.status, large.error["code"]) == (413, "PAYLOAD_TOO_LARGE")
    api.call("PUT", "/_mock/rules/h", {"fault": {"headers": {"set": {"Server": "own", "X-Long": "x" * 20_000}}}})
    reply = api.get("/v1/plans", headers={"X_Odd": "yes"})
    assert (reply.headers["server"], len(reply.headers["x-long"])) == ("own", 20_000)
    entry = api.get("/_mock/requests").json["data"][-1]
    assert entry["path"] == "/v1/plans"


# ---- sandboxes, and who may use the control plane


def test_a_new_sandbox_needs_a_key_that_leads_to_its_server(farm: Farm, client: Callable[..., Client]) -> None:
    refused = client(farm.url).post("/_mock/sandboxes", {"scenario": "insufficient-credits"})
    assert (refused.status, refused.error["code"]) == (400, "KEY_REQUIRED")
    for key in KEYS:
        made = client(farm.url, key).post("/_mock/sandboxes", {"key": key, "scenario": "insufficient-credits"})
        assert made.status == 201
        assert client(farm.url, key).post("/v1/instances", INSTANCE).is_documented_refusal


def test_python_makes_its_sandboxes_through_nginx(farm: Farm) -> None:
    remote = RemoteServer(farm.url)
    made = [remote.sandbox("insufficient-credits", name=name) for name in ("a", "b", "c", "a")]
    made += [remote.sandbox("insufficient-credits"), remote.sandbox("insufficient-credits", key=KEYS[0])]
    for sandbox in made[1:]:
        assert Client(farm.url, sandbox.api_key).post("/v1/instances", INSTANCE).is_documented_refusal
        assert [call.status for call in sandbox.requests] == [403]
    keys = [sandbox.api_key for sandbox in made]
    assert (keys[0], keys[5], len({*keys})) == (keys[3], KEYS[0], 5)
    remote.close()


@pytest.mark.parametrize("path", ["/_mock/health", "/%5Fmock/health", "/%5fm%6Fck/rules/..%2f..%2fv1", "/_mock?x=1"])
def test_only_nginxs_machine_may_use_the_control_plane_unless_a_network_is_named(
    tmp_path: Path, client: Callable[..., Client], path: str
) -> None:
    own = outer_address()
    with MockServer(settings=Settings(port=0, control_host=(own,))) as server:
        with nginx(tmp_path, [server.url], host=own) as url:
            refused = client(url).get(path)
            assert (refused.status, refused.error["code"]) == (403, "CONTROL_PEER_REFUSED")
            assert refused.details["reason"] == f"{own} is another machine"
            assert client(url, KEYS[0]).get("/v1/plans").status == 200
        with nginx(tmp_path, [server.url], "--control-from", own, host=own) as url:
            assert client(url).get("/_mock/health").json["status"] == "ok"
