"""Too many attempts for one logical call."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.check import Check, Hit, named
from cnx_mock.audit.logical_calls import POLL_INTERVAL, TOLERANCE, Traffic
from cnx_mock.audit.threshold import Threshold

MOST = Threshold(
    "attempts",
    8,
    "attempts at one call that `amplification` excuses",
    "three layers that each try three times make 27 attempts; a single careful layer never needs 9",
)


class Amplification(Check):
    """`amplification`."""

    code: ClassVar[str] = "amplification"
    title: ClassVar[str] = "too many attempts for one logical call"
    why: ClassVar[str] = (
        "Retries multiply: a library that retries, inside a loop that retries, turns one call into dozens of requests. "
        "It does so exactly when the cloud is least able to handle them."
    )
    fix: ClassVar[str] = "Retry in one layer only, at most a few times, and then report a clear error."
    thresholds: ClassVar[tuple[Threshold, ...]] = (MOST,)
    by_worker: ClassVar[bool] = True

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each logical call. An attempt at the time that Retry-After gave does not count, and neither
        does the next poll."""
        for logical in traffic.logical:
            counted = [logical.first]
            for one, two, wait in logical.retries:
                on_time = one.retry_after is not None and wait >= one.retry_after - traffic.limits[TOLERANCE.name]
                polled = logical.poll and wait >= traffic.limits[POLL_INTERVAL.name]
                if not on_time and not polled:
                    counted.append(two)
            if len(counted) > traffic.limits[MOST.name]:
                yield Hit(f"{named(counted)} are {len(counted)} attempts at one call, {logical.first}", counted)
