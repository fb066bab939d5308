"""The reference, sentence by sentence, in its order. Each sentence is quoted once: by the test that checks it, or with
the reason why no test can. `reference.txt` is its text (with repaired icons, and with the cells of tables separated).

A test runs once for each option of the readings that its sentence leaves open.
"""

import datetime as dt
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from cnx_mock import MockServer
from cnx_mock.api.readings import READINGS
from cnx_mock.settings import Settings
from tests.conftest import INSTANCE
from tests.openapi_parts import resolved

T = TypeVar("T", bound=Callable[..., Any])

QUOTED: list[str] = []
"""The sentences quoted so far, in order."""

DIGITS = "4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
LISTED = {200, 201, 400, 401, 403, 404, 429, 500}


def says(words: str) -> Callable[[T], T]:
    """Quote a sentence of the reference that this test checks."""
    QUOTED.append(words)
    return lambda test: test


def heading(words: str) -> None:
    """Quote a heading of the reference."""
    QUOTED.append(words)


def untestable(words: str, why: str) -> None:
    """Quote a sentence of the reference that no test can check."""
    assert why
    QUOTED.append(words)


def under(name: str) -> pytest.MarkDecorator:
    """Run a test once for each option of a reading."""
    options = next(each.options for each in READINGS if each.name == name)
    return pytest.mark.parametrize("readings", [{name: option} for option in options], indirect=True, ids=options)


