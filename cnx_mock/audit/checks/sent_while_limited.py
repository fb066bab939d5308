"""Went on with other calls while the account was over its limit."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import ROUNDING, Call
from cnx_mock.audit.check import Check, Seen, named
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.audit.threshold import Threshold

MOST = Threshold("limited-calls", 3, "four workers that share a key learn of it one by one: three are innocent")


class SentWhileLimited(Check):
    """`sent-while-limited`."""

    code: ClassVar[str] = "sent-while-limited"
    title: ClassVar[str] = "kept sending while limited"
    why: ClassVar[str] = (
        "The limit is the account's, not the call's. Until it ends everything is refused, whatever is asked, and work "
        "that is passed over in the meantime is not done."
    )
    fix: ClassVar[str] = (
        "After a 429 hold back every call of that key until Retry-After is over, then go on where it was."
    )
    thresholds: ClassVar[tuple[Threshold, ...]] = (MOST,)

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every time of being limited. Retries of a call that was limited are `early-retry`'s."""
        firsts = [logical.first for logical in traffic.logical if _limited(logical.first)]
        while firsts:
            start, rest = firsts[0], firsts[1:]
            since, until = start.ended or start.began, _end(start)
            others = [each for each in rest if since - ROUNDING <= each.began < until]
            if len(others) > max(traffic.limits[MOST.name], traffic.workers - 1):
                yield Seen(
                    f"after #{start.seq} {start} was a 429 with Retry-After, {named(others)} were sent and refused too",
                    [start, *others],
                )
            firsts = [each for each in rest if each.began >= until]


def _limited(call: Call) -> bool:
    return call.status == 429 and call.retry_after is not None


def _end(call: Call) -> int:
    return (call.ended or call.began) + (call.retry_after or 0)
