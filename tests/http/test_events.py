"""What happens is told as it happens: `GET /_mock/events`, read over a real socket."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from queue import SimpleQueue
from typing import Any, NamedTuple

import pytest
import uvicorn
from starlette.testclient import TestClient

from cnx_mock import MockServer, Settings, create_app
from cnx_mock.scenario.scenario import read_scenario
from tests.conftest import Client, connect, wire_to
from tests.waiting import until

EVENTS = "/_mock/events"


class Told(NamedTuple):
    """One event."""

    id: int
    kind: str
    data: Any


class Stream:
    """A client that follows the events, as a browser does."""

    def __init__(self, url: str, path: str = EVENTS, *, room: int = 0, **headers: str) -> None:
        """`room` is how many bytes the system keeps for it that it has not read; by default megabytes."""
        self._connection = connect(url, 20)
        if room:
            host, port = url.removeprefix("http://").split(":")
            self._connection.sock = sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            sock.connect((host, int(port)))
        self._connection.request("GET", path, headers={n.replace("_", "-"): v for n, v in headers.items()})
        self.response = self._connection.getresponse()
        self.status = self.response.status
        self.first = dict(line.split(": ", 1) for line in self._block()) if self.status == 200 else {}
        """The fields of the first event, which is about the stream itself."""

    @property
    def server(self) -> str:
        """The server that tells."""
        return str(json.loads(self.first["data"])["server"])

    def next(self, *kinds: str) -> Told:
        """The next event of one of these kinds; of any, without."""
        for told in self:
            if not kinds or told.kind in kinds:
                return told
        raise EOFError("the stream has ended")

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

        def opened(path: str = EVENTS, to: str = url, room: int = 0, **headers: str) -> Stream:
            stream = Stream(to, path, room=room, **headers)
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


def test_it_is_told_over_tls_too(server, trusted, sandbox):
    stream = Stream(server.tls_url, X_CNX_Mock_Sandbox=sandbox.id)
    Client(server.tls_url, sandbox.api_key).get("/v1/plans")
    assert stream.next().data["request"]["path"] == "/v1/plans"
    stream.close()


# ---- what time changes, while nobody calls


def test_a_resource_that_comes_up_in_an_idle_sandbox_is_told(events, api, sandbox):
    sandbox.clock.speed = 600
    instance = api.create()
    statuses = [events.next("resource").data["resource"]["status"] for _ in range(2)]
    assert statuses == ["provisioning", "running"]
    assert sandbox.instances[instance["id"]].status == "running"


def test_a_phase_that_begins_in_an_idle_sandbox_is_told(events, sandbox):
    sandbox.clock.speed = 100
    sandbox.use({"phases": [{"name": "calm", "for": "20s"}, {"name": "storm"}]})
    phases = [events.next("phase").data["scenario"]["phase"]["name"] for _ in range(2)]
    assert phases == ["calm", "storm"]


def test_a_rule_whose_time_is_over_is_told(events, sandbox):
    sandbox.clock.speed = 100
    sandbox.inject("plans.list", latency="0s", ttl="20s")
    assert [events.next("phase").kind for _ in range(2)] == ["phase", "phase"]
    assert len(sandbox.call("GET", "/rules")["data"]) == 0


def test_a_charge_in_an_idle_sandbox_is_told(events, api, sandbox):
    api.create()
    before = events.next("account").data["account"]["balance"]
    sandbox.clock.speed = 100_000
    assert events.next("account").data["account"]["balance"] != before


def test_a_phase_that_waits_for_requests_is_told_behind_the_last_of_them(events, api, sandbox):
    sandbox.use(
        {
            "phases": [
                {"name": "one", "until": {"requests": 1}},
                {"name": "two", "until": {"requests": 2}},
                {"name": "three"},
            ]
        }
    )
    for _ in range(3):
        api.get("/v1/plans")
    told = [events.next() for _ in range(6)]
    assert [each.kind for each in told] == ["phase", "request", "phase", "request", "request", "phase"]
    names = [each.data["scenario"]["phase"]["name"] for each in told if each.kind == "phase"]
    assert names == ["one", "two", "three"]


def test_what_falls_due_by_a_move_of_the_clock_is_told(events, api, sandbox):
    for _ in range(3):
        api.create()
    sandbox.clock.freeze()
    assert events.next("clock").data["clock"]["frozen"]
    sandbox.clock.advance("60s")
    assert events.next().kind == "clock"
    assert {events.next("resource").data["resource"]["status"] for _ in range(3)} == {"running"}


# ---- whose events


def test_everything_is_told_to_those_who_choose_no_sandbox(follow, own_server):
    stream = follow(to=own_server.url)
    first, other = own_server.sandbox(name="a"), own_server.sandbox(name="b")
    made = [stream.next("reset").data for _ in range(2)]
    assert [each["item"]["name"] for each in made] == ["a", "b"]
    for sandbox in (first, other):
        Client(own_server.url, sandbox.api_key).get("/v1/plans")
    Client(own_server.url).get("/v1/plans")
    told = [stream.next("request").data for _ in range(3)]
    assert [each["sandbox"] for each in told] == [first.id, other.id, None]
    assert told[2]["request"]["status"] == 401
    own_server.call("DELETE", f"/sandboxes/{first.id}")
    assert stream.next().data == {"sandbox": first.id, "item": None}


def test_a_sandbox_is_chosen_by_its_key_its_id_or_the_query(follow, own_server):
    wanted, other = own_server.sandbox(name="a"), own_server.sandbox(name="b")
    streams = [
        follow(to=own_server.url, Authorization=f"Bearer {wanted.api_key}"),
        follow(to=own_server.url, X_CNX_Mock_Sandbox=wanted.id),
        follow(f"{EVENTS}?sandbox={wanted.id}", to=own_server.url),
    ]
    Client(own_server.url, other.api_key).get("/v1/plans")
    Client(own_server.url).get("/v1/plans")
    Client(own_server.url, wanted.api_key).get("/v1/plans")
    assert {stream.next().data["sandbox"] for stream in streams} == {wanted.id}


def test_a_sandbox_that_is_made_anew_is_followed_on(follow, own_server):
    stream = follow(f"{EVENTS}?sandbox={own_server.sandbox(name='a').id}", to=own_server.url)
    again = own_server.sandbox(name="a")
    assert [stream.next("reset").data["item"] is None for _ in range(2)] == [True, False]
    Client(own_server.url, again.api_key).get("/v1/plans")
    assert stream.next().data["request"]["path"] == "/v1/plans"


def test_a_scenario_file_that_changes_is_told(follow, own_server):
    sandbox = own_server.sandbox()
    stream = follow(f"{EVENTS}?sandbox={sandbox.id}", to=own_server.url)
    app = own_server._app
    assert app is not None
    scenario = read_scenario({"name": "changed", "rules": [{"fault": {"latency": "0s"}}]}, [])
    app.tenants.revise(scenario, None)
    app.events.control_changed(None)  # as `serve --watch` does
    assert stream.next("phase").data["scenario"]["name"] == "changed"
    app.tenants.watch_error = "story.yaml:1:1: is empty"
    app.events.control_changed(None)
    assert stream.next("phase").data["scenario"]["error"] == "story.yaml:1:1: is empty"


# ---- what was missed


def test_ids_rise_over_the_whole_server(follow, own_server):
    stream = follow(to=own_server.url)
    for name in "abc":
        sandbox = own_server.sandbox(name=name)
        client = Client(own_server.url, sandbox.api_key)
        sandbox.inject("plans.list", latency="0s", error="INTERNAL_ERROR")
        client.get("/v1/plans")
        client.create()
    ids = [stream.next().id for _ in range(18)]
    assert ids == sorted(set(ids))
    assert int(stream.first["id"]) < ids[0]


@pytest.mark.parametrize("how", ["header", "query"])
def test_what_was_missed_comes_first_out_of_the_journal(follow, api, sandbox, how):
    stream = follow(X_CNX_Mock_Sandbox=sandbox.id)
    sandbox.inject("plans.list", error="INTERNAL_ERROR")
    api.get("/v1/plans")
    known = [stream.next("request"), stream.close()][0]
    api.get("/v1/plans")
    api.get("/v1/regions")

    headers = {"Last_Event_ID": str(known.id)} if how == "header" else {}
    query = f"?last-event-id={known.id}" if how == "query" else ""
    again = follow(f"{EVENTS}{query}", X_CNX_Mock_Sandbox=sandbox.id, **headers)
    api.get("/v1/images")

    told = [again.next() for _ in range(4)]
    assert [each.kind for each in told] == ["fired", "request", "request", "request"]
    assert [each.data["request"]["path"] for each in told if each.kind == "request"] == [
        "/v1/plans",
        "/v1/regions",
        "/v1/images",
    ]
    ids = [known.id, *(each.id for each in told)]
    assert ids == sorted(set(ids))


def test_the_same_requests_have_the_same_ids_for_everybody(follow, api, sandbox):
    start = follow(X_CNX_Mock_Sandbox=sandbox.id).first["id"]
    api.get("/v1/plans")
    api.get("/v1/regions")
    ids = [
        [each.id for each in (stream.next(), stream.next())]
        for stream in (follow(X_CNX_Mock_Sandbox=sandbox.id, Last_Event_ID=start) for _ in range(2))
    ]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("erase", [("DELETE", "/_mock/requests"), ("POST", "/_mock/reset")])
def test_what_the_journal_has_lost_is_said(follow, api, sandbox, erase):
    stream = follow(X_CNX_Mock_Sandbox=sandbox.id)
    api.get("/v1/plans")
    known = stream.next()
    stream.close()
    api.get("/v1/plans")
    assert api.call(*erase).status == 200
    api.get("/v1/regions")
    again = follow(X_CNX_Mock_Sandbox=sandbox.id, Last_Event_ID=str(known.id))
    lost, request = again.next(), again.next()
    assert lost.data == {"sandbox": None, "count": None, "reason": "evicted"}
    assert request.data["request"]["path"] == "/v1/regions"


def test_nothing_is_lost_if_what_was_erased_had_been_told(follow, api, sandbox):
    stream = follow(X_CNX_Mock_Sandbox=sandbox.id)
    api.get("/v1/plans")
    stream.next()
    api.delete("/_mock/requests")
    known = stream.next("reset")
    api.get("/v1/regions")
    again = follow(X_CNX_Mock_Sandbox=sandbox.id, Last_Event_ID=str(known.id))
    assert again.next().data["request"]["path"] == "/v1/regions"


def test_a_full_journal_is_said(follow):
    with MockServer(settings=Settings(port=0, journal_size=3)) as small:
        sandbox = small.sandbox()
        stream = follow(to=small.url)
        client = Client(small.url, sandbox.api_key)
        client.get("/v1/plans")
        known = stream.next("request")
        stream.close()
        for _ in range(5):
            client.get("/v1/plans")
        again = follow(to=small.url, Last_Event_ID=str(known.id))
        assert again.next().data["reason"] == "evicted"
        assert [again.next().data["request"]["seq"] for _ in range(3)] == [4, 5, 6]
        again.close()


def test_an_earlier_servers_id_is_said(follow, own_server):
    stream = follow(to=own_server.url)
    own_server.sandbox()
    known = stream.next()
    stream.close()
    with MockServer() as later:
        again = follow(to=later.url, Last_Event_ID=str(known.id))
        lost = again.next()
        assert lost.data == {"sandbox": None, "count": None, "reason": "restarted"}
        assert lost.id > known.id
        again.close()


# ---- listeners that are slow, gone, or too many


def test_a_request_behind_lost_ones_is_told_before_any_heartbeat(follow):
    with MockServer(settings=Settings(port=0, max_listener_events=10)) as small:
        sandbox = small.sandbox()
        stream = follow(to=small.url)
        request = f"GET /v1/plans HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {sandbox.api_key}\r\n\r\n"
        with wire_to(small.url) as wire:
            wire.sendall(request.encode() * 11)  # one more than a listener's queue holds, in one packet
            received = b""
            while received.count(b"HTTP/1.1 200 ") < 11:
                received += wire.recv(65536)
        assert stream.next().data == {"sandbox": None, "count": 11, "reason": "behind"}
        time.sleep(0.1)  # the stream rests for 10 ms after what it sends; then it waits to be called
        Client(small.url, sandbox.api_key).get("/v1/regions")
        assert "event: request" in stream._block()


@pytest.mark.slow
def test_who_falls_behind_is_told_how_much_is_lost_and_stalls_nobody(follow):
    with MockServer(settings=Settings(port=0, max_listener_events=20)) as small:
        sandbox = small.sandbox()
        slow, quick = follow(to=small.url, room=4096), follow(to=small.url)
        read: SimpleQueue[str] = SimpleQueue()

        def note() -> None:
            for told in quick:
                read.put(told.kind)

        reader = threading.Thread(target=note)
        reader.start()
        count = 0
        with closing(connect(small.url, 20)) as connection:
            headers = {"Authorization": f"Bearer {sandbox.api_key}"}
            while not small_bound(small, "--max-listener-events")["refused"]:
                connection.request("POST", "/v1/instances", b"x" * 60_000, headers)  # what sockets hold is soon full
                assert connection.getresponse().read()
                count += 1
                assert read.get(timeout=10) == "request", "the other one gets them all"

        told = [slow.next("request", "lost")]
        while told[-1].kind != "lost":
            told.append(slow.next("request", "lost"))
        assert told[-1].data["reason"] == "behind"
        assert len(told) - 1 + told[-1].data["count"] == count
        Client(small.url, sandbox.api_key).get("/v1/plans")
        assert slow.next("request").data["request"]["path"] == "/v1/plans"
        slow.close()
    reader.join()


def small_bound(server: MockServer, option: str) -> Any:
    return next(each for each in server.call("GET", "/health")["bounds"] if each["option"] == option)


def test_a_listener_that_leaves_is_noticed(follow, own_server):
    stream = follow(to=own_server.url)
    assert small_bound(own_server, "--max-listeners")["used"] == 1
    stream.close()
    until(lambda: not small_bound(own_server, "--max-listeners")["used"])
    app = own_server._app
    assert app is not None
    assert not app.events.is_awake


def test_more_listeners_than_may_be_are_refused(follow):
    with MockServer(settings=Settings(port=0, max_listeners=1)) as small:
        stream = follow(to=small.url)
        refused = Client(small.url).get(EVENTS)
        assert (refused.status, refused.error["code"]) == (503, "LISTENER_LIMIT")
        assert refused.details == {"limit": "1", "option": "--max-listeners"}
        stream.close()


def test_streams_end_when_the_server_stops(follow):
    server = MockServer().start()
    stream = follow(to=server.url)
    server.stop()
    assert list(stream) == []


def test_a_silent_stream_sends_a_sign_of_life(follow, sandbox, monkeypatch):
    monkeypatch.setattr("cnx_mock.http.events.stream.HEARTBEAT_SECONDS", 0.01)
    stream = follow(X_CNX_Mock_Sandbox=sandbox.id)
    assert stream._block() == [": still here"]


def test_the_first_event_is_about_the_stream_itself(follow, sandbox):
    stream = follow(X_CNX_Mock_Sandbox=sandbox.id)
    assert list(stream.first) == ["retry", "id", "event", "data"]
    assert stream.first["retry"] == "1000"
    assert stream.first["event"] == "server"
    assert json.loads(stream.first["data"]) == {"sandbox": None, "server": stream.server}


def test_each_server_says_that_it_is_another_one(follow, own_server):
    one, again = follow(to=own_server.url), follow(to=own_server.url)
    with MockServer() as later:
        other = follow(to=later.url)
        assert one.server == again.server != other.server
        other.close()


def test_without_a_listener_nothing_is_there(own_server):
    sandbox = own_server.sandbox()
    Client(own_server.url, sandbox.api_key).create()
    app = own_server._app
    assert app is not None
    assert not app.events.is_awake
    assert app.observers.all == []
    [tenant] = app.tenants
    assert tenant.sandbox.instances.changes.observer is None
    assert tenant.engine.observer is None
    assert [record.event for record in tenant.journal] == [0]


# ---- who may read it


def test_the_answer_is_a_stream_that_no_other_origin_can_read(follow, sandbox):
    headers = {name.lower(): value for name, value in follow(X_CNX_Mock_Sandbox=sandbox.id).response.getheaders()}
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}])
def test_a_page_of_another_origin_is_refused(follow, headers):
    assert follow(**headers).status == 403


@pytest.mark.parametrize(
    ("path", "headers", "words"),
    [
        ("?last-event-id=x", {}, "must be the id of an event"),
        ("", {"Last_Event_ID": "x"}, "must be the id of an event"),
        ("?last-event-id=-1", {}, "must be the id of an event"),
        ("?sandbox={id}", {"X_CNX_Mock_Sandbox": "{id}"}, "give only one of them"),
    ],
)
def test_what_cannot_be_read_is_refused(follow, sandbox, path, headers, words):
    given = {name: value.replace("{id}", sandbox.id) for name, value in headers.items()}
    stream = follow(EVENTS + path.replace("{id}", sandbox.id), **given)
    assert stream.status == 400
    assert words in stream.response.read().decode()


def test_an_unknown_sandbox_is_not_found(follow):
    assert follow(f"{EVENTS}?sandbox=sbx_000000000000").status == 404


def test_head_is_answered_and_leaves_no_listener(own_server):
    reply = Client(own_server.url).call("HEAD", EVENTS)
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, "text/event-stream", b"")
    assert small_bound(own_server, "--max-listeners")["used"] == 0


def test_a_live_key_is_never_shown(events, api):
    key = "cnx_live_" + "7" * 32
    api.call("PUT", "/_mock/rules/x", {"fault": {"error": "INTERNAL_ERROR", "message": key}})
    assert key not in json.dumps(events.next("phase").data)


# ---- large worlds


def test_a_large_world_is_told_when_it_is_complete_and_not_each_record_of_it(follow):
    fleet = {"accounts": [{"name": "Large"}], "generate": {"instances": 6000}}
    with MockServer() as large:
        sandbox = large.sandbox()
        stream = follow(f"{EVENTS}?sandbox={sandbox.id}", to=large.url)
        large_client = Client(large.url, sandbox.api_key)
        assert large_client.call("PUT", "/_mock/state", fleet).status == 200
        assert large_client.get("/v1/plans").status == 200
        told = [stream.next()]
        while told[-1].kind != "request":
            told.append(stream.next())
        assert {each.kind for each in told[:-1]} <= {"reset", "account"}, "it is charged for, and that is told"
        resets = [each.data["item"] for each in told if each.kind == "reset"]
        assert resets[-1]["instances"] == 6000
        stream.close()


def test_what_comes_up_in_a_generated_fleet_is_told(follow):
    fleet = {
        "accounts": [{"name": "Fleet"}],
        "generate": {"instances": 300, "spread": {"status": {"provisioning": 1, "running": 9}}},
    }
    with MockServer(fixture=fleet) as large:
        sandbox = large.sandbox()
        sandbox.clock.freeze()
        coming = [each["id"] for each in sandbox.call("GET", "/instances")["data"] if each["status"] == "provisioning"]
        stream = follow(f"{EVENTS}?sandbox={sandbox.id}", to=large.url)
        sandbox.clock.advance("60s")
        told = [stream.next("resource").data for _ in coming]
        assert {each["id"] for each in told} == set(coming) != set()
        assert {each["resource"]["status"] for each in told} == {"running"}
        stream.close()


# ---- on other ASGI servers


def test_it_works_under_uvicorn(follow):
    app = create_app()
    sock = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    stream = follow(to=url)
    client = Client(url, "cnx_test_" + "6" * 32)
    client.create()
    assert [stream.next().kind for _ in range(4)] == ["reset", "request", "account", "resource"]
    app.cancel_delays()
    assert list(stream) == []
    server.should_exit = True
    thread.join()
    sock.close()


def test_it_works_under_starlettes_test_client():
    app = create_app()
    with TestClient(app, "http://localhost") as client:
        answers: list[str] = []
        listener = threading.Thread(target=lambda: answers.append(client.get(EVENTS).text))
        listener.start()
        while not app.events.is_awake:
            client.get("/_mock/health")
        client.get("/v1/plans", headers={"Authorization": "Bearer cnx_test_" + "6" * 32})
        client.get("/v1/plans")
        app.cancel_delays()
        listener.join()
    assert [line for line in answers[0].splitlines() if line.startswith("event: ")] == [
        "event: server",
        "event: reset",
        "event: request",
        "event: request",
    ]
