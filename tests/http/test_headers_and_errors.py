"""What every answer bears, whatever it says: headers, and the one form of an error."""

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from cnx_mock import MockServer, Settings, __version__
from tests.cases import cases

REQUEST_ID = re.compile("req_[0-9a-f]{16}")
UNKNOWN = "/v1/instances/inst_0000000000000000"
BIG = b"x" * (64 * 1024 + 1)

AUTHENTICATED = {
    "list": ("GET", "/v1/instances", None, 200),
    "get of a catalogue": ("GET", "/v1/plans/pro", None, 200),
    "unknown path": ("GET", "/v1/nowhere", None, 404),
    "outside /v1": ("GET", "/v2/instances", None, 404),
    "unknown id": ("GET", UNKNOWN, None, 404),
    "delete of an unknown id": ("DELETE", UNKNOWN, None, 404),
    "wrong method": ("PATCH", "/v1/instances", None, 405),
    "bad syntax": ("POST", "/v1/instances", b"{", 400),
    "bad fields": ("POST", "/v1/instances", b"{}", 400),
    "bad query": ("GET", "/v1/instances?limit=0", None, 400),
}


def check_error(reply):
    """The documented form, exactly; and what stands beside it."""
    assert set(reply.json) == {"error"}
    assert set(reply.error) == {"code", "message", "details", "request_id"}
    assert re.fullmatch("[A-Z][A-Z_]+", reply.error["code"])
    assert reply.error["message"].endswith(".") or "…" in reply.error["message"]
    assert all(isinstance(value, str) for value in reply.error["details"].values())
    assert reply.error["request_id"] == reply.headers["x-request-id"]


def check_headers(reply):
    """What even an answer bears that has seen neither key nor sandbox."""
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.headers["server"] == f"cnx-mock/{__version__}"
    assert reply.headers["cache-control"] == "no-store"
    assert REQUEST_ID.fullmatch(reply.headers["x-request-id"])
    assert parsedate_to_datetime(reply.headers["date"]).tzinfo
    assert "etag" not in reply.headers
    if reply.status >= 400:
        check_error(reply)


@cases("case", AUTHENTICATED)
def test_every_authenticated_answer_says_who_it_is_and_where_the_window_stands(api, case):
    method, path, raw, status = AUTHENTICATED[case]

    reply = api.call(method, path, raw=raw)

    assert reply.status == status
    check_headers(reply)
    assert reply.headers["x-ratelimit-limit"] == "300"
    assert reply.headers["x-ratelimit-remaining"] == "299"
    assert int(reply.headers["x-ratelimit-reset"]) > 1_700_000_000


def test_a_create_a_get_and_a_delete_bear_the_same(api, example):
    made = api.post("/v1/instances", example)
    path = made.headers["location"]

    for reply in (made, api.get(path), api.delete(path)):
        check_headers(reply)
        assert reply.headers["x-ratelimit-limit"] == "300"


@cases(
    ("key", "raw", "status"),
    [(None, None, 401), ("nonsense", None, 401), ("cnx_live_" + "0" * 32, None, 403), (None, BIG, 413)],
)
def test_an_answer_without_a_sandbox_has_no_rate_limit_headers(server, client, key, raw, status):
    reply = client(server.url, key).call("POST", "/v1/instances", raw=raw)

    assert reply.status == status
    check_headers(reply)
    assert not [name for name in reply.headers if name.startswith("x-ratelimit")]


def test_401_says_how_to_authenticate_and_nothing_else_does(server, client, api):
    assert client(server.url).get("/v1/plans").headers["www-authenticate"] == "Bearer"
    assert "www-authenticate" not in api.get("/v1/plans").headers
    assert "www-authenticate" not in client(server.url, "cnx_live_" + "0" * 32).get("/v1/plans").headers


