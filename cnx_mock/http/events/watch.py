"""What has changed in a sandbox since the last look, at a cost that depends on the changes alone.

A watch remembers marks: which objects it has seen, and a few numbers. Tables tell it which records change. What time
alone changes is in a heap, so that it is known when to look again.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import islice
from typing import Any, Protocol

from cnx_mock.api.shapes import Shape
from cnx_mock.http.events.event import EventKind
from cnx_mock.http.events.listener import Listener
from cnx_mock.http.journal import Journal
from cnx_mock.http.loading import WorldLoad
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.phases import Phase
from cnx_mock.world.clock import NEVER, Clock, ticks
from cnx_mock.world.records import InstanceRecord, LoadBalancerRecord, MadeRecord, ProvisionedRecord, SnapshotRecord
from cnx_mock.world.sandbox import SandboxState
from cnx_mock.world.table import Table

Change = tuple[EventKind, dict[str, Any]]
"""The kind of an event, and its fields."""

_PROVISIONED: dict[str, type[ProvisionedRecord]] = {
    each.kind.noun: each for each in (InstanceRecord, SnapshotRecord, LoadBalancerRecord)
}

_MOST_AT_ONCE = 250
"""How many resources of one sandbox are reported between two slices of other work."""

_SCANNED_AT_ONCE = 200
_SLICE = 2_000
"""For how many microseconds records are looked at for what is due, between two slices of other work."""


class Renderer(Protocol):
    """Shows things as the control plane's GET shows them."""

    def item(self, tenant: Tenant) -> Shape:
        """Return a sandbox in the list."""

    def scenario(self, tenant: Tenant) -> Shape:
        """Return the current scenario."""

    def error(self) -> str | None:
        """Return why the scenario's file cannot be used, which is part of the scenario."""

    def clock(self, tenant: Tenant) -> Shape:
        """Return the clock."""

    def account(self, tenant: Tenant) -> Shape:
        """Return the account."""

    def resource(self, sandbox: SandboxState, record: MadeRecord) -> Shape:
        """Return a resource."""

    def rule(self, tenant: Tenant, active: ActiveRule) -> Shape:
        """Return a rule."""