@pytest.fixture
def readings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The readings chosen for a test."""
    return getattr(request, "param", {})


@pytest.fixture
def sandbox(server, readings):
    """A sandbox with these readings and a frozen clock."""
    return server.sandbox({"world": {"readings": readings, "clock": {"frozen": True}}})


def items(reply: Any) -> list[Any]:
    """Return the items of a list, in any envelope."""
    return reply.json if isinstance(reply.json, list) else reply.json["data"]


def names(reply: Any) -> list[str]:
    return [each["name"] for each in items(reply)]


heading("CloudNexus API")


@says("Programmatically manage your cloud infrastructure.")
def test_an_instance_is_managed_from_its_creation_to_its_end(api):
    made = api.create()
    assert api.get(f"/v1/instances/{made['id']}").json["name"] == made["name"]
    assert api.delete(f"/v1/instances/{made['id']}").status == 200
    assert items(api.get("/v1/instances")) == []


@says("The API follows RESTful conventions, uses standard HTTP status codes, and returns JSON payloads.")
def test_every_answer_has_a_listed_status_and_json(api):
    made = api.create()["id"]
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("POST", "", {}),
        ("GET", f"/{made}", None),
        ("DELETE", f"/{made}", None),
    ]
    for method, path, body in [*calls, ("GET", f"/{made}", None)]:
        reply = api.call(method, f"/v1/instances{path}", body)
        assert reply.status in LISTED
        assert reply.headers["content-type"] == "application/json"
        assert isinstance(reply.json, dict)


untestable(
    "All requests must be made over HTTPS.",
    "plain HTTP on this machine is the default, because every client takes a base URL: a choice of the contract",
)

heading("🔐 Authentication")


@says("CloudNexus uses API keys for authentication.")
def test_nothing_is_answered_without_a_key(client, server):
    for method in ("GET", "POST", "DELETE"):
        reply = client(server.url).call(method, "/v1/instances")
        assert (reply.status, reply.error["code"]) == (401, "UNAUTHORIZED")


@says("You can generate and manage your keys in the Dashboard → API Keys section.")
def test_no_call_makes_a_key(api):
    assert api.post("/v1/account/api-keys", {"name": "another"}).status == 405


@says("Include your key in the Authorization header as a Bearer token.")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer {}"}, 200),
        ({"Authorization": "Basic {}"}, 401),
        ({"Authorization": "{}"}, 401),
        ({"X-API-Key": "{}"}, 401),
    ],
)
def test_only_a_bearer_token_is_a_key(client, sandbox, headers, status):
    given = {name: value.format(sandbox.api_key) for name, value in headers.items()}
    assert client(sandbox.url).get("/v1/instances", headers=given).status == status


@says("Example Authorization: Bearer cnx_live_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c")
def test_the_examples_digits_are_a_key(client, server):
    server.sandbox(key=f"cnx_test_{DIGITS}")  # other tests have used it too: as it was made
    reply = client(server.url).get("/v1/account", headers={"Authorization": f"Bearer cnx_test_{DIGITS}"})
    assert (reply.status, reply.json["plan"], reply.json["balance"]) == (200, "professional", "$100.00")


@says("# Never expose your secret key in client-side code.")
def test_no_answer_exposes_the_key_that_asked(api, sandbox):
    secret = sandbox.api_key.removeprefix("cnx_test_").encode()
    for path in ("/v1/instances", "/v1/account", "/v1/account/api-keys", "/_mock/requests"):
        assert secret not in api.get(path).body


@says("# Use environment variables or secure vaults.")
def test_a_sandboxs_key_comes_as_an_environment_variable(sandbox):
    assert sandbox.env == {"CLOUDNEXUS_BASE_URL": sandbox.url, "CLOUDNEXUS_API_KEY": sandbox.api_key}


@says("⚠️ API keys with cnx_live_ prefix affect production resources.")
@pytest.mark.parametrize("status", ["403", "401"])
def test_a_live_key_affects_nothing_here(client, status):
    with MockServer(settings=Settings(port=0, reading=(f"live-key-status={status}",))) as server:
        live = client(server.url, f"cnx_live_{DIGITS}")
        reply = live.post("/v1/instances", INSTANCE)
        assert (str(reply.status), reply.error["code"]) == (status, "LIVE_KEY_REJECTED")
        assert items(client(server.url, f"cnx_test_{DIGITS}").get("/v1/instances")) == []


@says("Use cnx_test_ for sandbox environments.")
def test_a_test_key_opens_a_sandbox(api, sandbox):
    assert sandbox.api_key.startswith("cnx_test_")
    assert api.get("/v1/account").json["environment"] == "sandbox"


heading("⏱️ Rate Limits")


@says("API requests are rate-limited to ensure platform stability.")
@under("rate-window")
def test_there_is_an_end_to_requests_and_a_window_that_opens_again(api, sandbox):
    sandbox.account.rate_limit = "2/min"
    replies = [api.get("/v1/instances") for _ in range(5)]  # five, as a minute may end between any two of them
    assert (replies[0].status, replies[-1].status) == (200, 429)
    assert replies[-1].error["code"] == "RATE_LIMITED"
    sandbox.clock.advance("60s")
    assert api.get("/v1/instances").status == 200


@says(
    "Limits vary by plan: • Starter: 60 requests/minute • Professional: 300 requests/minute "
    "• Enterprise: 1,000+ requests/minute (custom)"
)
@pytest.mark.parametrize(("plan", "limit"), [("starter", 60), ("professional", 300), ("enterprise", 1000)])
def test_limits_vary_by_plan(api, sandbox, plan, limit):
    sandbox.account.plan = plan
    replies = [api.get("/v1/account/api-keys/current") for _ in range(limit if plan == "starter" else 1)]
    assert {reply.headers["x-ratelimit-limit"] for reply in replies} == {str(limit)}
    assert replies[-1].headers["x-ratelimit-remaining"] == str(limit - len(replies))
    assert api.get("/v1/instances").status == (429 if plan == "starter" else 200)


@says(
    "Rate limit status is returned in response headers: "
    "Headers X-RateLimit-Limit: 300 X-RateLimit-Remaining: 298 X-RateLimit-Reset: 1702834567"
)
def test_the_second_request_of_a_professional_sees_the_documented_headers(api):
    now = dt.datetime.now(dt.UTC).timestamp()
    api.get("/v1/instances")
    headers = api.get("/v1/instances").headers
    assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("300", "298")
    assert re.fullmatch("[0-9]{10}", headers["x-ratelimit-reset"])
    assert now < int(headers["x-ratelimit-reset"]) < now + 120


heading("🖥️ Compute Endpoints")


@says("GET /v1/instances List all compute instances")
def test_all_instances_are_listed_in_order_of_creation(api):
    made = [api.create(name=name) for name in ("one", "two", "three")]
    assert items(api.get("/v1/instances")) == made


@says("Returns a paginated list of all instances in your account.")
@under("list-envelope")
def test_the_list_comes_in_pages(api, client, server):
    made = [api.create(name=f"n{each}") for each in range(5)]
    pages = [items(api.get(f"/v1/instances?page={page}&limit=2")) for page in (1, 2, 3, 4)]
    assert pages == [made[0:2], made[2:4], made[4:], []]
    assert items(client(server.url, server.sandbox().api_key).get("/v1/instances")) == []


@says("Supports filtering by region, status, and tags.")
@under("tags-match")
def test_filters_narrow_the_list_together(api, sandbox, readings):
    for name, region, tags in (
        ("both", "us-east-1", ["web", "db"]),
        ("web", "us-east-1", ["web"]),
        ("far", "eu-west-1", ["web", "db"]),
    ):
        sandbox.instances.add(name=name, region=region, tags=tags)
    api.create(name="new", tags=["web", "db"])
    found = names(api.get("/v1/instances?region=us-east-1&status=running&tags=web,db"))
    assert found == (["both"] if readings["tags-match"] == "all" else ["both", "web"])


heading("Query Parameters Parameter Type Required Description")


@says("region string Optional Filter by data center region")
def test_a_region_filters_exactly(api):
    api.create(name="here", region="us-east-1")
    api.create(name="there", region="eu-west-1")
    assert names(api.get("/v1/instances?region=eu-west-1")) == ["there"]
    assert names(api.get("/v1/instances?region=eu-west")) == []


@says("status string Optional Filter by status (running, stopped, provisioning)")
@under("validation-status")
def test_a_status_is_one_of_three(api, sandbox, readings):
    for status in ("running", "stopped", "provisioning"):
        sandbox.instances.add(name=status, status=status)
    for status in ("running", "stopped", "provisioning"):
        assert names(api.get(f"/v1/instances?status={status}")) == [status]
    reply = api.get("/v1/instances?status=deleted")
    assert (str(reply.status), list(reply.details)) == (readings["validation-status"], ["status"])


@says("page integer Optional Page number for pagination")
@under("validation-status")
def test_a_page_is_a_number_from_one(api, readings):
    assert api.get("/v1/instances?page=7").status == 200
    for page in ("0", "-1", "one", "1.0", "+1", "１"):
        reply = api.call("GET", "/v1/instances?page=" + "".join(f"%{byte:02X}" for byte in page.encode()))
        assert (str(reply.status), list(reply.details)) == (readings["validation-status"], ["page"])


@says("limit integer Optional Items per page (max 100)")
@under("limit-above-max")
def test_a_page_has_at_most_a_hundred_items(api, sandbox, readings):
    for _ in range(101):
        sandbox.instances.add()
    assert len(items(api.get("/v1/instances?limit=100"))) == 100
    above = api.get("/v1/instances?limit=101")
    if readings["limit-above-max"] == "clamp":
        assert len(items(above)) == 100
    else:
        assert (above.status, list(above.details)) == (400, ["limit"])


@says("POST /v1/instances Create a new instance")
def test_a_new_instance_is_in_the_list(api):
    reply = api.post("/v1/instances", INSTANCE)
    assert reply.status == 201
    assert items(api.get("/v1/instances")) == [reply.json]


@says("Provisions a new virtual machine with the specified configuration.")
def test_it_is_provisioned_as_specified(api):
    made = api.post("/v1/instances", INSTANCE).json
    assert {field: made[field] for field in INSTANCE} == INSTANCE
    assert made["status"] == "provisioning"


@says("Deployment typically completes within 30-60 seconds.")
def test_it_runs_after_30_to_60_seconds(api, sandbox):
    made = [api.create()["id"] for _ in range(20)]
    sandbox.clock.advance("29s")
    assert {each["status"] for each in items(api.get("/v1/instances"))} == {"provisioning"}
    sandbox.clock.advance("31s")
    shown = [api.get(f"/v1/instances/{each}").json for each in made]
    assert {each["status"] for each in shown} == {"running"}
    assert len({each["provisioned_at"] for each in shown}) > 1


@says("Request Body Parameter Type Required Description")
@under("unknown-body-field")
def test_the_table_is_the_whole_body(api, readings):
    reply = api.post("/v1/instances", {**INSTANCE, "flavour": "large"})
    assert reply.status == (201 if readings["unknown-body-field"] == "ignore" else 400)
    assert readings["unknown-body-field"] == "ignore" or list(reply.details) == ["flavour"]


@says("name string Required Instance identifier")
@under("instance-names")
def test_a_name_is_required_and_may_be_unique(api, readings):
    assert api.post("/v1/instances", {**INSTANCE, "name": None}).details.keys() == {"name"}
    assert api.post("/v1/instances", {each: INSTANCE[each] for each in INSTANCE if each != "name"}).status == 400
    statuses = [api.post("/v1/instances", INSTANCE).status for _ in range(2)]
    assert statuses == ([201, 201] if readings["instance-names"] == "free" else [201, 400])


@says("plan string Required Compute tier (starter, pro, enterprise)")
@under("validation-status")
@pytest.mark.parametrize("plan", ["starter", "pro", "enterprise", "Pro", "professional", None, 1])
def test_a_plan_is_one_of_three(api, readings, plan):
    reply = api.post("/v1/instances", {**INSTANCE, "plan": plan})
    if plan in ("starter", "pro", "enterprise"):
        assert (reply.status, reply.json["plan"]) == (201, plan)
    else:
        assert (str(reply.status), list(reply.details)) == (readings["validation-status"], ["plan"])


@says("region string Required Deployment region")
def test_a_region_is_one_that_there_is(api):
    for region in items(api.get("/v1/regions")):
        assert api.create(region=region["id"])["region"] == region["id"]
    for wrong in ("moon-1", "", None):
        assert list(api.post("/v1/instances", {**INSTANCE, "region": wrong}).details) == ["region"]


@says("image string Required OS image ID or snapshot")
def test_an_image_is_an_os_or_a_snapshot(api, sandbox):
    for image in items(api.get("/v1/images")):
        assert api.create(image=image["id"])["image"] == image["id"]
    source = sandbox.instances.add()["id"]
    snapshot = api.post("/v1/snapshots", {"instance_id": source}).json["id"]
    sandbox.clock.advance("15s")
    assert api.create(image=snapshot)["image"] == snapshot
    for wrong in ("windows-95", source, None):
        assert list(api.post("/v1/instances", {**INSTANCE, "image": wrong}).details) == ["image"]


@says("tags array Optional Metadata tags for organization")
def test_tags_are_an_array_that_may_be_left_out(api):
    assert api.post("/v1/instances", {each: INSTANCE[each] for each in INSTANCE if each != "tags"}).json["tags"] == []
    assert api.create(tags=["web", "web", "db"])["tags"] == ["web", "db"]
    for wrong in ("web", None, {"web": 1}):
        assert list(api.post("/v1/instances", {**INSTANCE, "tags": wrong}).details) == ["tags"]


heading("Example Request curl JavaScript Python")

CURL = r"""curl -X POST https://api.cloudnexus.com/v1/instances \\
-H "Authorization: Bearer cnx_live_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c" \\ -H "Content-Type: application/json" \\
-d '{ "name": "prod-api-01", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts",
"tags": ["web", "production"] }'"""


