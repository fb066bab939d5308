"""The list under its old path: "Deprecated v1/instances/legacy (removal in v2.0)"."""

import http.client

import pytest

from cnx_mock import MockServer
from cnx_mock.settings import Settings
from tests.cases import cases

LEGACY = "/v1/instances/legacy"


@pytest.fixture
def fleet(api, sandbox):
    """Three instances, one of them running."""
    sandbox.clock.freeze()
    sandbox.instances.add(name="old", region="eu-west-1", tags=["web"])
    return [api.create(name="mid", tags=["web", "db"]), api.create(name="new", tags=[])]


def links(sandbox, path):
    """Return every Link header, in order."""
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    connection.request("GET", path, headers={"Authorization": f"Bearer {sandbox.api_key}"})
    response = connection.getresponse()
    response.read()
    connection.close()
    return [value for name, value in response.getheaders() if name.lower() == "link"]


@pytest.mark.usefixtures("fleet")
@cases(
    "query",
    ["", "?region=eu-west-1", "?status=provisioning", "?tags=web,db", "?page=2&limit=2", "?limit=100&status=running"],
)
def test_it_answers_what_the_list_answers(api, query):
    assert api.get(LEGACY + query).body == api.get(f"/v1/instances{query}").body


@cases("query", ["?page=0", "?limit=101", "?status=up", "?page=1&limit=x"])
def test_it_refuses_what_the_list_refuses(api, query):
    old, new = api.get(LEGACY + query), api.get(f"/v1/instances{query}")
    assert (old.status, old.details) == (new.status, new.details) == (400, old.details)


def test_it_says_since_when_it_is_deprecated_and_no_date_of_removal(api):
    headers = api.get(LEGACY).headers
    assert headers["deprecation"] == "@1761264000"
    assert "sunset" not in headers


def test_it_names_its_successor_beside_its_pages(sandbox):
    found = ", ".join(links(sandbox, f"{LEGACY}?limit=2"))
    assert '</v1/instances>; rel="successor-version"' in found
    assert f'<{LEGACY}?limit=2&page=1>; rel="first"' in found


def test_the_successor_is_not_deprecated(api, sandbox):
    assert "deprecation" not in api.get("/v1/instances").headers
    assert "successor-version" not in ", ".join(links(sandbox, "/v1/instances"))


@cases("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_owns_its_path(api, method):
    reply = api.call(method, LEGACY, {})
    assert (reply.status, reply.error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert reply.headers["allow"] == "GET, HEAD"
    assert reply.details == {"method": method, "allowed": "GET, HEAD"}


def test_head_is_its_get_without_a_body(api):
    reply = api.call("HEAD", LEGACY)
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["deprecation"] == "@1761264000"


@cases("path", [f"{LEGACY}/", f"{LEGACY}/inst_0", "/v1/instances/Legacy", "/v1/instances/legacy%20"])
def test_nothing_near_it_is_it(api, path):
    assert api.get(path).status == 404


def test_it_needs_the_scope_of_the_list(api, sandbox):
    sandbox.account.scopes = ["account:read"]
    assert api.get(LEGACY).details["required_scope"] == "instances:read"


def test_it_is_deprecated_in_the_document(api):
    document = api.get("/openapi.json").json
    assert document["paths"][LEGACY]["get"]["deprecated"] is True
    assert "deprecated" not in document["paths"]["/v1/instances"]["get"]
    assert set(document["paths"][LEGACY]) == {"get"}


def test_where_only_what_is_documented_is_served_it_is_an_id_like_any_other(client):
    with MockServer(settings=Settings(port=0, surface="documented")) as server:
        api = client(server.url, server.sandbox().api_key)
        assert api.get(LEGACY).details == {"resource": "instance", "id": "legacy"}
        assert api.delete(LEGACY).status == 404
        assert api.call("PUT", LEGACY).headers["allow"] == "DELETE, GET, HEAD"
