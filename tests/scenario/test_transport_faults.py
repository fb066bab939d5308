"""Faults of what lies between a client and the API: a load balancer, a revoked key, a proxy that repeats calls, pooled
connections, ports and TLS handshakes."""

import asyncio
import http.client
import json
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from cnx_mock import ControlError, MockServer, Sandbox, ScenarioError
from cnx_mock.asgi import create_app
from cnx_mock.audit.audit import findings
from cnx_mock.audit.call import calls_of
from cnx_mock.errors import NotRunningError, ServerNotFoundError
from cnx_mock.net import outage
from cnx_mock.net.serving import Serving, asyncio_loop
from cnx_mock.net.sockets import open_sockets
from cnx_mock.python_api.control import Control
from cnx_mock.python_api.server import control_of
from cnx_mock.settings import Settings
from tests.cases import cases
from tests.conftest import INSTANCE, Client
from tests.scenario.test_faults import calling, connected, everything, message, one
from tests.waiting import until

LIST = "/v1/instances"
PLANS = "/v1/plans"
REGIONS = "/v1/regions"


@pytest.fixture(scope="module")
def alone(user_data: None) -> Iterator[MockServer]:
    """A server that these tests may break: no other test uses it."""
    with MockServer(tls=True, proxy=True) as running:
        yield running


