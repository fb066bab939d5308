"""`Sandbox.race`: two functions at once, under every order of their calls that may matter."""

import asyncio
import functools
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from freezegun import freeze_time

from cnx_mock import InvalidInputError, MockServer, NotRunningError, RaceError, RaceResult, Sandbox
from cnx_mock.python_api.race import trial
from cnx_mock.python_api.remote import RemoteServer
from tests.cases import cases
from tests.conftest import INSTANCE, Client
from tests.interrupts import interrupted_start

pytestmark = pytest.mark.slow  # each test runs something many times

Function = Callable[[Sandbox], Any]

FIREWALL = "/v1/network/firewall"


def client(cloud: Sandbox) -> Client:
    return Client(cloud.url, cloud.api_key)


def named(api: Client, name: str) -> list[Any]:
    return [each for each in api.get("/v1/instances").json["data"] if each["name"] == name]


def threads_of_races() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("cnx-mock race")]


def rule(port: int) -> dict[str, Any]:
    return {
        "direction": "inbound",
        "action": "allow",
        "protocol": "tcp",
        "ports": str(port),
        "cidrs": ["0.0.0.0/0"],
    }


# ---- programs that are right alone, and not at once


def list_then_create(cloud: Sandbox) -> None:
    api = client(cloud)
    if not named(api, "web-1"):
        api.create(name="web-1")


def delete_then_create(cloud: Sandbox) -> None:
    api = client(cloud)
    for each in named(api, "web-1"):
        api.delete(f"/v1/instances/{each['id']}")
    api.create(name="web-1")


def count_then_create(cloud: Sandbox) -> None:
    api = client(cloud)
    number = len(api.get("/v1/instances").json["data"]) + 1
    api.create(name=f"web-{number}")


def open_http(cloud: Sandbox) -> None:
    open_port(cloud, 80)


def open_https(cloud: Sandbox) -> None:
    open_port(cloud, 443)


def open_port(cloud: Sandbox, port: int) -> None:
    api = client(cloud)
    [firewall] = api.get(FIREWALL).json["data"]
    rules = [*firewall["rules"], rule(port)]
    assert api.call("PUT", f"{FIREWALL}/{firewall['id']}", {"name": "web", "rules": rules}).status == 200


def takes_the_only_one(cloud: Sandbox) -> str:
    """Fails only if the instance goes between its two calls."""
    api = client(cloud)
    [found] = named(api, "web-1") or [None]
    if found is None:
        return "nothing to take"
    api.get(f"/v1/instances/{found['id']}").json["name"]
    return str(found["name"])


def remove_all(cloud: Sandbox) -> None:
    api = client(cloud)
    for each in named(api, "web-1"):
        api.delete(f"/v1/instances/{each['id']}")


def looks_twice(cloud: Sandbox) -> list[int]:
    return [len(named(client(cloud), "web-1")) for _ in range(2)]


@pytest.mark.parametrize(
    ("first", "second", "schedule", "words"),
    [
        (list_then_create, list_then_create, "A1 B1 B2 A2", "2 instances named web-1"),
        (delete_then_create, delete_then_create, "A1 B1 B2 B3 A2", "2 instances named web-1"),
        (count_then_create, count_then_create, "A1 B1 B2 A2", "2 instances named web-1"),
        (open_http, open_https, "A1 B1 B2 A2", "the firewall web has a different rules"),
        (takes_the_only_one, remove_all, "A1 B1 B2 A2", "A raises KeyError: 'name'"),
    ],
)
def test_a_defect_is_found_said_and_found_again_by_its_schedule(
    sandbox: Sandbox, first: Function, second: Function, schedule: str, words: str
) -> None:
    api = client(sandbox)
    api.post(FIREWALL, {"name": "web", "rules": []})
    if first in (takes_the_only_one, delete_then_create):
        api.create(name="web-1")
    with pytest.raises(RaceError) as found:
        sandbox.race(first, second)
    message = str(found.value)
    line, *details = message.splitlines()
    assert re.match(r"[AB]'s `.*` .*came between [AB]'s `.* and [AB]'s `.*: ", line)
    assert words in line
    assert found.value.schedule.startswith(schedule)
    assert f'schedule="{found.value.schedule}"' in details[-1]
    with pytest.raises(RaceError) as again:
        sandbox.race(first, second, schedule=found.value.schedule)
    assert str(again.value) == message


