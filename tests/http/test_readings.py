"""Readings: what each option does on the wire, how they are chosen, and the document that follows them."""

import pytest
from click.testing import CliRunner

from cnx_mock import ControlError, MockServer
from cnx_mock.cli.main import cli
from cnx_mock.settings import Settings
from tests.cases import cases
from tests.openapi_parts import resolved

DEFAULTS = {
    "insufficient-credits-status": "403",
    "delete-answer": "200-body",
    "list-envelope": "nested",
    "limit-above-max": "reject",
    "tags-match": "all",
    "rate-window": "anchored",
    "validation-status": "400",
    "instance-names": "free",
    "live-key-status": "403",
    "unknown-body-field": "reject",
}
LIVE = "cnx_live_" + "4f" * 16


@pytest.fixture
def choose(sandbox):
    """Choose one reading for the test's sandbox."""
    return lambda name, option: sandbox.call("PATCH", "/readings", {name: option})


def in_force(sandbox):
    return {each["name"]: each["value"] for each in sandbox.call("GET", "/readings")["data"]}


def server_with(*readings, scenario=None):
    return MockServer(scenario, settings=Settings(port=0, reading=readings))


# ---- what each option does


@pytest.mark.parametrize("status", ["403", "402", "400"])
def test_insufficient_credits_status(api, sandbox, choose, example, status):
    choose("insufficient-credits-status", status)
    sandbox.account.balance = "$2.45"
    reply = api.post("/v1/instances", example)
    assert (str(reply.status), reply.error["code"]) == (status, "INSUFFICIENT_CREDITS")
    assert reply.details == {"current_balance": "$2.45", "required": "$5.00"}


@pytest.mark.parametrize("status", ["403", "402", "400"])
def test_an_injected_error_has_the_status_of_a_real_one(api, sandbox, choose, status):
    choose("insufficient-credits-status", status)
    sandbox.inject("instances.list", error="INSUFFICIENT_CREDITS")
    assert str(api.get("/v1/instances").status) == status


@pytest.mark.parametrize("kind", ["instances", "snapshots", "network/firewall", "network/load-balancers"])
@pytest.mark.parametrize("option", ["200-body", "200-empty-object", "204"])
def test_delete_answer_holds_for_every_delete(api, sandbox, choose, kind, option):
    choose("delete-answer", option)
    rule = {"entry_protocol": "tcp", "entry_port": 1, "target_protocol": "tcp", "target_port": 1}
    bodies = {
        "instances": {"name": "a", "plan": "pro", "region": "us-east-1", "image": "debian-12"},
        "snapshots": {"instance_id": sandbox.instances.add()["id"]},
        "network/firewall": {"name": "a"},
        "network/load-balancers": {"name": "a", "regions": ["us-east-1"], "forwarding_rules": [rule]},
    }
    made = api.post(f"/v1/{kind}", bodies[kind]).json["id"]
    reply = api.delete(f"/v1/{kind}/{made}")
    if option == "204":
        assert (reply.status, reply.body) == (204, b"")
        assert not {"content-type", "content-length"} & set(reply.headers)
    else:
        assert (reply.status, reply.json) == (200, {"id": made, "deleted": True} if option == "200-body" else {})
    assert api.delete(f"/v1/{kind}/{made}").status == 404


LISTS = [
    "/v1/instances",
    "/v1/instances/legacy",
    "/v1/snapshots",
    "/v1/network/firewall",
    "/v1/network/load-balancers",
    "/v1/images",
    "/v1/plans",
    "/v1/regions",
    "/v1/account/api-keys",
    "/v1/billing/transactions",
]


@pytest.mark.parametrize("path", LISTS)
def test_list_envelope_holds_for_every_list(api, choose, path):
    nested = api.get(f"{path}?limit=2").json
    page = nested["pagination"]
    assert list(nested) == ["data", "pagination"]
    assert list(page) == ["page", "limit", "total", "total_pages"]
    choose("list-envelope", "flat")
    counts = {"page": page["page"], "pages": page["total_pages"], "results": page["total"]}
    assert api.get(f"{path}?limit=2").json == {"data": nested["data"], **counts}
    choose("list-envelope", "bare")
    reply = api.get(f"{path}?limit=2")
    assert reply.json == nested["data"]
    assert reply.headers["x-total-count"] == str(page["total"])
    assert 'rel="first"' in reply.headers["link"]


