"""Simulated crowds of careful workers are never wronged, whatever they share; those that are not careful are found."""

import random
from collections.abc import Sequence

import pytest

from cnx_mock.audit.audit import findings
from cnx_mock.audit.call import calls_of
from tests.audit.journal import Entry, journal
from tests.audit.simulation import POOLS, Answer, Crowd, Manners, Worker, careful_crowd, faults
from tests.cases import cases, rounds

FAULTS = tuple(faults(random.Random(0)))


def judged(calls: Sequence[Entry], *fault_free: Sequence[Entry]) -> set[str]:
    """The codes of what is found in a run; `fault_free` are the runs without faults."""
    found = findings(calls_of(journal(*calls)), fault_free=[calls_of(journal(*run)) for run in fault_free])
    return {each.code for each in found}


def wronged(pool: str, fault: str, seed: int) -> set[str]:
    """What is found about a careful crowd, in a sweep and in an audit of one run."""
    chance = random.Random(f"{seed} {pool} {fault}")
    crowd = careful_crowd(chance, pool)
    fault_free = [crowd.run(chance) for _ in range(2)]
    calls = crowd.run(chance, faults(chance)[fault])
    return judged(calls, *fault_free) | (judged(calls) if shows_a_crowd(calls, fault) else set())


def shows_a_crowd(calls: Sequence[Entry], fault: str) -> bool:
    """Whether one run alone can be told from that of one careless worker: not if all of it is refused, and not if all
    of it fails over one connection."""
    if fault == "refused":
        return False
    return fault not in ("down", "unreachable") or len({each["connection"] for each in calls}) > 1


@pytest.mark.slow
@cases("pool", POOLS)
@cases("fault", FAULTS)
def test_a_careful_crowd_is_never_wronged(pool: str, fault: str) -> None:
    assert {seed: found for seed in range(rounds(3, 32)) if (found := wronged(pool, fault, seed))} == {}


# ---- the reverse


def careless(request: str, attempts: int, manners: Manners, chance: random.Random, *, heeds: bool) -> Worker:
    """A worker that makes one request so many times, until it succeeds, and never looks whether a create happened.
    `heeds` is whether it waits as long as Retry-After says."""
    for attempt in range(attempts):
        answer = yield request
        assert answer is not None
        if answer.succeeded:
            return
        told = answer if heeds else Answer(answer.status)
        yield manners.wait(chance, attempt, told) if manners.attempts else manners.base


GROWING = Manners(500, 1, 0.5)
CARELESS = {
    "never waits": ("flat-backoff", "down", "/v1/plans", 8, Manners(0, 0, 0)),
    "waits equally long": ("flat-backoff", "down", "/v1/plans", 8, Manners(300, 0, 0)),
    "does not heed Retry-After": ("early-retry", "some limits", "/v1/plans", 4, Manners(150, 1, 0.5)),
    "creates blindly": ("blind-create", "error", "create", 4, GROWING),
    "creates blindly after a reset": ("blind-create", "some resets", "create", 4, GROWING),
    "never gives up": ("amplification", "down", "/v1/plans", 12, Manners(250, 1, 0.5)),
}


@pytest.mark.slow
@cases("seed", range(rounds(1, 3)))
@cases("pool", POOLS)
@cases("size", [1, 4])
@cases("name", CARELESS)
def test_careless_clients_and_crowds_are_found(name: str, size: int, pool: str, seed: int) -> None:
    code, fault, request, attempts, manners = CARELESS[name]
    chance = random.Random(f"{seed} {pool} {name} {size}")
    heeds = code != "early-retry"

    def work(chance: random.Random) -> Worker:
        return careless(request, attempts, manners, chance, heeds=heeds)

    crowd = Crowd(size, pool, work, request, (0.5, 3), 10)
    fault_free = [crowd.run(chance) for _ in range(2)]
    calls = crowd.run(chance, faults(chance)[fault])
    assert code in judged(calls, *fault_free), seed
    if size == 1:
        assert code in judged(calls), seed
