"""A call was retried before the time that Retry-After gave."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.check import Check, Hit, milliseconds, named
from cnx_mock.audit.logical_calls import TOLERANCE, Traffic
from cnx_mock.audit.threshold import Threshold


class EarlyRetry(Check):
    """`early-retry`."""

    code: ClassVar[str] = "early-retry"
    title: ClassVar[str] = "called again before Retry-After"
    why: ClassVar[str] = (
        "The answer said when it is worth asking again. A client that asks sooner is refused again, and keeps a cloud "
        "busy that is trying to recover."
    )
    fix: ClassVar[str] = (
        "Read Retry-After (seconds, or an HTTP date) and wait at least that long before the next attempt."
    )
    thresholds: ClassVar[tuple[Threshold, ...]] = (TOLERANCE,)
    by_worker: ClassVar[bool] = True

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each logical call."""
        for logical in traffic.logical:
            early = [
                (one, two, wait)
                for one, two, wait in logical.retries
                if one.retry_after is not None and wait < one.retry_after - traffic.limits[TOLERANCE.name]
            ]
            if early:
                one, two, wait = early[0]
                more = f"; {named([each for _, each, _ in early[1:]])} came too early as well" if early[1:] else ""
                yield Hit(
                    f"#{two.seq} {two} came {milliseconds(wait)} after #{one.seq}, whose {one.status} said Retry-After "
                    f"{milliseconds(one.retry_after or 0)}{more}",
                    [one, *(each for _, each, _ in early)],
                )
