"""`POST /_mock/recover`: the failures of a running server end."""

from cnx_mock import MockServer, Sandbox
from tests.conftest import INSTANCE, Client


def test_all_rules_end_and_what_would_never_come_up_is_ready(server: MockServer) -> None:
    sandbox = server.sandbox()
    client = Client(sandbox.url, sandbox.api_key)
    sandbox.inject("instances.get", error="INTERNAL_ERROR")
    sandbox.inject("instances.create", provisioning="never")
    made = client.call("POST", "/v1/instances", INSTANCE).json["id"]
    assert client.call("GET", f"/v1/instances/{made}").status == 500
    assert client.call("POST", "/_mock/recover", {}).json == {"removed": 2}
    assert client.call("GET", f"/v1/instances/{made}").json["status"] == "running"
    assert client.call("GET", "/_mock/rules").json["data"] == []


def test_only_the_named_rules_end(sandbox: Sandbox) -> None:
    client = Client(sandbox.url, sandbox.api_key)
    for operation in ("plans.list", "images.list"):
        sandbox.inject(operation, error="INTERNAL_ERROR", id=operation)
    assert client.call("POST", "/_mock/recover", {"rules": ["plans.list", "unknown"]}).json == {"removed": 1}
    assert (client.call("GET", "/v1/plans").status, client.call("GET", "/v1/images").status) == (200, 500)


def test_without_a_key_every_sandbox_recovers_and_new_ones_have_no_rules(own_server: MockServer) -> None:
    anyone = Client(own_server.url)
    anyone.call("POST", "/_mock/rules", {"fault": {"error": "INTERNAL_ERROR"}})
    clients = [Client(each.url, each.api_key) for each in (own_server.sandbox(), own_server.sandbox())]
    assert [each.call("GET", "/v1/plans").status for each in clients] == [500, 500]
    assert anyone.call("POST", "/_mock/recover", {}).json == {"removed": 3}
    later = own_server.sandbox()
    statuses = [each.call("GET", "/v1/plans").status for each in (*clients, Client(later.url, later.api_key))]
    assert statuses == [200, 200, 200]


def test_calls_that_were_made_before_are_no_reason_to_refuse_others(server: MockServer) -> None:
    sandbox = server.sandbox({"world": {"rate_limit": "2/min"}})
    client = Client(sandbox.url, sandbox.api_key)
    assert [client.call("GET", "/v1/plans").status for _ in range(3)] == [200, 200, 429]
    client.call("POST", "/_mock/recover", {})
    assert [client.call("GET", "/v1/plans").status for _ in range(3)] == [200, 200, 429]
