"""Group calls into logical calls: the attempts that a client made to get one thing done.

A later request is another attempt at an earlier one if all of this is true:

- It is the same request: the same method, path, parameters and JSON body, in any order. Headers do not count: a retry
  may have a new trace id, and a journal contains no keys.
- The earlier one had failed: an error status, a success that cannot be read, or no answer. After a success, the same
  request is a new logical call: the next poll, the next replica.
- The earlier one had ended. Two requests that overlap come from two workers, unless the earlier one never got an answer
  and the later one came noticeably after it (`overlap`): then the client had stopped waiting.
- It came soon enough (`retry-within`, after any Retry-After): a request that comes much later belongs to another run.

If several workers make the same request, the journal does not say which of them made a call (`workers` says what it
does show). Then the pairing that is kindest to the client is taken, call by call:

1. A failed attempt that had waited long enough is continued: until its Retry-After was over, or `overlap`. Of several,
   the logical call with the fewest attempts comes first, then one over the same connection, then the oldest.
2. Otherwise the call is the first attempt of another worker, if there may be one: not all workers are waiting for their
   next attempt, and there are fewer logical calls so far than in the run without faults.
3. Otherwise it is a retry that came too early, of the attempt that has waited longest.

A request that is read as one of a crowd (`crowds`) has these rules too, but connections do not count.

Calls in between, such as a check whether a create has happened, do not end a logical call.

A wait is the real time from the end of one attempt to the start of the next one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from itertools import pairwise

from cnx_mock.audit.call import ROUNDING, Call
from cnx_mock.audit.threshold import Threshold
from cnx_mock.audit.workers import HANDOVER, OVERLAP, Workers
from cnx_mock.dataclass import dataclass

RETRY_WITHIN = Threshold(
    "retry-within",
    "2m",
    "longest time after a failed attempt at which the same request is a retry",
    "twice the usual longest backoff of 60 s; the same request after a longer time belongs to another run",
)
POLL_INTERVAL = Threshold(
    "poll-interval",
    "1s",
    "a poll is quick if it comes sooner than this after the last answer",
    "provisioning takes 30 to 60 s: a client that asks more than once a second learns nothing earlier",
)
FLOOR = Threshold(
    "no-wait",
    "10ms",
    "a wait of at most this counts as none",
    "a client that does not wait needs less than this to send a request again",
)
TOLERANCE = Threshold(
    "early-by",
    "50ms",
    "how much earlier than Retry-After an attempt may come",
    "timers and the journal round their times; a client that waits for Retry-After is never 50 ms early",
)
SHARED = (OVERLAP, HANDOVER, RETRY_WITHIN, POLL_INTERVAL)
"""Thresholds that do not belong to one check."""


@dataclass(eq=False)
class LogicalCall:
    """The attempts to get one thing done, in order. There is only one if it succeeded, or was not retried."""

    attempts: list[Call]
    poll: bool = False
    """Whether it reads a resource that was known to be not ready yet. The same request at the pace of polling is then
    the next poll, and not a retry."""

    @property
    def first(self) -> Call:
        """The first attempt."""
        return self.attempts[0]

    @property
    def last(self) -> Call:
        """The last attempt."""
        return self.attempts[-1]

    @property
    def retries(self) -> list[tuple[Call, Call, int]]:
        """Each attempt with the next one and the wait between them in microseconds; 0 if they overlap."""
        return [(one, two, max(0, two.began - (one.ended or two.began))) for one, two in pairwise(self.attempts)]


@dataclass(frozen=True, eq=False)
class Traffic:
    """The calls of one journal in order of arrival, and the values of the thresholds."""

    calls: Sequence[Call]
    limits: Mapping[str, float]
    """The value of each threshold by its name; durations are in microseconds."""
    fault_free: Sequence[Sequence[Call]] = ()
    """The calls of runs of the same client without faults, each in order of arrival; none if there were no such runs.
    """
    failed: bool = False
    """Whether the client is known to have failed, by its exit status for example."""
    crowds: Mapping[object, int] = field(default_factory=dict)
    """The requests that are read as made by several workers over any connections, with the number of workers."""

    @cached_property
    def workers(self) -> Workers:
        """What the journal shows of the client's workers."""
        return Workers(self.calls, self.limits, self.fault_free)

    @cached_property
    def logical(self) -> list[LogicalCall]:
        """The logical calls, in order of their first attempts."""
        return _Grouping(self).grouped()