@pytest.fixture
def own(alone: MockServer, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox of that server; what the test breaks is whole again after it."""
    made = alone.sandbox(name=request.node.nodeid)
    yield made
    made.reset()


def last_faults(sandbox: Sandbox) -> list[str]:
    return [each.fault for each in sandbox.requests[-1].faults]


def reason(sandbox: Sandbox, place: int = -1) -> str:
    """What the journal says of the only rule at a request."""
    (decided,) = sandbox.requests[place].decisions
    return decided.reason


# ---- gateway


@cases(("status", "phrase"), [(502, "Bad Gateway"), (503, "Service Unavailable"), (504, "Gateway T")])
def test_a_load_balancer_answers_with_a_page_and_knows_nothing_of_the_api(sandbox, api, status, phrase):
    sandbox.inject("instances.create", gateway=status, times=1)
    reply = api.post(LIST, INSTANCE)
    assert (reply.status, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert f"<h1>{status} {phrase}" in reply.body.decode()
    assert not {"x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "retry-after"} & reply.headers.keys()
    assert last_faults(sandbox) == [f"gateway={status}"]
    assert api.get(LIST).json["data"] == []


def test_behind_a_load_balancer_the_call_may_have_happened(sandbox, api):
    sandbox.inject("instances.create", gateway=504, at="after", times=1)
    assert api.post(LIST, INSTANCE).status == 504
    assert sandbox.requests[-1].committed
    assert len(api.get(LIST).json["data"]) == 1


def test_a_load_balancer_may_say_when_to_come_back(sandbox, api):
    sandbox.inject(
        "plans.list", sequence=[{"gateway": 503, "retry_after": wait} for wait in ("1500ms", {"date": "3s"})]
    )
    assert api.get(PLANS).headers["retry-after"] == "2"
    dated = api.get(PLANS).headers
    wait = parsedate_to_datetime(dated["retry-after"]) - parsedate_to_datetime(dated["date"])
    assert 3 <= wait.total_seconds() <= 5


# ---- revoked


def test_a_revoked_key_is_refused_whatever_it_calls_until_a_reset(sandbox, api):
    rule = sandbox.inject("instances.list", revoked="forever", times=1)
    assert api.get(PLANS).status == 200
    for path in (LIST, PLANS, LIST, "/v1/nowhere"):
        reply = api.get(path)
        assert (reply.status, reply.error["code"], reply.details) == (401, "UNAUTHORIZED", {"reason": "revoked_key"})
        assert reply.headers["www-authenticate"] == "Bearer"
        assert "x-ratelimit-limit" not in reply.headers
        assert last_faults(sandbox) == ["revoked=forever"]
    assert rule.fired == 1  # the others are refused without asking it
    sandbox.reset()
    assert api.get(LIST).status == 200


def test_a_key_may_be_revoked_for_some_calls_or_for_a_while(sandbox, api):
    sandbox.inject("instances.list", revoked={"calls": 3}, times=1, id="it")
    assert [api.get(path).status for path in (LIST, PLANS, REGIONS, PLANS, LIST)] == [401, 401, 401, 200, 200]
    sandbox.inject("instances.list", revoked="30s", times=1, id="it")
    assert [api.get(path).status for path in (LIST, PLANS)] == [401, 401]
    sandbox.clock.advance("31s")
    assert api.get(PLANS).status == 200


def test_a_revocation_ends_with_its_rule(sandbox, api):
    rule = sandbox.inject("instances.list", revoked="forever")
    assert [api.get(path).status for path in (LIST, PLANS)] == [401, 401]
    rule.remove()
    assert [api.get(path).status for path in (LIST, PLANS)] == [200, 200]


def test_a_scenario_that_is_replaced_takes_its_revocation_with_it(server, client):
    sandbox = server.sandbox({"rules": [{"match": {"operation": "plans.list"}, "fault": {"revoked": "forever"}}]})
    api = client(sandbox.url, sandbox.api_key)
    assert [api.get(path).status for path in (PLANS, LIST)] == [401, 401]
    sandbox.use("calm")
    assert [api.get(path).status for path in (PLANS, LIST)] == [200, 200]


def test_the_request_itself_can_ask_for_a_revocation(sandbox, api):
    assert api.get(PLANS, headers={"X-CNX-Mock-Fault": '{"fault": {"revoked": {"calls": 2}}}'}).status == 401
    assert [api.get(PLANS).status for _ in range(2)] == [401, 200]


def test_another_key_of_the_account_stays_valid(server, client):
    keys = [f"cnx_test_{digit * 32}" for digit in "ab"]
    account = {"keys": [{"name": "one", "key": keys[0]}, {"name": "two", "key": keys[1]}]}
    with MockServer(fixture={"accounts": [account]}) as own:
        one_, two = (client(own.url, key) for key in keys)
        assert one_.get(PLANS).status == 200
        one_.post("/_mock/rules", {"match": {"operation": "plans.list"}, "fault": {"revoked": "forever"}, "times": 1})
        assert [each.get(PLANS).status for each in (one_, two, one_)] == [401, 200, 401]


# ---- delivery


def test_a_create_that_is_delivered_twice_makes_two_and_the_journal_says_so(sandbox, api):
    sandbox.inject("instances.create", delivery="twice", times=1)
    told = api.create()["id"]
    [entry] = sandbox.requests
    first, second = entry.performances
    assert {each["id"] for each in api.get(LIST).json["data"]} == {first.created_id, second.created_id}
    assert (entry.created_id, entry.status, entry.committed) == (told, 201, True)
    assert (second.created_id, first.created_id != told) == (told, True)
    assert [(each.status, each.committed) for each in entry.performances] == [(201, True), (201, True)]
    sandbox.requests.assert_called("instances.create", times=1)


def test_a_delete_that_is_delivered_twice_is_answered_with_a_404(sandbox, api):
    made = api.create()
    sandbox.inject("instances.delete", delivery="twice", times=1)
    assert api.delete(f"{LIST}/{made['id']}").status == 404
    entry = sandbox.requests[-1]
    assert [(each.status, each.committed) for each in entry.performances] == [(200, True), (404, False)]
    assert (entry.committed, last_faults(sandbox)) == (True, ["delivery=twice"])
    assert api.get(LIST).json["data"] == []


def test_the_second_time_may_be_refused_where_names_are_unique(server, client):
    sandbox = server.sandbox({"world": {"readings": {"instance-names": "unique"}}})
    api = client(sandbox.url, sandbox.api_key)
    sandbox.inject("instances.create", delivery="twice", times=1)
    assert api.post(LIST, INSTANCE).status == 400
    [there] = api.get(LIST).json["data"]
    entry = sandbox.requests[0]
    assert (entry.committed, entry.created_id) == (True, there["id"])


def test_other_faults_strike_the_call_and_not_each_time(sandbox, api):
    sandbox.inject("instances.create", delivery="twice", latency="2ms", connection="reset", at="after", times=1)
    with pytest.raises(ConnectionResetError):
        api.post(LIST, INSTANCE)
    assert sorted(last_faults(sandbox)) == ["connection=reset", "delivery=twice", "latency=2ms"]
    assert sandbox.requests[-1].delayed_ms == 2
    assert len(api.get(LIST).json["data"]) == 2


def test_an_answer_is_lost_also_if_the_second_time_was_refused(sandbox, api):
    made = api.create()
    sandbox.inject("instances.delete", delivery="twice", connection="reset", at="after", times=1)
    with pytest.raises(ConnectionResetError):
        api.delete(f"{LIST}/{made['id']}")


def test_what_is_not_performed_is_not_delivered_twice(sandbox, api):
    sandbox.inject("instances.create", delivery="twice", error="INTERNAL_ERROR", times=1)
    assert api.post(LIST, INSTANCE).status == 500
    assert (last_faults(sandbox), sandbox.requests[-1].performances) == (["error=INTERNAL_ERROR"], [])
    assert reason(sandbox) == "times 1 of 1, the call was not performed"


def test_reads_are_not_delivered_twice_and_the_rate_limit_counts_once(sandbox, api):
    sandbox.inject(delivery="twice")
    before = int(api.get(PLANS).headers["x-ratelimit-remaining"])
    assert reason(sandbox) == "match 1, a read that is delivered twice changes nothing"
    assert int(api.post(LIST, INSTANCE).headers["x-ratelimit-remaining"]) == before - 1


def test_a_call_that_is_refused_both_times_does_not_count(sandbox, api):
    rule = sandbox.inject("instances.create", delivery="twice", optional=True)
    assert api.post(LIST, {}).status == 400
    assert (reason(sandbox), rule.fired) == ("match 1, nothing was committed", 0)


def test_the_audit_sees_one_call(sandbox, api):
    sandbox.inject(delivery="twice")
    made = api.create()
    assert api.delete(f"{LIST}/{made['id']}").status == 404
    assert findings(calls_of(sandbox.call("GET", "/requests")["data"]), {}) == []


# ---- dies_idle


def test_the_next_request_on_the_connection_is_reset_and_a_new_connection_works(sandbox, api, url):
    sandbox.inject("plans.list", connection="dies_idle", times=1)
    with connected(api) as wire:
        wire.sendall(message(api, "GET", PLANS))
        assert one(wire).startswith(b"HTTP/1.1 200 ")
        wire.sendall(message(api, "POST", LIST, INSTANCE))
        assert everything(wire) == (b"", "RST")
    marked, lost = sandbox.requests
    assert (marked.status, [each.fault for each in marked.faults]) == (200, ["connection=dies_idle"])
    assert (lost.operation, lost.status, lost.committed) == ("instances.create", None, False)
    assert (last_faults(sandbox), lost.decisions) == (["connection=dies_idle"], [])
    assert api.get(LIST).json["data"] == []


def test_it_does_not_matter_whether_the_next_request_came_already(sandbox, api):
    sandbox.inject("plans.list", connection="dies_idle", times=1)
    with connected(api) as wire:
        wire.sendall(message(api, "GET", PLANS) + message(api, "POST", LIST, INSTANCE))
        received, end = everything(wire)
    assert (received.count(b"HTTP/1.1 "), end) == (1, "RST")
    assert [entry.status for entry in sandbox.requests] == [200, None]


def test_the_control_plane_is_not_struck_by_a_dead_connection(sandbox, api):
    sandbox.inject("plans.list", connection="dies_idle", times=1)
    with connected(api) as wire:
        for path, status in ((PLANS, b"200"), ("/_mock/health", b"200"), ("/_mock/health", b"200")):
            wire.sendall(message(api, "GET", path))
            assert one(wire).startswith(b"HTTP/1.1 " + status)
        wire.sendall(message(api, "GET", PLANS))
        assert everything(wire) == (b"", "RST")


def test_a_connection_that_ends_anyway_does_not_die_idle(sandbox, api):
    sandbox.inject("plans.list", connection="dies_idle", times=1)
    with connected(api) as wire:
        wire.sendall(message(api, "GET", PLANS, close=True))
        assert everything(wire)[1] == "FIN"
    assert reason(sandbox) == "times 1 of 1, the connection ends with this call"
    assert last_faults(sandbox) == []


def test_a_pool_that_loses_a_connection_loses_one_call(sandbox, url):
    sandbox.inject("plans.list", connection="dies_idle", times=1)
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    with httpx2.Client(base_url=url, headers=headers, verify=False) as pool:
        assert pool.get(PLANS).status_code == 200
        with pytest.raises(httpx2.TransportError):
            pool.post(LIST, json=INSTANCE)
        assert pool.get(LIST).json()["data"] == []


# ---- refused connections


def connects(url: str) -> bool:
    """Whether a connection is accepted; else it is refused, and not merely unanswered."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname, place.port), timeout=10).close()
    except ConnectionRefusedError:
        return False
    return True


def ports(server: MockServer, sandbox: Sandbox) -> list[str]:
    """Every port of the server, and the second address of the first."""
    found = [sandbox.url, server.tls_url, server.proxy_url]
    with suppress(OSError), socket.create_connection(("::1", urlsplit(sandbox.url).port), timeout=10):
        found.append(sandbox.url.replace("127.0.0.1", "[::1]"))
    return found


def test_connections_are_refused_on_every_port_until_a_reset(alone, own, client):
    api = client(own.url, own.api_key)
    everywhere = ports(alone, own)
    own.inject("plans.list", refuse_connections="1m", times=1)
    reply = api.get(PLANS)
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert [connects(each) for each in everywhere] == [False] * len(everywhere)
    assert last_faults(own) == ["refuse_connections=1m"]  # connections that were open stay open: this handle has one
    own.reset()
    assert [connects(each) for each in everywhere] == [True] * len(everywhere)
    assert api.get(PLANS).status == 200
    assert everywhere[:3] == [own.url, alone.tls_url, alone.proxy_url]


def test_the_refusal_ends_by_itself(alone, own, client):
    own.inject("plans.list", refuse_connections="20ms", times=1)
    api = client(own.url, own.api_key)
    assert api.get(PLANS).status == 200
    until(lambda: connects(own.url))
    assert api.get(PLANS).status == 200


def test_an_open_connection_goes_on_and_the_answers_own_one_does_not(alone, own, client):
    api = client(own.url, own.api_key)
    with connected(api) as other:
        other.sendall(message(api, "GET", REGIONS))
        assert one(other).startswith(b"HTTP/1.1 200 ")
        own.inject("plans.list", refuse_connections="1m", times=1)
        with connected(api) as wire:
            wire.sendall(message(api, "GET", PLANS))
            assert everything(wire)[1] == "FIN"
        other.sendall(message(api, "GET", REGIONS))
        assert one(other).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("end", ["remove the rule", "another scenario", "delete the sandbox"])
def test_the_refusal_ends_with_what_has_begun_it(alone, client, end):
    sandbox = alone.sandbox()
    rule = sandbox.inject("plans.list", refuse_connections="1m")
    client(sandbox.url, sandbox.api_key).get(PLANS)
    assert not connects(sandbox.url)
    match end:
        case "remove the rule":
            rule.remove()
        case "another scenario":
            sandbox.call("DELETE", "/rules")
        case _:
            alone.call("DELETE", f"/sandboxes/{sandbox.id}")
    assert connects(sandbox.url)


def test_two_refusals_end_when_both_have_ended(alone, client):
    sandboxes = [alone.sandbox() for _ in range(2)]
    apis = [client(each.url, each.api_key) for each in sandboxes]
    with connected(apis[0]) as one_, connected(apis[1]) as two:
        for sandbox, api, wire in zip(sandboxes, apis, (one_, two), strict=True):
            sandbox.inject("plans.list", refuse_connections="1m")
            wire.sendall(message(api, "GET", PLANS))
            assert everything(wire)[1] == "FIN"
    sandboxes[0].reset()
    assert not connects(sandboxes[0].url)
    sandboxes[1].reset()
    assert connects(sandboxes[0].url)


def test_a_refusal_may_come_with_a_reset(alone, own, client):
    api = client(own.url, own.api_key)
    own.inject("instances.create", connection="reset", refuse_connections="1m", at="after", times=1)
    with calling(api, "POST", LIST, INSTANCE) as wire:
        assert everything(wire) == (b"", "RST")
    assert not connects(own.url)
    assert sorted(last_faults(own)) == ["connection=reset", "refuse_connections=1m"]


def test_a_server_that_stops_meanwhile_leaves_nothing_behind(client):
    with MockServer() as server:
        sandbox = server.sandbox()
        port = urlsplit(sandbox.url).port
        sandbox.inject(refuse_connections="1m", times=1)
        assert client(sandbox.url, sandbox.api_key).get(PLANS).status == 200
    with MockServer(port=port) as again:  # nobody holds the port
        assert connects(again.sandbox().url)


@pytest.mark.skipif(not outage._KEEPS_PORT, reason="the port is free meanwhile")
def test_nobody_else_is_given_the_port_meanwhile(alone, own, client):
    own.inject(refuse_connections="1m", times=1)
    client(own.url, own.api_key).get(PLANS)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", urlsplit(own.url).port))


class _Stage:
    """A server on this thread's own event loop."""

    def __init__(self) -> None:
        self.sockets = open_sockets(Settings(port=0))
        self.serving = Serving(create_app(Settings()), self.sockets)

    @property
    def end_of(self) -> Any:
        return self.serving._limits.outage.refuse

    def accepts(self) -> bool:
        return connects(self.sockets.url)

    async def stop(self) -> None:
        """Stop, once every connection has been accepted and has ended."""
        for _ in range(50):
            await asyncio.sleep(0)
        await self.serving.stop()


def on_a_loop(play: Any) -> None:
    loop = asyncio_loop()
    try:
        loop.run_until_complete(play())
    finally:
        loop.close()


def test_a_port_that_is_free_meanwhile_is_opened_when_it_is_free_again(monkeypatch, caplog):
    """As on macOS and Windows, and with asyncio's own loop."""
    monkeypatch.setattr(outage, "_KEEPS_PORT", False)

    async def play() -> None:
        stage = _Stage()
        await stage.serving.start()
        end = stage.end_of(60_000_000)
        url = stage.sockets.url  # still known
        assert not stage.accepts()
        thief = socket.create_server(("127.0.0.1", urlsplit(url).port))
        end()
        await asyncio.sleep(0)
        thief.close()
        while not stage.accepts():
            await asyncio.sleep(0.01)
        assert stage.sockets.url == url
        await stage.stop()
        assert not connects(url)

    with caplog.at_level(logging.WARNING):
        on_a_loop(play)
    assert "another program uses a port" in caplog.text


def test_a_refusal_that_begins_while_the_ports_are_opened_is_not_lost():
    async def play() -> None:
        stage = _Stage()
        await stage.serving.start()
        stage.end_of(60_000_000)()
        end = stage.end_of(60_000_000)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not stage.accepts()
        end()
        assert stage.accepts()
        await stage.stop()
        end()  # at any time

    on_a_loop(play)


# ---- failing handshakes


@contextmanager
def secured(url: str) -> Iterator[ssl.SSLSocket]:
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as sock:
        context = ssl.create_default_context()
        with context.wrap_socket(sock, server_hostname=place.hostname) as wire:
            yield wire


def shakes_hands(url: str) -> bool:
    try:
        with secured(url):
            return True
    except ssl.SSLError as error:
        assert "HANDSHAKE_FAILURE" in str(error)
        return False


@pytest.fixture
def secure_api(alone: MockServer, own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("SSL_CERT_FILE", str(alone.ca_path))
    return Client(alone.tls_url, own.api_key)


def test_so_many_handshakes_fail(alone, own, secure_api):
    own.inject("plans.list", fail_handshakes={"connections": 2}, times=1)
    reply = secure_api.get(PLANS)
    assert (reply.status, reply.headers["connection"]) == (200, "close")
    assert [shakes_hands(alone.tls_url) for _ in range(3)] == [False, False, True]
    assert last_faults(own) == ["fail_handshakes={connections: 2}"]
    assert own.requests[-1].secure


def test_handshakes_fail_until_a_reset_and_plain_http_goes_on(alone, own, client, secure_api):
    own.inject("plans.list", fail_handshakes="1m", times=1)
    assert secure_api.get(PLANS).status == 200
    assert not shakes_hands(alone.tls_url)
    assert client(own.url, own.api_key).get(PLANS).status == 200
    own.reset()
    assert shakes_hands(alone.tls_url)


def test_handshakes_fail_for_a_while(alone, own, secure_api):
    own.inject("plans.list", fail_handshakes="20ms", times=1)
    assert secure_api.get(PLANS).status == 200
    until(lambda: shakes_hands(alone.tls_url))


def test_through_the_proxy_handshakes_fail_too(alone, own, secure_api):
    own.inject("plans.list", fail_handshakes={"connections": 1}, times=1)
    assert secure_api.get(PLANS).status == 200
    proxied = http.client.HTTPSConnection(
        "127.0.0.1", urlsplit(alone.proxy_url).port, timeout=10, context=ssl.create_default_context()
    )
    proxied.set_tunnel("api.cloudnexus.com", 443)
    with pytest.raises(ssl.SSLError):
        proxied.connect()
    proxied.close()


def test_a_call_over_plain_http_has_no_handshake(own, client):
    own.inject("plans.list", fail_handshakes="1m")
    reply = client(own.url, own.api_key).get(PLANS)
    assert (reply.status, "connection" in reply.headers) == (200, False)
    assert reason(own) == "match 1, the call did not come over HTTPS"


# ---- what is refused


@cases(
    ("fault", "problem"),
    [
        ({"gateway": 500}, "fault.gateway.*must be one of: 502, 503, 504"),
        ({"gateway": 503, "status": 503}, "a second outcome"),
        ({"revoked": "sometimes"}, "must be forever, a duration such as 30s, or {calls: 5}"),
        ({"revoked": "0s"}, "must be longer than 0s"),
        ({"revoked": {"calls": 0}}, "must be at least 1"),
        ({"revoked": {"times": 2}}, "calls"),
        ({"delivery": "thrice"}, "must be one of: twice"),
        ({"connection": "dies_idel"}, "did you mean 'dies_idle'"),
        ({"refuse_connections": "2m"}, "at most 1m"),
        ({"refuse_connections": "0s"}, "longer than 0s"),
        ({"refuse_connections": {"connections": 3}}, "duration"),
        ({"fail_handshakes": {"connections": 0}}, "must be at least 1"),
        ({"fail_handshakes": "1h"}, "at most 1m"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox, fault, problem):
    with pytest.raises((ControlError, ScenarioError), match=problem):
        sandbox.inject(**fault)


def test_it_is_said_if_a_fault_can_never_be_applied(sandbox):
    state = sandbox.call("POST", "/rules", {"match": {"operation": "plans.list"}, "fault": {"delivery": "twice"}})
    assert state["warnings"] == ["fault can never be applied to plans.list"] or "never be applied" in str(state)


@pytest.mark.parametrize("fault", [{"connection": "dies_idle"}, {"refuse_connections": "1s"}])
def test_another_server_cannot_do_it_and_says_so(fault):
    rule = json.dumps({"fault": fault})
    headers = {"Authorization": f"Bearer cnx_test_{'a' * 32}", "X-CNX-Mock-Fault": rule}

    async def call() -> httpx2.Response:
        transport = httpx2.ASGITransport(create_app(Settings()))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as pool:
            return await pool.get(PLANS, headers=headers)

    assert asyncio.run(call()).status_code == 500


def test_in_its_own_process_the_control_plane_answers_also_while_connections_are_refused(client):
    with MockServer() as server:
        sandbox = server.sandbox()
        sandbox.inject(refuse_connections="1m", times=1)
        assert client(sandbox.url, sandbox.api_key).get(PLANS).status == 200
        assert not connects(sandbox.url)
        for _ in range(2):
            other = control_of(server)
            assert other.call("GET", "/_mock/health")["status"] == "ok"
            other.close()
        assert (not connects(sandbox.url), other.url) == (True, sandbox.url)
    with pytest.raises(NotRunningError):
        control_of(server)


def test_from_another_process_it_does_not_and_that_is_said(own, client):
    own.inject(refuse_connections="1m", times=1)
    client(own.url, own.api_key).get(PLANS)
    with pytest.raises(ServerNotFoundError, match="no cnx-mock answers at .*refused"):
        Control(own.url).call("GET", "/_mock/health")
