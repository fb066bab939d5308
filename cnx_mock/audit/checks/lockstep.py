"""Several workers failed together, and came back together, again and again."""

from collections.abc import Iterator, Sequence
from statistics import median_high
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, milliseconds, named
from cnx_mock.audit.logical_calls import FLOOR, LogicalCall, Traffic
from cnx_mock.audit.threshold import Threshold
from cnx_mock.audit.workers import OVERLAP

LEAST = Threshold(
    "in-step",
    5,
    "workers that come back together, twice in a row, are in lockstep",
    "a few processes of a shell script burden no cloud; and five workers with random waits are never in step by chance",
)
_ROUNDS = 2
_SPREAD = 1.1
"""Waits are the same if the longest is at most this factor times the shortest, plus the noise of timers."""
_NOISE = 20_000
"""By how many microseconds more the same waits of several threads may differ."""


class Lockstep(Check):
    """`lockstep`."""

    code: ClassVar[str] = "lockstep"
    title: ClassVar[str] = "workers retry in lockstep"
    why: ClassVar[str] = (
        "Workers that fail together and wait for the same time come back together, and are refused together again. "
        "Growing waits alone do not spread them."
    )
    fix: ClassVar[str] = "Make every wait random: uniform(0, min(60, 0.5 * 2 ** attempt)) seconds."
    thresholds: ClassVar[tuple[Threshold, ...]] = (LEAST,)

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each group of logical calls that began together. Waits that Retry-After asked for, and no
        wait at all, are left to other checks."""
        retried = [each for each in traffic.logical if len(each.attempts) > _ROUNDS]
        for group in _together(retried, traffic.limits[OVERLAP.name]):
            if len(group) < traffic.limits[LEAST.name]:
                continue
            rounds = [_round(group, number) for number in range(_ROUNDS)]
            if all(_same(waits, traffic.limits[FLOOR.name]) for waits in rounds):
                first, second = (milliseconds(median_high(_waits(group, each))) for each in range(_ROUNDS))
                calls = sorted((call for each in group for call in each.attempts), key=lambda call: call.seq)
                yield Hit(f"{named(calls)}: {_who(group)} each waited {first} and then {second}, all alike", calls)


def _together(logical: Sequence[LogicalCall], within: float) -> Iterator[list[LogicalCall]]:
    """Yield groups of logical calls that began shortly after each other. They are in order."""
    group: list[LogicalCall] = []
    for each in logical:
        if group and each.first.began - group[-1].first.began >= within:
            yield group
            group = []
        group.append(each)
    yield group


def _round(group: Sequence[LogicalCall], number: int) -> list[int]:
    """Return the waits before the attempts with a number; -1 for one that the client did not choose itself.

    Connections that are not used again do not show who came back. Of the workers that make the same request, the last
    one to fail may then have come back first: the waits of workers in lockstep are alike in this order too."""
    waits: list[int] = []
    unknown: dict[object, list[tuple[Call, Call]]] = {}
    for one, two, wait in (each.retries[number] for each in group):
        if not _own(one, two):
            waits.append(-1)
        elif one.connection is not None and one.connection == two.connection:
            waits.append(wait)
        else:
            unknown.setdefault(one.request, []).append((one, two))
    for pairs in unknown.values():
        ends, begins = sorted(one.ended or one.began for one, _ in pairs), sorted(two.began for _, two in pairs)
        waits += [begin - end for begin, end in zip(begins, reversed(ends), strict=True)]
    return waits


def _waits(group: Sequence[LogicalCall], number: int) -> list[int]:
    return [each.retries[number][2] for each in group]


def _own(one: Call, two: Call) -> bool:
    return one.retry_after is None and not one.refused and (one.ended is None or one.over_before(two))


def _same(waits: Sequence[int], floor: float) -> bool:
    return min(waits) > floor and max(waits) <= min(waits) * _SPREAD + _NOISE


def _who(group: Sequence[LogicalCall]) -> str:
    same = len({each.first.request for each in group}) == 1
    return f"{len(group)} workers that make {'the same call' if same else 'calls'} at the same time"