# ---- programs that are right at once


def own_name(cloud: Sandbox) -> None:
    api = client(cloud)
    made = api.create(name=f"job-{uuid.uuid4().hex[:8]}")
    api.get(f"/v1/instances/{made['id']}")
    api.delete(f"/v1/instances/{made['id']}")


def under_a_lease(cloud: Sandbox) -> None:
    """Adds a lease with a name of its own; the oldest one may go on."""
    api = client(cloud)
    lease = api.post(FIREWALL, {"name": f"lease-{uuid.uuid4().hex[:8]}", "rules": []}).json
    try:
        while api.get(FIREWALL).json["data"][0]["id"] != lease["id"]:
            time.sleep(0.01)
        list_then_create(cloud)
    finally:
        api.delete(f"{FIREWALL}/{lease['id']}")


def keeps_the_oldest(cloud: Sandbox) -> None:
    """Creates, and looks then: of several with the name the oldest one stays."""
    api = client(cloud)
    if not named(api, "web-1"):
        api.create(name="web-1")
        found = named(api, "web-1")
        for each in sorted(found, key=lambda each: (each["created_at"], each["id"]))[1:]:
            api.delete(f"/v1/instances/{each['id']}")


def two_calls_at_a_time(cloud: Sandbox) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: client(cloud).create(name=name), ["web-1", "web-2"]))


def test_a_function_may_make_several_calls_at_a_time(sandbox: Sandbox) -> None:
    results = sandbox.race(two_calls_at_a_time, two_calls_at_a_time)
    assert [(each.schedule, each.why_not) for each in results[2:]] == [("A1 B1 B2 A2", ""), ("A1 B1 A2 B2", "")]


@pytest.mark.parametrize(("function", "switches"), [(own_name, 2), (keeps_the_oldest, 2), (under_a_lease, 1)])
def test_a_careful_function_may_run_twice_at_once(sandbox: Sandbox, function: Function, switches: int) -> None:
    results = sandbox.race(function, function, switches=switches)
    assert len(results) > 2
    assert not any(error for each in results for error in each.raised)


def test_functions_that_share_a_lock_are_right_and_what_the_lock_excludes_is_said(sandbox: Sandbox) -> None:
    lock = threading.Lock()

    def locked(cloud: Sandbox) -> None:
        with lock:
            list_then_create(cloud)

    results = sandbox.race(locked, locked)
    assert {each.why_not[:13] for each in results[2:]} == {"not reachable"}


# ---- what is compared, and returned


def test_it_returns_what_came_of_each_order(sandbox: Sandbox) -> None:
    def count(cloud: Sandbox) -> int:
        return len(client(cloud).get("/v1/instances").json["data"])

    def create(cloud: Sandbox) -> str:
        client(cloud).get("/v1/plans")
        return str(client(cloud).create(name="web-1")["name"])

    results = sandbox.race(count, create)
    assert [each.schedule for each in results] == ["A1 B1 B2", "B1 B2 A1"]
    assert [each.returned for each in results] == [(0, "web-1"), (1, "web-1")]
    assert {type(each) for each in results} == {RaceResult}
    assert {each.raised for each in results} == {(None, None)}
    assert [len(each.state["accounts"][0]["instances"]) for each in results] == [1, 1]


def test_what_a_function_saw_twice_is_compared_too(sandbox: Sandbox) -> None:
    def create(cloud: Sandbox) -> None:
        client(cloud).create(name="web-1")

    with pytest.raises(RaceError, match=r"A returns \[0, 1\], and returns \[0, 0\] otherwise"):
        sandbox.race(looks_twice, create)


