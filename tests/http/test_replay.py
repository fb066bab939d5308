"""A request of the journal again: the curl line runs in a shell, the test passes under pytest, as they are copied."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cnx_mock import MockServer, Sandbox
from tests import commands
from tests.cases import cases
from tests.conftest import INSTANCE, Client
from tests.pytest_plugin.conftest import without_others

MISSING = "inst_00000000000000ff"


def replay(api: Client, url: str = "http://127.0.0.1:4269") -> Any:
    """The newest request again."""
    entry = api.get("/_mock/requests?limit=1").json["data"][0]
    reply = api.get(f"/_mock/requests/{entry['request_id']}/replay?base_url={url}")
    assert reply.status == 200, reply.body
    return reply.json


def run(folder: Path) -> dict[str, str]:
    """Run the tests of a folder as they are; what became of each file."""
    options = ["-q", "-p", "no:cacheprovider", "-rA", "--color=no", *without_others()]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    done = commands.run(command, cwd=folder, capture_output=True, text=True, popen=commands.popen_pytest)
    found = re.findall(r"^(PASSED|FAILED|ERROR) (test_\w+)\.py", done.stdout, re.MULTILINE)
    return {name: word if word == "PASSED" else done.stdout for word, name in found}


def create(api: Client, _: Sandbox) -> None:
    api.create(tags=["web"])


def create_again_after_a_reset(api: Client, sandbox: Sandbox) -> None:
    sandbox.inject("instances.create", connection="reset", at="after", times=1)
    with pytest.raises(ConnectionError):
        api.create()


def fail_in_turn(api: Client, sandbox: Sandbox) -> None:
    sandbox.inject("plans.list", sequence=["pass", {"status": 503, "retry_after": "2s"}], then="repeat")
    assert [api.get("/v1/plans").status for _ in range(2)] == [200, 503]


def read_one(api: Client, _: Sandbox) -> None:
    api.get(f"/v1/instances/{api.create()['id']}")


def delete_one(api: Client, _: Sandbox) -> None:
    api.delete(f"/v1/instances/{api.create()['id']}")


def delete_one_without_a_body(api: Client, sandbox: Sandbox) -> None:
    sandbox.call("PATCH", "/readings", {"delete-answer": "204"})
    assert api.delete(f"/v1/instances/{api.create()['id']}").status == 204


def take_a_snapshot(api: Client, sandbox: Sandbox) -> None:
    made = api.create()
    sandbox.clock.advance("2m")
    assert api.post("/v1/snapshots", {"instance_id": made["id"]}).status == 201


def read_a_snapshot(api: Client, sandbox: Sandbox) -> None:
    take_a_snapshot(api, sandbox)
    [snapshot] = api.get("/v1/snapshots").json["data"]
    assert api.get(f"/v1/snapshots/{snapshot['id']}").status == 200


def delete_a_snapshot_of_nothing(api: Client, sandbox: Sandbox) -> None:
    read_a_snapshot(api, sandbox)
    snapshot = api.get("/v1/snapshots").json["data"][0]
    api.delete(f"/v1/instances/{snapshot['source_instance_id']}")
    assert api.delete(f"/v1/snapshots/{snapshot['id']}").status == 200


def balance_load(api: Client, _: Sandbox) -> None:
    rule = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}
    ids = [api.create(region="us-east-1")["id"]]
    body = {"name": "front", "regions": ["us-east-1"], "forwarding_rules": [rule], "instance_ids": ids}
    made = api.post("/v1/network/load-balancers", body)
    assert api.get(f"/v1/network/load-balancers/{made.json['id']}").status == 200


def delete_a_load_balancer(api: Client, sandbox: Sandbox) -> None:
    balance_load(api, sandbox)
    [made] = api.get("/v1/network/load-balancers").json["data"]
    assert api.delete(f"/v1/network/load-balancers/{made['id']}").status == 200


def ask_for_nothing(api: Client, _: Sandbox) -> None:
    assert api.get(f"/v1/instances/{MISSING}?odd=%22%27").status == 404


def be_refused(api: Client, _: Sandbox) -> None:
    assert api.post("/v1/instances", {**INSTANCE, "plan": "\x1b[31m<img src=x onerror=alert(1)>"}).status == 400


def be_poor(api: Client, sandbox: Sandbox) -> None:
    sandbox.account.balance = "$1.00"
    assert api.post("/v1/instances", INSTANCE).status == 403


def be_limited(api: Client, sandbox: Sandbox) -> None:
    sandbox.account.rate_limit = "1/min"
    assert [api.get("/v1/plans").status for _ in range(2)] == [200, 429]


def send_bytes(api: Client, _: Sandbox) -> None:
    assert (
        api.call("POST", "/v1/instances", raw=b"\xff\x00'{", headers={"Content-Type": "application/json"}).status == 400
    )


def bring_a_fault(api: Client, _: Sandbox) -> None:
    assert api.get("/v1/plans", headers={"X-CNX-Mock-Fault": "error=INTERNAL_ERROR"}).status == 500


STEPS = [
    *(
        create,
        create_again_after_a_reset,
        fail_in_turn,
        read_one,
        delete_one,
        delete_one_without_a_body,
        take_a_snapshot,
        read_a_snapshot,
    ),
    *(delete_a_snapshot_of_nothing, balance_load, delete_a_load_balancer, ask_for_nothing, be_refused, be_poor),
    *(be_limited, send_bytes, bring_a_fault),
]


@pytest.fixture(scope="module")
def outcomes(server: MockServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every copied test, run in one process."""
    folder = tmp_path_factory.mktemp("copied")
    for step in STEPS:
        sandbox = server.sandbox(name=f"replay of {step.__name__}")
        api = Client(server.url, sandbox.api_key)
        step(api, sandbox)
        (folder / f"test_{step.__name__}.py").write_text(replay(api)["pytest"])
    with MockServer() as own:
        for name, key in (("no_key", None), ("bad_key", "nope")):
            assert Client(own.url, key).get("/v1/plans").status == 401
            (folder / f"test_{name}.py").write_text(replay(Client(own.url))["pytest"])
    return run(folder)


