"""A sandbox has an id, which stands for its key in the control plane."""

from typing import Any

import pytest

from cnx_mock import MockServer
from tests.cases import cases
from tests.conftest import Client, Reply


def call(server: MockServer, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(server.url).call(method, f"/_mock{path}", body, headers=named)


def test_the_list_shows_the_id_and_the_accounts_id(server):
    sandbox = server.sandbox(name="one")
    [item] = [each for each in call(server, "GET", "/sandboxes").json["data"] if each["name"] == "one"]
    assert item["id"] == sandbox.id
    assert item["account_id"] == Client(server.url, sandbox.api_key).get("/v1/account").json["id"]
    assert sandbox.id in [each.id for each in server.sandboxes()]


def test_it_is_made_of_the_name_and_the_seed(own_server):
    first, other = own_server.sandbox(name="a", seed=7), own_server.sandbox(name="b", seed=7)
    assert first.id != other.id
    assert own_server.sandbox(name="a", seed=7).id == first.id
    assert own_server.sandbox(name="a", seed=8).id != first.id


def test_two_sandboxes_never_share_one(own_server):
    key = "cnx_test_" + "5" * 32
    one, other = own_server.sandbox(name="same"), own_server.sandbox(name="same", key=key)
    assert one.id != other.id
    ids = [each["id"] for each in call(own_server, "GET", "/sandboxes").json["data"]]
    assert len(set(ids)) == len(ids) == 2


def test_it_stays_through_a_reset(sandbox, server):
    Client(server.url, sandbox.api_key).create()
    sandbox.reset()
    [item] = [each for each in call(server, "GET", "/sandboxes").json["data"] if each["id"] == sandbox.id]
    assert item["instances"] == 0


def test_it_stands_for_the_key(sandbox, server):
    instance = Client(server.url, sandbox.api_key).create()
    listed = call(server, "GET", "/instances", X_CNX_Mock_Sandbox=sandbox.id)
    assert [each["id"] for each in listed.json["data"]] == [instance["id"]]

    changed = call(server, "PATCH", "/account", {"scopes": ["instances:read"]}, X_CNX_Mock_Sandbox=sandbox.id)
    assert changed.json["scopes"] == ["instances:read"] == sandbox.account.scopes


@pytest.mark.parametrize("path", ["/instances", "/requests", "/events", "/sandboxes"])
def test_an_unknown_one_is_not_found(server, path):
    reply = call(server, "GET", path, X_CNX_Mock_Sandbox="sbx_000000000000")
    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")
    assert reply.details == {"resource": "sandbox", "id": "sbx_000000000000"}


def test_a_key_beside_it_is_refused(sandbox, server):
    reply = call(server, "GET", "/clock", X_CNX_Mock_Sandbox=sandbox.id, Authorization=f"Bearer {sandbox.api_key}")
    assert (reply.status, reply.error["code"]) == (400, "BAD_REQUEST")
    assert "give only one of them" in reply.details["header"]


@cases("method", ["GET", "HEAD", "PATCH"])
@cases(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_cannot_use_it(sandbox, server, method, foreign):
    reply = call(server, method, "/clock", {"speed": 2}, X_CNX_Mock_Sandbox=sandbox.id, **foreign)
    assert reply.status == 403
    assert "access-control-allow-origin" not in reply.headers
    assert sandbox.clock.speed == 1


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_page_can(sandbox, server, site):
    own = {"Origin": server.url, "Sec_Fetch_Site": site, "Content_Type": "application/json"}
    assert call(server, "PATCH", "/clock", {"speed": 3}, X_CNX_Mock_Sandbox=sandbox.id, **own).status == 200
    assert call(server, "GET", "/clock", X_CNX_Mock_Sandbox=sandbox.id, **own).json["speed"] == 3


def test_it_gives_a_sandbox_back(own_server):
    sandbox = own_server.sandbox()
    assert call(own_server, "DELETE", f"/sandboxes/{sandbox.id}").json == {"id": sandbox.id, "deleted": True}
    assert call(own_server, "DELETE", f"/sandboxes/{sandbox.id}").status == 404
    assert call(own_server, "GET", "/sandboxes").json["data"] == []
