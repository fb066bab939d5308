"""Instances: validation, lists with filters and pages, provisioning, and metrics."""

import random
import re
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import pairwise

import pytest

from cnx_mock.services.compute import instance_fields
from tests.cases import cases
from tests.conftest import INSTANCE

LISTED = [
    *("id", "name", "plan", "region", "image", "tags", "status", "ipv4", "ipv6", "specs"),
    *("firewall_ids", "created_at", "updated_at", "provisioned_at"),
]
DETAIL = [*LISTED, "storage", "snapshot_ids", "price_hourly", "price_hourly_cents", "metrics"]
PATH = "/v1/instances"


def names(reply):
    return [item["name"] for item in reply.json["data"]]


def instant(text):
    return datetime.fromisoformat(text)


@pytest.fixture
def frozen(sandbox):
    """The sandbox, with a clock that only `advance` moves."""
    sandbox.clock.freeze()
    return sandbox


# ---- creating


def test_the_documented_example_succeeds_unchanged(api):
    reply = api.post(PATH, INSTANCE)

    made = reply.json
    assert reply.status == 201
    assert {name: made[name] for name in INSTANCE} == INSTANCE
    assert (made["status"], made["ipv4"], made["provisioned_at"]) == ("provisioning", None, None)
    assert made["specs"] == {"vcpus": 4, "memory_mb": 8192, "disk_gb": 160}
    assert made["firewall_ids"] == []
    assert made["created_at"] == made["updated_at"]
    assert re.fullmatch("inst_[0-9a-f]{16}", made["id"])


def test_every_field_is_always_there_in_list_create_and_detail(api):
    made = api.create()

    [listed] = api.get(PATH).json["data"]
    detail = api.get(f"{PATH}/{made['id']}").json
    assert list(made) == list(listed) == LISTED
    assert list(detail) == DETAIL


def test_tags_may_be_left_out(api):
    body = {name: value for name, value in INSTANCE.items() if name != "tags"}

    assert api.post(PATH, body).json["tags"] == []


def test_every_other_field_is_required(api):
    assert api.post(PATH, {}).details == dict.fromkeys(["name", "plan", "region", "image"], "is required")


@cases("name", ["a", "7", "A", "web-1.example", "a..b", "a--b", "x" * 63])
def test_a_good_name(api, name):
    assert api.create(name=name)["name"] == name


@cases(
    "name", ["", "-a", "a-", ".a", "a.", "a_b", "a b", " a", "a ", "é", "a/b", "a\n", "a\0", "１", "x" * 64, "x" * 5000]
)
def test_a_bad_name(api, name):
    reply = api.post(PATH, {**INSTANCE, "name": name})

    assert (reply.status, list(reply.details)) == (400, ["name"])


def test_names_need_not_be_unique(api):
    assert api.create()["id"] != api.create()["id"]


@cases(
    ("field", "value", "message"),
    [
        ("plan", "Pro", "must be one of: starter, pro, enterprise; did you mean 'pro'?"),
        ("plan", "professional", "must be one of: starter, pro, enterprise"),
        ("plan", "startr", "must be one of: starter, pro, enterprise; did you mean 'starter'?"),
        ("plan", "", "must be one of: starter, pro, enterprise"),
        ("region", "us-east1", "did you mean 'us-east-1'?"),
        ("region", "US-EAST-1", "did you mean 'us-east-1'?"),
        ("region", "moon", "must be one of: us-east-1, us-west-2, eu-west-1, eu-central-1, ap-southeast-1"),
        ("image", "ubuntu-22.04", "did you mean 'ubuntu-22.04-lts'?"),
        ("image", "debian12", "did you mean 'debian-12'?"),
        ("image", "snap_0000000000000000", "must be an image id"),
    ],
)
def test_a_value_that_is_none_of_those_known_says_which_there_are(api, field, value, message):
    reply = api.post(PATH, {**INSTANCE, field: value})

    assert (reply.status, list(reply.details)) == (400, [field])
    assert message in reply.details[field]


