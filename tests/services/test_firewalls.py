"""Firewalls: the validation of the body, the attachments on both sides, and what PUT and DELETE do with them."""

import pytest

from tests.cases import cases

FIREWALLS = "/v1/network/firewall"
RULE = {"direction": "inbound", "action": "allow", "protocol": "tcp", "ports": "22", "cidrs": ["10.0.0.0/8"]}


def made(api, **fields):
    reply = api.post(FIREWALLS, {"name": "web", **fields})
    assert reply.status == 201, reply.body
    return reply.json


def test_only_the_name_is_required_and_the_rest_has_defaults(api):
    firewall = made(api)
    assert firewall == {
        "id": firewall["id"],
        "name": "web",
        "status": "active",
        "default_inbound": "deny",
        "default_outbound": "allow",
        "rules": [],
        "instance_ids": [],
        "created_at": firewall["created_at"],
        "updated_at": firewall["created_at"],
    }
    assert firewall["id"].startswith("fw_")


def test_a_new_one_says_where_it_is(api):
    reply = api.post(FIREWALLS, {"name": "web"})
    assert reply.headers["location"] == f"{FIREWALLS}/{reply.json['id']}"
    assert api.get(reply.headers["location"]).json == reply.json


def test_a_rule_has_its_optional_fields_as_null(api):
    [rule] = made(api, rules=[{key: RULE[key] for key in ("direction", "action", "protocol", "cidrs")}])["rules"]
    assert rule == {**RULE, "ports": None, "description": None}


def test_every_bad_field_is_named_at_once(api):
    rules = [RULE, {"direction": "in", "action": "drop", "protocol": "tpc", "ports": "0", "cidrs": []}, {}]
    body = {"default_inbound": "block", "default_outbound": 1, "rules": rules, "instance_ids": ["inst_0"], "nmae": "x"}
    reply = api.post(FIREWALLS, body)
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    assert set(reply.details) == {
        "name",
        "nmae",
        "default_inbound",
        "default_outbound",
        "rules[1].direction",
        "rules[1].action",
        "rules[1].protocol",
        "rules[1].ports",
        "rules[1].cidrs",
        "rules[2].direction",
        "rules[2].action",
        "rules[2].protocol",
        "rules[2].cidrs",
        "instance_ids[0]",
    }
    assert reply.details["nmae"] == "unknown field, did you mean 'name'?"
    assert reply.details["rules[2].cidrs"] == "is required"


@cases("ports", ["1", "22", "65535", "8000-9000", "80-80", "1-65535", None])
def test_ports_are_a_port_a_range_or_every_port(api, ports):
    assert made(api, rules=[{**RULE, "ports": ports}])["rules"][0]["ports"] == ports


@cases(
    "ports",
    ["0", "65536", "90-80", "22,80", "", " 22", "022", "+22", "２２", "22-", "-22", "22\n", "1-99999", 22, True, []],
)
def test_other_ports_are_refused(api, ports):
    reply = api.post(FIREWALLS, {"name": "web", "rules": [{**RULE, "ports": ports}]})
    assert (reply.status, list(reply.details)) == (400, ["rules[0].ports"])


@pytest.mark.parametrize("protocol", ["icmp", "any"])
def test_what_has_no_ports_takes_none(api, protocol):
    assert made(api, rules=[{**RULE, "protocol": protocol, "ports": None}])["rules"][0]["ports"] is None
    reply = api.post(FIREWALLS, {"name": "web", "rules": [{**RULE, "protocol": protocol, "ports": "22"}]})
    assert reply.details == {"rules[0].ports": f"must be null for {protocol}"}


@cases("cidr", ["0.0.0.0/0", "10.0.0.0/8", "198.51.100.7/32", "::/0", "2001:db8::/32", "::1/128"])
def test_canonical_networks_pass(api, cidr):
    assert made(api, rules=[{**RULE, "cidrs": [cidr]}])["rules"][0]["cidrs"] == [cidr]


@cases(
    ("cidr", "canonical"),
    [
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8:0:0::/32", "2001:db8::/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::1", "::1/128"),
    ],
)
def test_the_refusal_of_another_spelling_shows_the_canonical_one(api, cidr, canonical):
    reply = api.post(FIREWALLS, {"name": "web", "rules": [{**RULE, "cidrs": ["10.0.0.0/8", cidr]}]})
    assert (reply.status, list(reply.details)) == (400, ["rules[0].cidrs[1]"])
    assert f'"{canonical}"' in reply.details["rules[0].cidrs[1]"]


@cases("cidr", ["", "anywhere", "10.0.0.0/33", "256.0.0.0/8", "10.0.0.0/", "::/129", "fe80::1%eth0", 7])
def test_what_is_no_network_is_refused(api, cidr):
    reply = api.post(FIREWALLS, {"name": "web", "rules": [{**RULE, "cidrs": [cidr]}]})
    assert (reply.status, list(reply.details)) == (400, ["rules[0].cidrs[0]"])


@pytest.mark.parametrize(
    ("rules", "field"),
    [([RULE] * 101, "rules"), ([{**RULE, "cidrs": ["10.0.0.0/8"] * 101}], "rules[0].cidrs"), (None, "rules")],
)
def test_there_are_bounds_on_how_many(api, rules, field):
    assert list(api.post(FIREWALLS, {"name": "web", "rules": rules}).details) == [field]


def test_the_bounds_themselves_pass(api):
    full = {**RULE, "cidrs": [f"10.0.{each}.0/24" for each in range(100)]}
    assert len(made(api, rules=[full] + [RULE] * 99)["rules"]) == 100


