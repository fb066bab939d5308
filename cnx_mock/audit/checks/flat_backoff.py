"""Retried without a pause, or always after the same one."""

from collections.abc import Iterator
from statistics import median
from typing import ClassVar

from cnx_mock.audit.check import Check, Seen, lasted, named
from cnx_mock.audit.logical_calls import POLL_INTERVAL, Traffic, steady
from cnx_mock.audit.threshold import Threshold

FLOOR = Threshold("no-wait", "10ms", "what a client needs for nothing but sending the request again")


class FlatBackoff(Check):
    """`flat-backoff`."""

    code: ClassVar[str] = "flat-backoff"
    title: ClassVar[str] = "no backoff, or a flat one"
    why: ClassVar[str] = (
        "When a cloud is down, every client retries. Without growing, random waits they all come back together, again "
        "and again, and it cannot get up."
    )
    fix: ClassVar[str] = (
        "Wait longer after every failure, at random up to the limit: uniform(0, min(60, 0.5 * 2 ** attempt)) seconds."
    )
    thresholds: ClassVar[tuple[Threshold, ...]] = (FLOOR,)

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every logical call. Waits that the answer asked for, and those behind a refusal that stays,
        are other checks' business."""
        floor = traffic.limits[FLOOR.name]
        for logical in traffic.logical:
            own = [
                (one, two, wait)
                for one, two, wait in logical.retries
                if one.retry_after is None
                and not one.refused
                and not (logical.poll and wait >= traffic.limits[POLL_INTERVAL.name])
                and (one.ended is None or one.over_before(two))
            ]
            waits = [wait for _, _, wait in own]
            judged = waits[1:] if len(waits) > 3 and waits[0] <= floor else waits  # one retry at once is no habit
            at_once = len(judged) >= 3 and judged[-1] <= floor and median(judged) <= floor
            if not at_once and not steady(judged, floor):  # a busy machine makes some of no wait
                continue
            calls = [own[0][0], *(two for _, two, _ in own)]
            pause = (
                "without any wait"
                if at_once or max(judged) <= floor
                else f"always after {lasted(sorted(judged)[len(judged) // 2])}"
            )
            yield Seen(f"{named(calls)} are one call, {logical.first}, retried {pause}", calls)