@says(CURL)
def test_the_printed_curl_creates_an_instance_once_its_key_is_a_test_key(client, server):
    _, _, method, url, _, key, _, kind, _, data = shlex.split(CURL.replace(r"\\", "").replace("cnx_live_", "cnx_test_"))
    headers = dict(each.split(": ", 1) for each in (key, kind))
    reply = client(server.url).call(method, urlsplit(url).path, headers=headers, raw=data.encode())
    assert reply.status == 201
    assert {field: reply.json[field] for field in INSTANCE} == json.loads(data) == INSTANCE


@says("GET /v1/instances/:id Get instance details")
def test_an_instance_is_got_by_its_id(api):
    made = api.create()
    assert made.items() <= api.get(f"/v1/instances/{made['id']}").json.items()
    assert api.get("/v1/instances/inst_0").status == 404


@says("Returns detailed configuration, metrics, and status for a specific instance.")
def test_the_details_have_configuration_metrics_and_status(api, sandbox):
    made = api.create()["id"]
    assert api.get(f"/v1/instances/{made}").json["metrics"] is None
    sandbox.clock.advance("60s")
    shown = api.get(f"/v1/instances/{made}").json
    assert shown["status"] == "running"
    assert shown["specs"] == {"vcpus": 4, "memory_mb": 8192, "disk_gb": 160}
    assert set(shown["metrics"]) == {"sampled_at", "interval_seconds", "cpu", "memory", "network"}


