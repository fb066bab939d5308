"""Load balancers: the validation of the body, provisioning, the health of targets, prices and charges."""

import pytest

from tests.cases import cases

LOAD_BALANCERS = "/v1/network/load-balancers"
HTTP = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080}
BODY = {"name": "front", "regions": ["us-east-1"], "forwarding_rules": [HTTP]}


def made(api, **fields):
    reply = api.post(LOAD_BALANCERS, {**BODY, **fields})
    assert reply.status == 201, reply.body
    return reply.json


def refused(api, **fields):
    reply = api.post(LOAD_BALANCERS, {**BODY, **fields})
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR"), reply.body
    return reply.details


def shown(api, balancer):
    return api.get(f"{LOAD_BALANCERS}/{balancer['id']}").json


def test_what_is_left_out_has_its_default(api):
    balancer = made(api)
    digits = balancer["id"].removeprefix("lb_")
    assert balancer == {
        "id": f"lb_{digits}",
        "name": "front",
        "scope": "regional",
        "regions": ["us-east-1"],
        "status": "provisioning",
        "algorithm": "round_robin",
        "hostname": f"{digits}.lb.cloudnexus.test",
        "endpoints": [{"region": "us-east-1", "ipv4": None, "status": "provisioning"}],
        "forwarding_rules": [HTTP],
        "health_check": {
            "protocol": "http",
            "port": 8080,
            "path": "/",
            "interval_seconds": 10,
            "timeout_seconds": 5,
            "unhealthy_threshold": 3,
            "healthy_threshold": 2,
        },
        "instance_ids": [],
        "targets": [],
        "price_hourly": "$0.02",
        "price_hourly_cents": 2,
        "created_at": balancer["created_at"],
        "updated_at": balancer["created_at"],
        "provisioned_at": None,
    }


def test_a_new_one_says_where_it_is(api):
    reply = api.post(LOAD_BALANCERS, BODY)
    assert reply.headers["location"] == f"{LOAD_BALANCERS}/{reply.json['id']}"


@cases("target", ["https", "tcp", "udp"])
def test_the_health_check_is_tcp_unless_the_first_target_speaks_http(api, target):
    entry = "udp" if target == "udp" else "tcp"
    rule = {"entry_protocol": entry, "entry_port": 443, "target_protocol": target, "target_port": 8443}
    check = made(api, forwarding_rules=[rule, HTTP])["health_check"]
    assert (check["protocol"], check["port"], check["path"]) == ("tcp", 8443, None)


def test_one_part_of_the_health_check_leaves_the_others_at_their_default(api):
    check = made(api, health_check={"protocol": "https", "interval_seconds": 300})["health_check"]
    assert (check["protocol"], check["path"], check["interval_seconds"]) == ("https", "/", 300)
    assert (check["port"], check["timeout_seconds"]) == (8080, 5)


def test_every_bad_field_is_named_at_once(api):
    body = {
        "regions": ["us-east-1", "moon-1"],
        "algorithm": "random",
        "forwarding_rules": [{**HTTP, "target_protocol": "udp", "target_port": 0}, {}],
        "health_check": {"protocol": "tcp", "path": "/", "interval_seconds": 2, "timeout_seconds": 2, "port": True},
        "instance_ids": ["inst_0"],
        "scope": "regional",
    }
    reply = api.post(LOAD_BALANCERS, body)
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    assert set(reply.details) == {
        "name",
        "regions[1]",
        "algorithm",
        "forwarding_rules[0].target_protocol",
        "forwarding_rules[0].target_port",
        *(f"forwarding_rules[1].{field}" for field in HTTP),
        "health_check.path",
        "health_check.timeout_seconds",
        "health_check.port",
        "instance_ids[0]",
        "scope",
    }


@cases("field", ["name", "regions", "forwarding_rules"])
def test_three_fields_are_required(api, field):
    reply = api.post(LOAD_BALANCERS, {key: value for key, value in BODY.items() if key != field})
    assert (reply.status, reply.details) == (400, {field: "is required"})


@cases("regions", [[], ["us-east-1"] * 2, ["us-east-1"] * 11, None, "us-east-1"])
def test_regions_are_one_to_ten_each_once(api, regions):
    assert list(refused(api, regions=regions)) == ["regions"]


def test_a_region_must_be_known(api):
    details = refused(api, regions=["us-east-1", "us-eats-1"])
    assert list(details) == ["regions[1]"]
    assert "did you mean 'us-east-1'?" in details["regions[1]"]


@cases(
    ("entry", "target", "passes"),
    [
        ("http", "http", True),
        ("http", "https", True),
        ("https", "http", True),
        ("https", "tcp", True),
        ("tcp", "tcp", True),
        ("udp", "udp", True),
        ("udp", "tcp", False),
        ("tcp", "udp", False),
        ("http", "udp", False),
    ],
)
def test_udp_goes_only_to_udp(api, entry, target, passes):
    rule = {**HTTP, "entry_protocol": entry, "target_protocol": target}
    reply = api.post(LOAD_BALANCERS, {**BODY, "forwarding_rules": [rule]})
    assert reply.status == (201 if passes else 400)
    assert passes or list(reply.details) == ["forwarding_rules[0].target_protocol"]


