"""The client waited very long for one answer: it has no deadline for the whole call."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.check import Check, Hit, milliseconds, named
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.audit.threshold import Threshold

LONGEST = Threshold(
    "deadline",
    "1m",
    "longest time that a client may wait for one answer",
    "the API answers within a second or two; a client that has a deadline has given up after a minute",
)


class NoDeadline(Check):
    """`no-deadline`."""

    code: ClassVar[str] = "no-deadline"
    title: ClassVar[str] = "no total deadline for a call"
    why: ClassVar[str] = (
        "The timeout of most HTTP clients limits only each wait for data. If a body comes piece by piece, no wait is "
        "too long, and a single call can stop the program for hours."
    )
    fix: ClassVar[str] = (
        "Give each call a deadline: `curl --max-time 20`, `AbortSignal.timeout(20000)`, "
        "`asyncio.timeout(20)`, or check the clock after each piece of the body."
    )
    thresholds: ClassVar[tuple[Threshold, ...]] = (LONGEST,)

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for all calls. A client that leaves earlier ends its call, and one without an answer may wait
        for the first byte: a time limit ends it."""
        waited = {
            call: call.ended - call.began
            for call in traffic.calls
            if call.status is not None and call.ended is not None
        }
        calls = [call for call, duration in waited.items() if duration >= traffic.limits[LONGEST.name]]
        if calls:
            longest = milliseconds(max(waited[call] for call in calls))
            yield Hit(f"{named(calls)} waited up to {longest} for the whole answer to one call", calls)