def test_only_a_bare_list_counts_in_a_header(api, choose):
    for envelope in ("nested", "flat"):
        choose("list-envelope", envelope)
        assert "x-total-count" not in api.get("/v1/images").headers


@pytest.mark.parametrize("limit", ["101", "1000", "9" * 99])
def test_limit_above_max(api, choose, limit):
    assert list(api.get(f"/v1/instances?limit={limit}").details) == ["limit"]
    choose("limit-above-max", "clamp")
    reply = api.get(f"/v1/instances?limit={limit}")
    assert (reply.status, reply.json["pagination"]["limit"]) == (200, 100)


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=1e3", "limit=", "page=9999999999"])
def test_only_what_is_above_the_maximum_is_clamped(api, choose, query):
    choose("limit-above-max", "clamp")
    assert list(api.get(f"/v1/instances?{query}").details) == [query.partition("=")[0]]


@pytest.mark.parametrize(("option", "found"), [("all", ["both"]), ("any", ["both", "web", "db"])])
def test_tags_match(api, sandbox, choose, option, found):
    choose("tags-match", option)
    for name, tags in (("both", ["web", "db"]), ("web", ["web"]), ("db", ["db"]), ("none", [])):
        sandbox.instances.add(name=name, tags=tags)
    for query in ("tags=web,db", "tags=web&tags=db"):
        assert [each["name"] for each in api.get(f"/v1/instances?{query}").json["data"]] == found
    assert len(api.get("/v1/instances?tags=").json["data"]) == 4


@pytest.mark.parametrize(
    ("option", "passes"),
    [
        ("anchored", [200, 200, 200, 429, 200, 200, 200]),  # the window of the first request ends at 60 s, whole
        ("sliding", [200, 200, 200, 429, 200, 429, 429]),  # at 60 s only the first request is a minute old
    ],
)
def test_rate_window_anchored_and_sliding(api, sandbox, choose, option, passes):
    choose("rate-window", option)
    sandbox.account.rate_limit = "3/min"
    seen = [api.get("/v1/instances").status]
    sandbox.clock.advance("30s")
    seen += [api.get("/v1/instances").status for _ in range(3)]
    sandbox.clock.advance("30s")
    seen += [api.get("/v1/instances").status for _ in range(3)]
    assert seen == passes


def test_rate_window_aligned_ends_on_the_minute(api, choose):
    choose("rate-window", "aligned")
    resets = {int(api.get("/v1/instances").headers["x-ratelimit-reset"]) for _ in range(3)}
    assert [reset % 60 for reset in resets] == [0] * len(resets)


@pytest.mark.parametrize("option", ["anchored", "aligned", "sliding"])
def test_waiting_as_told_finds_every_window_open(api, sandbox, choose, option):
    choose("rate-window", option)
    sandbox.account.rate_limit = "1/min"
    replies = [api.get("/v1/instances") for _ in range(3)]  # the third is over the limit even if a minute ends between
    assert replies[0].status == 200
    assert replies[2].status == 429
    assert 1 <= int(replies[2].headers["retry-after"]) <= 60
    sandbox.clock.advance(f"{replies[2].headers['retry-after']}s")
    assert api.get("/v1/instances").status == 200


@pytest.mark.parametrize("status", ["400", "422"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/instances", {}),
        ("GET", "/v1/instances?limit=0", None),
        ("POST", "/v1/network/firewall", {"name": ""}),
        ("POST", "/v1/snapshots", {"instance_id": "inst_0"}),
    ],
)
def test_validation_status(api, choose, status, method, path, body):
    choose("validation-status", status)
    reply = api.call(method, path, body)
    assert (str(reply.status), reply.error["code"]) == (status, "VALIDATION_ERROR")


