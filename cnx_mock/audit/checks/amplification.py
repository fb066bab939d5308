"""One wish, very many requests."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.check import Check, Seen, named
from cnx_mock.audit.checks.early_retry import TOLERANCE
from cnx_mock.audit.logical_calls import POLL_INTERVAL, Traffic
from cnx_mock.audit.threshold import Threshold

MOST = Threshold(
    "attempts", 8, "three layers that try three times each make 27 of one; no single careful layer needs 9"
)


class Amplification(Check):
    """`amplification`."""

    code: ClassVar[str] = "amplification"
    title: ClassVar[str] = "too many attempts for one logical call"
    why: ClassVar[str] = (
        "Retries multiply: a library that retries inside a loop that retries makes dozens of requests of one, and does "
        "it just when the cloud can bear it least."
    )
    fix: ClassVar[str] = "Retry in one layer only, at most a few times, and say clearly that it failed."
    thresholds: ClassVar[tuple[Threshold, ...]] = (MOST,)

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every logical call. An attempt that came when the answer had said so does not count, nor does
        the next poll."""
        for logical in traffic.logical:
            counted = [logical.first]
            for one, two, wait in logical.retries:
                told = one.retry_after is not None and wait >= one.retry_after - traffic.limits[TOLERANCE.name]
                polled = logical.poll and wait >= traffic.limits[POLL_INTERVAL.name]
                if not told and not polled:
                    counted.append(two)
            if len(counted) > traffic.limits[MOST.name]:
                yield Seen(f"{named(counted)} are {len(counted)} attempts at one call, {logical.first}", counted)
