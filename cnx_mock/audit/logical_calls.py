"""Group calls into logical calls: the attempts that a client made to get one thing done.

A later request is another attempt at an earlier one if all of this is true:

- It is the same request: the same method, path, parameters and JSON body, in any order. Headers do not count: a retry
  may have a new trace id, and a journal contains no keys.
- The earlier one had failed: an error status, a success that cannot be read, or no answer. After a success, the same
  request is a new logical call: the next poll, the next replica.
- The earlier one had ended. Two requests that overlap come from two workers, unless the earlier one never got an answer
  and the later one came noticeably after it (`overlap`): then the client had stopped waiting.
- It came from the same worker: over the same connection, over another connection of its pool, or the earlier connection
  was not used any more. A connection that is used again later belongs to another worker, which may make the same
  request. Two connections belong to one pool if their calls never overlap and mostly follow each other immediately, in
  both directions (`handover`): Node's fetch alternates like that.
- There are as many failed attempts at it as there are workers, if connections do not identify workers. That is so if
  the workers share a pool (a resource that was created over one connection is used over another one), or if several
  workers make the same request. With fewer failed attempts, it may be the first attempt of another worker. If there are
  more tasks than connections, the number of workers is underestimated: requests of two tasks may look like retries.
- It came soon enough (`retry-within`, after any Retry-After): a request that comes much later belongs to another run.

Calls in between, such as a check whether a create has happened, do not end a logical call. If several logical calls
could be continued, the one that has waited longest is: that is most favourable to the client.

A wait is the real time from the end of one attempt to the start of the next one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from cnx_mock.audit.call import ROUNDING, Call
from cnx_mock.audit.threshold import Threshold

OVERLAP = Threshold(
    "overlap",
    "100ms",
    "time after which the same request is a retry of one that was never answered",
    "a client that stops waiting for an answer has waited longer than this; two workers start closer together",
)
HANDOVER = Threshold(
    "handover",
    "20ms",
    "longest pause between a call over one connection and the next over another of the same pool",
    "a client with a pool continues over another connection as soon as it has an answer; two workers follow each other "
    "so closely, in both directions and most of the time, only by chance",
)
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

    @cached_property
    def _used(self) -> dict[object, tuple[int, int]]:
        """When each connection was first and last used for a call."""
        used: dict[object, tuple[int, int]] = {}
        for call in self.calls:
            used[call.connection] = used.get(call.connection, (call.began, 0))[0], call.began
        used.pop(None, None)
        return used

    @cached_property
    def workers(self) -> int:
        """The least number of workers there can be: the most connections that were in use at the same time."""
        spans = list(self._used.values())
        begun = sorted(first for first, last in spans if first < last)
        over = sorted(last for first, last in spans if first < last)
        in_use = (bisect_right(begun, first) - bisect_right(over, first) + (first == last) for first, last in spans)
        return max(in_use, default=1)

    @cached_property
    def _shared_pool(self) -> bool:
        """Whether several workers share a pool of connections: a resource that was created over one connection is used
        over another one, while the first one is still in use."""
        creator: dict[str, object] = {}
        for call in self.calls:
            for owner in (creator[each] for each in call.params if each in creator):
                shared = owner != call.connection and call.connection is not None and self._used[owner][1] > call.began
                if shared and not self.one_pool(owner, call.connection):
                    return True
            if call.creates and call.succeeded and call.connection is not None:
                creator |= {each["id"]: call.connection for each in call.items}
        return False

    @cached_property
    def _contended(self) -> set[object]:
        """The requests that several workers make: over connections that are in use at the same time."""
        over: dict[object, set[object]] = {}
        for call in self.calls:
            if call.connection is not None:
                over.setdefault(call.request, set()).add(call.connection)
        return {request for request, connections in over.items() if self._meet(connections)}

    def _meet(self, connections: set[object]) -> bool:
        """Return whether two of these connections are in use at the same time, by different workers."""
        ordered = sorted((self._used[each], str(each), each) for each in connections)
        for (one, _, first), (two, _, second) in pairwise(ordered):
            if two[0] < one[1] and not self.one_pool(first, second):
                return True
        return False

    def anonymous(self, call: Call) -> bool:
        """Return whether the connection of a call does not identify its worker."""
        return call.request in self._contended or self._shared_pool

    def one_worker(self, before: Call, call: Call) -> bool:
        """Return whether two calls, the second after the first, can come from the same worker."""
        if before.connection is None or call.connection is None or before.connection == call.connection:
            return True
        if self._used[before.connection][1] <= call.began:  # within one millisecond the order is not known
            return True
        return self.one_pool(before.connection, call.connection)

    @cached_property
    def _pooled(self) -> dict[frozenset[object], bool]:
        """Whether two connections belong to one pool, by pair, as far as it is known."""
        return {}

    def one_pool(self, one: object, two: object) -> bool:
        """Return whether two connections belong to the pool of one worker, which alternates between them."""
        if self.workers > 2:
            return False
        pair = frozenset((one, two))
        if pair not in self._pooled:
            self._pooled[pair] = self._alternate(pair)
        return self._pooled[pair]

    @cached_property
    def _by_connection(self) -> dict[object, list[Call]]:
        found: dict[object, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call.connection, []).append(call)
        return found

    def _alternate(self, connections: frozenset[object]) -> bool:
        calls = (call for connection in connections for call in self._by_connection[connection])
        turns = [
            (one, two)
            for one, two in pairwise(sorted(calls, key=lambda call: (call.began, call.seq)))
            if one.connection != two.connection
        ]
        if any(one.ended is None or one.ended > two.began + ROUNDING for one, two in turns):
            return False
        close = [one for one, two in turns if two.began - (one.ended or 0) <= self.limits[HANDOVER.name]]
        return 2 * len(close) >= len(turns) and {one.connection for one in close} == connections

    @cached_property
    def logical(self) -> list[LogicalCall]:
        """The logical calls, in order of their first attempts."""
        return _grouped(self)


@dataclass
class _Open:
    """What is open while calls are grouped."""

    waiting: dict[object, list[LogicalCall]] = field(default_factory=dict)
    """Logical calls whose last attempt failed, by their request."""
    provisioning: set[str] = field(default_factory=set)
    """The ids of resources that are known to be not ready yet."""
    polled: set[object] = field(default_factory=set)
    """The requests whose last answer showed a resource that is not ready yet."""


def _grouped(traffic: Traffic) -> list[LogicalCall]:
    found: list[LogicalCall] = []
    state = _Open()
    for call in traffic.calls:
        logical = _continued(state.waiting.get(call.request, []), call, traffic)
        if logical is None:
            polls = call.request in state.polled or not state.provisioning.isdisjoint(call.params)
            logical = LogicalCall([], poll=call.method == "GET" and polls)
            found.append(logical)
        logical.attempts.append(call)
        if not call.succeeded:
            state.waiting.setdefault(call.request, []).append(logical)
            continue
        pending = set(call.provisioning)
        state.provisioning = (state.provisioning - {each["id"] for each in call.items}) | pending
        (state.polled.add if pending else state.polled.discard)(call.request)
    return found


def _continued(waiting: list[LogicalCall], call: Call, traffic: Traffic) -> LogicalCall | None:
    """Return the logical call that this call continues, and remove it from those that wait; None if there is none."""
    limits = traffic.limits
    waiting[:] = [each for each in waiting if not _long_ago(each.last, call, limits)]
    ready = [each for each in waiting if _given_up(each.last, call, limits)]
    if not traffic.anonymous(call):
        ready = [each for each in ready if traffic.one_worker(each.last, call)]
    elif len(ready) < traffic.workers:
        return None
    if not ready:
        return None
    chosen = min(ready, key=lambda each: each.last.ended or each.last.began)
    waiting.remove(chosen)
    return chosen


def _long_ago(before: Call, call: Call, limits: Mapping[str, float]) -> bool:
    return call.began - (before.ended or before.began) > limits[RETRY_WITHIN.name] + (before.retry_after or 0)


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