@cases(
    ("wrong", "message"),
    [
        ("tag", "unknown field, did you mean 'tags'?"),
        ("Name", "unknown field, did you mean 'name'?"),
        ("instance_type", "unknown field, did you mean 'plan'?"),
        ("size", "unknown field, did you mean 'plan'?"),
        ("availability_zone", "unknown field, did you mean 'region'?"),
        ("os", "unknown field, did you mean 'image'?"),
        ("labels", "unknown field, did you mean 'tags'?"),
        ("hostname", "unknown field, did you mean 'name'?"),
        ("colour", "unknown field"),
    ],
)
def test_an_unknown_field_is_refused(api, wrong, message):
    assert api.post(PATH, {**INSTANCE, wrong: "x"}).details == {wrong: message}


def test_every_wrong_field_is_named_at_once(api):
    reply = api.post(PATH, {"name": 5, "plan": "gold", "region": "moon", "image": None, "tags": {}, "size": 1})

    assert set(reply.details) == {"name", "plan", "region", "image", "tags", "size"}


@cases("tag", ["a", "0", "env:prod", "team=web", "a/b.c_d-e", "A" * 63])
def test_a_good_tag(api, tag):
    assert api.create(tags=[tag])["tags"] == [tag]


@cases("tag", ["", " ", "-a", ":a", "a b", "a,b", "é", "a\n", "a+b", "A" * 64, 5, None, ["a"]])
def test_a_bad_tag_is_named_by_its_place(api, tag):
    assert list(api.post(PATH, {**INSTANCE, "tags": ["good", tag]}).details) == ["tags[1]"]


@cases("tags", [None, "web", {"a": 1}, 5, True])
def test_tags_are_an_array(api, tags):
    assert api.post(PATH, {**INSTANCE, "tags": tags}).details == {"tags": "must be an array"}


def test_there_are_fifty_tags_at_most(api):
    assert len(api.create(tags=[f"t{n}" for n in range(50)])["tags"]) == 50
    assert list(api.post(PATH, {**INSTANCE, "tags": [f"t{n}" for n in range(51)]}).details) == ["tags"]


def test_tags_are_collapsed_in_order(api):
    assert api.create(tags=["b", "a", "b", "c", "a"])["tags"] == ["b", "a", "c"]


@cases("plan", ["starter", "pro", "enterprise"])
def test_the_plan_gives_specs_disk_and_price(api, plan):
    bought = api.get(f"/v1/plans/{plan}").json

    detail = api.get(f"{PATH}/{api.create(plan=plan)['id']}").json

    assert detail["specs"] == {name: bought[name] for name in ("vcpus", "memory_mb", "disk_gb")}
    assert detail["storage"] == {"type": "ephemeral", "size_gb": bought["disk_gb"]}
    assert detail["price_hourly"] == bought["price_hourly"]
    assert detail["price_hourly_cents"] == bought["price_hourly_cents"]


def test_ids_and_addresses_are_unique_and_in_their_ranges(frozen, api):
    frozen.account.balance = "$1000.00"
    for _ in range(60):
        api.create()
    frozen.clock.advance("60s")

    made = api.get(f"{PATH}?limit=100").json["data"]

    for field in ("id", "ipv4", "ipv6"):
        assert len({each[field] for each in made}) == 60
    assert all(ip_address(each["ipv4"]) in ip_network("198.18.0.0/15") for each in made)
    assert all(ip_address(each["ipv6"]) in ip_network("2001:db8::/32") for each in made)


# ---- listing


@pytest.fixture
def fleet(api):
    """Four instances: a and b in one region, c and d in others."""
    api.create(name="a", region="us-east-1", tags=["web", "prod"])
    api.create(name="b", region="us-east-1", tags=["web", "env:test"])
    api.create(name="c", region="eu-west-1", tags=["db", "prod"])
    api.create(name="d", region="us-west-2", tags=[])
    return api


def test_a_list_is_in_order_of_creation(fleet):
    assert names(fleet.get(PATH)) == ["a", "b", "c", "d"]


