"""What one logical call is: the attempts that a client made to get one thing done.

A later request is another attempt at an earlier one when

- it is the same request: the same method, path, parameters and JSON body, in whatever order they were written. Headers
  do not count: a retry may carry a new trace id, and keys never reach a journal;
- the earlier one had failed: an error status, a success that nobody can read, or no answer. After a success the same
  request again is a new wish: the next poll, the next replica;
- the earlier one had ended. Two that overlap are two workers, unless the earlier one never got an answer and the later
  one came noticeably after it (`overlap`): then the client had stopped waiting;
- it came from the same worker: over the same connection, over another one of its pool, or the earlier one's was used no
  more. A connection that is used again later is still some other worker's, who may well ask for the same. Two
  connections are one pool's where their calls never overlap and mostly follow each other at once, both ways
  (`handover`): Node's fetch takes turns like that;
- there are as many failed attempts at it as there are workers, where connections say nothing: where the workers share a
  pool (what one connection made is used over another one), or several of them ask for the same. With
  fewer, it may be the first attempt of a worker that had not asked yet. More tasks than connections look like fewer
  workers: for them this is too strict;
- it came soon enough (`retry-within`, behind any Retry-After): what comes much later is another run.

Calls in between, such as a look whether a create has happened, do not end it. Where several attempts could be meant,
the one that has waited longest is continued: that is the reading kindest to the client.

A wait is from the end of one attempt to the start of the next, in real time.
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
    "a client that stopped waiting for an answer waited longer than this; two workers start closer together",
)
HANDOVER = Threshold(
    "handover",
    "20ms",
    "a client with a pool of connections goes on over another one as soon as it has an answer; two workers follow each "
    "other so closely, both ways and most of the time, only by chance",
)
RETRY_WITHIN = Threshold(
    "retry-within", "2m", "twice the usual longest backoff of 60 s; the same request later than that is another run"
)
POLL_INTERVAL = Threshold(
    "poll-interval", "1s", "provisioning takes 30 to 60 s: whoever asks more than once a second learns nothing earlier"
)
SHARED = (OVERLAP, HANDOVER, RETRY_WITHIN, POLL_INTERVAL)
"""Thresholds that are no single check's own."""


@dataclass(eq=False)
class LogicalCall:
    """The attempts at one thing, in order; one where the first sufficed, or nobody tried again."""

    attempts: list[Call]
    poll: bool = False
    """Whether it asked for something that was known to be still coming up: asking again at the pace of polling is the
    next poll, not a retry."""

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
        """Every attempt with the next one and the wait between them; 0 where the next one came before it ended."""
        return [(one, two, max(0, two.began - (one.ended or two.began))) for one, two in pairwise(self.attempts)]