@says("DELETE /v1/instances/:id Destroy an instance")
@under("delete-answer")
def test_a_destroyed_instance_is_gone(api, readings):
    made = api.create()["id"]
    reply = api.delete(f"/v1/instances/{made}")
    status, body = {
        "200-body": (200, {"id": made, "deleted": True}),
        "200-empty-object": (200, {}),
        "204": (204, None),
    }[readings["delete-answer"]]
    assert (reply.status, json.loads(reply.body or "null")) == (status, body)
    assert api.get(f"/v1/instances/{made}").status == 404


@says("Permanently deletes an instance and all associated ephemeral storage.")
def test_the_storage_is_ephemeral_and_goes_too(api, sandbox):
    made = sandbox.instances.add()["id"]
    assert api.get(f"/v1/instances/{made}").json["storage"] == {"type": "ephemeral", "size_gb": 25}
    api.delete(f"/v1/instances/{made}")
    assert api.post("/v1/snapshots", {"instance_id": made}).details.keys() == {"instance_id"}


@says("Snapshots are preserved unless explicitly removed.")
def test_snapshots_outlive_their_instance_until_they_are_removed(api, sandbox):
    made = sandbox.instances.add()["id"]
    snapshot = api.post("/v1/snapshots", {"instance_id": made}).json
    api.delete(f"/v1/instances/{made}")
    assert api.get(f"/v1/snapshots/{snapshot['id']}").json == snapshot
    api.delete(f"/v1/snapshots/{snapshot['id']}")
    assert api.get(f"/v1/snapshots/{snapshot['id']}").status == 404


