"""The account and its keys. They are read-only, because keys are made in the Dashboard."""

from tests.cases import cases

READ_ONLY = "403" + "0" * 29
EXAMPLE = "4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
ALL_SCOPES = [
    "instances:read",
    "instances:write",
    "snapshots:read",
    "snapshots:write",
    "network:read",
    "network:write",
    "billing:read",
    "account:read",
]


def test_the_account_shows_limits_balance_and_quotas(api):
    account = api.get("/v1/account").json
    assert account == {
        "id": account["id"],
        "name": "Sandbox",
        "plan": "professional",
        "environment": "sandbox",
        "rate_limit": 300,
        "balance": "$100.00",
        "balance_cents": 10000,
        "minimum_balance": "$5.00",
        "minimum_balance_cents": 500,
        "quotas": {"instances": None, "snapshots": None, "firewalls": None, "load_balancers": None},
        "created_at": account["created_at"],
    }
    assert account["id"].startswith("acct_")


@cases(("plan", "limit"), [("starter", 60), ("professional", 300), ("enterprise", 1000)])
def test_the_plan_gives_the_rate_limit(api, sandbox, plan, limit):
    sandbox.account.plan = plan
    account = api.get("/v1/account")
    assert (account.json["plan"], account.json["rate_limit"]) == (plan, limit)
    assert account.headers["x-ratelimit-limit"] == str(limit)


@cases(("balance", "cents"), [("$0.00", 0), ("$5.03", 503), ("-$0.04", -4), ("$1234.50", 123450)])
def test_money_is_spelled_as_in_the_reference_with_a_twin_in_cents(api, sandbox, balance, cents):
    sandbox.account.balance = balance
    account = api.get("/v1/account").json
    assert (account["balance"], account["balance_cents"]) == (balance, cents)


def test_the_balance_falls_with_every_started_hour(api, sandbox):
    sandbox.clock.freeze()
    api.create(plan="pro")
    seen = [api.get("/v1/account").json["balance_cents"]]
    for step in ("59m", "1m", "24h"):
        sandbox.clock.advance(step)
        seen.append(api.get("/v1/account").json["balance_cents"])
    assert seen == [9996, 9996, 9992, 9896]


def test_quotas_are_those_of_the_world(server, client):
    sandbox = server.sandbox({"world": {"quotas": {"instances": 0, "load_balancers": 2}}})
    api = client(sandbox.url, sandbox.api_key)
    quotas = {"instances": 0, "snapshots": None, "firewalls": None, "load_balancers": 2}
    assert api.get("/v1/account").json["quotas"] == quotas


def test_the_current_key_is_the_one_that_asks(api, sandbox):
    key = api.get("/v1/account/api-keys/current").json
    assert key == {
        "id": key["id"],
        "name": key["name"],
        "prefix": "cnx_test_",
        "last4": sandbox.api_key[-4:],
        "scopes": ALL_SCOPES,
        "status": "active",
        "created_at": key["created_at"],
    }
    assert key["id"].startswith("key_")


def test_the_list_of_keys_is_a_list_like_any_other(api):
    listed = api.get("/v1/account/api-keys").json
    assert listed["data"] == [api.get("/v1/account/api-keys/current").json]
    assert listed["pagination"] == {"page": 1, "limit": 20, "total": 1, "total_pages": 1}
    assert api.get("/v1/account/api-keys?page=2").json["data"] == []
    assert list(api.get("/v1/account/api-keys?limit=101").details) == ["limit"]


@cases("path", ["/v1/account", "/v1/account/api-keys", "/v1/account/api-keys/current"])
def test_no_answer_shows_the_secret(server, client, path):
    reply = client(server.url, f"cnx_test_{EXAMPLE}").get(path)
    assert reply.status == 200
    assert EXAMPLE[:-4].encode() not in reply.body
    assert EXAMPLE not in str(reply.headers)


def test_a_key_says_what_it_may_do(server, client):
    server.sandbox(key=f"cnx_test_{READ_ONLY}")  # as it was made, whatever other tests did with this key
    api = client(server.url, f"cnx_test_{READ_ONLY}")
    assert api.get("/v1/account/api-keys/current").json["scopes"] == [
        scope for scope in ALL_SCOPES if scope.endswith(":read")
    ]
    reply = api.post("/v1/instances", {})
    assert (reply.status, reply.error["code"]) == (403, "FORBIDDEN")


@cases("path", ["/v1/account", "/v1/account/api-keys", "/v1/account/api-keys/current"])
@cases("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_api_makes_and_changes_no_keys(api, path, method):
    reply = api.call(method, path, {})
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


@cases("path", ["/v1/account", "/v1/account/api-keys", "/v1/account/api-keys/current"])
def test_reading_it_is_a_right_of_its_own(api, sandbox, path):
    sandbox.account.scopes = ["instances:read", "billing:read"]
    reply = api.get(path)
    assert (reply.status, reply.details) == (
        403,
        {"required_scope": "account:read", "granted_scopes": "instances:read, billing:read"},
    )


def test_every_scope_opens_its_own_door_and_no_other(api, sandbox):
    doors = {
        "instances:read": "/v1/instances",
        "snapshots:read": "/v1/snapshots",
        "network:read": "/v1/network/firewall",
        "billing:read": "/v1/billing/balance",
        "account:read": "/v1/account",
    }
    for scope in doors:
        sandbox.account.scopes = [scope]
        assert [s for s, path in doors.items() if api.get(path).status == 200] == [scope]
        assert {api.get(path).status for path in doors.values()} == {200, 403}


def test_writing_is_no_right_to_read(api, sandbox):
    sandbox.account.scopes = ["instances:write"]
    assert api.create()["status"] == "provisioning"
    assert api.get("/v1/instances").status == 403
