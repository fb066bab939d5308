"""Snapshots: taken of an instance, kept when it is deleted, and used by another instance."""

import pytest

from tests.cases import cases

SNAPSHOTS = "/v1/snapshots"


@pytest.fixture(autouse=True)
def still(sandbox):
    """The clock moves only when a test advances it."""
    sandbox.clock.freeze()


@pytest.fixture
def running(api, sandbox):
    """A running instance."""
    return sandbox.instances.add(name="db-1", plan="pro", region="eu-west-1", image="debian-12")


def taken(api, instance, **fields):
    reply = api.post(SNAPSHOTS, {"instance_id": instance["id"], **fields})
    assert reply.status == 201, reply.body
    return reply.json


def booted(api, snapshot, **fields):
    body = {"name": "copy", "plan": "pro", "region": "us-east-1", "image": snapshot["id"], **fields}
    return api.post("/v1/instances", body)


def test_a_snapshot_says_what_it_was_taken_of(api, running):
    reply = api.post(SNAPSHOTS, {"instance_id": running["id"], "name": "before-upgrade"})
    snapshot = reply.json
    assert snapshot == {
        "id": snapshot["id"],
        "name": "before-upgrade",
        "status": "creating",
        "source_instance_id": running["id"],
        "source_instance_name": "db-1",
        "region": "eu-west-1",
        "image": "debian-12",
        "size_gb": 160,
        "min_disk_gb": 160,
        "created_at": snapshot["created_at"],
        "available_at": None,
    }
    assert snapshot["id"].startswith("snap_")
    assert reply.headers["location"] == f"{SNAPSHOTS}/{snapshot['id']}"


@pytest.mark.parametrize("fields", [{}, {"name": None}])
def test_it_needs_no_name(api, running, fields):
    assert taken(api, running, **fields)["name"] is None


def test_it_takes_five_to_fifteen_seconds(api, sandbox, running):
    snapshots = [taken(api, running) for _ in range(20)]
    sandbox.clock.advance("4s")
    assert {each["status"] for each in api.get(SNAPSHOTS).json["data"]} == {"creating"}
    sandbox.clock.advance("11s")
    now = api.get(SNAPSHOTS).json["data"]
    assert {each["status"] for each in now} == {"available"}
    assert len({each["available_at"] for each in now}) > 1
    assert all(each["created_at"] == snapshots[0]["created_at"] < each["available_at"] for each in now)


def test_an_instance_that_is_still_provisioning_has_no_disk_yet(api):
    reply = api.post(SNAPSHOTS, {"instance_id": api.create()["id"]})
    assert (reply.status, reply.error["code"]) == (400, "INVALID_STATE")
    assert reply.details == {"resource": "instance", "state": "provisioning", "required": "running or stopped"}


def test_a_stopped_instance_has_a_disk(api, sandbox, running):
    sandbox.instances.set_status(running["id"], "stopped")
    assert taken(api, running)["status"] == "creating"


@cases(
    ("body", "fields"),
    [
        ({}, ["instance_id"]),
        ({"instance_id": "inst_0"}, ["instance_id"]),
        ({"instance_id": 1, "name": "-", "tags": []}, ["instance_id", "name", "tags"]),
        ({"instance_id": None, "name": ""}, ["instance_id", "name"]),
    ],
)
def test_every_bad_field_is_named_at_once(api, body, fields):
    reply = api.post(SNAPSHOTS, body)
    assert (reply.status, reply.error["code"]) == (400, "VALIDATION_ERROR")
    assert sorted(reply.details) == fields


def test_it_shows_on_the_instance(api, running):
    snapshot = taken(api, running)
    assert api.get(f"/v1/instances/{running['id']}").json["snapshot_ids"] == [snapshot["id"]]
    api.delete(f"{SNAPSHOTS}/{snapshot['id']}")
    assert api.get(f"/v1/instances/{running['id']}").json["snapshot_ids"] == []


def test_destroying_the_instance_preserves_it(api, running):
    snapshot = taken(api, running)
    api.delete(f"/v1/instances/{running['id']}")
    assert api.get(f"{SNAPSHOTS}/{snapshot['id']}").json == snapshot
    assert api.get(f"{SNAPSHOTS}?instance_id={running['id']}").json["data"] == [snapshot]


def test_an_explicit_removal_removes_it(api, running):
    snapshot = taken(api, running)
    api.delete(f"/v1/instances/{running['id']}")
    assert api.delete(f"{SNAPSHOTS}/{snapshot['id']}").json == {"id": snapshot["id"], "deleted": True}
    assert api.get(f"{SNAPSHOTS}/{snapshot['id']}").status == 404
    assert api.delete(f"{SNAPSHOTS}/{snapshot['id']}").status == 404