def test_a_deleted_instance_leaves_no_gap(fleet):
    second = fleet.get(PATH).json["data"][1]
    fleet.delete(f"{PATH}/{second['id']}")

    assert names(fleet.get(PATH)) == ["a", "c", "d"]


@cases(
    ("query", "expected"),
    [
        ("region=us-east-1", "ab"),
        ("region=eu-west-1", "c"),
        ("region=moon", ""),
        ("region=US-EAST-1", ""),
        ("region=us-east", ""),
        ("region=", ""),
        ("tags=web", "ab"),
        ("tags=web,prod", "a"),
        ("tags=prod,web", "a"),
        ("tags=web%2Cprod", "a"),
        ("tags=web&tags=prod", "a"),
        ("tags=web&tags=prod,web", "a"),
        ("tags=web,db", ""),
        ("tags=we", ""),
        ("tags=Web", ""),
        ("tags=env:test", "b"),
        ("tags=env%3Atest", "b"),
        ("t%61gs=db", "c"),
        ("tags=", "abcd"),
        ("tags=,", "abcd"),
        ("tags=web,", "ab"),
        ("tags=web+prod", ""),
        ("tags=web%20prod", ""),
        ("tags=web%2Bprod", ""),
        ("region=us-east-1&tags=prod", "a"),
        ("status=provisioning", "abcd"),
        ("status=running", ""),
        ("status=provisioning&region=us-west-2", "d"),
        ("tag=web", "abcd"),
        ("name=a", "abcd"),
    ],
)
def test_a_filtered_list(fleet, query, expected):
    reply = fleet.get(f"{PATH}?{query}")

    assert "".join(names(reply)) == expected
    assert reply.json["pagination"]["total"] == len(expected)


def test_the_status_filter_follows_the_status(frozen, fleet):
    frozen.clock.advance("60s")
    first = fleet.get(PATH).json["data"][0]
    frozen.instances.set_status(first["id"], "stopped")

    assert names(fleet.get(f"{PATH}?status=running")) == ["b", "c", "d"]
    assert names(fleet.get(f"{PATH}?status=stopped")) == ["a"]
    assert names(fleet.get(f"{PATH}?status=provisioning")) == []


@cases("status", ["Running", "active", "", "running,stopped", "running&status=running"])
def test_an_unknown_status_is_refused(api, status):
    assert list(api.get(f"{PATH}?status={status}").details) == ["status"]


def test_every_wrong_parameter_is_named_at_once(api):
    reply = api.get(f"{PATH}?page=0&limit=101&status=gone")

    assert (reply.status, set(reply.details)) == (400, {"page", "limit", "status"})


@cases(
    ("query", "expected", "page", "limit", "pages"),
    [
        ("", "abcd", 1, 20, 1),
        ("limit=4", "abcd", 1, 4, 1),
        ("limit=3", "abc", 1, 3, 2),
        ("limit=3&page=2", "d", 2, 3, 2),
        ("limit=3&page=3", "", 3, 3, 2),
        ("limit=1&page=4", "d", 4, 1, 4),
        ("limit=100", "abcd", 1, 100, 1),
        ("page=1000000000", "", 1_000_000_000, 20, 1),
    ],
)
def test_pages(fleet, query, expected, page, limit, pages):
    reply = fleet.get(f"{PATH}?{query}")

    assert "".join(names(reply)) == expected
    assert reply.json["pagination"] == {"page": page, "limit": limit, "total": 4, "total_pages": pages}


def test_a_filter_is_applied_before_the_list_is_cut(fleet):
    reply = fleet.get(f"{PATH}?tags=prod&limit=1&page=2")

    assert names(reply) == ["c"]
    assert reply.json["pagination"] == {"page": 2, "limit": 1, "total": 2, "total_pages": 2}


def test_an_empty_list_has_one_page(api):
    assert api.get(PATH).json == {
        "data": [],
        "pagination": {"page": 1, "limit": 20, "total": 0, "total_pages": 1},
    }


# ---- one of them


