"""Reads that lag behind: what was made is not there yet, what is gone still is, what changed is as it was. The clock is
the sandbox's, and stands still in every test but for `advance`."""

from http.client import IncompleteRead

import pytest

from cnx_mock import ControlError
from tests.cases import cases

LIST, SNAPSHOTS = "/v1/instances", "/v1/snapshots"
FIREWALLS, BALANCERS = "/v1/network/firewall", "/v1/network/load-balancers"
BALANCER = {
    "name": "front",
    "regions": ["us-east-1"],
    "forwarding_rules": [
        {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8080},
    ],
}


@pytest.fixture
def lagging(sandbox):
    """A switch: from here on every read lags 5 s behind."""
    sandbox.clock.freeze()

    def lag(operation="*", **more):
        return sandbox.inject(operation, stale="5s", **more)

    return lag


def ids(reply):
    return [each["id"] for each in reply.json["data"]]


def made(api, path, body):
    reply = api.post(path, body)
    assert reply.status == 201, reply.body
    return reply.json


def reasons(sandbox):
    return [each.reason for each in sandbox.requests[-1].decisions]


# ---- made, deleted, changed


def test_what_was_made_is_not_there_until_the_time_is_over(sandbox, api, lagging):
    rule = lagging()
    path = f"{LIST}/{api.create()['id']}"
    assert (api.get(path).status, ids(api.get(LIST))) == (404, [])
    sandbox.clock.advance("4999999us")
    assert (api.get(path).status, ids(api.get(LIST))) == (404, [])
    assert api.get(path).error["code"] == "NOT_FOUND"
    sandbox.clock.advance("1us")
    assert (api.get(path).status, len(ids(api.get(LIST)))) == (200, 1)
    assert rule.fired == 7
    assert [each.fault for each in sandbox.requests[-1].faults] == ["stale=5s"]


def test_what_was_deleted_stays_until_the_time_is_over_and_in_its_place(sandbox, api, lagging):
    first, gone, last = (api.create(name=name)["id"] for name in ("a", "b", "c"))
    sandbox.clock.advance("2m")
    before = api.get(LIST).body
    assert api.delete(f"{LIST}/{gone}").status == 200
    lagging()
    assert (api.get(f"{LIST}/{gone}").status, ids(api.get(LIST))) == (200, [first, gone, last])
    assert api.get(LIST).body == before
    sandbox.clock.advance("4999999us")
    assert ids(api.get(LIST)) == [first, gone, last]
    sandbox.clock.advance("1us")
    assert (api.get(f"{LIST}/{gone}").status, ids(api.get(LIST))) == (404, [first, last])


def test_what_lived_for_a_second_is_there_for_a_second_later(sandbox, api, lagging):
    gone = api.create()["id"]
    sandbox.clock.advance("1s")
    api.delete(f"{LIST}/{gone}")
    lagging()
    statuses = []
    for _ in range(4):
        sandbox.clock.advance("2s")
        statuses.append(api.get(f"{LIST}/{gone}").status)
    assert statuses == [404, 200, 404, 404]  # 3 s, 5 s, 7 s and 9 s after it was made


def test_a_status_that_was_set_shows_later(sandbox, api, lagging):
    instance = sandbox.instances.add()
    sandbox.clock.advance("1m")
    sandbox.instances.set_status(instance["id"], "stopped")
    lagging()
    path = f"{LIST}/{instance['id']}"
    assert (api.get(path).json["status"], ids(api.get(f"{LIST}?status=stopped"))) == ("running", [])
    sandbox.clock.advance("5s")
    assert (api.get(path).json["status"], len(ids(api.get(f"{LIST}?status=stopped")))) == ("stopped", 1)


