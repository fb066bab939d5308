"""Other calls were sent while the account was over its rate limit."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import ROUNDING, Call
from cnx_mock.audit.check import Check, Hit, named
from cnx_mock.audit.logical_calls import TOLERANCE, LogicalCall, Traffic
from cnx_mock.audit.threshold import Threshold

MOST = Threshold(
    "limited-calls",
    3,
    "calls that `sent-while-limited` excuses while the account is limited",
    "four workers that share a key each learn of the limit by a refusal: three of them are excused",
)


class SentWhileLimited(Check):
    """`sent-while-limited`."""

    code: ClassVar[str] = "sent-while-limited"
    title: ClassVar[str] = "kept sending while limited"
    why: ClassVar[str] = (
        "The limit belongs to the account, not to one call. Until it ends, every request is refused, and work that the "
        "client skips in the meantime is not done."
    )
    fix: ClassVar[str] = "After a 429, send nothing with that key until Retry-After is over, then continue with it."
    thresholds: ClassVar[tuple[Threshold, ...]] = (MOST,)

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each time that the account was limited. Retries of a limited call are left to
        `early-retry`. A call that is made again on time may be the first one of another worker, who could not know."""
        limited = [logical for logical in traffic.logical if _limited(logical.first)]
        in_vain = {logical.first for logical in limited if not _again_on_time(logical, traffic)}
        firsts = [logical.first for logical in limited]
        while firsts:
            start, rest = firsts[0], firsts[1:]
            since, until = start.ended or start.began, _end(start)
            others = [each for each in rest if since - ROUNDING <= each.began < until and each in in_vain]
            if len(others) > max(traffic.limits[MOST.name], traffic.workers.most - 1):
                yield Hit(
                    f"after #{start.seq} {start} got a 429 with Retry-After, {named(others)} were sent and refused "
                    "as well",
                    [start, *others],
                )
            firsts = [each for each in rest if each.began >= until]


def _limited(call: Call) -> bool:
    return call.status == 429 and call.retry_after is not None


def _again_on_time(logical: LogicalCall, traffic: Traffic) -> bool:
    """Return whether a call is made again, after the time that its Retry-After gave."""
    for one, _, wait in logical.retries[:1]:
        return wait >= (one.retry_after or 0) - traffic.limits[TOLERANCE.name]
    return False


def _end(call: Call) -> int:
    return (call.ended or call.began) + (call.retry_after or 0)
