"""What happens is told as it happens: `GET /_mock/events`, read over a real socket."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from tests.conftest import Client, connect

EVENTS = "/_mock/events"
SCHEMES = ("http", "https")


class Told(NamedTuple):
    """One event."""

    id: int
    kind: str
    data: Any


class Stream:
    """A client that follows the events, as a browser does."""

    def __init__(self, url: str, path: str = EVENTS, **headers: str) -> None:
        self._connection = connect(url, 20)
        self._connection.request("GET", path, headers={n.replace("_", "-"): v for n, v in headers.items()})
        self.response = self._connection.getresponse()
        self.status = self.response.status
        self.first = self._block() if self.status == 200 else []
        """The lines before the first event."""

    def next(self, *kinds: str) -> Told:
        """The next event of one of these kinds; of any, without."""
        for told in self:
            if not kinds or told.kind in kinds:
                return told
        raise AssertionError("the stream has ended")

    def __iter__(self) -> Iterator[Told]:
        while lines := self._block():
            if lines[0].startswith(":"):
                continue
            fields = dict(line.split(": ", 1) for line in lines)
            assert list(fields) == ["id", "event", "data"]
            yield Told(int(fields["id"]), fields["event"], json.loads(fields["data"]))

    def _block(self) -> list[str]:
        """The lines up to an empty one; none at the end of the stream."""
        lines: list[str] = []
        while line := self.response.readline().decode().rstrip("\n"):
            lines.append(line)
        return lines

    def close(self) -> None:
        self.response.close()
        self._connection.close()


@pytest.fixture
def follow(url: str) -> Iterator[Callable[..., Stream]]:
    """Opens streams, of the session's server unless said otherwise."""
    with ExitStack() as open_streams:

        def opened(path: str = EVENTS, to: str = url, **headers: str) -> Stream:
            stream = Stream(to, path, **headers)
            open_streams.callback(stream.close)
            return stream

        yield opened


@pytest.fixture
def events(follow: Callable[..., Stream], sandbox: Any) -> Stream:
    """What happens in the test's sandbox."""
    return follow(X_CNX_Mock_Sandbox=sandbox.id)


# ---- what is told


def test_a_request_is_told_as_the_journal_shows_it(events, api, sandbox):
    instance = api.create()
    told = events.next()
    assert told.kind == "request"
    assert told.data["sandbox"] == sandbox.id
    request_id = told.data["request"]["request_id"]
    assert told.data["request"] == api.get(f"/_mock/requests/{request_id}").json
    assert told.data["request"]["created_id"] == instance["id"]


def test_a_fault_is_told_before_the_request_that_it_hit(events, api, sandbox):
    sandbox.inject("plans.list", error="INTERNAL_ERROR", times=1, id="once")
    assert events.next().kind == "phase"
    assert api.get("/v1/plans").status == 500

    fired, request = events.next(), events.next()

    assert (fired.kind, request.kind) == ("fired", "request")
    assert fired.data["request_id"] == request.data["request"]["request_id"]
    assert fired.data["fault"] == "error=INTERNAL_ERROR" == request.data["request"]["faults"][0]["fault"]
    assert fired.data["rule"] == api.get("/_mock/rules/once").json
    assert fired.id < request.id


def test_each_fault_of_a_request_is_told(events, api, sandbox):
    sandbox.inject("plans.list", latency="1ms", id="slow")
    sandbox.inject("plans.list", error="INTERNAL_ERROR", id="broken")
    api.get("/v1/plans")
    fired = [events.next("fired"), events.next("fired")]
    assert {each.data["rule"]["id"] for each in fired} == {"slow", "broken"}
    assert events.next().kind == "request"


def test_a_header_brings_a_rule_that_is_told_too(events, api):
    api.get("/v1/plans", headers={"X-CNX-Mock-Fault": "error=INTERNAL_ERROR"})
    fired = events.next("fired")
    assert (fired.data["rule"]["origin"], fired.data["rule"]["fired"]) == ("header", 1)


def test_the_account_and_the_resource_of_a_purchase_are_told(events, api):
    instance = api.create()
    account, resource = events.next("account"), events.next("resource")
    assert account.data["account"] == api.get("/_mock/account").json
    assert (resource.data["kind"], resource.data["id"]) == ("instance", instance["id"])
    assert resource.data["resource"] == api.get("/_mock/instances").json["data"][0]


def test_what_is_deleted_is_told_as_null(events, api, sandbox):
    instance = sandbox.instances.add(name="web-1")
    assert events.next("resource").data["resource"]["name"] == "web-1"
    api.delete(f"/v1/instances/{instance.id}")
    assert events.next("resource").data == {
        "sandbox": sandbox.id,
        "kind": "instance",
        "id": instance.id,
        "resource": None,
    }