def test_ids_times_and_addresses_are_not_compared(server: MockServer) -> None:
    def answer(cloud: Sandbox, name: str) -> list[Any]:
        api = client(cloud)
        seen = api.get("/v1/billing/balance").json
        made = api.create(name=name)
        _, ready = (api.get(f"/v1/instances/{made['id']}").json for _ in range(2))
        words = f"{made['id']} at {ready['ipv6']} and {ready['ipv4']}, by {cloud.url} at {made['created_at']}"
        return [len(seen), made, ready, words, object(), {made["name"]}]

    sandbox = server.sandbox({"provisioning": {"polls": 1}})
    results = sandbox.race(lambda cloud: answer(cloud, "web-1"), lambda cloud: answer(cloud, "web-2"))
    assert len(results) > 2
    (_, made, ready, words, *_), _ = results[-1].returned
    assert made["id"] in words
    assert ready["ipv4"] in words


@pytest.mark.parametrize("number", range(3))
def test_what_a_function_returns_is_compared_to_its_depth(sandbox: Sandbox, number: int) -> None:
    def answer(cloud: Sandbox) -> Any:
        before, after = (len(named(client(cloud), "web-1")) for _ in range(2))
        return [{"a": [{"b": after - before}]}, {f"{before}-{after}"}, ValueError(before, after)][number]

    def create(cloud: Sandbox) -> None:
        client(cloud).create(name="web-1")

    with pytest.raises(RaceError, match="A returns .*, and returns .* otherwise"):
        sandbox.race(answer, create)


def test_a_refusal_that_a_serial_order_has_too_is_fine(sandbox: Sandbox) -> None:
    [made] = [client(sandbox).create(name="web-1")]

    def delete(cloud: Sandbox) -> None:
        api = client(cloud)
        if not api.get("/v1/instances").json["data"]:
            raise LookupError("it is gone")
        assert api.delete(f"/v1/instances/{made['id']}").status == 200

    with pytest.raises(
        RaceError, match=r"\): A raises AssertionError: .*, and raises LookupError: it is gone otherwise\n"
    ) as found:
        sandbox.race(delete, delete)
    assert isinstance(found.value.__cause__, AssertionError)

    def delete_once(cloud: Sandbox) -> None:
        if client(cloud).delete(f"/v1/instances/{made['id']}").status == 404:
            raise LookupError("it is gone")

    results = sandbox.race(delete_once, delete_once)
    assert [tuple(type(error) for error in each.raised) for each in results] == [
        (type(None), LookupError),
        (LookupError, type(None)),
    ]


def test_what_a_function_raises_alone_is_raised_as_it_is(sandbox: Sandbox) -> None:
    def misspells(cloud: Sandbox) -> None:
        client(cloud).get("/v1/instances").json["dat"]

    with pytest.raises(KeyError, match="dat") as found:
        sandbox.race(misspells, list_then_create)
    assert found.value.__notes__ == ["misspells raised this alone, without a race"]
    assert found.traceback[-1].name == "misspells"


def test_coroutine_functions_are_run_to_their_end(sandbox: Sandbox) -> None:
    async def list_then_create_later(cloud: Sandbox) -> None:
        await asyncio.to_thread(list_then_create, cloud)

    with pytest.raises(RaceError, match="2 instances named web-1"):
        sandbox.race(list_then_create_later, list_then_create)


def test_what_has_no_name_is_called_by_its_place(sandbox: Sandbox) -> None:
    with pytest.raises(RaceError) as found:
        sandbox.race(functools.partial(open_or_create, name="web-1"), lambda cloud: open_or_create(cloud, "web-1"))
    assert "A is the first function, B is the second function" in str(found.value)
    assert 'race(…, …, schedule="A1 B1 B2 A2")' in str(found.value)


def open_or_create(cloud: Sandbox, name: str) -> None:
    api = client(cloud)
    if not named(api, name):
        api.create(name=name)


# ---- the worlds