class EventSource:
    """Where events come from: the requests that reached no sandbox."""

    id: str | None = None
    """The sandbox's id."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.listeners: list[Listener] = []
        """The receiver of the changes."""
        self.due: int | None = None
        """When the hub looks at it again, on the monotonic clock; None if only a change makes it look."""
        self._clearings = journal.clearings

    def look(self) -> Iterator[Change]:
        """Yield what has changed since the last look."""
        if self.journal.clearings != self._clearings:
            self._clearings = self.journal.clearings
            yield "reset", {"item": None}

    def has_phases(self) -> bool:
        """Return whether a request can end a phase."""
        return False

    def wait(self) -> int | None:
        """Return after how many microseconds of real time something changes by itself; None if nothing does."""
        return None

    def end(self) -> None:
        """Watch no more."""


class SandboxWatch(EventSource):
    """One sandbox."""

    def __init__(self, tenant: Tenant, renderer: Renderer, changed: Callable[["SandboxWatch"], None]) -> None:
        """`changed` is called when a record has changed, or a phase has begun: it is time to look."""
        super().__init__(tenant.journal)
        self.id = tenant.id
        self.tenant = tenant
        self._show = renderer
        self._changed = changed
        self._begin()

    def _begin(self) -> None:
        """Take everything as it is now. A world that is still loading is watched when it is complete."""
        tenant = self.tenant
        self._sandbox = sandbox = tenant.sandbox_so_far
        self.journal, self._clearings = tenant.journal, tenant.journal.clearings
        self._loading = tenant.loading
        self._engine = tenant.engine
        self._touched: dict[str, type[MadeRecord]] = {}
        self._due: list[tuple[int, str, str]] = []
        """A heap: when a record changes by itself, its kind, and its id."""
        self._unscanned: Iterator[None] = iter(())
        self._is_scanning = False
        self._clock, self._pace = sandbox.clock, _pace(sandbox.clock)
        self._version, self._story = tenant.engine.version(), self._story_now()
        self._engine.observer = lambda: self._changed(self)
        if self._loading is None:
            self._money = self._account_now()
            for table in _tables(sandbox):
                table.observe(self._touch)
            self._unscanned, self._is_scanning = self._scan(sandbox.now), True

    def end(self) -> None:
        """Watch no more."""
        self._engine.observer = None
        for table in _tables(self._sandbox):
            table.observe(None)

    def has_phases(self) -> bool:
        """Return whether a request can end a phase."""
        return self._engine.has_phases

    def waits_for(self, load: WorldLoad) -> bool:
        """Return whether this is what still loads its world."""
        return self._loading is load

    def _touch(self, record: MadeRecord) -> None:
        """Note that a record has changed."""
        if not self._touched:
            self._changed(self)
        self._touched[record.id] = type(record)

    def look(self) -> Iterator[Change]:
        """Yield what has changed since the last look. Of many resources it yields some, and `wait` then returns 0."""
        tenant = self.tenant
        replaced = tenant.sandbox_so_far is not self._sandbox or tenant.journal is not self.journal
        loaded = self._loading is not None and tenant.loading is None
        if replaced or loaded or self.journal.clearings != self._clearings:
            self.end()
            self._begin()
            yield "reset", {"item": self._show.item(tenant)}
            return
        if self._loading is not None:
            return
        if self._sandbox.clock is not self._clock or _pace(self._sandbox.clock) != self._pace:
            self._clock, self._pace = self._sandbox.clock, _pace(self._sandbox.clock)
            yield "clock", {"clock": self._show.clock(tenant)}
        version, story = tenant.engine.version(), self._story_now()
        if version is not self._version or story != self._story:
            self._version, self._story = version, story
            yield "phase", {"scenario": self._show.scenario(tenant)}
        money = self._account_now()
        if money != self._money:
            self._money = money
            yield "account", {"account": self._show.account(tenant)}
        yield from self._resources()
        began = ticks()
        while self._is_scanning and ticks() - began < _SLICE:
            self._is_scanning = next(self._unscanned, self) is None

    def wait(self) -> int | None:
        """Return after how many microseconds of real time something changes by itself; None if nothing does."""
        if self._touched or self._is_scanning:
            return 0
        if self._loading is not None:
            return None
        sandbox = self._sandbox
        resource = self._due[0][0] if self._due else NEVER
        soonest = min(resource, self._engine.next_change(), sandbox.ledger.next_charge(sandbox.now))
        return None if soonest == NEVER else sandbox.clock.until(soonest)

    def _resources(self) -> Iterator[Change]:
        sandbox, now = self._sandbox, self._sandbox.now
        while self._due and self._due[0][0] <= now and len(self._touched) < _MOST_AT_ONCE:
            ends, noun, record_id = heappop(self._due)
            due = sandbox.table(_PROVISIONED[noun]).get(record_id)
            if due is not None and due.lifecycle.ends == ends:
                self._touched[record_id] = _PROVISIONED[noun]
        for record_id in list(islice(self._touched, _MOST_AT_ONCE)):
            record_class = self._touched.pop(record_id)
            record = sandbox.table(record_class).get(record_id)
            if isinstance(record, ProvisionedRecord):
                self._expect(record, now)
            if isinstance(record, InstanceRecord):  # its load balancers show its health
                self._touched |= dict.fromkeys(record.load_balancer_ids, LoadBalancerRecord)
            shown = None if record is None else self._show.resource(sandbox, record)
            yield "resource", {"kind": record_class.kind.noun, "id": record_id, "resource": shown}

    def _expect(self, record: ProvisionedRecord, now: int) -> None:
        """Note when a record changes by itself."""
        if (due := record.changes(now)) != NEVER:
            heappush(self._due, (due, record.kind.noun, record.id))

    def _scan(self, begun: int) -> Iterator[None]:
        """Find out, in steps, when each record changes by itself after an instant. The clock may be moved between two
        steps."""
        for table in _tables(self._sandbox):
            for start in range(0, table.extent, _SCANNED_AT_ONCE):
                for record in table.at(range(start, min(start + _SCANNED_AT_ONCE, table.extent))):
                    if isinstance(record, ProvisionedRecord):
                        self._expect(record, begun)
                yield

    def _story_now(self) -> tuple[Phase | None, int, str | None]:
        moment, since = self.tenant.engine.moment()
        return moment.phase, 0 if moment.phase is None else since, self._show.error()

    def _account_now(self) -> tuple[object, ...]:
        sandbox = self._sandbox
        key = sandbox.key_with(self.tenant.key)
        return sandbox.account.plan, sandbox.account.limit, sandbox.balance, key.scopes


def _pace(clock: Clock) -> tuple[float, bool, int]:
    """Return all of a clock that does not change by itself."""
    return clock.speed, clock.frozen, clock.advanced


def _tables(sandbox: SandboxState) -> list[Table[Any]]:
    return [sandbox.instances, sandbox.snapshots, sandbox.firewalls, sandbox.load_balancers]