def test_it_boots_a_new_instance_in_any_region(api, sandbox, running):
    snapshot = taken(api, running)
    api.delete(f"/v1/instances/{running['id']}")
    sandbox.clock.advance("15s")
    copy = booted(api, snapshot).json
    assert (copy["image"], copy["region"], copy["status"]) == (snapshot["id"], "us-east-1", "provisioning")
    api.delete(f"{SNAPSHOTS}/{snapshot['id']}")
    assert api.get(f"/v1/instances/{copy['id']}").json["image"] == snapshot["id"]


def test_it_cannot_be_booted_while_it_is_still_creating(api, running):
    reply = booted(api, taken(api, running))
    assert (reply.status, reply.error["code"]) == (400, "INVALID_STATE")
    assert reply.details == {"resource": "snapshot", "state": "creating", "required": "available"}


@pytest.mark.parametrize(("plan", "status"), [("starter", 400), ("pro", 201), ("enterprise", 201)])
def test_it_must_fit_the_disk_of_the_plan(api, sandbox, running, plan, status):
    snapshot = taken(api, running)
    sandbox.clock.advance("15s")
    reply = booted(api, snapshot, plan=plan)
    assert reply.status == status
    assert status == 201 or reply.details == {"image": "needs a plan with at least 160 GB of disk"}


def test_a_removed_one_is_a_wrong_image(api, sandbox, running):
    snapshot = taken(api, running)
    sandbox.clock.advance("15s")
    api.delete(f"{SNAPSHOTS}/{snapshot['id']}")
    reply = booted(api, snapshot)
    assert (reply.status, reply.error["code"], list(reply.details)) == (400, "VALIDATION_ERROR", ["image"])


def test_another_account_cannot_boot_it(api, sandbox, running, server, client):
    snapshot = taken(api, running)
    sandbox.clock.advance("15s")
    stranger = client(sandbox.url, server.sandbox().api_key)
    assert list(booted(stranger, snapshot).details) == ["image"]


def test_the_list_has_three_filters(api, sandbox, running):
    other = sandbox.instances.add(name="web-1", region="us-east-1")
    taken(api, running, name="old")
    sandbox.clock.advance("15s")
    taken(api, other, name="new")

    def names(query):
        return [each["name"] for each in api.get(f"{SNAPSHOTS}?{query}").json["data"]]

    assert names("") == ["old", "new"]
    assert names(f"instance_id={running['id']}") == names("region=eu-west-1") == names("status=available") == ["old"]
    assert names("status=creating") == ["new"]
    assert names("region=moon-1") == names("instance_id=inst_0") == names("status=creating&region=eu-west-1") == []
    assert list(api.get(f"{SNAPSHOTS}?status=running").details) == ["status"]


def test_it_costs_nothing(api, sandbox, running):
    api.delete(f"/v1/instances/{running['id']}")
    before = sandbox.account.balance
    other = sandbox.instances.add()
    taken(api, other)
    api.delete(f"/v1/instances/{other['id']}")
    sandbox.clock.advance("10h")
    assert api.get("/v1/account").json["balance_cents"] == round(float(before[1:]) * 100) - 1


def test_a_quota_bounds_how_many(server, client):
    sandbox = server.sandbox({"world": {"quotas": {"snapshots": 1}}})
    api, instance = client(sandbox.url, sandbox.api_key), sandbox.instances.add()
    taken(api, instance)
    reply = api.post(SNAPSHOTS, {"instance_id": instance["id"]})
    assert (reply.status, reply.details) == (403, {"resource": "snapshot", "current": "1", "limit": "1"})


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_one_is_not_found(api, method):
    reply = api.call(method, f"{SNAPSHOTS}/snap_0")
    assert (reply.status, reply.details) == (404, {"resource": "snapshot", "id": "snap_0"})


def test_it_cannot_be_changed(api, running):
    reply = api.call("PUT", f"{SNAPSHOTS}/{taken(api, running)['id']}", {})
    assert (reply.status, reply.headers["allow"]) == (405, "DELETE, GET, HEAD")


@cases(
    ("method", "path", "scope"),
    [
        ("GET", "", "snapshots:read"),
        ("GET", "/snap_0", "snapshots:read"),
        ("POST", "", "snapshots:write"),
        ("DELETE", "/snap_0", "snapshots:write"),
    ],
)
def test_scopes_come_before_everything_about_the_resource(api, sandbox, method, path, scope):
    sandbox.account.scopes = ["account:read"]
    reply = api.call(method, SNAPSHOTS + path, {})
    assert (reply.status, reply.details) == (403, {"required_scope": scope, "granted_scopes": "account:read"})


def test_an_instance_from_outside_may_be_made_from_one(api, sandbox, running):
    snapshot = taken(api, running)
    sandbox.clock.advance("15s")
    copy = sandbox.instances.add(name="copy", plan="pro", image=snapshot["id"])
    assert (copy["image"], copy["status"]) == (snapshot["id"], "running")
