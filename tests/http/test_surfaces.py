"""How much is served: the documented four, what the reference names or implies beside them, or everything."""

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from cnx_mock import MockServer
from cnx_mock.cli.main import cli
from cnx_mock.errors import SettingsError
from cnx_mock.settings import Settings
from tests.cases import cases
from tests.openapi_parts import resolved

DOCUMENTED = {
    "GET /v1/instances",
    "POST /v1/instances",
    "GET /v1/instances/{id}",
    "DELETE /v1/instances/{id}",
}
NAMED = DOCUMENTED | {
    "GET /v1/instances/legacy",
    *(f"{method} /v1/snapshots" for method in ("GET", "POST")),
    *(f"{method} /v1/snapshots/{{id}}" for method in ("GET", "DELETE")),
    *(f"{method} /v1/network/{kind}" for kind in ("firewall", "load-balancers") for method in ("GET", "POST")),
    *(
        f"{method} /v1/network/{kind}/{{id}}"
        for kind in ("firewall", "load-balancers")
        for method in ("GET", "PUT", "DELETE")
    ),
    "GET /v1/billing/balance",
    "GET /v1/billing/reports",
}
ALL = NAMED | {
    *(f"GET /v1/{kind}" for kind in ("images", "plans", "regions", "account")),
    *(f"GET /v1/{kind}/{{id}}" for kind in ("images", "plans", "regions")),
    "GET /v1/account/api-keys",
    "GET /v1/account/api-keys/current",
    "GET /v1/billing/transactions",
}
OPERATIONS = {"documented": DOCUMENTED, "named": NAMED, "all": ALL}
PROVENANCES = {
    "documented": {"documented"},
    "named": {"documented", "named", "implied"},
    "all": {"documented", "named", "implied", "added"},
}
LIMITS = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
OF_HTTP = {"content-type", "content-length", "date", "server", "connection", "keep-alive"}


