"""Asked again and again whether something has come up."""

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen, lasted, named
from cnx_mock.audit.checks.flat_backoff import FLOOR
from cnx_mock.audit.logical_calls import POLL_INTERVAL, Traffic, steady
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
        for run in _runs(traffic):
            waits = [two.began - (one.ended or two.began) for one, two in pairwise(run)]
            quick = [max(0, wait) for wait in waits if wait < traffic.limits[POLL_INTERVAL.name]]
            habit = len(quick) >= 3 and steady(quick, traffic.limits[FLOOR.name])
            if habit or len(quick) > traffic.limits[MOST.name]:
                usual = lasted(sorted(quick)[len(quick) // 2])
                yield Seen(f"{named(run)} ask {run[0]} again {usual} after it said {_status(run[0])}", run)


def _runs(traffic: Traffic) -> Iterator[list[Call]]:
    """The same question asked by one worker of what was still coming up, one answer after the other; the last may be
    another. A change in between, whosever it was, is a reason to look again."""
    runs: list[list[Call]] = []
    for call in traffic.calls:
        if call.committed:
            yield from runs
            runs = []
        elif call.method == "GET":
            run = next((each for each in runs if _goes_on(traffic, each[-1], call)), None)
            if run is not None:
                run.append(call)
                if not call.coming_up:
                    yield run
                    runs = [each for each in runs if each is not run]
            elif call.coming_up:
                runs.append([call])
    yield from runs


def _goes_on(traffic: Traffic, before: Call, call: Call) -> bool:
    """Whether a call is the next poll behind another one."""
    return before.over_before(call) and before.request == call.request and traffic.one_worker(before, call)


def _status(call: Call) -> str:
    return next(str(item["status"]) for item in call.items if item["id"] in call.coming_up)