def test_each_world_begins_as_the_sandbox_is(server: MockServer) -> None:
    sandbox = server.sandbox({"provisioning": {"polls": 2}, "world": {"readings": {"delete-answer": "204"}}})
    api = client(sandbox)
    made = api.create(name="web-1")
    sandbox.clock.freeze()
    sandbox.clock.advance("1h")
    sandbox.account.balance = "$77.00"
    sandbox.inject("plans.list", status=503, times={"skip": 1})
    assert api.get("/v1/plans").status == 200  # the rule has counted this one
    before, requests = sandbox.state(), len(sandbox.requests)
    seen = []

    def look(cloud: Sandbox) -> None:
        seen.append(
            (
                cloud.state() == before,
                cloud.clock.now == sandbox.clock.now,
                cloud.account.balance,
                cloud.api_key == sandbox.api_key,
                client(cloud).get("/v1/plans").status,
                client(cloud).delete(f"/v1/instances/{made['id']}").status,
            )
        )

    sandbox.race(look, lambda cloud: None)
    assert seen
    assert set(seen) == {(True, True, "$77.00", True, 503, 204)}
    assert sandbox.state() == before
    assert len(sandbox.requests) == requests
    sandbox.assert_fired()  # in the worlds of the race


def test_rules_count_the_calls_of_each_function_alone(sandbox: Sandbox) -> None:
    sandbox.inject("instances.create", status=503, times={"skip": 2, "take": 1})
    client(sandbox).create(name="before")

    def create_three(cloud: Sandbox) -> list[int]:
        api = client(cloud)
        return [api.post("/v1/instances", {**INSTANCE, "name": "web-1"}).status for _ in range(3)]

    results = sandbox.race(create_three, create_three)
    assert len(results) > 2
    assert {tuple(map(tuple, each.returned)) for each in results} == {((201, 503, 201), (201, 503, 201))}


def test_a_story_goes_on_where_it_is(sandbox: Sandbox) -> None:
    sandbox.use(
        {
            "phases": [{"name": "calm", "until": {"requests": 2}}, {"name": "storm"}],
            "rules": [{"when": {"phase": "storm"}, "fault": {"status": 503}}],
        }
    )
    client(sandbox).get("/v1/plans")
    statuses = []

    def call_twice(cloud: Sandbox) -> None:
        statuses.append([client(cloud).get("/v1/plans").status for _ in range(2)])

    sandbox.race(call_twice, lambda cloud: None)
    assert set(map(tuple, statuses)) == {(200, 503)}


def test_a_call_whose_connection_is_reset_is_of_the_function_that_made_it(sandbox: Sandbox) -> None:
    sandbox.inject("instances.create", connection="reset", at="after")

    def creates(cloud: Sandbox) -> None:
        with suppress(OSError):
            client(cloud).create(name="web-1")

    with pytest.raises(RaceError) as found:
        sandbox.race(looks_twice, creates)
    assert "    B1  POST /v1/instances  no answer\n" in str(found.value)


def test_polls_are_counted_for_each_function_alone(server: MockServer) -> None:
    def create_and_wait(cloud: Sandbox) -> int:
        """Returns how many looks it took."""
        api = client(cloud)
        made = api.create(name="web-1")
        looks = 0
        while api.get(f"/v1/instances/{made['id']}").json["status"] == "provisioning":
            looks += 1
        return looks

    def look_twice(cloud: Sandbox) -> None:
        for each in named(client(cloud), "web-1"):
            client(cloud).get(f"/v1/instances/{each['id']}")

    sandbox = server.sandbox({"provisioning": {"polls": 3}})
    results = sandbox.race(create_and_wait, look_twice, schedule="A1 B1 B2 A2 A3 A4 A5")
    assert [each.returned[0] for each in results] == [3, 3, 3]


WAYS_TO_LOOK = {
    "the instance": lambda api, made: api.get(f"/v1/instances/{made}").json["status"] == "running",
    "the list": lambda api, made: [each["status"] for each in api.get("/v1/instances").json["data"]] == ["running"],
    "the list of what is ready": lambda api, made: bool(api.get("/v1/instances?status=running").json["data"]),
    "the list of what is not": lambda api, made: not api.get("/v1/instances?status=provisioning").json["data"],
}