@cases("status", ["provisioning", "running", "stopped"])
def test_an_instance_can_be_deleted_in_every_status_and_only_once(sandbox, api, status):
    added = sandbox.instances.add(status=status)
    path = f"{PATH}/{added['id']}"
    assert api.get(path).json["status"] == status

    reply = api.delete(path)

    assert (reply.status, reply.json) == (200, {"id": added["id"], "deleted": True})
    for again in (api.delete(path), api.get(path)):
        assert (again.status, again.details) == (404, {"resource": "instance", "id": added["id"]})
    assert api.get(PATH).json["data"] == []


def test_an_id_is_not_used_again(api):
    first = api.create()
    api.delete(f"{PATH}/{first['id']}")

    assert api.create()["id"] != first["id"]


# ---- coming up


def test_instances_come_up_between_thirty_and_sixty_seconds(frozen, api):
    for _ in range(40):
        api.create()
    frozen.clock.advance("29s")
    up = []
    for _ in range(29, 61):
        up.append(api.get(f"{PATH}?status=running").json["pagination"]["total"])
        frozen.clock.advance("1s")

    assert (up[0], up[-1]) == (0, 40)
    assert up == sorted(up)
    assert len(set(up)) > 10  # not all at once


def test_what_has_come_up_has_an_address_and_a_time(frozen, api):
    made = api.create()
    frozen.clock.advance("60s")

    seen = api.get(f"{PATH}/{made['id']}").json

    assert (seen["status"], seen["created_at"]) == ("running", made["created_at"])
    took = instant(seen["provisioned_at"]) - instant(seen["created_at"])
    assert timedelta(seconds=30) <= took <= timedelta(seconds=60)
    assert seen["updated_at"] == seen["provisioned_at"]
    assert seen["ipv4"] and seen["ipv6"] == made["ipv6"]
    assert api.get(PATH).json["data"] == [{name: seen[name] for name in LISTED}]


def test_provisioning_runs_on_the_sandboxs_clock(sandbox, api):
    sandbox.clock.speed = 1_000_000
    made = api.create()

    assert any(api.get(f"{PATH}/{made['id']}").json["status"] == "running" for _ in range(1000))


def test_by_polls_the_first_read_says_provisioning_and_the_second_running(server, client):
    sandbox = server.sandbox({"provisioning": {"polls": 1}})
    api = client(server.url, sandbox.api_key)
    path = f"{PATH}/{api.create()['id']}"

    assert api.call("HEAD", path).status == 200  # says nothing, so it is no poll
    assert [api.get(path).json["status"] for _ in range(3)] == ["provisioning", "running", "running"]


def test_a_list_is_a_poll_of_what_it_shows(server, client):
    sandbox = server.sandbox({"provisioning": {"polls": 2}})
    api = client(server.url, sandbox.api_key)
    api.create()

    assert [api.get(PATH).json["data"][0]["status"] for _ in range(3)] == ["provisioning", "provisioning", "running"]


def test_what_is_set_running_has_come_up_for_good(frozen, api):
    added = frozen.instances.add(status="running")
    path = f"{PATH}/{added['id']}"
    rx = []
    for _ in range(6):
        seen = api.get(path).json
        assert (seen["status"], seen["provisioned_at"]) == ("running", added["provisioned_at"])
        rx.append(seen["metrics"]["network"]["rx_bytes_total"])
        frozen.clock.advance("17s")

    assert rx == sorted(rx)


# ---- metrics


def metrics(api, instance_id):
    return api.get(f"{PATH}/{instance_id}").json["metrics"]


def test_there_are_no_metrics_before_it_has_come_up(api):
    assert metrics(api, api.create()["id"]) is None


def test_metrics_are_the_same_for_every_reader_within_a_minute(frozen, api):
    added = frozen.instances.add(plan="pro")

    one, other = metrics(api, added["id"]), metrics(api, added["id"])

    assert one == other
    assert (one["interval_seconds"], one["memory"]["total_mb"]) == (60, 8192)
    assert instant(one["sampled_at"]).second == 0
    assert 0 <= one["cpu"]["utilization_percent"] <= 100
    assert one["memory"]["used_mb"] == 8192 * one["memory"]["utilization_percent"] // 100


