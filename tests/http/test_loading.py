"""Large worlds load in slices: the calls that need one wait for it, and all others are served meanwhile."""

import asyncio
import json
import re
from collections.abc import Awaitable
from typing import Any
from weakref import ref

import pytest

from cnx_mock import MockServer
from cnx_mock.asgi import create_app
from cnx_mock.audit import control
from cnx_mock.http import loading, long_call
from cnx_mock.http.app import App
from cnx_mock.http.control import listings
from cnx_mock.http.export import FEW_SHOWN
from cnx_mock.http.loading import WorldLoad
from cnx_mock.services.worlds import exported, fixture, read_fixture
from tests.conftest import INSTANCE

pytestmark = pytest.mark.slow  # its worlds are large

SIZE = 1_000  # of a large world
FLEET: dict[str, Any] = {
    "accounts": [{"name": "Fleet Corp", "balance": "$9.00"}],
    "generate": {"instances": SIZE, "spread": {"status": {"running": 9, "stopped": 1}, "tags": {"web": 1, "db": 1}}},
}
KEY, OTHER = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """So short that a small world takes several of them on any machine, and is not made at once."""
    monkeypatch.setattr(loading, "SLICE", 300)
    for least in ("LAZY_BELOW", "_MANY"):
        monkeypatch.setattr(fixture, least, SIZE)


@pytest.fixture
def app() -> App:
    """A server with a large world for every key that it does not know yet. Its clock stands: no hour begins meanwhile,
    which would cost money."""
    return create_app(fixture=read_fixture({**FLEET, "clock": {"frozen": True}}))


async def call(app: App, method: str, target: str, key: str = KEY, body: Any = None) -> tuple[int, Any]:
    """Return the status and the JSON of an answer."""
    sent: list[Any] = []

    sent_body = b"" if body is None else json.dumps(body).encode()

    async def receive() -> Any:
        return {"type": "http.request", "body": sent_body}

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = target.partition("?")
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    if sent_body:
        headers.append((b"content-length", b"%d" % len(sent_body)))
    if key:
        headers.append((b"authorization", f"Bearer cnx_test_{key}".encode()))
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers}
    await app({**scope, "raw_path": path.encode(), "client": ("127.0.0.1", 1)}, receive, send)
    return sent[0]["status"], json.loads(b"".join(each.get("body", b"") for each in sent[1:]))


async def small(app: App) -> str:
    """Return the key of a sandbox with a small world."""
    status, made = await call(app, "POST", "/_mock/sandboxes", "", {"fixture": {"accounts": [{"name": "Small"}]}})
    assert status == 201
    return str(made["api_key"]).removeprefix("cnx_test_")


def in_order(*calls: Awaitable[Any]) -> Any:
    """Run calls that begin one after the other, and return their numbers in the order in which they ended."""

    async def run() -> list[int]:
        ended: list[int] = []

        async def one(number: int, awaited: Awaitable[Any]) -> None:
            await awaited
            ended.append(number)

        await asyncio.gather(*(one(number, awaited) for number, awaited in enumerate(calls)))
        return ended

    return run()


def test_calls_of_other_sandboxes_are_served_while_a_world_is_written(app: App) -> None:
    async def story() -> None:
        other = await small(app)
        await call(app, "GET", "/v1/instances")
        states: list[Any] = []

        async def state() -> None:
            states.append(await call(app, "GET", "/_mock/state"))

        order = await in_order(
            state(),
            call(app, "POST", "/v1/instances", body=INSTANCE),
            call(app, "GET", "/v1/instances", other),
            call(app, "GET", "/_mock/sandboxes", ""),
            state(),
        )
        assert order[:2] == [2, 3]
        assert sorted(order[2:]) == [0, 1, 4]
        (status, first), (again, second) = states
        assert (status, again) == (200, 200)
        assert len(first["accounts"][0]["instances"]) == SIZE, "the world as it was before the create"
        assert len(second["accounts"][0]["instances"]) == SIZE + 1

    asyncio.run(story())