def test_an_instance_that_never_came_up_had_not_come_up_before_it_was_set_running(server, client):
    sandbox = server.sandbox({"provisioning": {"instance": "never"}})
    api = client(sandbox.url, sandbox.api_key)
    sandbox.clock.freeze()
    path = f"{LIST}/{api.create()['id']}"
    sandbox.clock.advance("1m")
    sandbox.instances.set_status(api.get(LIST).json["data"][0]["id"], "running")
    sandbox.inject(stale="5s")
    stale = api.get(path).json
    assert (stale["status"], stale["ipv4"], stale["provisioned_at"]) == ("provisioning", None, None)
    sandbox.clock.advance("5s")
    assert api.get(path).json["status"] == "running"


def test_a_status_that_time_brings_comes_as_much_later(sandbox, api, lagging):
    sandbox.use({"provisioning": {"instance": "45s"}})
    lagging()
    path = f"{LIST}/{api.create()['id']}"
    sandbox.clock.advance("49999999us")
    assert api.get(path).json["status"] == "provisioning"
    sandbox.clock.advance("1us")
    assert api.get(path).json["status"] == "running"


def test_a_firewall_that_was_replaced_shows_its_former_version(sandbox, api, lagging):
    instance = sandbox.instances.add()["id"]
    firewall = made(api, FIREWALLS, {"name": "old", "instance_ids": [instance]})
    path = f"{FIREWALLS}/{firewall['id']}"
    sandbox.clock.advance("1m")
    assert api.call("PUT", path, {"name": "new"}).json["name"] == "new"
    lagging()
    assert api.get(path).json == firewall
    assert api.get(FIREWALLS).json["data"] == [firewall]
    assert len(ids(api.get(f"{FIREWALLS}?instance_id={instance}"))) == 1
    assert api.get(f"{LIST}/{instance}").json["firewall_ids"] == [firewall["id"]]
    sandbox.clock.advance("5s")
    assert (api.get(path).json["name"], api.get(path).json["instance_ids"]) == ("new", [])
    assert api.get(f"{LIST}/{instance}").json["firewall_ids"] == []


def test_one_former_version_is_kept(sandbox, api, lagging):
    path = f"{FIREWALLS}/{made(api, FIREWALLS, {'name': 'one'})['id']}"
    for name in ("two", "three"):
        sandbox.clock.advance("1m")
        api.call("PUT", path, {"name": name})
    sandbox.inject(stale="3m")
    assert api.get(path).status == 404
    sandbox.clock.advance("1m")
    assert api.get(path).json["name"] == "two"  # it was "one" then, which nobody knows any more
    sandbox.clock.advance("2m")
    assert api.get(path).json["name"] == "three"


def test_what_changes_twice_at_one_instant_was_nothing_in_between(sandbox, api, lagging):
    path = f"{FIREWALLS}/{made(api, FIREWALLS, {'name': 'one'})['id']}"
    sandbox.clock.advance("1m")
    for name in ("two", "three"):
        api.call("PUT", path, {"name": name})
    lagging()
    assert api.get(path).json["name"] == "one"
    sandbox.clock.advance("5s")
    assert api.get(path).json["name"] == "three"


def test_a_firewall_that_was_deleted_still_protects(sandbox, api, lagging):
    instance = sandbox.instances.add()["id"]
    firewall = made(api, FIREWALLS, {"name": "web", "instance_ids": [instance]})
    sandbox.clock.advance("1m")
    api.delete(f"{FIREWALLS}/{firewall['id']}")
    lagging()
    assert api.get(f"{FIREWALLS}/{firewall['id']}").json == firewall
    assert api.get(f"{LIST}/{instance}").json["firewall_ids"] == [firewall["id"]]


def test_a_load_balancer_keeps_its_former_regions_targets_and_price(sandbox, api, lagging):
    instance = sandbox.instances.add()["id"]
    balancer = made(api, BALANCERS, {**BALANCER, "instance_ids": [instance]})
    path = f"{BALANCERS}/{balancer['id']}"
    sandbox.clock.advance("2m")
    before = api.get(path).json
    api.call("PUT", path, {**BALANCER, "name": "back", "regions": ["us-east-1", "eu-west-1"]})
    lagging()
    assert api.get(path).json == before
    assert ids(api.get(f"{BALANCERS}?region=eu-west-1")) == []
    sandbox.clock.advance("5s")
    after = api.get(path).json
    assert (after["name"], after["scope"], after["targets"]) == ("back", "multi_region", [])
    assert len(ids(api.get(f"{BALANCERS}?region=eu-west-1"))) == 1