@pytest.fixture(scope="module", params=list(OPERATIONS))
def surface(request: pytest.FixtureRequest) -> str:
    """Every surface in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def served(surface: str) -> Iterator[MockServer]:
    """A server of that surface."""
    with MockServer(settings=Settings(port=0, surface=surface)) as running:  # type: ignore[arg-type]
        yield running


@pytest.fixture
def house(served):
    """A sandbox of that server."""
    return served.sandbox()


@pytest.fixture
def api(client, house):
    """Calls with its key."""
    return client(house.url, house.api_key)


@pytest.fixture
def document(api):
    """Its document."""
    return api.get("/openapi.json").json


def operations(document):
    return {
        f"{method.upper()} {path}": each for path, item in document["paths"].items() for method, each in item.items()
    }


def answers(document):
    """Every answer of every operation in the document."""
    return [
        (status, resolved(document, response))
        for operation in operations(document).values()
        for status, response in operation["responses"].items()
    ]


@pytest.mark.slow
def test_the_document_lists_its_operations_and_no_other(document, surface):
    assert set(operations(document)) == OPERATIONS[surface]
    assert {each["x-cnx-provenance"] for each in operations(document).values()} == PROVENANCES[surface]
    assert document["info"]["x-cnx-surface"] == surface


@cases("operation", sorted(ALL))
def test_what_is_not_in_the_surface_is_not_there(house, client, surface, operation):
    api = client(house.url, house.api_key)
    method, path = operation.replace("{id}", "none").split()
    reply = api.call(method, path, {} if method in ("POST", "PUT") else None)
    if operation in OPERATIONS[surface]:
        assert reply.status in (200, 400, 404)
        assert "path" not in (reply.details if reply.status != 200 else {})
    elif surface == "documented" and path == "/v1/instances/legacy":
        assert reply.details == {"resource": "instance", "id": "legacy"}
    else:
        assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")
        assert reply.details["path"].startswith(path)


def test_no_hint_leads_out_of_the_surface(api, surface):
    hint = api.get("/v1/image").details["path"]
    assert ("/v1/images" in hint) == (surface == "all")


@pytest.fixture
def every_kind(api, client, served, house):
    """An answer of every kind: success, created, gone, and each refusal."""
    made = api.create()["id"]
    found = {
        "list": api.get("/v1/instances?limit=1"),
        "created": api.post("/v1/instances", {"name": "a", "plan": "pro", "region": "us-east-1", "image": "debian-12"}),
        "one": api.get(f"/v1/instances/{made}"),
        "gone": api.delete(f"/v1/instances/{made}"),
        "400": api.post("/v1/instances", {}),
        "401": client(served.url).get("/v1/instances"),
        "404": api.get("/v1/instances/none"),
        "405": api.call("PATCH", "/v1/instances"),
    }
    house.account.rate_limit = "1/min"
    found["429"] = api.get("/v1/instances")
    return found


def test_only_documented_headers_go_out_beside_what_http_asks_for(every_kind, surface):
    ours = {"x-request-id", "cache-control"} if surface == "all" else set()
    more = {"405": {"allow"}, "401": {"www-authenticate"}, "429": {"retry-after"}}
    if surface == "all":
        more |= {"list": {"link"}, "created": {"location"}}
    for kind, reply in every_kind.items():
        limits = set() if kind == "401" else LIMITS
        assert set(reply.headers) - OF_HTTP == limits | ours | more.get(kind, set()), kind


def test_every_answer_says_whose_it_is(every_kind):
    assert all(reply.headers["server"].startswith("cnx-mock/") for reply in every_kind.values())


def test_errors_have_the_documented_body_on_every_surface(every_kind):
    for reply in every_kind.values():
        if reply.status >= 400:
            assert list(reply.error) == ["code", "message", "details", "request_id"]


def test_the_headers_of_the_document_are_those_on_the_wire(document, surface):
    ours = {"x-request-id", "cache-control", "link", "location"}
    declared = {name.lower() for _, response in answers(document) for name in response.get("headers", {})}
    assert declared >= LIMITS
    assert (declared & ours) == (ours if surface == "all" else set())
    assert {"www-authenticate", "retry-after"} <= declared


def test_a_bare_list_is_counted_in_a_header_only_where_everything_is_served(api, house, surface):
    house.call("PATCH", "/readings", {"list-envelope": "bare"})
    reply = api.get("/v1/instances")
    assert reply.json == []
    assert ("x-total-count" in reply.headers) == (surface == "all")


def test_the_control_plane_is_there_on_every_surface(client, served):
    assert client(served.url).get("/_mock/health").json["status"] == "ok"


@pytest.mark.slow
def test_the_command_prints_the_document_that_the_server_serves(document, surface):
    result = CliRunner().invoke(cli, ["openapi", "--surface", surface])
    assert result.exit_code == 0
    printed = json.loads(result.output)
    assert {**printed, "servers": document["servers"]} == document


def test_the_legacy_path_names_its_successor_on_the_surfaces_that_have_it(api, surface):
    reply = api.get("/v1/instances/legacy")
    assert reply.headers.get("deprecation") == (None if surface == "documented" else "@1761264000")


def test_an_unknown_surface_is_refused():
    with pytest.raises(SettingsError, match="documented, named or all"):
        Settings(surface="some")  # type: ignore[arg-type]
    result = CliRunner().invoke(cli, ["serve", "--port", "0", "--surface", "some"])
    assert result.exit_code == 2
    assert "documented, named or all" in result.output


def test_the_legacy_path_names_its_successor_wherever_it_is_served(client) -> None:
    with MockServer(settings=Settings(port=0, surface="named")) as running:
        sandbox = running.sandbox()
        reply = client(sandbox.url, sandbox.api_key).get("/v1/instances/legacy")
        assert reply.headers["link"] == '</v1/instances>; rel="successor-version"'