WRITTEN: dict[str, Any] = {
    "clock": {"frozen": True, "start": "2026-01-01T00:00:00Z"},
    "accounts": [
        {
            "balance": "$9.00",
            "instances": [
                {"name": f"web-{number}", "region": ("us-east-1", "eu-west-1")[number % 2], "tags": ["a-tag" * 10]}
                for number in range(SIZE)
            ],
            "snapshots": [{"instance": f"web-{number}"} for number in range(0, SIZE, 100)],
            "firewalls": [{"name": "wall", "instance_ids": ["web-1", "web-2"]}],
        }
    ],
}
"""A world that is written out, and long."""


@pytest.mark.parametrize("wanted", ["put", "post", "scenario"])
def test_others_are_served_while_a_long_fixture_is_read_and_built(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_call, "LONG", 10_000)
    asked = {
        "put": ("PUT", "/_mock/state", KEY, WRITTEN),
        "post": ("POST", "/_mock/sandboxes", "", {"key": f"cnx_test_{KEY}", "fixture": WRITTEN}),
        "scenario": ("PUT", "/_mock/scenario", KEY, {"world": {"fixture": WRITTEN}}),
    }[wanted]

    async def story() -> None:
        app = create_app()
        other = await small(app)

        async def loaded() -> None:
            status, answer = await call(app, *asked)
            assert status in (200, 201), answer
            status, answer = await call(app, "GET", "/v1/instances")
            assert (status, answer["pagination"]["total"]) == (200, SIZE)

        order = await in_order(
            loaded(), call(app, "GET", "/v1/account", other), call(app, "POST", "/v1/instances", other, INSTANCE)
        )
        assert order[-1] == 0
        at_once, scratch = read_fixture(WRITTEN), create_app().tenants.make(own_fixture=read_fixture(WRITTEN)).sandbox
        [tenant] = [each for each in app.tenants if each.key == KEY]
        assert at_once.expected_steps(0), "it is built in slices"
        shown = [exported(each)["accounts"][0] for each in (tenant.sandbox, scratch)]
        varies = {"id", "created_at", "keys", "plan", "name"}  # the accounts' own
        one, two = ({name: each for name, each in account.items() if name not in varies} for account in shown)
        assert _without_ids(one) == _without_ids(two)

    asyncio.run(story())


def _without_ids(value: Any) -> Any:
    return re.sub(r"(inst|snap|fw)_[0-9a-f]{16}", "…", json.dumps(value))


def test_a_long_fixture_is_refused_as_a_short_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    instances = [*WRITTEN["accounts"][0]["instances"], {"name": "web 1"}, {"nam": "x", "plan": "large"}]
    wrong = {"accounts": [{"instances": instances, "snapshots": [{"instance": "gone"}]}]}

    async def story() -> None:
        app = create_app()
        short = await call(app, "PUT", "/_mock/state", body=wrong)
        monkeypatch.setattr(long_call, "LONG", 10_000)
        long = await call(app, "PUT", "/_mock/state", body=wrong)
        assert short[0] == long[0] == 400
        assert long[1]["error"]["details"] == short[1]["error"]["details"]
        status, answer = await call(app, "PUT", "/_mock/state", body=["not an object"] * 2000)
        assert (status, answer["error"]["details"]) == (400, {"reason": "the body must be a JSON object, not an array"})

    asyncio.run(story())


