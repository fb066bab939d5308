"""Run a coroutine on an event loop in a separate thread, and wait for its end."""

import threading
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from cnx_mock.net.serving import loop_factory

T = TypeVar("T")

_END_SECONDS = 10
"""How long the thread gets to end after an interruption."""


def run_in_thread(work: Coroutine[Any, Any, T], name: str) -> T:
    """Return the result of a coroutine that runs in a thread with this name, or raise what it raises. If the wait is
    interrupted, such as by Ctrl-C, the coroutine is cancelled."""
    loop = loop_factory()()
    task = loop.create_task(work)  # here, so that it has the context variables of the caller
    done: Future[T] = Future()

    def body() -> None:
        try:
            done.set_result(loop.run_until_complete(task))
        except BaseException as error:  # the caller raises it, whatever it is
            done.set_exception(error)
        finally:
            loop.close()

    thread = threading.Thread(target=body, name=name, daemon=True)
    try:
        thread.start()  # it waits for the new thread, so that Ctrl-C can arrive here too
        return done.result()
    finally:
        if not done.done():
            loop.call_soon_threadsafe(task.cancel)
            wait([done], _END_SECONDS)
        if done.done():
            thread.join(_END_SECONDS)