def test_an_instance_that_was_deleted_is_still_behind_its_load_balancer(sandbox, api, lagging):
    instance = sandbox.instances.add()["id"]
    balancer = made(api, BALANCERS, {**BALANCER, "instance_ids": [instance]})
    sandbox.clock.advance("2m")
    path = f"{BALANCERS}/{balancer['id']}"
    before = api.get(path).json
    api.delete(f"{LIST}/{instance}")
    assert api.get(path).json["targets"] == []
    lagging()
    assert api.get(path).json == before
    sandbox.clock.advance("5s")
    assert api.get(path).json["targets"] == []


def test_a_load_balancer_that_was_deleted_is_still_there(sandbox, api, lagging):
    balancer = made(api, BALANCERS, BALANCER)
    sandbox.clock.advance("2m")
    before = api.get(BALANCERS).json
    api.delete(f"{BALANCERS}/{balancer['id']}")
    lagging()
    assert api.get(BALANCERS).json == before
    sandbox.clock.advance("5s")
    assert ids(api.get(BALANCERS)) == []


def test_snapshots_come_and_go_later_at_both_ends(sandbox, api, lagging):
    instance = sandbox.instances.add()["id"]
    sandbox.clock.advance("1m")
    snapshot = made(api, SNAPSHOTS, {"instance_id": instance})["id"]
    rule = lagging()

    def seen():
        return (
            api.get(f"{SNAPSHOTS}/{snapshot}").status,
            ids(api.get(f"{SNAPSHOTS}?instance_id={instance}")),
            api.get(f"{LIST}/{instance}").json["snapshot_ids"],
        )

    there = (200, [snapshot], [snapshot])
    absent: tuple[int, list[str], list[str]] = (404, [], [])
    assert seen() == absent
    sandbox.clock.advance("5s")
    assert seen() == there
    api.delete(f"{SNAPSHOTS}/{snapshot}")
    assert seen() == there
    sandbox.clock.advance("5s")
    assert seen() == absent
    rule.remove()
    assert seen() == absent


# ---- money and time


def test_money_is_what_it_was(sandbox, api, lagging):
    api.create(plan="pro")
    lagging()
    assert api.get("/v1/billing/balance").json["balance"] == "$100.00"
    assert [each["amount"] for each in api.get("/v1/billing/transactions").json["data"]] == ["$100.00"]
    sandbox.clock.advance("5s")
    assert api.get("/v1/billing/balance").json["balance"] == "$99.96"
    assert api.get("/v1/account").json["balance"] == "$99.96"
    sandbox.clock.advance("1h")
    sandbox.clock.advance("4999999us")
    sandbox.account.balance = "$7.00"
    assert api.get("/v1/billing/balance").json["balance"] == "$99.92"
    sandbox.clock.advance("5s")
    assert api.get("/v1/billing/balance").json["balance"] == "$7.00"


def test_the_account_and_its_keys_and_what_can_be_bought_are_always_there(api, lagging):
    lagging()
    assert api.get("/v1/account").json["balance"] == "$100.00"
    assert len(api.get("/v1/account/api-keys").json["data"]) == 1
    assert api.get("/v1/account/api-keys/current").status == 200
    assert len(api.get("/v1/plans").json["data"]) == 3


def test_no_read_is_older_than_time(sandbox, api):
    sandbox.instances.add()
    sandbox.inject(stale="36525d")
    for path in (LIST, SNAPSHOTS, FIREWALLS, BALANCERS, "/v1/billing/transactions"):
        assert api.get(path).status == 200, path
    assert api.get("/v1/billing/balance").json["as_of"] == "1970-01-01T00:00:00Z"
    report = api.get("/v1/billing/reports?start=2026-01-01&end=2026-02-01").json
    assert report["total"] == "$0.00"