def test_validation_status_is_about_fields_and_not_about_syntax(api, choose):
    choose("validation-status", "422")
    reply = api.post("/v1/instances", raw=b"{")
    assert (reply.status, reply.error["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("status", ["400", "422"])
def test_instance_names(api, choose, example, status):
    choose("validation-status", status)
    api.create(name="web-1")
    twin = api.create(name="web-1")["id"]
    choose("instance-names", "unique")
    reply = api.post("/v1/instances", {**example, "name": "web-1", "plan": "large"})
    assert (str(reply.status), reply.error["code"]) == (status, "VALIDATION_ERROR")
    assert sorted(reply.details) == ["name", "plan"]
    assert reply.details["name"] == "is already the name of an instance"
    assert api.post("/v1/instances", {**example, "name": "WEB-1"}).status == 201
    api.delete(f"/v1/instances/{twin}")
    assert list(api.post("/v1/instances", {**example, "name": "web-1"}).details) == ["name"]


def test_a_name_is_free_again_when_its_instance_is_gone(api, choose, example):
    choose("instance-names", "unique")
    api.delete(f"/v1/instances/{api.create(name='web-1')['id']}")
    assert api.post("/v1/instances", {**example, "name": "web-1"}).status == 201


@pytest.mark.parametrize("status", ["403", "401"])
def test_live_key_status(client, status):
    with server_with(f"live-key-status={status}") as server:
        reply = client(server.url, LIVE).get("/v1/instances")
    assert (str(reply.status), reply.error["code"]) == (status, "LIVE_KEY_REJECTED")
    assert reply.headers.get("www-authenticate") == ("Bearer" if status == "401" else None)
    assert "x-ratelimit-limit" not in reply.headers


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/instances", {"name": "a", "plan": "pro", "region": "us-east-1", "image": "debian-12"}, "flavour"),
        ("/v1/network/firewall", {"name": "a"}, "instances"),
    ],
)
def test_unknown_body_field(api, choose, path, body, field):
    assert list(api.post(path, {**body, field: 1}).details) == [field]
    choose("unknown-body-field", "ignore")
    reply = api.post(path, {**body, field: {"deep": [1]}})
    assert reply.status == 201
    assert field not in reply.json


def test_unknown_fields_are_ignored_at_every_depth_and_what_is_known_is_still_judged(api, choose):
    choose("unknown-body-field", "ignore")
    rule = {"direction": "inbound", "action": "allow", "protocol": "tcp", "cidrs": ["::/0"], "priority": 1}
    assert api.post("/v1/network/firewall", {"name": "a", "rules": [rule], "x": 1}).status == 201
    reply = api.post("/v1/network/firewall", {"nmae": "a", "rules": [{**rule, "action": "drop"}]})
    assert sorted(reply.details) == ["name", "rules[0].action"]


def test_no_reading_is_about_the_control_plane(sandbox, choose):
    choose("unknown-body-field", "ignore")
    choose("validation-status", "422")
    instance = sandbox.instances.add()["id"]
    for method, path in (("POST", "/instances"), ("PATCH", f"/instances/{instance}")):
        with pytest.raises(ControlError) as caught:
            sandbox.call(method, path, {"status": "stopped", "flavour": 1})
        assert (caught.value.status, list(caught.value.details)) == (400, ["flavour"])


# ---- how they are chosen


def test_the_defaults(sandbox):
    assert in_force(sandbox) == DEFAULTS


def test_the_list_says_what_each_is_about(sandbox):
    for each in sandbox.call("GET", "/readings")["data"]:
        assert list(each) == ["name", "value", "default", "options", "words", "why"]
        assert each["options"][0] == each["default"] == DEFAULTS[each["name"]]
        assert each["words"]
        assert each["why"]


def test_by_the_settings(client):
    with server_with("validation-status=422", "delete-answer=204") as server:
        sandbox = server.sandbox()
        assert in_force(sandbox) == {**DEFAULTS, "validation-status": "422", "delete-answer": "204"}
        brought = client(server.url, "cnx_test_" + "ab" * 16)
        assert brought.post("/v1/instances", {}).status == 422


def test_by_a_scenario_over_the_settings():
    story = {"world": {"readings": {"validation-status": "422"}}}
    with server_with("validation-status=400", "tags-match=any") as server:
        expected = {**DEFAULTS, "validation-status": "422", "tags-match": "any"}
        assert in_force(server.sandbox(story)) == expected
        assert in_force(server.sandbox()) == {**DEFAULTS, "tags-match": "any"}


def test_by_a_scenario_put_later(api, sandbox):
    sandbox.use({"world": {"readings": {"validation-status": "422"}}})
    assert api.post("/v1/instances", {}).status == 422


def test_by_the_servers_scenario_for_what_reaches_no_sandbox_too(client):
    with MockServer({"world": {"readings": {"live-key-status": "401"}}}) as server:
        assert client(server.url, LIVE).get("/v1/instances").status == 401
        listed = client(server.url).get("/_mock/readings").json["data"]
        assert {each["name"]: each["value"] for each in listed}["live-key-status"] == "401"