@says("ℹ️ Deleted instances cannot be recovered.")
def test_a_deleted_instance_stays_deleted(api, sandbox):
    made = api.create()["id"]
    api.delete(f"/v1/instances/{made}")
    assert api.delete(f"/v1/instances/{made}").status == 404
    assert api.call("PUT", f"/v1/instances/{made}", INSTANCE).status == 405
    assert api.create()["id"] != made
    sandbox.clock.advance("24h")
    assert api.get(f"/v1/instances/{made}").status == 404


@says("Ensure you have recent snapshots before proceeding.")
def test_a_recent_snapshot_brings_the_disk_back_as_another_instance(api, sandbox):
    made = sandbox.instances.add()["id"]
    snapshot = api.post("/v1/snapshots", {"instance_id": made}).json["id"]
    api.delete(f"/v1/instances/{made}")
    sandbox.clock.advance("15s")
    again = api.create(image=snapshot)
    assert again["image"] == snapshot
    assert again["id"] != made


heading("🚨 Error Handling")


@says("CloudNexus uses standard HTTP status codes.")
def test_a_refusal_is_never_a_success(api):
    for reply in (api.get("/v1/instances/none"), api.post("/v1/instances", {}), api.get("/v1/nothing")):
        assert 400 <= reply.status < 500
        assert reply.status in LISTED