def test_every_kind_of_resource_is_told(events, api):
    instance = api.create()
    api.post("/_mock/clock/advance", {"by": "60s"})
    rule = {"direction": "inbound", "action": "allow", "protocol": "tcp", "ports": "22", "cidrs": ["10.0.0.0/8"]}
    made = {
        "snapshot": api.post("/v1/snapshots", {"instance_id": instance["id"]}),
        "firewall": api.post("/v1/network/firewall", {"name": "web", "rules": [rule]}),
        "load_balancer": api.post(
            "/v1/network/load-balancers",
            {
                "name": "front",
                "regions": ["us-east-1"],
                "forwarding_rules": [
                    {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80}
                ],
                "instance_ids": [instance["id"]],
            },
        ),
    }
    for kind, reply in made.items():
        assert reply.status == 201, reply.body
        while (told := events.next("resource")).data["kind"] != kind:
            pass
        assert told.data["id"] == reply.json["id"]
    shown = api.get("/_mock/load-balancers").json["data"]
    assert told.data["resource"] == shown[0]


def test_a_load_balancer_is_told_when_the_health_behind_it_changes(events, api, sandbox):
    instance = sandbox.instances.add(name="web-1")
    forwarding = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80}
    body = {"name": "front", "regions": ["us-east-1"], "forwarding_rules": [forwarding], "instance_ids": [instance.id]}
    assert api.post("/v1/network/load-balancers", body).status == 201
    sandbox.instances.set_status(instance.id, "stopped")
    health = ""
    while health != "unhealthy":
        told = events.next("resource").data
        if told["kind"] == "load_balancer":
            health = told["resource"]["targets"][0]["health"]


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("PATCH", "/_mock/clock", {"speed": 3}, "clock"),
        ("PATCH", "/_mock/clock", {"frozen": True}, "clock"),
        ("POST", "/_mock/clock/advance", {"by": "5s"}, "clock"),
        ("PATCH", "/_mock/account", {"balance": "$5.03"}, "account"),
        ("PATCH", "/_mock/account", {"plan": "starter"}, "account"),
        ("PATCH", "/_mock/account", {"rate_limit": "7/min"}, "account"),
        ("PATCH", "/_mock/account", {"scopes": ["instances:read"]}, "account"),
        ("PUT", "/_mock/scenario", {"name": "flapping"}, "phase"),
        ("DELETE", "/_mock/scenario", None, "phase"),
        ("POST", "/_mock/rules", {"fault": {"latency": "0s"}}, "phase"),
        ("POST", "/_mock/instances", {"name": "web-1"}, "account"),
    ],
)
def test_what_the_control_plane_changes_is_told(events, api, method, path, body, kind):
    assert api.call(method, path, body).status < 300
    told = events.next()
    assert told.kind == kind
    shown = api.get({"clock": "/_mock/clock", "account": "/_mock/account", "phase": "/_mock/scenario"}[kind]).json
    field = {"phase": "scenario"}.get(kind, kind)
    if kind == "clock" and not shown["frozen"]:
        shown["now"] = told.data["clock"]["now"]  # it has moved on
    assert told.data[field] == shown


@pytest.mark.parametrize(
    ("method", "body"), [("PATCH", {"probability": 0.5}), ("PUT", {"fault": "pass"}), ("DELETE", None)]
)
def test_a_rule_that_changes_is_told_as_part_of_the_scenario(events, api, sandbox, method, body):
    sandbox.inject("plans.list", latency="0s", id="slow")
    assert events.next().kind == "phase"
    body = {"fault": {"latency": "1ms"}} if method == "PUT" else body
    assert api.call(method, "/_mock/rules/slow", body).status == 200
    assert events.next().kind == "phase"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/_mock/reset", None),
        ("PUT", "/_mock/state", {"name": "small-team"}),
        ("DELETE", "/_mock/requests", None),
    ],
)
def test_a_world_that_is_replaced_is_told_as_a_reset(events, api, sandbox, method, path, body):
    assert api.call(method, path, body).status == 200
    told = events.next()
    assert told.kind == "reset"
    [item] = [each for each in Client(api.url).get("/_mock/sandboxes").json["data"] if each["id"] == sandbox.id]
    assert told.data == {"sandbox": sandbox.id, "item": item}


def test_nothing_is_told_of_what_changes_nothing(events, api):
    api.call("PATCH", "/_mock/clock", {"speed": 1})
    api.call("PATCH", "/_mock/account", {"plan": "professional"})
    api.get("/_mock/state")
    api.get("/v1/plans")
    assert events.next().kind == "request"