@cases(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/instances", "GET, HEAD, POST"),
        ("PATCH", "/v1/instances", "GET, HEAD, POST"),
        ("DELETE", "/v1/instances", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/instances", "GET, HEAD, POST"),
        ("TRACE", "/v1/instances", "GET, HEAD, POST"),
        ("PUT", UNKNOWN, "DELETE, GET, HEAD"),
        ("POST", UNKNOWN, "DELETE, GET, HEAD"),
        ("POST", "/v1/plans", "GET, HEAD"),
        ("DELETE", "/v1/regions/us-east-1", "GET, HEAD"),
        ("DELETE", "/v1/instances/legacy", "GET, HEAD"),
    ],
)
def test_405_says_which_methods_there_are(api, method, path, allowed):
    reply = api.call(method, path)

    assert (reply.status, reply.error["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert reply.headers["allow"] == allowed
    assert reply.details == {"method": method, "allowed": allowed}


@cases(
    ("path", "hint"),
    [
        ("/v1/instance", "/v1/instances"),
        ("/v1/instances/", "/v1/instances"),
        ("/V1/Instances", "/v1/instances"),
        ("/v1/imges", "/v1/images"),
        ("//v1/plans", "/v1/plans"),
    ],
)
def test_404_of_a_near_miss_says_what_was_probably_meant(api, path, hint):
    reply = api.get(path)

    assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")
    assert reply.details == {"path": f"{path}, did you mean '{hint}'?"}


def test_404_of_a_resource_names_it(api):
    assert api.get(UNKNOWN).details == {"resource": "instance", "id": "inst_0000000000000000"}
    assert api.get("/v1/plans/gold").details == {"resource": "plan", "id": "gold"}


def test_201_says_where_the_new_resource_is(api, example):
    reply = api.post("/v1/instances?ignored=1", example)

    assert reply.headers["location"] == f"/v1/instances/{reply.json['id']}"
    assert "location" not in api.get(reply.headers["location"]).headers


@cases(
    ("path", "status"),
    [
        ("/v1/instances", 200),
        ("/v1/plans/pro", 200),
        (UNKNOWN, 404),
        ("/v1/nowhere", 404),
        ("/v1/instances?page=0", 400),
    ],
)
def test_head_is_get_without_the_body(api, path, status):
    got, headed = api.get(path), api.call("HEAD", path)

    changing = ("x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset", "date")
    assert (headed.status, headed.body) == (status, b"")
    assert {k: v for k, v in headed.headers.items() if k not in changing} == {
        k: v for k, v in got.headers.items() if k not in changing
    }


def test_head_without_a_key_is_401_without_a_body(server, client):
    reply = client(server.url).call("HEAD", "/v1/instances")

    assert (reply.status, reply.body, reply.headers["www-authenticate"]) == (401, b"", "Bearer")


def links(reply):
    return {rel: target for target, rel in re.findall(r'<([^>]*)>; rel="([a-z]+)"', reply.headers["link"])}


@cases(
    ("page", "expected"),
    [
        ("", {"first": "1", "next": "2", "last": "3"}),
        ("page=1&", {"first": "1", "next": "2", "last": "3"}),
        ("page=2&", {"first": "1", "prev": "1", "next": "3", "last": "3"}),
        ("page=3&", {"first": "1", "prev": "2", "last": "3"}),
        ("page=9&", {"first": "1", "prev": "3", "last": "3"}),
    ],
)
def test_a_list_links_its_pages_and_keeps_the_other_parameters(api, page, expected):
    reply = api.get(f"/v1/plans?{page}limit=1&note=a%20b+c")

    assert links(reply) == {rel: f"/v1/plans?limit=1&note=a%20b+c&page={n}" for rel, n in expected.items()}


def test_a_walk_along_the_links_meets_everything_once(api):
    path, met = "/v1/regions?limit=2", []
    while path:
        reply = api.get(path)
        met += [region["id"] for region in reply.json["data"]]
        path = links(reply).get("next")

    assert met == [region["id"] for region in api.get("/v1/regions").json["data"]]


def test_a_link_cannot_be_broken_out_of(api):
    reply = api.get('/v1/plans?x=%3E%22%2C<>";rel="next"'.replace(" ", "%20"))

    assert set(links(reply)) == {"first", "last"}
    assert reply.headers["link"].count("<") == reply.headers["link"].count(">") == 2


def test_an_idempotency_key_is_ignored(api, example):
    first, second = (api.post("/v1/instances", example, headers={"Idempotency-Key": "same"}) for _ in range(2))

    assert first.json["id"] != second.json["id"]


def test_request_ids_are_never_given_twice(api):
    ids = [api.get(path).headers["x-request-id"] for path in ("/v1/plans", "/v1/nowhere") * 10]

    assert len(set(ids)) == 20


def test_times_are_rfc_3339_in_utc_with_whole_seconds(api):
    made = api.create()

    assert made["created_at"].endswith("Z")
    assert datetime.fromisoformat(made["created_at"]).microsecond == 0


@cases(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"FOO / HTTP/1.1\r\n\r\n",
        b"GET nowhere HTTP/1.1\r\n\r\n",
        b"GET /v1/\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/plans HTTP/1.1\r\nno colon\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /v1/instances HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
        b"POST /v1/instances HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_told_so_in_the_same_form(wire, request_):
    status, headers, body = wire(request_)

    error = json.loads(body)["error"]
    assert (status, error["code"], set(error["details"])) == (400, "BAD_REQUEST", {"reason"})
    assert headers["server"] == f"cnx-mock/{__version__}"
    assert headers["content-type"] == "application/json"
    assert headers["x-request-id"] == error["request_id"]
    assert REQUEST_ID.fullmatch(error["request_id"])


@cases("path", ["/", "/openapi.json", "/_mock/health"])
def test_pages_outside_v1_need_no_key(server, client, path):
    reply = client(server.url).get(path)

    assert reply.status == 200
    check_headers(reply)
    assert isinstance(reply.json, dict)


def test_the_root_points_at_the_others(server, client):
    page = client(server.url).get("/").json

    assert (page["api"], page["openapi"], page["control"]) == ("/v1", "/openapi.json", "/_mock")


@pytest.mark.parametrize("path", ["/", "/openapi.json"])
def test_a_page_can_only_be_read(server, client, path):
    reply = client(server.url).post(path, {})

    assert (reply.status, reply.headers["allow"], reply.error["code"]) == (405, "GET, HEAD", "METHOD_NOT_ALLOWED")
    check_headers(reply)
    assert client(server.url).call("HEAD", path).body == b""


def test_other_versions_of_the_api_do_not_exist(api, server, client):
    assert api.get("/v2/instances").status == 404
    assert client(server.url).get("/v2/instances").status == 401


@cases("path", ["/_mock/nowhere", "/_mock/ui/", "/_mockery"])
def test_the_control_planes_errors_have_the_same_form(server, client, path):
    reply = client(server.url).get(path)

    assert reply.status == 404
    check_headers(reply)


@pytest.fixture(scope="module")
def open_server():
    """A server that answers browsers."""
    with MockServer(settings=Settings(port=0, cors=True)) as running:
        yield running


ORIGIN = {"Origin": "https://shop.example"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}


def test_browsers_are_not_answered_by_default(api):
    reply = api.get("/v1/plans", headers=ORIGIN)

    assert not [name for name in reply.headers if name.startswith("access-control")]
    assert api.call("OPTIONS", "/v1/instances", headers=PREFLIGHT).status == 405


def test_a_preflight_has_no_key_and_is_allowed_everything(open_server, client):
    reply = client(open_server.url).call("OPTIONS", "/v1/instances", headers=PREFLIGHT)

    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert "authorization" in reply.headers["access-control-allow-headers"].lower()
    assert reply.headers["server"] == f"cnx-mock/{__version__}"


def test_a_page_of_another_origin_does_not_reach_the_control_plane(open_server, client):
    reply = client(open_server.url).call("OPTIONS", "/_mock/reset", headers=PREFLIGHT)

    assert reply.status == 405
    assert not [name for name in reply.headers if name.startswith("access-control")]


def test_a_preflight_is_not_counted(open_server, client):
    sandbox = open_server.sandbox()
    api = client(open_server.url, sandbox.api_key)

    api.call("OPTIONS", "/v1/instances", headers=PREFLIGHT)

    assert api.get("/v1/plans").headers["x-ratelimit-remaining"] == "299"
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(("key", "status"), [("cnx_test_" + "e" * 32, 200), (None, 401), ("cnx_live_" + "e" * 32, 403)])
def test_a_browser_may_read_every_answer_and_its_headers(open_server, client, key, status):
    reply = client(open_server.url, key).get("/v1/plans", headers=ORIGIN)

    assert reply.status == status
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-expose-headers"] == "*"
    check_headers(reply)


def test_options_without_an_origin_is_no_preflight(open_server, client):
    assert client(open_server.url).call("OPTIONS", "/v1/instances").status == 401
