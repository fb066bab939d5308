"""Crowds: calls of several workers over connections that do not tell the workers apart.

A journal may be read in two ways: by its connections, or as one of a crowd whose workers take any connection. A client
has a defect only if both readings show it. A crowd is a possible reading of a request if its workers do what workers
do: they wait between their attempts, and most of those that fail come back.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check
from cnx_mock.audit.logical_calls import FLOOR, LogicalCall, Traffic, steady

_MOST_CALLS = 1_000
"""Calls of one request above which no crowd is tried: it would take too long."""
_SIZES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""How many workers a crowd is tried with, in addition to the most that there may be."""


def kindest(traffic: Traffic, checks: Sequence[Check]) -> tuple[Traffic, Sequence[Check]]:
    """Return the traffic as it is read most kindly: as a crowd's for each request in which the checks then find
    nothing, if it may be a crowd's. Return also the checks that may find something in it."""
    paired = [check for check in checks if check.by_worker]
    crowds: dict[object, int] = {}
    wronged = _found(traffic, paired)
    if not wronged:
        return traffic, [check for check in checks if not check.by_worker]
    most = traffic.workers.crowd
    if most == 1:
        return traffic, checks
    many: Counter[object] = Counter(call.request for call in traffic.calls)
    wronged = {each for each in wronged if many[each] <= _MOST_CALLS}
    for size in sorted({most, *(each for each in _SIZES if each < most)}):
        if wronged:
            crowd = replace(traffic, crowds=dict.fromkeys(wronged, size))
            cleared = [each for each in wronged - _found(crowd, paired) if _possible(crowd, each)]
            crowds |= dict.fromkeys(cleared, size)
            wronged -= set(cleared)
    return replace(traffic, crowds=crowds) if crowds else traffic, checks


def _found(traffic: Traffic, checks: Sequence[Check]) -> set[object]:
    """Return the requests in whose calls the checks find something."""
    return {call.request for check in checks for hit in check.run(traffic) for call in hit.calls}


def _possible(traffic: Traffic, request: object) -> bool:
    """Return whether the calls of a request may be a crowd's."""
    calls = [call for call in traffic.calls if call.request == request]
    logical = [each for each in traffic.logical if each.first.request == request]
    floor = traffic.limits[FLOOR.name]
    if not _pauses(calls, logical, floor) or _at_one_pace(calls, floor):
        return False
    if any(traffic.fault_free):
        return True
    return _come_back(logical) and not _one_worker(calls)


def _pauses(calls: Sequence[Call], logical: Sequence[LogicalCall], floor: float) -> bool:
    """Return whether enough retries come after a pause, in which no worker makes that call."""
    retries = [(one, two) for each in logical for one, two, _ in each.retries]
    pauses = [two.began for one, two in pairwise(calls) if two.began - _end(one) > floor]
    paused = sum(bisect_right(pauses, one.began) < bisect_right(pauses, two.began) for one, two in retries)
    return 3 * paused > len(retries) or not retries


def _at_one_pace(calls: Sequence[Call], floor: float) -> bool:
    """Return whether all calls that come after a pause come at one pace that the client chose itself. Workers do not
    take turns so exactly."""
    waits = [two.began - _end(one) for one, two in pairwise(calls) if not one.succeeded and one.retry_after is None]
    pauses = [wait for wait in waits if wait > floor]
    return len(pauses) > 2 and steady(pauses, floor)


def _come_back(logical: Sequence[LogicalCall]) -> bool:
    """Return whether most of the workers whose first attempt fails make another one."""
    failed = [each for each in logical if not each.first.succeeded and not each.first.refused]
    return bool(failed) and 4 * sum(len(each.attempts) > 1 for each in failed) >= 3 * len(failed)


def _one_worker(calls: Sequence[Call]) -> bool:
    """Return whether only one worker can have made so many calls over one connection: all of them fail, and none has a
    Retry-After. The workers of a crowd fail together, and then one connection is not enough for them."""
    in_vain = all(not call.succeeded and call.retry_after is None for call in calls)
    return in_vain and len({call.connection for call in calls}) == 1


def _end(call: Call) -> int:
    return call.ended or call.began
