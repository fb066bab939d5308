"""A server on a thread and an event loop of its own, with a bounded start and stop."""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from cnx_mock.errors import NotRunningError, StartError, StopError
from cnx_mock.net.serving import ServedApp, Serving, loop_factory
from cnx_mock.net.sockets import ListeningSockets, listen

T = TypeVar("T")

TIMEOUT_SECONDS = 10

_GREEN = (
    ("gevent", "gevent.monkey", "is_module_patched", ("threading", "socket")),
    ("eventlet", "eventlet.patcher", "is_monkey_patched", ("thread", "socket")),
)
"""Libraries that replace threads and sockets: the name, the module that does it, its function that says whether it has
done so, and for what to ask."""


class ServerThread:
    """One run of a server: it starts once and stops once."""

    def __init__(self, app: ServedApp, listeners: ListeningSockets) -> None:
        self._serving = Serving(app, listeners)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._private: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"cnx-mock {listeners.url}", daemon=True)

    def start(self) -> None:
        """Serve from now on. Raises StartError if the server fails, is not ready in time, or cannot have a thread. If
        the wait is interrupted, such as by Ctrl-C, nothing is left running."""
        _must_have_threads()
        try:
            self._thread.start()
            is_ready = self._ready.wait(TIMEOUT_SECONDS)
        except RuntimeError as error:  # the system allows no more threads
            raise StartError(f"the server did not start: {error}") from error
        except BaseException:
            self._ready.wait(TIMEOUT_SECONDS)
            self.stop()
            raise
        if not is_ready or self._failure is not None:
            self.stop()
            raise StartError(f"the server did not start: {self._failure!r}") from self._failure

    def stop(self) -> None:
        """Stop serving, close every connection, and wait for the thread. Raises StopError if it does not end."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT_SECONDS)
        if self._thread.is_alive():
            raise StopError(f"the thread {self._thread.name} did not stop within {TIMEOUT_SECONDS} s")

    def add(self, listeners: ListeningSockets) -> None:
        """Accept connections on further sockets, which are closed with the others."""
        self._wait_for(self._serving.add(listeners))

    def private_url(self) -> str | None:
        """Return the URL of a port that no fault closes; it is opened when it is first asked for. None if the server
        has stopped."""
        with self._lock:
            if self._private is None and self._thread.is_alive():
                listeners = ListeningSockets(list(listen(["127.0.0.1"], 0)), [], [], None, None)
                self._wait_for(self._serving.add(listeners, may_close=False))
                self._private = listeners.url
            return self._private

    def close_connections(self, listeners: ListeningSockets) -> None:
        """Close the connections that came in through these sockets; new ones are accepted as before."""
        self._wait_for(self._serving.abort_connections(listeners))

    def call(self, function: Callable[[], T]) -> T:
        """Call a function between two calls of the server, and return its result. Raises NotRunningError if the loop is
        busy."""

        async def called() -> T:
            return function()

        return self._wait_for(called())

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop, and return its result. Raises NotRunningError if the loop is busy."""
        assert self._loop is not None, "it has been started"
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT_SECONDS)
        except TimeoutError:
            raise NotRunningError(f"the server did not react within {TIMEOUT_SECONDS} s") from None

    def _run(self) -> None:
        """The thread: an event loop from start to stop."""
        loop = self._loop = loop_factory()()
        try:
            loop.run_until_complete(self._serving.start())
            loop.call_soon(self._ready.set)
            loop.run_forever()
            loop.run_until_complete(self._serving.stop())
        except BaseException as failure:  # start() raises it, whatever it is
            self._failure = failure
        finally:
            self._ready.set()
            loop.close()


def _must_have_threads() -> None:
    """Raise StartError if a library has put its own in the place of Python's threads or sockets: the server would wait
    for ever for the code that waits for it."""
    for library, module, question, parts in _GREEN:
        patched = getattr(sys.modules.get(module), question, None)
        if patched is not None and any(patched(part) for part in parts):
            raise StartError(
                f"the server cannot run in this process, because {library} has replaced Python's threads and sockets. "
                "Start `cnx-mock serve` in another process, and use its URL (in pytest: --cnx-url URL)"
            )