@says("Error responses include a structured JSON body with a machine-readable code and human-readable message.")
@pytest.mark.parametrize(
    ("method", "path", "raw"),
    [
        ("GET", "/v1/instances?limit=0", None),
        ("POST", "/v1/instances", b"{"),
        ("POST", "/v1/instances", b"{}"),
        ("GET", "/v1/instances/none", None),
        ("GET", "/v2/instances", None),
        ("PATCH", "/v1/instances", None),
        ("POST", "/v1/instances", b" " * 70_000),
    ],
)
def test_every_error_has_a_code_and_a_message(api, method, path, raw):
    error = api.call(method, path, raw=raw).error
    assert list(error) == ["code", "message", "details", "request_id"]
    assert re.fullmatch("[A-Z][A-Z_]+", error["code"])
    assert re.fullmatch(r"[A-Z].* .*\.", error["message"])
    assert all(isinstance(value, str) for value in error["details"].values())
    assert re.fullmatch("req_[0-9a-f]{16}", error["request_id"])


@says(
    "Common Status Codes 200 Success 201 Created 400 Bad Request 401 Unauthorized 403 Forbidden 404 Not Found "
    "429 Rate Limited 500 Internal Error"
)
def test_every_listed_status_is_met_and_no_other(api, client, server, sandbox):
    met = {
        200: api.get("/v1/instances"),
        201: api.post("/v1/instances", INSTANCE),
        400: api.post("/v1/instances", {}),
        401: client(server.url).get("/v1/instances"),
        403: client(server.url, "cnx_test_403" + "0" * 29).post("/v1/instances", INSTANCE),
        404: api.get("/v1/instances/none"),
        429: client(server.url, "cnx_test_429" + "0" * 29).get("/v1/instances"),
        500: client(server.url, "cnx_test_500" + "0" * 29).get("/v1/instances"),
    }
    assert {status: reply.status for status, reply in met.items()} == {status: status for status in LISTED}


ERROR = """{ "error": { "code": "INSUFFICIENT_CREDITS", "message": "Account balance is below minimum threshold.",
"details": { "current_balance": "$2.45", "required": "$5.00" }, "request_id": "req_8f7e6d5c4b3a2f1e" } }"""


@says(f"Error Response Format JSON Response {ERROR}")
@under("insufficient-credits-status")
def test_too_little_money_gives_the_documented_error(api, sandbox, readings):
    sandbox.account.balance = "$2.45"
    reply = api.post("/v1/instances", INSTANCE)
    documented = json.loads(ERROR)["error"]
    assert str(reply.status) == readings["insufficient-credits-status"]
    assert list(reply.error) == list(documented)
    assert {**reply.error, "request_id": documented["request_id"]} == documented
    assert list(reply.json) == ["error"]


heading("📦 SDKs & Tools")
untestable("Official SDKs are available for popular languages.", "an announcement about other programs")
untestable("Community-maintained wrappers are also supported.", "an announcement about other programs")
untestable(
    "npm pip go npm install @cloudnexus/sdk pip install cloudnexus go get github.com/cloudnexus/go-sdk",
    "nobody knows whether these packages exist, or whose they are: they are never installed or recommended",
)

heading("📝 Changelog")


@pytest.mark.slow
@says("v1.2.0 Oct 24, 2025")
def test_the_document_is_of_the_newest_version(api):
    assert api.get("/openapi.json").json["info"]["version"] == "1.2.0"
    day = dt.datetime.fromtimestamp(int(api.get("/v1/instances/legacy").headers["deprecation"][1:]), dt.UTC)
    assert day == dt.datetime(2025, 10, 24, tzinfo=dt.UTC)