def test_a_large_world_that_is_given_back_is_freed_between_other_calls(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def alive(records: list[Any]) -> int:
        for _ in range(SIZE):
            await asyncio.sleep(0)
        return sum(each() is not None for each in records)

    async def story() -> None:
        await call(app, "GET", "/v1/instances")
        [tenant] = app.tenants
        records = [ref(each) for each in tenant.sandbox.instances]
        with monkeypatch.context() as patched:
            patched.setattr(loading, "SLICE", 0)
            tenant.reset()
            assert any(each() is not None for each in records), "not all at once"
        assert await alive(records) == 0
        await call(app, "GET", "/v1/instances")
        records = [ref(each) for each in tenant.sandbox.instances]
        await call(app, "PUT", "/_mock/state", body={"accounts": [{"name": "Small"}]})
        assert tenant.journal.seen, "a call that it did is still known"
        assert await alive(records) == 0
        await call(app, "POST", "/_mock/reset")
        await call(app, "GET", "/v1/instances")
        records = [ref(each) for each in tenant.sandbox.instances]
        await call(app, "DELETE", f"/_mock/sandboxes/{tenant.id}", "")
        assert await alive(records) == 0

    asyncio.run(story())


def test_a_world_that_was_written_in_slices_is_the_same_as_one_written_at_once(app: App) -> None:
    async def story() -> None:
        await call(app, "GET", "/v1/instances")
        written = await call(app, "GET", "/_mock/state")
        [tenant] = app.tenants
        assert written == (200, json.loads(json.dumps(exported(tenant.sandbox))))
        assert await call(app, "PUT", "/_mock/state", body=written[1]) == written

    asyncio.run(story())


def test_a_reset_while_a_world_is_written_gives_the_new_one(app: App) -> None:
    async def story() -> None:
        await call(app, "GET", "/v1/instances")
        await call(app, "POST", "/v1/instances", body=INSTANCE)
        [tenant] = app.tenants
        writing = asyncio.create_task(call(app, "GET", "/_mock/state"))
        while tenant.loading is None:
            await asyncio.sleep(0)
        tenant.reset()
        status, state = await writing
        assert (status, len(state["accounts"][0]["instances"])) == (200, SIZE)

    asyncio.run(story())


def test_long_lists_and_audits_are_made_in_slices_and_say_the_same(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ["/_mock/instances", "/_mock/requests", "/_mock/requests?since=150&status=200", "/_mock/journals"]
    paths += ["/_mock/audit?also=left-behind"]

    async def story() -> None:
        other = await small(app)
        for number in range(FEW_SHOWN + 1):
            await call(app, "GET", f"/v1/instances?page={number + 1}")
        sliced = [await call(app, "GET", path) for path in paths]
        others = [call(app, "GET", "/v1/account", other) for _ in paths]
        order = await in_order(*(call(app, "GET", path) for path in paths), *others)
        assert sorted(order[: len(paths)]) == list(range(len(paths), 2 * len(paths)))
        for module in (listings, control):
            monkeypatch.setattr(module, "FEW_SHOWN", SIZE + 1)
        assert sliced == [await call(app, "GET", path) for path in paths]
        assert len(sliced[0][1]["data"]) == SIZE
        status, refused = await call(app, "GET", "/_mock/audit?also=no-such-check")
        assert (status, list(refused["error"]["details"])) == (400, ["also"])

    asyncio.run(story())


def test_the_head_of_a_large_world_has_its_length(server: MockServer, client: Any) -> None:
    sandbox = server.sandbox(fixture=FLEET | {"clock": {"frozen": True}})
    api = client(sandbox.url, sandbox.api_key)
    whole, head = api.get("/_mock/state"), api.call("HEAD", "/_mock/state")
    assert head.body == b""
    assert int(head.headers["content-length"]) == int(whole.headers["content-length"]) == len(whole.body)


def test_calls_of_other_sandboxes_are_served_while_a_world_loads(app: App) -> None:
    async def story() -> None:
        other = await small(app)
        order = await in_order(
            call(app, "GET", "/v1/instances"),
            call(app, "GET", "/v1/account", other),
            call(app, "POST", "/v1/instances", other, INSTANCE),
            call(app, "GET", "/_mock/health", ""),
            call(app, "GET", "/_mock/sandboxes", ""),
        )
        assert order[-1] == 0

    asyncio.run(story())


def test_every_call_that_needs_the_world_waits_and_finds_all_of_it(app: App) -> None:
    async def story() -> None:
        answers = await asyncio.gather(
            call(app, "GET", "/v1/instances?limit=1"),
            call(app, "GET", "/v1/instances?limit=1&tags=web&status=running"),
            call(app, "GET", "/v1/billing/balance"),
            call(app, "GET", "/_mock/state"),
        )
        assert [status for status, _ in answers] == [200] * 4
        state = answers[3][1]["accounts"][0]
        assert answers[0][1]["pagination"]["total"] == len(state["instances"]) == SIZE
        web = [each for each in state["instances"] if each["tags"] == ["web"] and each["status"] == "running"]
        assert answers[1][1]["pagination"]["total"] == len(web)
        assert answers[2][1]["balance_cents"] == 9_00

    asyncio.run(story())


def test_a_world_that_loaded_in_slices_is_the_one_that_is_built_at_once() -> None:
    fixture = read_fixture({**FLEET, "clock": {"start": "2026-01-01T00:00:00Z", "frozen": True}})
    at_once, in_slices = create_app(fixture=fixture), create_app(fixture=fixture)
    for app in (at_once, in_slices):
        app.tenants.make("same")

    async def load() -> None:
        [tenant] = in_slices.tenants
        assert tenant.loading is not None
        await tenant.loading.wait()

    asyncio.run(load())

    [one], [two] = at_once.tenants, in_slices.tenants
    assert exported(one.sandbox) == exported(two.sandbox)


def test_a_reset_and_a_new_state_load_in_slices_too(app: App) -> None:
    async def story() -> None:
        other = await small(app)
        for method, path, body in (("POST", "/_mock/reset", None), ("PUT", "/_mock/state", FLEET)):
            await call(app, "POST", "/_mock/instances", KEY, {"name": "more"})
            status, answer = await call(app, method, path, KEY, body)
            assert status == 200, answer
            order = await in_order(call(app, "GET", "/v1/instances"), call(app, "GET", "/v1/plans", other))
            assert order == ([1, 0] if method == "POST" else [0, 1])
            assert (await call(app, "GET", "/v1/instances"))[1]["pagination"]["total"] == SIZE

    asyncio.run(story())


def test_putting_a_large_state_answers_with_all_of_it_while_others_are_served(app: App) -> None:
    async def story() -> None:
        other = await small(app)
        state = {**FLEET, "accounts": [{"name": "Put"}]}
        order = await in_order(call(app, "PUT", "/_mock/state", other, state), call(app, "GET", "/_mock/health", ""))
        assert order == [1, 0]
        _, now = await call(app, "GET", "/_mock/state", other)
        assert (now["accounts"][0]["name"], len(now["accounts"][0]["instances"])) == ("Put", SIZE)

    asyncio.run(story())


def test_who_waits_for_a_world_that_is_replaced_gets_the_new_one(app: App) -> None:
    async def story() -> None:
        waiting = asyncio.create_task(call(app, "GET", "/v1/account"))
        await asyncio.sleep(0)
        status, _ = await call(app, "POST", "/_mock/sandboxes", "", {"key": f"cnx_test_{KEY}", "fixture": "small-team"})
        assert status == 201
        assert (await waiting)[1]["name"] == "Brightwork Ltd"

    asyncio.run(story())


def test_a_scenario_with_a_large_world_applies_its_settings_when_it_is_there() -> None:
    app = create_app()

    async def story() -> None:
        clock = {"start": "2026-05-01T00:00:00Z", "frozen": True}
        world = {"fixture": FLEET, "clock": clock, "balance": "$3.00"}
        status, answer = await call(app, "PUT", "/_mock/scenario", KEY, {"name": "large", "world": world, "rules": []})
        assert status == 200, answer
        _, balance = await call(app, "GET", "/v1/billing/balance")
        assert (balance["balance_cents"], balance["as_of"]) == (3_00, "2026-05-01T00:00:00Z")
        assert (await call(app, "GET", "/v1/instances"))[1]["pagination"]["total"] == SIZE

    asyncio.run(story())


def test_observers_are_told_how_far_a_load_is(app: App) -> None:
    shares: list[float] = []

    def observe(load: WorldLoad) -> None:
        shares.append(load.share)

    app.tenants.load_observers.append(observe)
    asyncio.run(call(app, "GET", "/v1/plans"))

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 2


def test_code_that_does_not_wait_gets_a_whole_world(app: App) -> None:
    tenant = app.tenants.make()

    assert len(tenant.sandbox.instances) == SIZE
    assert tenant.loading is None


def test_over_the_wire_it_is_an_ordinary_answer(client: Any) -> None:
    with MockServer(fixture=FLEET) as server:
        api = client(server.url, f"cnx_test_{OTHER}")
        assert api.get(f"/v1/instances?page={SIZE // 20}").json["pagination"] == {
            "page": SIZE // 20,
            "limit": 20,
            "total": SIZE,
            "total_pages": SIZE // 20,
        }
