"""Who made which call: clients with several workers and clients with one, over connections of every kind."""

import random
from collections.abc import Sequence

from cnx_mock.audit.audit import Hammering, findings, hammering
from cnx_mock.audit.call import calls_of
from tests.audit.journal import Entry, codes, create, get, journal, page
from tests.cases import cases

WORKERS = range(6)


def at(milliseconds: float, status: int | None = 200, connection: int | None = None, path: str = "/v1/plans") -> Entry:
    """A GET at a time; a 429 asks to wait for two seconds."""
    asks = "2" if status == 429 else None
    return get(path, status=status, at=f"{milliseconds}ms", connection=connection, retry_after=asks)


def compared(calls: Sequence[Entry], *runs: Sequence[Entry]) -> list[str]:
    """The codes of what is found in a run, if these are the runs without faults."""
    found = findings(calls_of(journal(*calls)), fault_free=[calls_of(journal(*run)) for run in runs])
    return [each.code for each in found]


def started(*statuses: int | None, since: int = 0, step: int = 3) -> list[Entry]:
    """The same GET by as many workers, shortly one after the other, each over a connection of its own."""
    return [at(since + step * number, status) for number, status in enumerate(statuses)]


# ---- connections that are used once


@cases("limited", range(1, 7))
def test_threads_that_connect_for_each_request_wait_each_on_its_own(limited: int) -> None:
    first = started(*[429] * limited, *[200] * (6 - limited))
    assert codes(*first, *started(*[200] * limited, since=2050)) == []


@cases("limited", WORKERS)
def test_which_of_them_is_refused_does_not_matter(limited: int) -> None:
    first = started(*[429 if number == limited else 200 for number in WORKERS])
    assert codes(*first, at(2060)) == []


def test_four_that_double_their_waits_are_not_one_that_hammers() -> None:
    without_faults = started(*[200] * 4, step=14)
    down = [each for since in (0, 1000, 3000, 7000, 15000) for each in started(*[500] * 4, since=since, step=14)]
    assert compared(down, without_faults) == []


def test_six_with_random_waits_that_grow_are_clean_if_each_gives_up() -> None:
    seed = 20
    chance = random.Random(seed)
    calls = []
    for worker in WORKERS:
        moment = 3.0 * worker
        for attempt in range(6):
            calls.append(at(round(moment), 500))
            moment += chance.uniform(0.5, 1) * 400 * 2**attempt
    calls.sort(key=lambda each: each["at"])
    assert compared(calls, started(*[200] * 6)) == [], seed


def test_more_calls_than_without_faults_are_retries_and_come_too_early() -> None:
    """A loop of three calls, one after the other; the first one is refused and sent again at once."""
    calls = started(429, 200, 200, 200, step=8)
    assert compared(calls, started(200, 200, 200, step=8)) == ["early-retry"]


def test_one_that_never_waits_is_found_over_new_connections_too() -> None:
    assert compared(started(*[500] * 6, step=4), started(200)) == ["flat-backoff"]
    assert codes(*started(*[500] * 6, step=4)) == ["flat-backoff"]


def test_a_sweep_compares_each_run_with_the_fault_free_runs_of_its_own_client() -> None:
    """One that never waits, and six of which each sends its request once: their runs without faults tell them apart."""
    calls = journal(*started(*[500] * 6, step=4))
    alone, six = (journal(*started(200)),), (journal(*started(*[200] * 6, step=4)),)
    check = Hammering()
    for fault_free in (alone, alone, six, six, alone):
        assert check(calls, fault_free) == hammering(calls, fault_free)
    assert check(calls, alone) != check(calls, six) == []


def test_six_that_never_wait_are_found() -> None:
    calls = [at(4 * number, 500) for number in range(60)]
    assert "flat-backoff" in compared(calls, started(*[200] * 6))


def test_a_create_is_sent_blindly_over_new_connections_too() -> None:
    assert codes(*started(*[200] * 4), create(500, at="40ms"), create(at="60ms")) == ["blind-create"]


def test_replicas_made_at_once_are_not_retries_of_each_other() -> None:
    without_faults = [create(at=f"{3 * number}ms", number=number) for number in range(4)]
    lost = [create(None, at="0s"), *without_faults[1:]]
    assert compared(lost, without_faults) == []
    looked = page("/v1/instances", [], at="1s")
    assert compared([*lost, looked, create(at="1.1s", number=5)], without_faults) == []
    assert compared([*lost, create(at="1.1s", number=5)], without_faults) == ["blind-create"]


# ---- a pool that several workers share


def test_six_tasks_of_one_pool_take_any_free_connection() -> None:
    seed = 7
    chance = random.Random(seed)
    connections = list(range(50_001, 50_007))
    calls = []
    for since, status in ((0, 200), (200, 429), (2300, 200), (2500, 200)):
        chance.shuffle(connections)
        calls += [at(since + 2 * number, status, connections[number]) for number in WORKERS]
    assert codes(*calls) == [], seed


def test_a_task_may_take_the_connection_of_one_that_waits() -> None:
    first = [at(2 * number, 200, 50_001 + number) for number in WORKERS]
    second = [at(100, 429, 50_001), *(at(100 + 2 * number, 200, 50_001 + number % 3) for number in range(1, 6))]
    assert codes(*first, *second, at(2150, 200, 50_003)) == []


@cases("seed", range(20))
def test_tasks_of_one_pool_each_make_their_own_attempts(seed: int) -> None:
    """Six of each, over the connection that was free last."""
    chance = random.Random(seed)
    moments: list[float] = []
    for worker in range(4):
        moment = 3.0 * worker
        for attempt in range(6):
            moments.append(moment)
            moment += chance.uniform(0.5, 1) * 200 * 2**attempt
    together = [at(3 * number, 200, 50_001 + number) for number in range(4)]
    down = [at(100 + round(moment), 500, 50_001 + number % 2) for number, moment in enumerate(sorted(moments))]
    assert compared(down, together) == []


# ---- one worker with a pool of its own


def turns(first: str, *others: str) -> list[Entry]:
    """One call before, over connection A; then the attempts at a create, over B, A, B …: the last one succeeds."""
    attempts = [create(500, wait=wait, connection=50_002 - number % 2) for number, wait in enumerate(others)]
    return [get(connection=50_001), *attempts, create(wait=first, connection=50_001 + len(others) % 2)]


def test_one_call_before_and_two_connections_are_one_worker() -> None:
    assert codes(*turns("300ms", "5ms")) == ["blind-create"]


def test_its_flat_backoff_is_found() -> None:
    assert set(codes(*turns("1s", "5ms", "1s", "1s", "1s"))) == {"blind-create", "flat-backoff"}


def test_its_early_retry_is_found() -> None:
    limited = [create(429, wait="5ms", retry_after="2", connection=50_002), create(wait="300ms", connection=50_001)]
    assert codes(get(connection=50_001), *limited) == ["early-retry"]


# ---- workers with a connection each


def test_two_workers_at_their_own_pace_are_told_apart() -> None:
    calls = [at(0, 200, 50_001), at(1, 200, 50_002), at(300, 429, 50_001), at(800, 200, 50_002)]
    assert codes(*calls, at(2350, 200, 50_001), at(2400, 200, 50_002)) == []