@dataclass(frozen=True, eq=False)
class Traffic:
    """One journal's calls in order of arrival, and the measures to judge them by."""

    calls: Sequence[Call]
    limits: Mapping[str, float]
    """Every threshold's value by its name: durations in microseconds."""
    sandbox: str | None = None
    """What the sandbox is called; None for the server's own journal."""

    @cached_property
    def _used(self) -> dict[object, tuple[int, int]]:
        """When each connection brought its first call and its last one."""
        used: dict[object, tuple[int, int]] = {}
        for call in self.calls:
            used[call.connection] = used.get(call.connection, (call.began, 0))[0], call.began
        used.pop(None, None)
        return used

    @cached_property
    def workers(self) -> int:
        """How many workers there are at least: connections that were in use at the same time."""
        spans = list(self._used.values())
        begun = sorted(first for first, last in spans if first < last)
        over = sorted(last for first, last in spans if first < last)
        in_use = (bisect_right(begun, first) - bisect_right(over, first) + (first == last) for first, last in spans)
        return max(in_use, default=1)

    @cached_property
    def _shared_pool(self) -> bool:
        """Whether several workers take their connections from one pool: what was made over one is used over another,
        while the first is in use too."""
        maker: dict[str, object] = {}
        for call in self.calls:
            for owner in (maker[each] for each in call.params if each in maker):
                shared = owner != call.connection and call.connection is not None and self._used[owner][1] > call.began
                if shared and not self.one_pool(owner, call.connection):
                    return True
            if call.makes and call.succeeded and call.connection is not None:
                maker |= {each["id"]: call.connection for each in call.items}
        return False

    @cached_property
    def _contended(self) -> set[object]:
        """Requests that several workers make: over connections that are in use at the same time."""
        over: dict[object, set[object]] = {}
        for call in self.calls:
            if call.connection is not None:
                over.setdefault(call.request, set()).add(call.connection)
        return {request for request, connections in over.items() if self._meet(connections)}

    def _meet(self, connections: set[object]) -> bool:
        """Whether two of these are in use at the same time, by different workers."""
        ordered = sorted((self._used[each], str(each), each) for each in connections)
        for (one, _, first), (two, _, second) in pairwise(ordered):
            if two[0] < one[1] and not self.one_pool(first, second):
                return True
        return False

    def anonymous(self, call: Call) -> bool:
        """Whether connections do not tell which worker made a call."""
        return call.request in self._contended or self._shared_pool

    def one_worker(self, before: Call, call: Call) -> bool:
        """Whether two calls, one after the other, can have come from the same worker."""
        if before.connection is None or call.connection is None or before.connection == call.connection:
            return True
        if self._used[before.connection][1] <= call.began:  # within one millisecond nobody knows which was first
            return True
        return self.one_pool(before.connection, call.connection)

    @cached_property
    def _pooled(self) -> dict[frozenset[object], bool]:
        """Which connections are known to be one pool's, or not."""
        return {}

    def one_pool(self, one: object, two: object) -> bool:
        """Whether one worker takes turns between two connections. It needs no third one."""
        if self.workers > 2:
            return False
        pair = frozenset((one, two))
        if pair not in self._pooled:
            self._pooled[pair] = self._turns(pair)
        return self._pooled[pair]

    @cached_property
    def _by_connection(self) -> dict[object, list[Call]]:
        found: dict[object, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call.connection, []).append(call)
        return found

    def _turns(self, connections: frozenset[object]) -> bool:
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
        """The logical calls, by their first attempt."""
        return _grouped(self)


@dataclass
class _Open:
    """Failed attempts that may be continued, by what was asked."""

    waiting: dict[object, list[LogicalCall]] = field(default_factory=dict)
    coming_up: set[str] = field(default_factory=set)
    polled: set[object] = field(default_factory=set)


def _grouped(traffic: Traffic) -> list[LogicalCall]:
    found: list[LogicalCall] = []
    state = _Open()
    for call in traffic.calls:
        logical = _continued(state.waiting.get(call.request, []), call, traffic)
        if logical is None:
            polls = call.request in state.polled or not state.coming_up.isdisjoint(call.params)
            logical = LogicalCall([], poll=call.method == "GET" and polls)
            found.append(logical)
        logical.attempts.append(call)
        if not call.succeeded:
            state.waiting.setdefault(call.request, []).append(logical)
            continue
        came = set(call.coming_up)
        state.coming_up = (state.coming_up - {each["id"] for each in call.items}) | came
        (state.polled.add if came else state.polled.discard)(call.request)
    return found


def _continued(waiting: list[LogicalCall], call: Call, traffic: Traffic) -> LogicalCall | None:
    """The logical call that this continues, taken out of those that wait; None where it begins a new one."""
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
    """Whether waits do not grow. `floor` is what counts as no wait at all.

    Chance must not look like it: with full jitter three waits are within 3 % of each other about once in 6,000 times,
    four within a tenth and six within a half far more seldom. One odd wait among five or more is the machine's.
    """
    lengths = sorted(max(float(wait), floor) for wait in waits)
    if len(lengths) < 3:
        return len(lengths) == 2 and lengths[1] <= floor
    kept = lengths[:-1] if len(lengths) >= 5 else lengths
    spread = 1.5 if len(lengths) >= 6 else 1.1 if len(lengths) >= 4 else 1.03
    return kept[-1] <= kept[0] * spread + ROUNDING


def between(calls: Iterable[Call], one: Call, two: Call) -> list[Call]:
    """The calls that began after one had ended (or, unanswered, begun) and were over before another began."""
    since = one.began if one.ended is None or one.ended > two.began else one.ended
    return [
        call
        for call in calls
        if call is not one
        and since - ROUNDING <= call.began
        and call.ended is not None
        and call.ended <= two.began + ROUNDING
    ]