@cases("way", WAYS_TO_LOOK)
def test_each_function_sees_ready_what_it_has_polled_itself(server: MockServer, way: str) -> None:
    """The world begins with an instance that takes two looks. A looks at it to the end, B after that or in between."""

    def look(cloud: Sandbox) -> int:
        """Returns how many looks it took."""
        looks, api = 1, client(cloud)
        while not WAYS_TO_LOOK[way](api, made):
            looks += 1
        return looks

    sandbox = server.sandbox({"provisioning": {"polls": 2}})
    made = client(sandbox).create(name="web-1")["id"]
    for schedule in ("A1 A2 A3 B1 B2 B3", "A1 B1 A2 B2 A3 B3", "B1 B2 A1 B3 A2 A3"):
        results = sandbox.race(look, look, schedule=schedule)
        assert [(each.schedule, each.returned) for each in results][2:] == [(schedule, (3, 3))]


def test_what_one_function_has_made_ready_the_other_one_cannot_use_before_its_own_polls(server: MockServer) -> None:
    def copy(cloud: Sandbox) -> int:
        api = client(cloud)
        image = api.get("/v1/snapshots?limit=1").json["data"][0]["id"]
        return api.post("/v1/instances", {**INSTANCE, "image": image}).status

    def wait_and_copy(cloud: Sandbox) -> int:
        client(cloud).get("/v1/snapshots")
        return copy(cloud)

    sandbox = server.sandbox({"provisioning": {"polls": 2}})
    api = client(sandbox)
    made = api.create(name="web-1")["id"]
    for _ in range(2):
        api.get(f"/v1/instances/{made}")
    api.post("/v1/snapshots", {"instance_id": made, "name": "before"})
    results = sandbox.race(wait_and_copy, copy, schedule="A1 B1 A2 A3 B2")
    assert [each.returned for each in results] == [(201, 400)] * 3


def test_from_outside_a_resource_is_ready_when_one_function_has_seen_it_so(server: MockServer) -> None:
    def look_twice(cloud: Sandbox) -> Any:
        api = client(cloud)
        for _ in range(2):
            assert api.get(f"/v1/instances/{made}").json["status"] == "provisioning"
        return cloud.instances[0].status

    def look_once(cloud: Sandbox) -> Any:
        return client(cloud).get(f"/v1/instances/{made}").json["status"]

    sandbox = server.sandbox({"provisioning": {"polls": 2}})
    made = client(sandbox).create(name="web-1")["id"]
    results = sandbox.race(look_twice, look_once, schedule="A1 B1 A2")
    assert [each.returned for each in results] == [("running", "provisioning")] * 3
    assert {each.state["accounts"][0]["instances"][0]["status"] for each in results} == {"running"}


def test_the_sentence_is_about_the_answer_that_was_no_longer_right(sandbox: Sandbox) -> None:
    body = {"name": "web", "rules": []}
    made = client(sandbox).post(FIREWALL, body).json["id"]

    def add(cloud: Sandbox) -> None:
        api = client(cloud)
        api.get(FIREWALL)
        rules = api.get(f"{FIREWALL}/{made}").json["rules"]
        api.call("PUT", f"{FIREWALL}/{made}", {**body, "rules": [*rules, rule(80)]})

    with pytest.raises(RaceError) as found:
        sandbox.race(add, add, schedule="A1 B1 B2 A2 A3 B3")
    path = f"{FIREWALL}/{made}"
    assert str(found.value).startswith(
        f"A's `GET {path}` (A2) and `PUT {path}` (A3) came between B's `GET {path}` (B2) and B's `PUT {path}` (B3): "
    )