@says("• Added support for multi-region load balancers")
def test_a_load_balancer_spans_regions(api, sandbox):
    behind = [sandbox.instances.add(region=region)["id"] for region in ("us-east-1", "eu-west-1")]
    rule = {"entry_protocol": "https", "entry_port": 443, "target_protocol": "http", "target_port": 8080}
    body = {"name": "front", "regions": ["us-east-1", "eu-west-1"], "forwarding_rules": [rule], "instance_ids": behind}
    made = api.post("/v1/network/load-balancers", body).json
    assert made["scope"] == "multi_region"
    assert [each["region"] for each in made["endpoints"]] == ["us-east-1", "eu-west-1"]
    assert [each["health"] for each in made["targets"]] == ["healthy", "healthy"]


@says("• New /v1/network/firewall endpoint")
def test_the_firewall_endpoint_is_singular_and_a_collection(api):
    made = api.post("/v1/network/firewall", {"name": "web"}).json
    assert items(api.get("/v1/network/firewall")) == [made]
    assert api.get("/v1/network/firewalls").status == 404


@says("• Deprecated v1/instances/legacy (removal in v2.0)")
def test_the_legacy_path_still_answers_and_says_that_it_is_deprecated(api):
    api.create()
    legacy = api.get("/v1/instances/legacy")
    assert legacy.json == api.get("/v1/instances").json
    assert "deprecation" in legacy.headers
    assert "sunset" not in legacy.headers
    assert api.get("/v2/instances/legacy").status == 404


heading("v1.1.0 Aug 12, 2025")


@pytest.mark.slow
@says("• Added pagination to all list endpoints")
@under("list-envelope")
def test_every_list_has_pages(api, readings):
    document = api.get("/openapi.json").json
    paths = document["paths"].items()
    lists = [path for path, item in paths if "{" not in path and _pages(document, item["get"])]
    assert len(lists) == 11
    for path in lists:
        needed = "&start=2026-01-01&end=2026-01-03" if path.endswith("reports") else ""
        assert len(items(api.get(f"{path}?limit=1{needed}"))) <= 1
        assert items(api.get(f"{path}?page=1000{needed}")) == []
        assert api.get(f"{path}?page=0{needed}").details.keys() == {"page"}


def _pages(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    return {"page", "limit"} <= {resolved(document, each)["name"] for each in operation["parameters"]}


@says("• Improved rate limit response headers")
def test_errors_have_the_headers_too(api):
    for spent, path in enumerate(("/v1/instances", "/v1/instances/none", "/v1/instances?limit=0", "/v1/none"), 1):
        assert api.get(path).headers["x-ratelimit-remaining"] == str(300 - spent)


@says("• Fixed timezone handling in billing reports")
@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("UTC", "2026-03-08", 24),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
    ],
)
def test_a_reports_day_is_as_long_as_it_was_where_it_was(api, timezone, day, hours):
    end = dt.date.fromisoformat(day) + dt.timedelta(days=1)
    report = api.get(f"/v1/billing/reports?start={day}&end={end}&timezone={timezone}").json
    [period] = report["data"]
    assert (period["period"], period["duration_seconds"]) == (day, hours * 3600)


# ---- the quotations, in their order, are the reference


def _words(text: str) -> Iterator[str]:
    """Return the words of a text, without bullets, icons and line ends."""
    return (word for word in text.split() if any(each.isalnum() for each in word))


def test_every_word_of_the_reference_is_quoted_once_and_in_its_order():
    reference = Path(__file__).with_name("reference.txt").read_text(encoding="utf-8")
    quoted = [word for words in QUOTED for word in _words(words)]
    for place, (said, meant) in enumerate(zip(quoted, _words(reference), strict=False)):
        assert said == meant, f"after “{' '.join(quoted[max(0, place - 8) : place])}”"
    assert len(quoted) == len(list(_words(reference)))


def test_every_reading_is_looked_at_under_every_option():
    source = Path(__file__).read_text(encoding="utf-8")
    assert [each.name for each in READINGS if f'("{each.name}")' not in source] == ["live-key-status"]
    assert "live-key-status={status}" in source  # the one that is the server's, not the sandbox's