@cases("other", ["http", "https", "tcp"])
def test_a_port_is_used_once_by_the_tcp_family(api, other):
    assert "forwarding_rules" in refused(api, forwarding_rules=[HTTP, {**HTTP, "entry_protocol": other}])


def test_udp_may_share_a_port_with_the_tcp_family(api):
    udp = {**HTTP, "entry_protocol": "udp", "target_protocol": "udp"}
    assert made(api, forwarding_rules=[HTTP, udp])["forwarding_rules"] == [HTTP, udp]


@cases("port", [0, 65536, -1, "80", True, 80.0, None])
def test_ports_are_whole_numbers_up_to_65535(api, port):
    assert list(refused(api, forwarding_rules=[{**HTTP, "entry_port": port}])) == ["forwarding_rules[0].entry_port"]


@pytest.mark.parametrize("count", [0, 21])
def test_forwarding_rules_are_one_to_twenty(api, count):
    rules = [{**HTTP, "entry_port": 1000 + each} for each in range(count)]
    assert list(refused(api, forwarding_rules=rules)) == ["forwarding_rules"]


def test_twenty_forwarding_rules_pass(api):
    rules = [{**HTTP, "entry_port": 1000 + each} for each in range(20)]
    assert made(api, forwarding_rules=rules)["forwarding_rules"] == rules


