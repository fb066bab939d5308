"""What is broken in the mock itself ends in the API's own 500, with a request id and a complete journal entry."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cnx_mock import MockServer, Sandbox
from cnx_mock.asgi import create_app
from cnx_mock.http.app import App
from cnx_mock.http.pages import Pages
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.exchange import Exchange, LastAct, Wire
from cnx_mock.scenario.fault import Fault, Outcome, Turn
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.scenario.rule import read_rule
from cnx_mock.services import operations
from cnx_mock.world.keys import digits_of
from tests.conftest import INSTANCE, Client, Reply

CALLS = [("GET", None), ("POST", INSTANCE)]


class Mistake(Exception):
    """What a broken fault raises."""


class BrokenBefore(Fault):
    """Raises instead of letting the operation happen."""

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        raise Mistake

    def label(self) -> str:
        return "broken"


class BrokenAfter(BrokenBefore):
    """Raises once the operation has happened."""

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        await turn.proceed()
        turn.fired()
        raise Mistake


class BrokenOutcome(Outcome):
    """An outcome that raises when it should replace the answer."""

    def replace(self, exchange: Exchange) -> None:
        raise Mistake

    def label(self) -> str:
        return "broken"


class BrokenHeaders(BrokenBefore):
    """Leaves a change of headers that raises."""

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        exchange.effects.change_headers = self.changed
        await turn.proceed()

    def changed(self, headers: RawHeaders) -> RawHeaders:
        raise Mistake


class BrokenPace(BrokenBefore):
    """Leaves a pace that raises at its second piece."""

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        exchange.effects.pace = self.pieces
        await turn.proceed()

    def pieces(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        yield 0, body[:1]
        raise Mistake


class BrokenDelivery(BrokenBefore):
    """Leaves a delivery that raises."""

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        exchange.effects.connection_fault = self.deliver

    async def deliver(self, exchange: Exchange, wire: Wire) -> LastAct:
        raise Mistake


class BrokenLastAct(BrokenDelivery):
    """Leaves a delivery whose last act raises."""

    async def deliver(self, exchange: Exchange, wire: Wire) -> LastAct:
        return self.act

    def act(self) -> None:
        raise Mistake


BROKEN = [BrokenBefore, BrokenAfter, BrokenOutcome, BrokenHeaders, BrokenPace, BrokenDelivery, BrokenLastAct]
COMMITS = {BrokenAfter, BrokenHeaders, BrokenPace}


def app_of(server: MockServer) -> App:
    assert server._app is not None
    return server._app


def tenant_of(server: MockServer, sandbox: Sandbox) -> Tenant:
    return app_of(server).tenants.find(digits_of(sandbox.api_key))


def inject(tenant: Tenant, *faults: Fault) -> None:
    """Put a rule in force whose faults no file can name."""
    rule = read_rule({"fault": {"error": "INTERNAL_ERROR"}}, operations(), "broken")
    tenant.engine.inject(replace(rule, steps=(faults,)))


def assert_own_500(reply: Reply) -> None:
    assert reply.status == 500
    assert reply.headers["content-type"] == "application/json"
    assert reply.error == {
        "code": "INTERNAL_ERROR",
        "message": "An internal error occurred.",
        "details": {},
        "request_id": reply.headers["x-request-id"],
    }


@pytest.mark.parametrize(("method", "body"), CALLS)
@pytest.mark.parametrize("kind", BROKEN)
def test_a_fault_that_raises_by_mistake_is_the_apis_own_500(
    server: MockServer, sandbox: Sandbox, api: Client, caplog: Any, kind: type[Fault], method: str, body: Any
) -> None:
    inject(tenant_of(server, sandbox), kind())

    reply = api.call(method, "/v1/instances", body)

    assert_own_500(reply)
    assert reply.headers["x-ratelimit-limit"] == "300"
    [entry] = sandbox.requests
    assert (entry.status, entry.request_id) == (500, reply.headers["x-request-id"])
    assert entry.duration_ms is not None
    assert json.loads(entry.response_body or "") == reply.json
    assert entry.committed == (method == "POST" and kind in COMMITS)
    assert "Mistake" in caplog.text
    assert "please report this" in caplog.text


def test_the_next_request_on_the_connection_of_a_failure_is_answered(
    server: MockServer, sandbox: Sandbox, api: Client
) -> None:
    inject(tenant_of(server, sandbox), BrokenBefore())
    assert api.get("/v1/plans").status == 500

    sandbox.reset()

    assert api.get("/v1/plans").status == 200


def test_what_a_failure_hides_is_not_counted_as_a_poll(server: MockServer, client: Callable[..., Client]) -> None:
    sandbox = server.sandbox({"provisioning": {"instance": {"polls": 1}}})
    api = client(server.url, sandbox.api_key)
    made = api.post("/v1/instances", INSTANCE).json["id"]
    tenant = tenant_of(server, sandbox)
    inject(tenant, BrokenAfter())
    assert api.get(f"/v1/instances/{made}").status == 500
    tenant.engine.clear()

    assert [api.get(f"/v1/instances/{made}").json["status"] for _ in range(2)] == ["provisioning", "running"]


@pytest.mark.parametrize(("method", "body"), CALLS)
def test_a_handler_that_raises_is_the_apis_own_500(
    sandbox: Sandbox, api: Client, monkeypatch: Any, method: str, body: Any
) -> None:
    def broken(**arguments: Any) -> Any:
        raise Mistake

    for operation in operations():
        monkeypatch.setattr(operation, "handler", broken)
        monkeypatch.setattr(operation, "fast_create", None)  # such a create does not reach its handler

    assert_own_500(api.call(method, "/v1/instances", body))
    assert [(entry.status, entry.committed) for entry in sandbox.requests] == [(500, False)]


@pytest.mark.parametrize(("method", "body"), CALLS)
def test_a_sandbox_that_cannot_be_made_is_a_500_in_the_servers_journal(
    own_server: MockServer, client: Callable[..., Client], monkeypatch: Any, method: str, body: Any
) -> None:
    def broken(key: str) -> Tenant:
        raise Mistake

    monkeypatch.setattr(app_of(own_server).tenants, "find", broken)

    reply = client(own_server.url, "cnx_test_" + "a" * 32).call(method, "/v1/instances", body)

    assert_own_500(reply)
    [record] = app_of(own_server).tenants.journal
    assert (record.exchange.request_id, record.status) == (reply.headers["x-request-id"], 500)
    assert record.duration is not None


@pytest.mark.parametrize(("method", "body"), CALLS)
@pytest.mark.parametrize("path", ["/v1/instances", "/v1/nowhere"])
def test_an_observer_that_raises_does_not_change_the_answer(
    own_server: MockServer, client: Callable[..., Client], caplog: Any, method: str, body: Any, path: str
) -> None:
    def broken(record: Any, tenant: Any) -> None:
        raise Mistake

    seen = []
    app_of(own_server).observers.add(broken)
    app_of(own_server).observers.add(lambda record, tenant: seen.append(record.status))
    api = client(own_server.url, own_server.sandbox().api_key)

    reply = api.call(method, path, body)

    assert reply.status == (404 if path == "/v1/nowhere" else 201 if method == "POST" else 200)
    assert seen == [reply.status]
    assert "an observer of requests failed" in caplog.text


def test_an_observer_that_raises_does_not_change_a_refusal_without_a_sandbox(
    own_server: MockServer, client: Callable[..., Client]
) -> None:
    def broken(record: Any, tenant: Any) -> None:
        raise Mistake

    app_of(own_server).observers.add(broken)

    assert client(own_server.url).get("/v1/instances").status == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/_mock/clock", None), ("POST", "/_mock/clock/advance", {"by": "1s"}), ("POST", "/_mock/reset", None)],
)
def test_a_control_plane_that_breaks_is_the_apis_own_500(
    server: MockServer, sandbox: Sandbox, api: Client, monkeypatch: Any, caplog: Any, method: str, path: str, body: Any
) -> None:
    monkeypatch.setattr(tenant_of(server, sandbox), "sandbox_so_far", None)  # nothing can be done with it

    assert_own_500(api.call(method, path, body))
    assert "please report this" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/openapi.json", "/docs"])
def test_a_page_that_breaks_is_the_apis_own_500(
    own_server: MockServer, client: Callable[..., Client], monkeypatch: Any, caplog: Any, path: str
) -> None:
    def broken(*arguments: Any, **more: Any) -> Any:
        raise Mistake

    monkeypatch.setattr(Pages, "page", broken)
    monkeypatch.setattr("cnx_mock.http.static_files.sha256", broken)

    reply = client(own_server.url).get(path)

    assert_own_500(reply)
    assert reply.headers["server"].startswith("cnx-mock/")
    assert "Mistake" in caplog.text


def test_a_connection_fault_under_another_server_is_the_apis_own_500() -> None:
    app = create_app()
    tenant = app.tenants.make()
    tenant.engine.inject(read_rule({"fault": {"connection": "reset"}}, operations(), "reset"))
    sent: list[Any] = []

    async def call() -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer cnx_test_{tenant.key}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/v1/plans", "query_string": b"", "headers": headers}
        await app(scope, receive, send)

    asyncio.run(call())

    start, body = sent
    assert start["status"] == 500
    assert json.loads(body["body"])["error"]["code"] == "INTERNAL_ERROR"
    [record] = tenant.journal
    assert (record.status, record.duration is None) == (500, False)