def test_the_sentence_names_no_calls_that_only_stand_between(sandbox: Sandbox) -> None:
    def counts(cloud: Sandbox) -> None:
        api = client(cloud)
        number = len(api.get("/v1/instances").json["data"])
        api.get("/v1/billing/balance")
        api.create(name=f"web-{number}")
        api.get("/v1/instances")

    with pytest.raises(RaceError) as found:
        sandbox.race(counts, counts)
    assert str(found.value).startswith(
        "B's `GET /v1/instances` (B1) and `POST /v1/instances` (B3) came between "
        "A's `GET /v1/instances` (A1) and A's `POST /v1/instances` (A3): 2 instances named web-0"
    )


def test_no_schedule_is_tried_for_what_each_function_has_made_itself(sandbox: Sandbox) -> None:
    def makes_and_deletes(cloud: Sandbox) -> None:
        api = client(cloud)
        path = f"/v1/instances/{api.create(name='web-1')['id']}"
        api.get(path)
        api.call("DELETE", path)

    results = sandbox.race(makes_and_deletes, makes_and_deletes)
    assert len(results) > 2
    assert {each.schedule[:5] for each in results} == {"A1 A2", "B1 B2"}


def test_the_same_seed_has_the_same_schedules_and_ids(server: MockServer) -> None:
    def raced() -> list[Any]:
        sandbox = server.sandbox(name="the same", seed=7)
        results = sandbox.race(keeps_the_oldest, keeps_the_oldest)
        ids = [[each["id"] for each in result.state["accounts"][0]["instances"]] for result in results]
        return [*(each.schedule for each in results), ids]

    assert raced() == raced()


def test_the_turn_changes_at_most_so_often(sandbox: Sandbox) -> None:
    assert len(sandbox.race(list_then_create, list_then_create, switches=0)) == 2
    by_switches = [len(sandbox.race(keeps_the_oldest, keeps_the_oldest, switches=n)) for n in (1, 2)]
    assert 2 < by_switches[0] < by_switches[1]


def test_a_race_is_the_same_while_pythons_clocks_are_frozen(sandbox: Sandbox) -> None:
    with freeze_time("2001-01-01"), pytest.raises(RaceError, match="2 instances named web-1"):
        sandbox.race(list_then_create, list_then_create)


def test_a_server_loads_the_sweep_only_for_a_race() -> None:
    code = "import sys, cnx_mock.python_api.server; print(*(name for name in sys.modules if 'sweep' in name))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "\n"


# ---- what never ends


