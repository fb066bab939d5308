"""A call was retried without a wait, or always after the same wait."""

from collections.abc import Iterator
from statistics import median
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, milliseconds, named
from cnx_mock.audit.logical_calls import FLOOR, POLL_INTERVAL, LogicalCall, Traffic, steady
from cnx_mock.audit.threshold import Threshold


class FlatBackoff(Check):
    """`flat-backoff`."""

    code: ClassVar[str] = "flat-backoff"
    title: ClassVar[str] = "no backoff, or a flat one"
    why: ClassVar[str] = (
        "When a cloud is down, every client retries. If their waits do not grow and are not random, all clients come "
        "back at the same time, again and again. Then the cloud cannot recover."
    )
    fix: ClassVar[str] = (
        "Wait longer after every failure, for a random time up to a limit that grows: "
        "uniform(0, min(60, 0.5 * 2 ** attempt)) seconds."
    )
    thresholds: ClassVar[tuple[Threshold, ...]] = (FLOOR,)
    by_worker: ClassVar[bool] = True

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each logical call. Waits that Retry-After asked for, and those after a permanent refusal,
        are left to other checks."""
        floor = traffic.limits[FLOOR.name]
        for logical in traffic.logical:
            own = _own_waits(logical, traffic)
            waits = [wait for _, _, wait in own]
            judged = (
                waits[1:] if len(waits) > 3 and waits[0] <= floor else waits
            )  # one immediate retry is not a pattern
            at_once = len(judged) >= 3 and judged[-1] <= floor and median(judged) <= floor
            if not at_once and not steady(judged, floor):  # on a busy machine, some of no wait look like waits
                continue
            calls = [own[0][0], *(two for _, two, _ in own)]
            pause = f"always after a wait of {milliseconds(sorted(judged)[len(judged) // 2])}"
            if at_once or max(judged) <= floor:
                pause = "without any wait between them"
            yield Hit(f"{named(calls)} are attempts at one call, {logical.first}, {pause}", calls)


def _own_waits(logical: LogicalCall, traffic: Traffic) -> list[tuple[Call, Call, int]]:
    """Return the retries whose wait the client chose itself."""
    return [
        (one, two, wait)
        for one, two, wait in logical.retries
        if one.retry_after is None
        and not one.refused
        and not (logical.poll and wait >= traffic.limits[POLL_INTERVAL.name])
        and (one.ended is None or one.over_before(two))
    ]