def test_by_the_control_plane_and_kept_apart(server, client):
    one, other = server.sandbox(), server.sandbox()
    answer = one.call("PATCH", "/readings", {"validation-status": "422", "list-envelope": "bare"})
    assert {each["name"]: each["value"] for each in answer["data"]} == in_force(one)
    assert in_force(one) == {**DEFAULTS, "validation-status": "422", "list-envelope": "bare"}
    assert in_force(other) == DEFAULTS
    assert client(one.url, one.api_key).get("/v1/instances").json == []
    assert client(other.url, other.api_key).get("/v1/instances").json["data"] == []


def test_without_a_key_for_sandboxes_to_come(own_server, client):
    before = own_server.sandbox()
    keyless = client(own_server.url)
    assert keyless.call("PATCH", "/_mock/readings", {"validation-status": "422"}).status == 200
    assert in_force(before) == DEFAULTS
    assert in_force(own_server.sandbox()) == {**DEFAULTS, "validation-status": "422"}
    listed = keyless.get("/_mock/readings").json["data"]
    assert {each["name"]: each["value"] for each in listed}["validation-status"] == "422"


def test_a_reset_puts_them_back(sandbox, choose):
    choose("validation-status", "422")
    sandbox.reset()
    assert in_force(sandbox) == DEFAULTS


@cases(
    ("choice", "field", "words"),
    [
        ({"delete-anser": "204"}, "delete-anser", "is not a reading, did you mean 'delete-answer'?"),
        ({"delete-answer": "205"}, "delete-answer", "must be one of: 200-body, 200-empty-object, 204"),
        ({"delete-answer": 204}, "delete-answer", "must be one of: 200-body, 200-empty-object, 204"),
        ({"delete-answer": None}, "delete-answer", "must be one of: 200-body, 200-empty-object, 204"),
    ],
)
def test_bad_names_and_values_are_refused_and_nothing_is_changed(sandbox, choice, field, words):
    with pytest.raises(ControlError) as caught:
        sandbox.call("PATCH", "/readings", {"validation-status": "422", **choice})
    assert caught.value.status == 400
    assert caught.value.details[field].startswith(words)
    assert in_force(sandbox) == DEFAULTS


def test_every_bad_one_is_named_at_once(sandbox):
    with pytest.raises(ControlError) as caught:
        sandbox.call("PATCH", "/readings", {"a": "b", "tags-match": "none", "validation-status": "422"})
    assert sorted(caught.value.details) == ["a", "tags-match"]


def test_a_scenario_is_judged_the_same_way(sandbox):
    with pytest.raises(ControlError) as caught:
        sandbox.use({"world": {"readings": {"tags-match": "none", "tag-match": "any"}}})
    assert sorted(caught.value.details) == ["world.readings.tag-match", "world.readings.tags-match"]


# ---- the command


def test_the_command_lists_them_with_the_default_first():
    result = CliRunner().invoke(cli, ["readings"])
    assert result.exit_code == 0
    for name, default in DEFAULTS.items():
        assert f"\n{name}: {default}, " in f"\n{result.output}"
    assert '"Items per page (max 100)"' in result.output


@cases(
    ("choice", "words"),
    [
        ("tags-match", "NAME=VALUE"),
        ("tag-match=any", "did you mean 'tags-match'?"),
        ("tags-match=ani", "did you mean 'any'?"),
        ("tags-match=", "must be one of: all, any"),
    ],
)
@cases("command", [["serve", "--port", "0"], ["openapi"]])
def test_the_command_refuses_what_says_nothing(command, choice, words):
    result = CliRunner().invoke(cli, [*command, "--reading", choice])
    assert result.exit_code == 2
    assert words in result.output


# ---- the document


def document(api, choose, name, option):
    choose(name, option)
    return api.get("/openapi.json").json