@cases("name", ["", "-web", "web-", "we b", "a" * 64, None, 1, "wéb", "web\n"])
def test_names_have_the_rule_of_instances(api, name):
    reply = api.post(FIREWALLS, {"name": name})
    assert (reply.status, list(reply.details)) == (400, ["name"])


def test_an_attachment_shows_on_both_sides(api):
    instance = api.create()["id"]
    firewall = made(api, instance_ids=[instance])
    assert firewall["instance_ids"] == [instance]
    assert api.get(f"/v1/instances/{instance}").json["firewall_ids"] == [firewall["id"]]
    assert api.get("/v1/instances").json["data"][0]["firewall_ids"] == [firewall["id"]]


def test_an_instance_named_twice_is_attached_once(api):
    instance = api.create()["id"]
    firewall = made(api, instance_ids=[instance, instance])
    assert firewall["instance_ids"] == [instance]
    assert api.get(f"/v1/instances/{instance}").json["firewall_ids"] == [firewall["id"]]


def test_the_list_can_be_narrowed_to_an_instance(api):
    instance = api.create()["id"]
    behind = made(api, name="behind", instance_ids=[instance])["id"]
    made(api, name="other")
    assert [each["id"] for each in api.get(f"{FIREWALLS}?instance_id={instance}").json["data"]] == [behind]
    assert api.get(f"{FIREWALLS}?instance_id=inst_0").json["data"] == []
    assert [each["name"] for each in api.get(FIREWALLS).json["data"]] == ["behind", "other"]


def test_put_replaces_everything(api, sandbox):
    sandbox.clock.freeze()
    old, new = api.create()["id"], api.create()["id"]
    firewall = made(api, default_inbound="allow", default_outbound="deny", rules=[RULE], instance_ids=[old])
    sandbox.clock.advance("5s")
    replaced = api.call("PUT", f"{FIREWALLS}/{firewall['id']}", {"name": "api", "instance_ids": [new]}).json
    assert replaced["default_inbound"] == "deny"
    assert replaced["default_outbound"] == "allow"
    assert replaced["rules"] == []
    assert replaced["created_at"] == firewall["created_at"] < replaced["updated_at"]
    assert api.get(f"/v1/instances/{old}").json["firewall_ids"] == []
    assert api.get(f"/v1/instances/{new}").json["firewall_ids"] == [firewall["id"]]
    assert api.get(f"{FIREWALLS}/{firewall['id']}").json == replaced


def test_a_refused_put_changes_nothing(api):
    firewall = made(api, instance_ids=[api.create()["id"]])
    reply = api.call("PUT", f"{FIREWALLS}/{firewall['id']}", {"name": "api", "instance_ids": ["inst_0"]})
    assert (reply.status, list(reply.details)) == (400, ["instance_ids[0]"])
    assert api.get(f"{FIREWALLS}/{firewall['id']}").json == firewall


def test_deleting_an_attached_one_detaches_it(api):
    instance = api.create()["id"]
    firewall = made(api, instance_ids=[instance])["id"]
    assert api.delete(f"{FIREWALLS}/{firewall}").json == {"id": firewall, "deleted": True}
    assert api.get(f"/v1/instances/{instance}").json["firewall_ids"] == []
    assert api.delete(f"{FIREWALLS}/{firewall}").status == 404


def test_deleting_an_instance_detaches_it(api):
    gone, stays = api.create()["id"], api.create()["id"]
    firewall = made(api, instance_ids=[gone, stays])["id"]
    api.delete(f"/v1/instances/{gone}")
    assert api.get(f"{FIREWALLS}/{firewall}").json["instance_ids"] == [stays]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_one_is_not_found_before_its_body_is_read(api, method):
    reply = api.call(method, f"{FIREWALLS}/fw_0", raw=b"{")
    assert reply.status == 404
    assert reply.details == {"resource": "firewall", "id": "fw_0"}


def test_other_methods_say_which_there_are(api):
    assert api.call("PATCH", FIREWALLS).headers["allow"] == "GET, HEAD, POST"
    assert api.call("POST", f"{FIREWALLS}/fw_0").headers["allow"] == "DELETE, GET, HEAD, PUT"


@cases(
    ("method", "path", "scope"),
    [
        ("GET", FIREWALLS, "network:read"),
        ("GET", f"{FIREWALLS}/fw_0", "network:read"),
        ("POST", FIREWALLS, "network:write"),
        ("PUT", f"{FIREWALLS}/fw_0", "network:write"),
        ("DELETE", f"{FIREWALLS}/fw_0", "network:write"),
    ],
)
def test_scopes_come_before_everything_about_the_resource(api, sandbox, method, path, scope):
    sandbox.account.scopes = ["instances:read", "instances:write"]
    reply = api.call(method, path, {})
    assert (reply.status, reply.error["code"]) == (403, "FORBIDDEN")
    assert reply.details == {"required_scope": scope, "granted_scopes": "instances:read, instances:write"}


def test_a_quota_bounds_how_many(server, client):
    sandbox = server.sandbox({"world": {"quotas": {"firewalls": 1}}})
    api = client(sandbox.url, sandbox.api_key)
    made(api)
    reply = api.post(FIREWALLS, {"name": "web"})
    assert (reply.status, reply.error["code"]) == (403, "QUOTA_EXCEEDED")
    assert reply.details == {"resource": "firewall", "current": "1", "limit": "1"}


def test_firewalls_cost_nothing(api, sandbox):
    made(api)
    sandbox.clock.advance("10h")
    assert sandbox.account.balance == "$100.00"