@dataclass(eq=False)
class _Attempts:
    """The attempts at one request, while calls are grouped."""

    waiting: list[LogicalCall] = field(default_factory=list)
    """Logical calls whose last attempt failed."""
    under_way: list[Call] = field(default_factory=list)
    """Successful calls that had not ended when the last call began."""
    begun: int = 0
    """How many logical calls there are so far."""
    together: bool = True
    """Whether each call began within a moment of the one before."""
    together_begun: int = 0
    """How many logical calls began so."""
    last: int | None = None
    """When the last call began."""
    succeeded: int = 0
    """How many calls of any request had succeeded at the first call."""

    def follow(self, call: Call, moment: float) -> None:
        """Take the next call into account."""
        self.together = self.together and (self.last is None or call.began - self.last < moment)
        self.last = call.began


@dataclass(eq=False)
class _Grouping:
    """What is open while calls are grouped."""

    traffic: Traffic
    attempts: dict[object, _Attempts] = field(default_factory=dict)
    """The attempts by their request."""
    provisioning: set[str] = field(default_factory=set)
    """The ids of resources that are known to be not ready yet."""
    polled: set[object] = field(default_factory=set)
    """The requests whose last answer showed a resource that is not ready yet."""
    succeeded: int = 0
    """How many calls of any request have succeeded."""

    def grouped(self) -> list[LogicalCall]:
        """Return the logical calls, in order of their first attempts."""
        found: list[LogicalCall] = []
        for call in self.traffic.calls:
            attempts = self.attempts.setdefault(call.request, _Attempts(succeeded=self.succeeded))
            attempts.follow(call, self.traffic.limits[OVERLAP.name])
            logical = self._continued(attempts, call)
            if logical is None:
                logical = LogicalCall([], poll=self._polls(call))
                attempts.begun += 1
                attempts.together_begun += attempts.together
                found.append(logical)
            logical.attempts.append(call)
            if call.succeeded:
                attempts.under_way.append(call)
                self._learn(call)
                self.succeeded += 1
            else:
                attempts.waiting.append(logical)
        return found

    def _polls(self, call: Call) -> bool:
        known = call.request in self.polled or not self.provisioning.isdisjoint(call.params)
        return call.method == "GET" and known

    def _learn(self, call: Call) -> None:
        """Remember which resources a successful answer shows as not ready yet."""
        pending = set(call.provisioning)
        self.provisioning = (self.provisioning - {each["id"] for each in call.items}) | pending
        (self.polled.add if pending else self.polled.discard)(call.request)

    def _continued(self, attempts: _Attempts, call: Call) -> LogicalCall | None:
        """Return the logical call that this call continues, no longer waiting; None if there is none."""
        limits = self.traffic.limits
        attempts.waiting[:] = [each for each in attempts.waiting if not _long_ago(each.last, call, limits)]
        attempts.under_way[:] = [each for each in attempts.under_way if not each.over_before(call)]
        ready = [each for each in attempts.waiting if _given_up(each.last, call, limits)]
        chosen = self._kindest(ready, attempts, call) if ready else None
        if chosen is not None:
            attempts.waiting.remove(chosen)
        return chosen

    def _kindest(self, ready: list[LogicalCall], attempts: _Attempts, call: Call) -> LogicalCall | None:
        """Return the logical call that this call continues in the pairing that is kindest to the client."""
        workers = self.traffic.workers
        if call.request in self.traffic.crowds:
            return self._of_any_worker(ready, attempts, call)
        own = [each for each in ready if not workers.apart(each.last, call)]
        several = workers.at_once(call.request)
        may_continue = ready if several > 1 else own
        in_time = [each for each in may_continue if _in_time(each.last, call, self.traffic.limits)]
        if in_time:
            return min(in_time, key=lambda each: (len(each.attempts), each.last.connection != call.connection))
        busy = len(attempts.waiting) + len(attempts.under_way)
        if (not own or busy < several) and attempts.begun < workers.expected(call.request):
            return None
        return min(own or ready, key=lambda each: _end(each.last))

    def _of_any_worker(self, ready: list[LogicalCall], attempts: _Attempts, call: Call) -> LogicalCall | None:
        """Return the logical call that this call continues if it may come from any worker of a crowd."""
        may_come = [each for each in ready if self._may_come_again(each.last, call)]
        in_time = [each for each in may_come if _in_time(each.last, call, self.traffic.limits)]
        first = self._may_be_first(attempts, call)
        if in_time or (may_come and not (first and attempts.begun < self.traffic.crowds[call.request])):
            return min(in_time or may_come, key=lambda each: len(each.attempts))
        return None if first else min(ready, key=lambda each: _end(each.last) + (each.last.retry_after or 0))

    def _may_be_first(self, attempts: _Attempts, call: Call) -> bool:
        """Return whether a call may be the first attempt of a worker of a crowd. Workers begin together, and each
        continues when it has succeeded."""
        size = self.traffic.crowds[call.request]
        known = size if attempts.together else attempts.together_begun
        free = len(attempts.waiting) + len(attempts.under_way) < size
        expected = min(
            known + self.succeeded - attempts.succeeded, self.traffic.workers.expected_of_crowd(call.request)
        )
        return free and attempts.begun < expected

    def _may_come_again(self, one: Call, two: Call) -> bool:
        """Return whether a careful worker may send a call again: not one that was refused, and a create whose fate is
        not known only after a look."""
        if one.refused or (one.retry_after is not None and not _in_time(one, two, self.traffic.limits)):
            return False
        if one.creates and one.outcome_unknown:
            return looked_for(self.traffic.calls, one, two)
        return _in_time(one, two, self.traffic.limits)