def operations(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


@pytest.mark.slow
def test_the_document_says_which_are_in_force(api, choose):
    assert api.get("/openapi.json").json["info"]["x-cnx-readings"] == DEFAULTS
    found = document(api, choose, "tags-match", "any")
    assert found["info"]["x-cnx-readings"] == {**DEFAULTS, "tags-match": "any"}


def test_the_document_is_that_of_the_key(api, choose, client, sandbox):
    choose("delete-answer", "204")
    keyless = client(sandbox.url).get("/openapi.json").json
    assert keyless["info"]["x-cnx-readings"]["delete-answer"] == "200-body"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "option", "code"),
    [
        ("insufficient-credits-status", "402", "INSUFFICIENT_CREDITS"),
        ("insufficient-credits-status", "400", "INSUFFICIENT_CREDITS"),
        ("validation-status", "422", "VALIDATION_ERROR"),
        ("live-key-status", "401", "LIVE_KEY_REJECTED"),
    ],
)
def test_the_documents_statuses_follow(api, choose, name, option, code):
    whole = document(api, choose, name, option)
    responses = whole["paths"]["/v1/instances"]["post"]["responses"]
    found = [
        s
        for s, each in responses.items()
        if code in resolved(whole, each).get("content", {}).get("application/json", {}).get("examples", {})
    ]
    assert found == [option]


@pytest.mark.slow
def test_the_documents_deletes_follow(api, choose):
    def deleted(option):
        found = document(api, choose, "delete-answer", option)
        responses = [path["delete"]["responses"] for path in found["paths"].values() if "delete" in path]
        assert len(responses) == 4
        return [{status: each[status] for status in each if status.startswith("2")} for each in responses]

    for answer in deleted("204"):
        assert list(answer) == ["204"]
        assert "content" not in answer["204"]
    for answer in deleted("200-empty-object"):
        schema = answer["200"]["content"]["application/json"]["schema"]
        assert (schema["type"], schema["maxProperties"]) == ("object", 0)
    for answer in deleted("200-body"):
        assert answer["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Deleted"}


@pytest.mark.parametrize(
    ("option", "properties"),
    [("nested", ["data", "pagination"]), ("flat", ["data", "page", "pages", "results"]), ("bare", None)],
)
def test_the_documents_lists_follow(api, choose, option, properties):
    found = document(api, choose, "list-envelope", option)
    lists = {name: each for name, each in found["components"]["schemas"].items() if name.endswith("List")}
    assert len(lists) == 9
    for schema in lists.values():
        assert schema["type"] == ("array" if option == "bare" else "object")
        assert list(schema.get("properties", {})) == (properties or [])
    headers = found["paths"]["/v1/instances"]["get"]["responses"]["200"]["headers"]
    assert ("X-Total-Count" in headers) == (option == "bare")


@pytest.mark.slow
@pytest.mark.parametrize(("option", "maximum"), [("reject", 100), ("clamp", None)])
def test_the_documents_limit_follows(api, choose, option, maximum):
    found = document(api, choose, "limit-above-max", option)
    parameters = [resolved(found, p) for each in operations(found) for p in each["parameters"]]
    limits = [p["schema"].get("maximum") for p in parameters if p["name"] == "limit"]
    assert limits == [maximum] * 11


@pytest.mark.slow
@pytest.mark.parametrize(("option", "closed"), [("reject", False), ("ignore", None)])
def test_the_documents_bodies_follow(api, choose, option, closed):
    found = document(api, choose, "unknown-body-field", option)
    bodies = [
        "InstanceCreate",
        "FirewallBody",
        "FirewallRuleBody",
        "LoadBalancerBody",
        "HealthCheckBody",
        "SnapshotCreate",
    ]
    assert {found["components"]["schemas"][name].get("additionalProperties") for name in bodies} == {closed}


def test_the_documents_words_on_tags_follow(api, choose):
    def words(option):
        found = document(api, choose, "tags-match", option)
        parameters = [resolved(found, each) for each in found["paths"]["/v1/instances"]["get"]["parameters"]]
        return next(each["description"] for each in parameters if each["name"] == "tags")

    assert "every one" in words("all")
    assert "any one" in words("any")


def test_a_patch_without_a_key_is_over_what_the_servers_own_scenario_says(client) -> None:
    said = {"validation-status": "422", "delete-answer": "204"}
    with MockServer({"world": {"readings": said}}) as running:
        control = client(running.url)
        assert control.call("PATCH", "/_mock/readings", {"validation-status": "400"}).status == 200
        sandbox = running.sandbox()
        api = client(sandbox.url, sandbox.api_key)
        assert api.post("/v1/instances", {}).status == 400
        assert api.delete(f"/v1/instances/{api.create()['id']}").status == 204