@pytest.mark.slow
@cases("name", [*(step.__name__ for step in STEPS), "no_key", "bad_key"])
def test_the_copied_test_passes(name: str, outcomes: dict[str, str]) -> None:
    assert outcomes[f"test_{name}"] == "PASSED"


@pytest.mark.parametrize("step", [create, be_refused, read_one], ids=lambda step: str(step.__name__))
def test_the_copied_curl_line_sends_the_same(
    step: Callable[[Client, Sandbox], None], api: Client, sandbox: Sandbox, server: MockServer, url: str
) -> None:
    step(api, sandbox)
    before = api.get("/_mock/requests?limit=1").json["data"][0]
    line = replay(api, f"http://{urlsplit(server.url).netloc}")["curl"]
    assert sandbox.api_key not in line
    environment = {"PATH": "/usr/bin:/bin", "CLOUDNEXUS_API_KEY": sandbox.api_key}
    subprocess.run(["bash", "-c", f"{line} --silent --noproxy '*'"], env=environment, check=True, capture_output=True)
    after = api.get("/_mock/requests?limit=1").json["data"][0]
    for name in ("method", "path", "query", "request_body", "operation"):
        assert after[name] == before[name]
    assert after["seq"] == before["seq"] + 1


def test_a_body_of_bytes_is_one_word_of_a_shell(api: Client) -> None:
    api.call("POST", "/v1/instances", raw=b"\xff'\\{\x1b", headers={"Content-Type": "application/json"})
    line = replay(api)["curl"]
    script = line[line.index("--data-binary ") + len("--data-binary ") :]
    done = subprocess.run(["bash", "-c", f"printf %s {script}"], capture_output=True, check=True)
    assert done.stdout == b"\xff'\\{\x1b"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://a b", "http://x/'; rm -rf"])
def test_a_base_url_that_is_none_is_refused(api: Client, address: str) -> None:
    api.get("/v1/plans")
    entry = api.get("/_mock/requests?limit=1").json["data"][0]
    query = "".join(f"%{each:02x}" for each in address.encode())
    assert api.get(f"/_mock/requests/{entry['request_id']}/replay?base_url={query}").status == 400


def test_a_live_key_is_never_sent_again() -> None:
    with MockServer() as server:
        client = Client(server.url)
        live = "cnx_live_" + "0" * 32
        assert Client(server.url, live).get("/v1/plans").status == 403
        entry = client.get("/_mock/requests?limit=1").json["data"][0]
        reply = client.get(f"/_mock/requests/{entry['request_id']}/replay")
        assert (reply.status, json.loads(reply.body)["error"]["code"]) == (400, "INVALID_STATE")
