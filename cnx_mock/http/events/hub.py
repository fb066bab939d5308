"""The hub: it receives reports of what happens, and sends events to the listeners. Without a listener it does
nothing."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from heapq import heappop, heappush
from itertools import count
from typing import Any

from cnx_mock.api.errors import ListenerLimit
from cnx_mock.http.events.event import EventKind, RequestEvent, StreamEvent, stream_event
from cnx_mock.http.events.fresh import FreshRequests
from cnx_mock.http.events.listener import MOST_BYTES, Batch, Listener
from cnx_mock.http.events.past import missed
from cnx_mock.http.events.watch import EventSource, Renderer, SandboxWatch
from cnx_mock.http.journal import Journal, JournalRecord
from cnx_mock.http.loading import WorldLoad
from cnx_mock.http.observers import Observers
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants
from cnx_mock.world.chance import random_token
from cnx_mock.world.clock import SECOND, ticks, wall_now

log = logging.getLogger("cnx_mock")

_SHORTEST_WAIT = 20_000
"""Microseconds between two looks because of the time alone: a sandbox's clock can run a million times as fast."""

_LONGEST_WAIT = 3600 * SECOND


class EventHub:
    """The events of one server. All of it runs on one thread, the one that the requests run on."""

    def __init__(self, tenants: Tenants, observers: Observers) -> None:
        self._tenants = tenants
        self._observers = observers
        self._first = self._last = wall_now()
        """The numbers of the first event and of the last one. An earlier process's are lower."""
        self._origin = self._first - ticks()
        self._limit = tenants.bounds["max_listeners"]
        self._queues = tenants.bounds["max_listener_events"]
        self._limit.measure = lambda: len(self._listeners)
        self._listeners: dict[Listener, asyncio.AbstractEventLoop] = {}
        self._closed = False
        self._show: Renderer
        self._sources: dict[Journal, EventSource] = {}
        """Everything that somebody follows, by its journal."""
        self._watches: dict[Tenant, SandboxWatch] = {}
        """The sandboxes among that."""
        self._dirty: dict[EventSource, None] = {}
        """Those that have changed, and were not looked at yet."""
        self._due: list[tuple[int, int, EventSource]] = []
        """A heap: when to look at one again, on the monotonic clock."""
        self._turns = count()
        """Numbers that keep the heap from comparing sources."""
        self._is_woken = False
        self._timer: asyncio.TimerHandle | None = None
        self._fresh = FreshRequests()

    # ---- listeners

    @cached_property
    def server(self) -> str:
        """What tells this server from every other one, also from one before it at the same address."""
        return random_token()

    @property
    def is_awake(self) -> bool:
        """Whether somebody listens."""
        return bool(self._listeners)

    def listen(self, show: Renderer, selected: str | None = None, after: int | None = None) -> Listener:
        """Return a new listener of one sandbox, or of everything. With `after`, the number of its last event, it gets
        the events that it missed. Raises ListenerLimit."""
        self._tell_fresh()
        if len(self._listeners) >= self._limit.limit:
            self._limit.refused += 1
            raise ListenerLimit(limit=str(self._limit.limit), option=self._limit.option)
        listener = Listener(selected, self._queues, self._number(0), self._tell_fresh)
        if self._closed:
            listener.close()
            return listener
        if not self._listeners:
            self._wake_up(show)
        self._listeners[listener] = asyncio.get_running_loop()
        self._follow(listener)
        if after is not None:
            self._resume(listener, after)
        self._rouse()
        return listener

    def leave(self, listener: Listener) -> None:
        """Tell a listener nothing more."""
        listener.drop()
        if self._listeners.pop(listener, None) is None:
            return
        for source in list(self._sources.values()):
            if listener in source.listeners:
                source.listeners.remove(listener)
                if not source.listeners:
                    self._forget(source)
        if not self._listeners:
            self._fall_asleep()

    def close(self) -> None:
        """End every stream, for good, because the server stops."""
        self._closed = True
        self._tell_fresh()
        for listener in self._listeners:
            listener.close()

    def _wake_up(self, show: Renderer) -> None:
        self._show = show
        self._observers.add(self._completed)
        self._tenants.observer = self._made_or_gone
        self._tenants.load_observers.append(self._loaded)

    def _fall_asleep(self) -> None:
        self._observers.remove(self._completed)
        self._tenants.observer = None
        self._tenants.load_observers.remove(self._loaded)
        self._fresh.take()
        self._dirty.clear()
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _follow(self, listener: Listener) -> None:
        """Let a listener have the events of everything that it selects."""
        if listener.selects(None):
            own = self._sources.setdefault(self._tenants.journal, EventSource(self._tenants.journal))
            own.listeners.append(listener)
        for tenant in self._tenants:
            if listener.selects(tenant.id):
                self._watch(tenant).listeners.append(listener)

    def _watch(self, tenant: Tenant) -> SandboxWatch:
        """Return the watch of a tenant, made if there is none."""
        watch = self._watches.get(tenant)
        if watch is None:
            watch = self._watches[tenant] = SandboxWatch(tenant, self._show, self._changed)
            self._sources[watch.journal] = watch
            self._dirty[watch] = None  # when does something change by itself?
        return watch

    def _forget(self, source: EventSource) -> None:
        source.end()
        source.listeners.clear()
        del self._sources[source.journal]
        self._dirty.pop(source, None)
        if isinstance(source, SandboxWatch):
            del self._watches[source.tenant]

    def _resume(self, listener: Listener, after: int) -> None:
        if not self._first <= after <= self._last:
            listener.lose("restarted", self._last)
            return
        listener.start = after
        sources = [source for source in self._sources.values() if listener in source.listeners]
        gone = [source.journal.reaches_back_to for source in sources]
        gone += [self._tenants.reaches_back_to] if listener.selected is None else []
        gone += [each.tenant.made for each in sources if isinstance(each, SandboxWatch) and listener.selected]
        if self._origin + max(gone, default=0) > after:
            listener.lose("evicted", after + 1)
        listener.replay(missed(sources, after, self._origin, self._faults))

    # ---- what happens

    def _completed(self, record: JournalRecord, _: Tenant | None) -> None:
        """Keep a completed request until a listener wants to know of it. Tell of it at once if it may be the last one
        that a phase waited for."""
        source = None if record.journal is None else self._sources.get(record.journal)
        if source is None:
            return
        fresh = self._fresh
        is_first = fresh.add(source, record)
        if source.has_phases():
            self._tell_fresh()
            self._look_at(source)
        elif fresh.count > self._queues.limit or fresh.bytes > MOST_BYTES:
            self._lose_fresh()
        elif is_first:
            for listener in source.listeners:
                listener.wake()

    def _tell_fresh(self) -> None:
        """Tell of the requests that were completed, and of the faults that hit them, in their order. It comes before
        all other events."""
        for source, records in self._fresh.take():
            batch = Batch(source.listeners)
            for record in records:
                applied, ended = record.applied, record.ended
                assert ended is not None, "it is complete"
                record.event = self._last = max(self._last + 1 + len(applied), self._origin + ended)
                if applied:
                    batch.send()
                    self._send(source, self._faults(source, record))
                batch.add(RequestEvent(source.id, record))
            batch.send()

    def _lose_fresh(self) -> None:
        """Tell only how many requests were completed, and faults hit them: there are too many for any listener."""
        for source, records in self._fresh.take():
            count = sum(1 + len(each.applied) for each in records)
            number = self._number(count)
            for listener in source.listeners:
                listener.overflow(number, count)

    def control_changed(self, tenant: Tenant | None) -> None:
        """Look at a sandbox, because the control plane has changed something; None stands for every one."""
        self._tell_fresh()
        if tenant is not None:
            watch = self._watches.get(tenant)
            looked: Iterable[EventSource] = () if watch is None else (watch,)
        else:
            looked = list(self._sources.values())
        for source in looked:
            self._look_at(source)
        self._rouse()

    def _made_or_gone(self, tenant: Tenant, is_made: bool) -> None:
        """Tell of a tenant that is made or given back."""
        self._tell_fresh()
        if is_made:
            wanting = [each for each in self._listeners if each.selects(tenant.id)]
            if not wanting:
                return
            watch = self._watch(tenant)
            watch.listeners += wanting
            self._tell(watch, "reset", {"item": self._show.item(tenant)})
            self._rouse()
        elif tenant in self._watches:
            self._tell(self._watches[tenant], "reset", {"item": None})
            self._forget(self._watches[tenant])

    def _loaded(self, load: WorldLoad) -> None:
        """Look at the sandbox whose large world is complete."""
        for watch in self._watches.values():
            if load.is_over and watch.waits_for(load):
                self._changed(watch)

    def _changed(self, watch: SandboxWatch) -> None:
        """Look at a sandbox soon: something has changed in the middle of an operation."""
        self._dirty[watch] = None
        self._rouse()

    # ---- telling

    def _number(self, count: int = 1) -> int:
        """Return the number of an event, or of the last one of this many events."""
        self._last = max(self._last + count, self._origin + ticks())
        return self._last

    def _faults(self, source: EventSource, record: JournalRecord) -> list[StreamEvent]:
        """Return the events of the faults that hit a request; their numbers come before that of the request."""
        chosen = {} if record.ruling is None else {each.rule.id: each.active for each in record.ruling.chosen}
        first, events = record.event - len(record.applied), []
        for place, (rule_id, fault) in enumerate(record.applied):
            assert isinstance(source, SandboxWatch), "rules are asked in a sandbox only"
            rule = self._show.rule(source.tenant, chosen[rule_id])
            fields = {"rule": rule, "request_id": record.exchange.request_id, "fault": fault}
            events.append(stream_event(first + place, "fired", source.id, fields))
        return events

    def _tell(self, source: EventSource, kind: EventKind, fields: dict[str, Any]) -> None:
        self._send(source, [stream_event(self._number(), kind, source.id, fields)])

    @staticmethod
    def _send(source: EventSource, events: Iterable[StreamEvent]) -> None:
        for event in events:
            for listener in source.listeners:
                listener.put(event)

    # ---- looking

    def _rouse(self) -> None:
        """Look soon. It may be called in any thread."""
        if not self._is_woken:
            for loop in self._listeners.values():
                with suppress(RuntimeError):  # the loop is closed
                    self._is_woken = True
                    loop.call_soon_threadsafe(self._look)
                    return

    def _look(self) -> None:
        """Look at everything that has changed or is due, and set the timer for what is due next."""
        self._is_woken = False
        self._tell_fresh()
        dirty, self._dirty = self._dirty, {}
        while self._due and self._due[0][0] <= ticks():
            source = heappop(self._due)[2]
            source.due, dirty[source] = None, None
        for source in dirty:
            if source.listeners:
                self._look_at(source)
        self._set_timer()

    def _look_at(self, source: EventSource) -> None:
        """Tell what has changed in one place. A bug in here has no effect on what is looked at."""
        try:
            journal = source.journal
            for kind, fields in source.look():
                self._tell(source, kind, fields)
            if source.journal is not journal:
                self._sources[source.journal] = self._sources.pop(journal)
            wait = source.wait()
        except Exception:
            log.exception("cnx-mock failed to tell what has changed; please report this")
            return
        if wait is not None:
            due = ticks() + min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)
            if source.due is None or due < source.due:
                source.due = due
                heappush(self._due, (due, next(self._turns), source))

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due and self._listeners:
            delay = max(0, self._due[0][0] - ticks()) / SECOND
            self._timer = asyncio.get_running_loop().call_later(delay, self._look)
