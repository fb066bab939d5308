"""The workers of a client: how many there can be, and which calls may come from the same one.

A journal does not name workers (threads, tasks, processes). What it shows are times and connections:

- Two calls that overlap come from two workers.
- The same request that succeeds over several connections within a moment (`overlap`) is made by several workers: none
  of these calls can be a retry of another one.
- A connection that is used for one call only does not identify a worker: it can be any worker's. A connection that is
  used again later belongs to the worker that uses it again, unless the workers share a pool of connections. They do if
  a resource that was created over one connection is used over another one while the first one is still in use.
- A single worker may have a pool too, and take another connection for every call. As long as nothing shows that the
  client is concurrent, it is one worker. What shows it: calls that overlap, the same request that succeeds over three
  connections within a moment, or resources that are each used over their creator's connection only, or
  three connections that are in use at the same time.

Connections may not tell the workers apart at all. What is then found in one reading counts only if it is also found in
the other one, a crowd whose workers take any connection (`crowds`).
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import inf

from cnx_mock.audit.call import ROUNDING, Call
from cnx_mock.audit.threshold import Threshold
from cnx_mock.dataclass import dataclass

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


@dataclass(frozen=True, eq=False)
class Workers:
    """What a journal shows of the client's workers."""

    calls: Sequence[Call]
    """The calls in order of arrival."""
    limits: Mapping[str, float]
    """The value of each threshold by its name; durations are in microseconds."""
    fault_free: Sequence[Sequence[Call]] = ()
    """The calls of runs of the same client without faults, each in order of arrival."""

    @cached_property
    def most(self) -> int:
        """How many workers there are at least."""
        return max(self._most_connections, self._most_at_once)

    @cached_property
    def _most_at_once(self) -> int:
        return max(self._at_once.values(), default=1)

    @cached_property
    def _most_connections(self) -> int:
        """The most connections that were in use at the same time."""
        return _most_at_once(self._used.values())

    @cached_property
    def _used(self) -> dict[object, tuple[int, int]]:
        """When each connection was first and last used for a call."""
        used: dict[object, tuple[int, int]] = {}
        for call in self.calls:
            used[call.connection] = used.get(call.connection, (call.began, 0))[0], call.began
        used.pop(None, None)
        return used

    @cached_property
    def _by_connection(self) -> dict[object, list[Call]]:
        found: dict[object, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call.connection, []).append(call)
        return found

    @cached_property
    def _by_request(self) -> dict[object, list[Call]]:
        return _by_request(self.calls)

    @cached_property
    def _fault_free_requests(self) -> list[dict[object, list[Call]]]:
        return [_by_request(calls) for calls in self.fault_free]

    # ---- how many make the same request

    @cached_property
    def _at_once(self) -> dict[object, int]:
        """How many workers make each request at about the same time, as far as times show it."""
        found: Counter[object] = Counter()
        for run in (self._by_request, *self._fault_free_requests):
            for request, calls in run.items():
                found[request] = max(found[request], self._in_flight(calls), self._together(calls))
        return found

    def at_once(self, request: object) -> int:
        """Return how many workers make a request at the same time, at least."""
        known = request in self._settled
        others = 1 if known else self._most_at_once  # other requests then show the workers
        return max(1, self._at_once[request], others, self._connections_of(request))

    @cached_property
    def _settled(self) -> set[object]:
        """The requests that show their workers themselves: they succeeded, or they are not reads."""
        runs = (self.calls, *self.fault_free)
        return {call.request for run in runs for call in run if call.succeeded or call.method != "GET"}

    @cached_property
    def _connections(self) -> dict[object, int]:
        found = {}
        for request, calls in self._by_request.items():
            over = {call.connection for call in calls} - {None}
            found[request] = _most_at_once([self._used[each] for each in over]) if len(over) > 1 else 1
        return found

    def _connections_of(self, request: object) -> int:
        """Return over how many connections that are in use at the same time a request is made."""
        return self._connections.get(request, 1) if self.concurrent else 1

    def expected(self, request: object) -> float:
        """Return how many logical calls of a request there may be. A run without faults shows it; without one, it is
        not known for a concurrent client, and each success of one worker ends a logical call."""
        succeeded = self._succeeded[request]
        without_faults = max((len(run.get(request, ())) for run in self._fault_free_requests), default=0)
        if without_faults:
            return max(without_faults, succeeded)
        return inf if self.concurrent or self.at_once(request) > 1 else max(1, succeeded)

    @cached_property
    def _succeeded(self) -> Counter[object]:
        return Counter(call.request for call in self.calls if call.succeeded)

    def _in_flight(self, calls: Sequence[Call]) -> int:
        """Return how many of some calls were under way at the same time. A client may give up an unanswered one."""
        patience = int(self.limits[OVERLAP.name])
        spans = []
        for call in calls:
            ended = call.began + patience if call.ended is None else call.ended
            if call.status is None:
                ended = min(ended, call.began + patience)
            spans.append((call.began, max(call.began, ended - ROUNDING)))
        return _most_at_once(spans)

    def _moments(self, calls: Iterable[Call]) -> list[list[Call]]:
        """Return the calls of one request in groups. In each, every call began within a moment of the one before."""
        moments: list[list[Call]] = []
        last = -inf
        for call in calls:
            if call.began - last >= self.limits[OVERLAP.name]:
                moments.append([])
            moments[-1].append(call)
            last = call.began
        return moments

    def _together(self, calls: Iterable[Call]) -> int:
        """Return how many workers make the same request together, as its successes over several connections within a
        moment show it. Over at least three, those that failed at such a moment were some of the workers."""
        moments = self._moments(calls)
        most = max(map(_connections, moments), default=1)
        if most > 2:
            return max(len(moment) for moment in moments if _connections(moment))
        return max(sum(call.succeeded for call in moment) if _connections(moment) > 1 else 1 for moment in moments)

    @cached_property
    def concurrent(self) -> bool:
        """Whether anything shows that the client has several workers."""
        runs = (self.calls, *self.fault_free)
        if self._own_resources or any(self._in_flight(run) > 1 for run in runs):
            return True
        again = [span for span in self._used.values() if span[0] < span[1]]
        moments = (moment for calls in self._all_requests() for moment in self._moments(calls))
        return _most_at_once(again) > 2 or max(map(_connections, moments), default=1) > 2

    def _all_requests(self) -> Iterator[list[Call]]:
        for run in (self._by_request, *self._fault_free_requests):
            yield from run.values()

    @cached_property
    def crowd(self) -> int:
        """How many workers there may be: the most calls with which a run begins to make the same request within a
        moment."""
        return max((len(self._moments(calls)[0]) for calls in self._all_requests()), default=1)

    def expected_of_crowd(self, request: object) -> float:
        """Return how many logical calls of a request a crowd may make: as many as in a run without faults."""
        without_faults = max((len(run.get(request, ())) for run in self._fault_free_requests), default=0)
        return max(without_faults, self._succeeded[request]) if self._fault_free_requests else inf

    # ---- which connection belongs to which worker

    def apart(self, before: Call, call: Call) -> bool:
        """Return whether the connections of two calls, the second after the first, belong to different workers."""
        if before.connection is None or call.connection is None or before.connection == call.connection:
            return False
        if self._used[before.connection][1] <= call.began:  # within one millisecond the order is not known
            return False
        return not self._shared_pool and not self._one_pool(before.connection, call.connection)

    @cached_property
    def _resource_uses(self) -> list[tuple[object, Call]]:
        """Each call that uses a created resource, with the connection over which that was created."""
        creator: dict[str, object] = {}
        found = []
        for call in self.calls:
            if call.connection is None:
                continue
            found += [(creator[each], call) for each in call.params if each in creator]
            if call.creates and call.succeeded:
                creator |= {each["id"]: call.connection for each in call.items}
        return found

    @cached_property
    def _shared_pool(self) -> bool:
        """Whether several workers share a pool of connections."""
        return any(
            owner != call.connection
            and self._used[owner][1] > call.began
            and not self._one_pool(owner, call.connection)
            for owner, call in self._resource_uses
        )

    def sharing(self, request: object) -> int:
        """Return how many workers share a pool of connections, as far as requests other than this one show it; 1 if
        nothing shows that any do. One worker that makes a request often looks like many that make it once."""
        if not self._shared_pool:
            return 1
        return max([self._most_connections, *(each for other, each in self._at_once.items() if other != request)])

    @cached_property
    def _own_resources(self) -> bool:
        """Whether several workers each use their own resources over their own connection."""
        owners = {owner for owner, _ in self._resource_uses}
        strangers = any(owner != call.connection for owner, call in self._resource_uses)
        return not strangers and _most_at_once([self._used[owner] for owner in owners]) > 1

    @cached_property
    def _pools(self) -> dict[frozenset[object], bool]:
        """Whether two connections belong to one pool, by pair, as far as it is known."""
        return {}

    def _one_pool(self, one: object, two: object) -> bool:
        """Return whether two connections belong to the pool of one worker, which alternates between them."""
        if self._most_connections > 2:
            return False
        pair = frozenset((one, two))
        if pair not in self._pools:
            self._pools[pair] = self._alternate(pair)
        return self._pools[pair]

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


def _connections(calls: Iterable[Call]) -> int:
    """Return over how many connections some calls succeeded."""
    return len({call.connection for call in calls if call.succeeded})


def _by_request(calls: Iterable[Call]) -> dict[object, list[Call]]:
    found: dict[object, list[Call]] = {}
    for call in calls:
        found.setdefault(call.request, []).append(call)
    return found


def _most_at_once(spans: Iterable[tuple[int, int]]) -> int:
    """Return how many of some spans of time, each from its first to its last moment, there are at the same time. Two
    calls do not overlap if one begins when the other one ends."""
    spans = list(spans)
    begun, over = sorted(first for first, _ in spans), sorted(last for _, last in spans)
    at_once = (bisect_right(begun, first) - bisect_right(over, first) + (first == last) for first, last in spans)
    return max(at_once, default=1)