def test_totals_never_fall_and_rates_are_their_growth(frozen, api):
    added = frozen.instances.add()
    samples = []
    for _ in range(40):
        samples.append(metrics(api, added["id"])["network"])
        frozen.clock.advance("1m")

    for before, after in pairwise(samples[1:]):
        for way in ("rx", "tx"):
            grown = after[f"{way}_bytes_total"] - before[f"{way}_bytes_total"]
            assert grown >= 0
            assert after[f"{way}_bytes_per_second"] == grown // 60


def test_a_stopped_instance_does_nothing_and_its_totals_stand(frozen, api):
    added = frozen.instances.add()
    frozen.clock.advance("30m")
    frozen.instances.set_status(added["id"], "stopped")
    at_first = metrics(api, added["id"])

    frozen.clock.advance("5h")

    later = metrics(api, added["id"])
    assert later["network"] == at_first["network"]
    assert later["network"]["rx_bytes_total"] > 0
    assert later["network"]["rx_bytes_per_second"] == later["network"]["tx_bytes_per_second"] == 0
    assert later["cpu"]["utilization_percent"] == later["memory"]["used_mb"] == 0
    assert later["sampled_at"] > at_first["sampled_at"]


def test_totals_do_not_fall_when_it_starts_again(frozen, api):
    added = frozen.instances.add()
    frozen.clock.advance("10m")
    frozen.instances.set_status(added["id"], "stopped")
    stopped = metrics(api, added["id"])["network"]["rx_bytes_total"]
    frozen.clock.advance("10m")

    frozen.instances.set_status(added["id"], "running")

    assert metrics(api, added["id"])["network"]["rx_bytes_total"] >= stopped


# ---- catalogues


def test_the_plans(api):
    assert [
        (p["id"], p["vcpus"], p["memory_mb"], p["disk_gb"], p["price_hourly"]) for p in catalogue(api, "plans")
    ] == [
        ("starter", 1, 1024, 25, "$0.01"),
        ("pro", 4, 8192, 160, "$0.04"),
        ("enterprise", 16, 65536, 640, "$0.16"),
    ]


@cases(
    ("kind", "ids"),
    [
        ("regions", ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"]),
        ("images", ["ubuntu-22.04-lts", "ubuntu-24.04-lts", "debian-12", "debian-13", "rocky-9"]),
        ("plans", ["starter", "pro", "enterprise"]),
    ],
)
def test_a_catalogue_lists_and_gets_the_same(api, kind, ids):
    listed = catalogue(api, kind)

    assert [each["id"] for each in listed] == ids
    assert [api.get(f"/v1/{kind}/{each}").json for each in ids] == listed
    assert api.get(f"/v1/{kind}/nothing").details == {"resource": kind[:-1], "id": "nothing"}
    assert api.post(f"/v1/{kind}", {}).status == 405


def catalogue(api, kind):
    return api.get(f"/v1/{kind}").json["data"]


@cases(("field", "kind"), [("region", "regions"), ("image", "images"), ("plan", "plans")])
def test_everything_in_a_catalogue_can_be_bought(sandbox, api, field, kind):
    for each in catalogue(api, kind):
        assert api.create(**{field: each["id"]})[field] == each["id"]


def test_a_catalogue_needs_a_key_and_no_scope(server, client, sandbox, api):
    sandbox.account.scopes = []

    assert api.get("/v1/plans").status == 200
    assert client(server.url).get("/v1/plans").status == 401


def test_an_ipv6_address_is_written_as_rfc_5952_wants_it():
    chance = random.Random(5952)
    for _ in range(500):
        digits = "".join(
            chance.choice(("0000", "0001", "00a0", "ffff", f"{chance.getrandbits(16):04x}")) for _ in range(4)
        )
        address = (0x20010DB8 << 96) + (int(digits, 16) << 32) + 1
        assert instance_fields.ipv6(digits) == str(IPv6Address(address)), digits