# ---- what it leaves alone


def test_a_fresh_read_sees_everything_and_a_stale_one_leaves_no_trace(sandbox, api, lagging):
    kept, gone = api.create(name="kept")["id"], api.create(name="gone")["id"]
    sandbox.clock.advance("1m")
    firewall = made(api, FIREWALLS, {"name": "web", "instance_ids": [kept]})["id"]
    api.delete(f"{LIST}/{gone}")
    fresh = [api.get(path).body for path in (LIST, f"{LIST}/{kept}", FIREWALLS)]
    state = sandbox.state()
    rule = lagging()
    assert [api.get(LIST).body, api.get(f"{LIST}/{kept}").body] != fresh[:2]
    assert (ids(api.get(LIST)), ids(api.get(FIREWALLS))) == ([kept, gone], [])
    rule.remove()
    assert [api.get(path).body for path in (LIST, f"{LIST}/{kept}", FIREWALLS)] == fresh
    assert sandbox.state() == state
    lagging(["firewalls.list"])
    assert (ids(api.get(LIST)), api.get(f"{FIREWALLS}/{firewall}").status, ids(api.get(FIREWALLS))) == ([kept], 200, [])


def test_a_page_that_was_shown_stale_is_not_shown_fresh_nor_the_other_way_round(sandbox, api, lagging):
    sandbox.use({"provisioning": {"instance": "2s"}})
    api.create()
    sandbox.clock.advance("5s")
    rule = lagging("instances.list", times=1)
    statuses = [api.get(LIST).json["data"][0]["status"] for _ in range(2)]
    assert (statuses, rule.fired) == (["provisioning", "running"], 1)


def test_a_write_is_never_stale_and_finds_what_a_read_does_not(sandbox, api, lagging):
    rule = lagging()
    instance = api.create()["id"]
    assert reasons(sandbox) == ["match 1, nothing is read"]
    assert api.get(f"{LIST}/{instance}").status == 404
    assert api.delete(f"{LIST}/{instance}").status == 200
    assert api.delete(f"{LIST}/{instance}").status == 404
    assert rule.fired == 1


def test_a_state_that_was_put_has_no_past(sandbox, api, lagging):
    instance = sandbox.instances.add()["id"]
    made(api, FIREWALLS, {"name": "web", "instance_ids": [instance]})
    sandbox.clock.advance("1m")
    api.delete(f"{LIST}/{instance}")
    sandbox.load(sandbox.state())
    lagging()
    assert (ids(api.get(LIST)), len(ids(api.get(FIREWALLS)))) == ([], 1)
    assert api.get(FIREWALLS).json["data"][0]["instance_ids"] == []


def test_a_fixture_is_older_than_any_lag(server, client):
    sandbox = server.sandbox({"world": {"fixture": "small-team"}})
    api = client(sandbox.url, sandbox.api_key)
    paths = (LIST, SNAPSHOTS, FIREWALLS, BALANCERS)
    sandbox.clock.freeze()
    fresh = [api.get(path).json for path in paths]
    sandbox.inject(stale="1us")
    assert [api.get(path).json for path in paths] == fresh


@pytest.mark.slow
def test_a_thousand_that_were_deleted_are_kept(sandbox, api, lagging):
    sandbox.load({"accounts": [{"firewalls": [{"name": f"f{n}"} for n in range(1001)]}]})
    sandbox.account.rate_limit = "100000/min"
    firewalls = [each["id"] for each in sandbox.state()["accounts"][0]["firewalls"]]
    for each in firewalls:
        api.delete(f"{FIREWALLS}/{each}")
    lagging()
    assert api.get(FIREWALLS).json["pagination"]["total"] == 1000
    assert [api.get(f"{FIREWALLS}/{each}").status for each in firewalls[:2]] == [404, 200]


# ---- polls