@cases(
    ("check", "field"),
    [
        ({"interval_seconds": 1}, "interval_seconds"),
        ({"interval_seconds": 301}, "interval_seconds"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": 10}, "timeout_seconds"),
        ({"interval_seconds": 4}, "timeout_seconds"),  # the default of 5 is no longer below it
        ({"protocol": "udp"}, "protocol"),
        ({"protocol": "tcp", "path": "/"}, "path"),
        ({"path": "healthz"}, "path"),
        ({"unhealthy_threshold": 0}, "unhealthy_threshold"),
        ({"healthy_threshold": 0}, "healthy_threshold"),
        ({"port": 65536}, "port"),
        ({"interval": 10}, "interval"),
    ],
)
def test_the_health_check_has_bounds(api, check, field):
    assert list(refused(api, health_check=check)) == [f"health_check.{field}"]


@cases(("interval", "timeout"), [(2, 1), (6, 5), (300, 299)])
def test_a_timeout_lies_below_the_interval(api, interval, timeout):
    check = made(api, health_check={"interval_seconds": interval, "timeout_seconds": timeout})["health_check"]
    assert (check["interval_seconds"], check["timeout_seconds"]) == (interval, timeout)


def test_instances_lie_in_one_of_its_regions(api):
    instance = api.create(region="eu-west-1")["id"]
    assert "eu-west-1" in refused(api, instance_ids=[instance])["instance_ids"]
    balancer = made(api, regions=["us-east-1", "eu-west-1"], instance_ids=[instance])
    assert balancer["scope"] == "multi_region"
    assert balancer["targets"] == [{"instance_id": instance, "region": "eu-west-1", "health": "unknown"}]


def test_the_health_of_a_target_follows_its_instance(api, sandbox):
    instance = api.create()["id"]
    balancer = made(api, instance_ids=[instance])
    seen = [balancer["targets"][0]["health"]]
    sandbox.clock.advance("60s")
    seen.append(shown(api, balancer)["targets"][0]["health"])
    sandbox.instances.set_status(instance, "stopped")
    seen.append(shown(api, balancer)["targets"][0]["health"])
    sandbox.instances.set_status(instance, "running")
    seen.append(shown(api, balancer)["targets"][0]["health"])
    assert seen == ["unknown", "healthy", "unhealthy", "healthy"]


def test_deleting_an_instance_takes_it_out(api):
    gone, stays = api.create()["id"], api.create()["id"]
    balancer = made(api, instance_ids=[gone, stays])
    api.delete(f"/v1/instances/{gone}")
    now = shown(api, balancer)
    assert now["instance_ids"] == [stays] == [target["instance_id"] for target in now["targets"]]


def test_it_comes_up_like_an_instance(api, sandbox):
    sandbox.clock.freeze()
    balancer = made(api, regions=["us-east-1", "eu-west-1"])
    sandbox.clock.advance("29s")
    assert shown(api, balancer) == balancer
    sandbox.clock.advance("31s")
    up = shown(api, balancer)
    assert up["status"] == "active"
    assert [endpoint["status"] for endpoint in up["endpoints"]] == ["active", "active"]
    assert len({endpoint["ipv4"] for endpoint in up["endpoints"]}) == 2
    assert all(endpoint["ipv4"].startswith("198.1") for endpoint in up["endpoints"])
    assert balancer["created_at"] < up["provisioned_at"] == up["updated_at"]


def test_the_list_is_filtered_by_region_and_status(api, sandbox):
    made(api, name="old", regions=["us-east-1", "eu-west-1"])
    sandbox.clock.advance("60s")
    made(api, name="new")

    def names(query):
        return [each["name"] for each in api.get(f"{LOAD_BALANCERS}{query}").json["data"]]

    assert names("") == names("?region=us-east-1") == ["old", "new"]
    assert names("?region=eu-west-1") == names("?status=active") == ["old"]
    assert names("?status=provisioning") == ["new"]
    assert names("?region=moon-1") == []
    assert list(api.get(f"{LOAD_BALANCERS}?status=running").details) == ["status"]


@cases(("regions", "price"), [(1, "$0.02"), (2, "$0.04"), (5, "$0.10")])
def test_each_region_costs_two_cents_a_started_hour(api, sandbox, regions, price):
    sandbox.clock.freeze()
    known = [each["id"] for each in api.get("/v1/regions").json["data"]][:regions]
    balancer = made(api, regions=known)
    assert (balancer["price_hourly"], balancer["price_hourly_cents"]) == (price, 2 * regions)
    charged = [10000 - api.get("/v1/account").json["balance_cents"]]
    for step in ("59m", "1m", "9h", "30m"):
        sandbox.clock.advance(step)
        charged.append(10000 - api.get("/v1/account").json["balance_cents"])
    assert charged == [2 * regions * hours for hours in (1, 1, 2, 11, 11)]


def test_a_deleted_one_costs_no_more(api, sandbox):
    balancer = made(api)
    assert api.delete(f"{LOAD_BALANCERS}/{balancer['id']}").json == {"id": balancer["id"], "deleted": True}
    sandbox.clock.advance("10h")
    assert sandbox.account.balance == "$99.98"
    assert api.delete(f"{LOAD_BALANCERS}/{balancer['id']}").status == 404


@pytest.mark.parametrize(("balance", "status"), [("$5.00", 201), ("$4.99", 403)])
def test_it_needs_five_dollars(api, sandbox, balance, status):
    sandbox.account.balance = balance
    reply = api.post(LOAD_BALANCERS, BODY)
    assert reply.status == status
    assert status == 201 or reply.details == {"current_balance": "$4.99", "required": "$5.00"}


def test_put_replaces_everything_and_keeps_the_status(api, sandbox):
    old = api.create()["id"]
    balancer = made(
        api,
        instance_ids=[old],
        algorithm="least_connections",
        health_check={"path": "/up", "interval_seconds": 60},
    )
    sandbox.clock.advance("60s")
    new = api.create(region="eu-west-1")["id"]
    body = {**BODY, "name": "back", "regions": ["eu-west-1"], "instance_ids": [new]}
    replaced = api.call("PUT", f"{LOAD_BALANCERS}/{balancer['id']}", body).json
    assert (replaced["name"], replaced["regions"], replaced["algorithm"]) == ("back", ["eu-west-1"], "round_robin")
    assert (replaced["health_check"]["path"], replaced["health_check"]["interval_seconds"]) == ("/", 10)
    assert (replaced["instance_ids"], replaced["status"]) == ([new], "active")
    assert replaced["created_at"] == balancer["created_at"] < replaced["updated_at"]
    assert shown(api, balancer) == replaced


def test_another_number_of_regions_is_another_price_from_the_next_hour(api, sandbox):
    sandbox.clock.freeze()
    balancer = made(api)
    sandbox.clock.advance("30m")
    body = {**BODY, "regions": ["us-east-1", "eu-west-1"]}
    assert api.call("PUT", f"{LOAD_BALANCERS}/{balancer['id']}", body).json["price_hourly"] == "$0.04"
    assert sandbox.account.balance == "$99.98"
    sandbox.clock.advance("30m")
    assert sandbox.account.balance == "$99.94"


def test_a_put_is_judged_like_a_post(api):
    balancer = made(api)
    reply = api.call("PUT", f"{LOAD_BALANCERS}/{balancer['id']}", {"name": "back"})
    assert (reply.status, sorted(reply.details)) == (400, ["forwarding_rules", "regions"])
    assert shown(api, balancer) == balancer


@cases("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_one_is_not_found_before_its_body_is_read(api, method):
    reply = api.call(method, f"{LOAD_BALANCERS}/lb_0", raw=b"{")
    assert (reply.status, reply.details) == (404, {"resource": "load_balancer", "id": "lb_0"})


@cases(
    ("method", "path", "scope"),
    [
        ("GET", "", "network:read"),
        ("GET", "/lb_0", "network:read"),
        ("POST", "", "network:write"),
        ("PUT", "/lb_0", "network:write"),
        ("DELETE", "/lb_0", "network:write"),
    ],
)
def test_scopes_come_before_everything_about_the_resource(api, sandbox, method, path, scope):
    sandbox.account.scopes = ["account:read"]
    reply = api.call(method, LOAD_BALANCERS + path, {})
    assert (reply.status, reply.details) == (403, {"required_scope": scope, "granted_scopes": "account:read"})
