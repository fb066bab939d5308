"""Asked again and again whether something has come up."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import ClassVar

from cnx_mock.audit.attempts import POLL_INTERVAL, ROUNDING, Traffic, steady
from cnx_mock.audit.calls import Call
from cnx_mock.audit.check import Check, Seen, lasted, named
from cnx_mock.audit.checks.flat_backoff import FLOOR
from cnx_mock.audit.threshold import Threshold

MOST = Threshold("quick-polls", 10, "so many quick ones are forgiven to polling that starts fast and gets slower")


class BusyPoll(Check):
    """`busy-poll`."""

    code: ClassVar[str] = "busy-poll"
    title: ClassVar[str] = "polled a provisioning resource too often"
    why: ClassVar[str] = (
        "Provisioning takes 30 to 60 seconds, and every question counts against the rate limit: a quick poll uses up "
        "the minute's requests before the answer can have changed."
    )
    fix: ClassVar[str] = (
        "Poll every few seconds, or start at one second and wait longer each time; give up after some minutes."
    )
    thresholds: ClassVar[tuple[Threshold, ...]] = (MOST,)

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every run of polls."""
        for run in _runs(traffic.calls):
            waits = [two.began - (one.ended or two.began) for one, two in pairwise(run)]
            quick = [max(0, wait) for wait in waits if wait < traffic.limits[POLL_INTERVAL.name]]
            habit = len(quick) >= 3 and steady(quick, traffic.limits[FLOOR.name])
            if habit or len(quick) > traffic.limits[MOST.name]:
                usual = lasted(sorted(quick)[len(quick) // 2])
                yield Seen(f"{named(run)} ask {run[0]} again {usual} after it said {_status(run[0])}", run)


def _runs(calls: Iterable[Call]) -> Iterator[list[Call]]:
    """The same question asked of what was still coming up, one answer after the other; the last may be another. A
    change in between, whosever it was, is a reason to look again."""
    runs: dict[object, list[Call]] = {}
    for call in calls:
        run = runs.get(call.request)
        if call.committed:
            yield from runs.values()
            runs.clear()
        elif call.method != "GET":
            continue
        elif run is not None and (run[-1].ended or call.began + 1) <= call.began + ROUNDING:
            run.append(call)
            if not call.coming_up:
                yield runs.pop(call.request)
        elif run is None and call.coming_up:
            runs[call.request] = [call]
    yield from runs.values()


def _status(call: Call) -> str:
    return next(str(item["status"]) for item in call.items if item["id"] in call.coming_up)