def test_a_stale_read_counts_as_a_poll_and_tells_of_it_later(server, client):
    sandbox = server.sandbox({"provisioning": {"polls": 2}})
    api = client(sandbox.url, sandbox.api_key)
    sandbox.clock.freeze()
    path = f"{LIST}/{api.create()['id']}"
    sandbox.clock.advance("5s")
    rule = sandbox.inject(stale="5s")
    assert [api.get(path).json["status"], api.get(LIST).json["data"][0]["status"]] == ["provisioning"] * 2
    assert api.get(path).json["status"] == "provisioning"  # it runs by now: that was the second read
    rule.remove()
    assert api.get(path).json["status"] == "running"
    sandbox.inject(stale="5s")
    assert api.get(path).json["status"] == "provisioning"
    sandbox.clock.advance("5s")
    assert api.get(path).json["status"] == "running"


def test_a_read_that_does_not_find_it_is_no_poll(server, client):
    sandbox = server.sandbox({"provisioning": {"polls": 1}})
    api = client(sandbox.url, sandbox.api_key)
    sandbox.clock.freeze()
    path = f"{LIST}/{api.create()['id']}"
    sandbox.inject(stale="5s", times=4)
    assert [api.get(each).status for each in (path, LIST, path, LIST)] == [404, 200, 404, 200]
    assert [api.get(path).json["status"] for _ in range(2)] == ["provisioning", "running"]


# ---- with other faults


def test_of_several_rules_the_first_wins(sandbox, api, lagging):
    api.create()
    sandbox.clock.advance("3s")
    first, second = sandbox.inject(stale="2s"), lagging()
    assert len(ids(api.get(LIST))) == 1
    assert reasons(sandbox) == ["match 1", "match 1, an earlier rule says how stale it is"]
    assert (first.fired, second.fired) == (1, 0)


def test_it_goes_with_an_outcome_after_the_read_and_not_with_one_before(sandbox, api, lagging):
    lagging("instances.list", latency="1ms", body={"truncate": 0.5}, at="after", id="half")
    with pytest.raises(IncompleteRead):
        api.get(LIST)
    assert [each.fault for each in sandbox.requests[-1].faults] == ["body={truncate: 0.5}", "stale=5s", "latency=1ms"]
    lagging("plans.list", error="INTERNAL_ERROR", id="none")
    assert api.get("/v1/plans").status == 500
    assert [each.fault for each in sandbox.requests[-1].faults] == ["error=INTERNAL_ERROR"]
    assert reasons(sandbox)[-1] == "match 1, nothing is read"


@pytest.mark.parametrize(
    ("path", "status", "fired"),
    [(LIST, 200, 1), (f"{LIST}/inst_0", 404, 1), (f"{LIST}?limit=x", 400, 0), ("/v1/nothing", 404, 0)],
)
def test_it_fires_where_something_was_looked_up(sandbox, api, lagging, path, status, fired):
    rule = lagging()
    assert api.get(path).status == status
    assert rule.fired == fired
    assert reasons(sandbox) == ["match 1" if fired else "match 1, nothing is read"]


def test_a_head_lags_as_a_get_does(api, lagging):
    path = f"{LIST}/{api.create()['id']}"
    rule = lagging()
    assert (api.call("HEAD", path).status, rule.fired) == (404, 1)


def test_a_file_says_it_too(server, client):
    sandbox = server.sandbox({"rules": [{"match": {"operation": "instances.get"}, "fault": {"stale": "1m"}}]})
    api = client(sandbox.url, sandbox.api_key)
    assert api.get(f"{LIST}/{api.create()['id']}").status == 404


@cases(
    ("given", "why"),
    [
        ("0s", "must be longer than 0s"),
        (5, "needs a unit: write 5s or 5ms"),
        ("soon", "must be a duration such as 250ms, 2s or 1m30s, not 'soon'"),
        (["1s", "2s"], "must be a duration"),
        ("36526d", "must be at most 36525d (100 years), not '36526d'"),
    ],
)
def test_what_cannot_be_said(sandbox, given, why):
    with pytest.raises(ControlError) as refusal:
        sandbox.inject(stale=given)
    assert why in refusal.value.details["fault.stale"]