def test_a_function_that_never_ends_alone_is_named(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_GRACE_SECONDS", 0.1)
    over = threading.Event()

    def waits(cloud: Sandbox) -> None:
        over.wait()

    with pytest.raises(RaceError, match=r"^waits is still running after 0.2 s, alone, without a race$"):
        sandbox.race(waits, list_then_create, timeout=0.2)
    [left] = [each for each in threading.enumerate() if each.name == "cnx-mock race A: waits"]
    over.set()
    left.join(60)


def test_a_call_that_is_never_answered_ends_with_its_world(sandbox: Sandbox) -> None:
    sandbox.inject("instances.list", connection="hang", optional=True)
    with pytest.raises(RaceError, match="list_then_create is still running after 0.2 s, alone"):
        sandbox.race(list_then_create, list_then_create, timeout=0.2)
    assert threads_of_races() == []


def test_a_deadlock_that_only_one_order_has_is_found(sandbox: Sandbox) -> None:
    one, two, over = threading.Lock(), threading.Lock(), threading.Event()

    def with_both(cloud: Sandbox, first: threading.Lock, second: threading.Lock) -> None:
        with first:
            list_then_create(cloud)
            while not second.acquire(timeout=0.05):
                if over.is_set():
                    return
            list_then_create(cloud)
            second.release()

    def forward(cloud: Sandbox) -> None:
        with_both(cloud, one, two)

    def backward(cloud: Sandbox) -> None:
        with_both(cloud, two, one)

    with pytest.raises(RaceError, match=r"did not end within 2 s, and ends in time without a race") as found:
        sandbox.race(forward, backward, timeout=2)
    assert found.value.schedule.startswith("A1 B1")
    over.set()
    for thread in [each for each in threading.enumerate() if each.name in threads_of_races()]:
        thread.join(60)


def test_ctrl_c_ends_a_race_and_its_threads(sandbox: Sandbox) -> None:
    sandbox.inject("instances.list", connection="hang", optional=True)

    def interrupted(cloud: Sandbox) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        list_then_create(cloud)

    with pytest.raises(KeyboardInterrupt):
        sandbox.race(interrupted, list_then_create)
    assert threads_of_races() == []


def test_ctrl_c_while_the_first_thread_starts_ends_a_race_too(sandbox: Sandbox) -> None:
    with interrupted_start("cnx-mock race"), pytest.raises(KeyboardInterrupt):
        sandbox.race(list_then_create, list_then_create)
    assert threads_of_races() == []


# ---- what cannot be raced


def test_calls_that_do_not_conflict_are_nothing_to_race(sandbox: Sandbox) -> None:
    results = sandbox.race(lambda cloud: named(client(cloud), "a"), lambda cloud: named(client(cloud), "b"))
    assert [each.schedule for each in results] == ["A1 B1", "B1 A1"]


def test_functions_that_never_call_their_cloud_are_a_mistake(sandbox: Sandbox) -> None:
    with pytest.raises(RaceError, match="nothing to race: the first function and the second function made no calls"):
        sandbox.race(lambda cloud: None, lambda cloud: None)
    with pytest.raises(RaceError, match="must use the url of its own handle"):
        sandbox.race(lambda cloud: list_then_create(sandbox), list_then_create)


def test_functions_that_are_never_the_same_twice_cannot_be_compared(sandbox: Sandbox) -> None:
    fleet = iter(range(1, 100))

    def grows(cloud: Sandbox) -> None:
        for _ in range(next(fleet)):
            client(cloud).create()

    with pytest.raises(RaceError, match="nothing can be compared\n  3 instances were left"):
        sandbox.race(grows, grows)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((list_then_create, 7), {}, "race takes two functions, not int: 7"),
        ((list_then_create, lambda: None), {}, "with one argument"),
        ((list_then_create, list_then_create), {"switches": -1}, "switches must be a whole number from 0, not -1"),
        ((list_then_create, list_then_create), {"switches": 1.5}, "switches must be a whole number from 0, not 1.5"),
        ((list_then_create, list_then_create), {"schedule": 5}, "schedule must be a text such as 'A1 B1 A2', not 5"),
        ((list_then_create, list_then_create), {"timeout": 0}, "timeout must be a number of seconds above 0, not 0"),
        ((list_then_create, list_then_create), {"schedule": ""}, "the schedule is empty"),
        ((list_then_create, list_then_create), {"schedule": "A1 X"}, "schedule 'A1 X': 'X' is not a call"),
        ((list_then_create, list_then_create), {"schedule": "A1 B2"}, "the next call of B is B1"),
        ((list_then_create, list_then_create), {"schedule": "A1 A2 A3 B1"}, "the calls came in another order,"),
    ],
)
def test_bad_input_is_said(sandbox: Sandbox, arguments: Any, options: Any, words: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(words)):
        sandbox.race(*arguments, **options)


def test_a_handle_of_a_race_has_no_race_of_its_own(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInputError, match="this sandbox belongs to a race"):
        sandbox.race(lambda cloud: cloud.race(list_then_create, list_then_create), list_then_create)


def test_a_server_of_another_process_and_a_sandbox_that_is_gone_have_no_race(server: MockServer) -> None:
    remote = RemoteServer(server.url)
    with pytest.raises(NotRunningError, match="leave --cnx-url out"):
        remote.sandbox().race(list_then_create, list_then_create)
    remote.close()
    sandbox = server.sandbox()
    server.call("DELETE", f"/sandboxes/{sandbox.id}")
    with pytest.raises(InvalidInputError, match="does not exist any more"):
        sandbox.race(list_then_create, list_then_create)
