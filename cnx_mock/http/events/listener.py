"""One listener: a bounded queue of events, and the wish to be woken."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from cnx_mock.http.events.event import Loss, StreamEvent, lost_event
from cnx_mock.net.bounds import Bound

MOST_BYTES = 8 * 1024 * 1024
"""What the queue of one listener may hold."""

_TAKEN_AT_ONCE = 8
"""After how many events it is asked whether they are enough: to ask takes as long as to encode a small one."""

PastEvent = Callable[[], StreamEvent]
"""Returns an event of the past; or one that says that the journals do not have it any more."""


class Listener:
    """One client that listens. What it has not been sent yet is in its queue. If that is full, all of it is dropped,
    and one event says how much: nothing ever waits for a client."""

    def __init__(self, selected: str | None, bound: Bound, start: int, pull: Callable[[], None]) -> None:
        """`selected` is the id of the sandbox that it follows; None for all. `pull` puts the events into its queue that
        it did not get yet."""
        self.selected = selected
        self.start = start
        """The number of the last event that it knows, or of the last one before it came."""
        self.closed = False
        """Whether it gets nothing new: the client is gone, or the server stops."""
        self._bound = bound
        self._pull = pull
        self._past: deque[PastEvent] = deque()
        self._queue: deque[StreamEvent] = deque()
        self._bytes = 0
        self._lost: dict[Loss, tuple[int, int | None]] = {}
        """By the reason: the number of the last event that is missing, and how many are; None if it is not known."""
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._woken = False

    def selects(self, sandbox: str | None) -> bool:
        """Return whether it follows a sandbox; None stands for the requests that reached none."""
        return self.selected is None or self.selected == sandbox

    def replay(self, past: Iterable[PastEvent]) -> None:
        """Give it events of the past first. They are in the journals, so that they need no room here."""
        self._past.extend(past)
        self.wake()

    def lose(self, reason: Loss, number: int, count: int | None = None) -> None:
        """Tell it, before anything else, that events are missing, up to the one with this number."""
        _, before = self._lost.get(reason, (0, 0))
        self._lost[reason] = (number, None if before is None or count is None else before + count)
        self.wake()

    def put(self, event: StreamEvent) -> None:
        """Give it an event. If the queue is full, it loses all unsent events."""
        self.put_all((event,), event.size)

    def put_all(self, events: Sequence[StreamEvent], size: int) -> None:
        """Give it some events of this size in all. If the queue is full, it loses all unsent events."""
        queue = self._queue
        queue.extend(events)
        self._bytes += size
        if len(queue) > self._bound.limit or (self._bytes > MOST_BYTES and len(queue) > 1):
            self.overflow(queue[-1].number, 0)
        else:
            self.wake()

    def overflow(self, number: int, count: int) -> None:
        """Let it lose all unsent events, and this many more, up to the one with this number."""
        lost = len(self._queue) + count
        self._bound.refused += lost
        self.lose("behind", number, lost)
        self._queue.clear()
        self._bytes = 0

    def take(self, enough: Callable[[int], bool]) -> bytes:
        """Return what is to be sent next. `enough` is called after every few events, with the bytes so far, and says
        whether they are enough."""
        if not self._queue:
            self._pull()
        self._bound.seen(len(self._queue))
        chunk = bytearray()
        taken = 0
        while (event := self._next()) is not None:
            chunk += event.encoded()
            taken += 1
            if taken % _TAKEN_AT_ONCE == 0 and enough(len(chunk)):
                return bytes(chunk)
        self._ready.clear()
        self._woken = False
        return bytes(chunk)

    def _next(self) -> StreamEvent | None:
        """Return the next event: what is lost, then the past, then the queue."""
        if self._lost:
            reason = next(iter(self._lost))
            number, count = self._lost.pop(reason)
            return lost_event(number, count, reason)
        if self._past:
            return self._past.popleft()()
        if not self._queue:
            return None
        event = self._queue.popleft()
        self._bytes -= event.size
        return event

    async def wait(self, seconds: float) -> bool:
        """Wait until there is something to do. Return False if there was nothing for this many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """End it. What is in its queue can still be taken."""
        self.closed = True
        self._woken = False
        self.wake()

    def drop(self) -> None:
        """End it, and forget what is in its queue."""
        self._past.clear()
        self._queue.clear()
        self._lost.clear()
        self.close()

    def wake(self) -> None:
        """Tell it that there is something to take. It may be called in any thread: a test client may run each request
        on a separate loop."""
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # its loop is closed
                self._loop.call_soon_threadsafe(self._ready.set)


class Batch:
    """Events that the same listeners are given together."""

    __slots__ = ("_events", "_size", "listeners")

    def __init__(self, listeners: Sequence[Listener] = ()) -> None:
        self.listeners = listeners
        self._events: list[StreamEvent] = []
        self._size = 0

    def add(self, event: StreamEvent) -> None:
        """Add an event."""
        self._events.append(event)
        self._size += event.size

    def send(self) -> None:
        """Give the listeners what was added, and be empty again."""
        if self._events:
            for listener in self.listeners:
                listener.put_all(self._events, self._size)
            self._events, self._size = [], 0
