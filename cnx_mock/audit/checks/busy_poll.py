"""A resource that is being provisioned was polled too often."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, milliseconds, named
from cnx_mock.audit.logical_calls import FLOOR, POLL_INTERVAL, Traffic, steady
from cnx_mock.audit.threshold import Threshold

MOST = Threshold(
    "quick-polls",
    10,
    "quick polls in one series that `busy-poll` excuses, unless their pace is steady",
    "polling that starts fast and slows down may make so many quick polls",
)


class BusyPoll(Check):
    """`busy-poll`."""

    code: ClassVar[str] = "busy-poll"
    title: ClassVar[str] = "polled a provisioning resource too often"
    why: ClassVar[str] = (
        "Provisioning takes 30 to 60 seconds, and every poll counts against the rate limit. Quick polls use up the "
        "requests of a minute before the status can change."
    )
    fix: ClassVar[str] = (
        "Poll every few seconds, or start with one second and wait longer each time; give up after some minutes."
    )
    thresholds: ClassVar[tuple[Threshold, ...]] = (MOST,)

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each series of polls."""
        for polls in _series(traffic):
            # a list may be read by each of the workers that share a pool; a resource is polled by the one that needs it
            turns = 1 if polls[0].params else traffic.workers.sharing(polls[0].request)
            again = zip(polls, polls[turns:], strict=False)
            waits = [two.began - (one.ended or two.began) for one, two in again]
            quick = [max(0, wait) for wait in waits if wait < traffic.limits[POLL_INTERVAL.name]]
            habit = len(quick) >= 3 and steady(quick, traffic.limits[FLOOR.name])
            if habit or len(quick) > traffic.limits[MOST.name]:
                median = milliseconds(sorted(quick)[len(quick) // 2])
                message = f"{named(polls)} ask {polls[0]} again only {median} after the answer was {_status(polls[0])}"
                yield Hit(message, polls)


def _series(traffic: Traffic) -> Iterator[list[Call]]:
    """Yield each series of polls: one worker makes the same request again after an answer that showed a resource as
    still being provisioned. The last answer may show it as ready. A change in between, by any worker, ends a series: it
    is a reason to look again."""
    series: list[list[Call]] = []
    for call in traffic.calls:
        if call.committed:
            yield from series
            series = []
        elif call.method == "GET":
            polls = next((each for each in series if _continues(traffic, each[-1], call)), None)
            if polls is not None:
                polls.append(call)
                if not call.provisioning:
                    yield polls
                    series = [each for each in series if each is not polls]
            elif call.provisioning:
                series.append([call])
    yield from series


def _continues(traffic: Traffic, before: Call, call: Call) -> bool:
    """Return whether a call is the next poll after another one."""
    return before.over_before(call) and before.request == call.request and not traffic.workers.apart(before, call)


def _status(call: Call) -> str:
    return next(str(item["status"]) for item in call.items if item["id"] in call.provisioning)