def _end(call: Call) -> int:
    return call.ended or call.began


def _in_time(before: Call, call: Call, limits: Mapping[str, float]) -> bool:
    """Return whether a call came after the wait that a failed one asked for, or too late for another worker that
    started together with the first one."""
    wait = call.began - _end(before)
    if before.retry_after is not None:
        return wait >= before.retry_after - limits[TOLERANCE.name]
    return wait >= limits[OVERLAP.name]


def _long_ago(before: Call, call: Call, limits: Mapping[str, float]) -> bool:
    return call.began - _end(before) > limits[RETRY_WITHIN.name] + (before.retry_after or 0)


def _given_up(before: Call, call: Call, limits: Mapping[str, float]) -> bool:
    if before.over_before(call):
        return True
    return before.status is None and call.began - before.began >= limits[OVERLAP.name]


def steady(waits: Sequence[int], floor: float) -> bool:
    """Return whether waits do not grow. Waits of at most `floor` count as no wait. All are in microseconds.

    Random waits must not look steady by chance: with full jitter, three waits are within 3 % of each other about once
    in 6,000 times; four within 10 % and six within 50 % are much rarer. One of five or more waits may differ: a busy
    machine causes it.
    """
    lengths = sorted(max(float(wait), floor) for wait in waits)
    if len(lengths) < 3:
        return len(lengths) == 2 and lengths[1] <= floor
    kept = lengths[:-1] if len(lengths) >= 5 else lengths
    spread = 1.5 if len(lengths) >= 6 else 1.1 if len(lengths) >= 4 else 1.03
    return kept[-1] <= kept[0] * spread + ROUNDING


def between(calls: Iterable[Call], one: Call, two: Call) -> list[Call]:
    """Return the calls that began after `one` had ended, and ended before `two` began. If `one` has no end before
    `two`, its begin counts."""
    since = one.began if one.ended is None or one.ended > two.began else one.ended
    return [
        call
        for call in calls
        if call is not one
        and since - ROUNDING <= call.began
        and call.ended is not None
        and call.ended <= two.began + ROUNDING
    ]


def looked_for(calls: Iterable[Call], create: Call, again: Call) -> bool:
    """Return whether the client listed the resources of that kind between a create and the next one."""
    return any(call.succeeded and call.lists_what(create) for call in between(calls, create, again))
