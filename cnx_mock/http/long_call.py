"""A call of the control plane that takes long: one whose body is a whole world, written out, or an audit.

What takes long is done in a thread or in slices. Python lets the server's own thread go on every few milliseconds, so
other calls are served meanwhile. The call begins again when something is found, and finds it then.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

from cnx_mock.api.parsing import json_object
from cnx_mock.http.disposal import free_slowly, long_lists
from cnx_mock.http.loading import WorldLoad, WorldLoading
from cnx_mock.services.worlds import Fixture, read_fixture
from cnx_mock.text.live_keys import LONG
from cnx_mock.world.release import Holder

T = TypeVar("T")


class _Result(Generic[T]):
    """What a function has returned or raised."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.value: T | None = None
        self._error: Exception | None = None
        try:
            self.value = work()
        except Exception as error:
            self._error = error

    def get(self) -> T:
        """Return or raise it."""
        if self._error is not None:
            raise self._error
        assert self.value is not None, "none of these functions returns nothing"
        return self.value


class LongCall:
    """The results of a call that begins again: what it has computed in a thread or in slices."""

    def __init__(self, body: bytes | None) -> None:
        self.is_long = body is not None and len(body) >= LONG
        """Whether its body is. A short body is not worth a thread."""
        self._body = body or b""
        self._data: _Result[dict[str, Any]]
        self._found: list[_Result[Any]] = []
        self._next = 0

    async def parse(self) -> None:
        """Parse the body: before the call begins, if it is long."""
        self._data = await asyncio.to_thread(_Result, partial(json_object, self._body))

    def parsed(self) -> dict[str, Any]:
        """Return the object in the body. Raises what `json_object` raises."""
        return self._data.get()

    def begin(self) -> None:
        """Begin the call, or begin it again: it wants to know the same things in the same order."""
        self._next = 0

    def read_fixture(self, data: Any) -> Fixture:
        """Return the fixture in plain data. Raises FixtureError with every problem in it, WorldLoading to wait for."""
        return self.in_thread(partial(read_fixture, data)) if self.is_long else read_fixture(data)

    def in_thread(self, work: Callable[[], T]) -> T:
        """Return or raise what a function does, in a thread. Raises WorldLoading to wait for it."""
        found: T = self._after(WorldLoad(iter(()), 1, "a call", [], partial(self._do, work)))
        return found

    def in_slices(self, items: Iterator[T], expected: int) -> list[T]:
        """Return these items, which are made in slices. Their number is about this. Raises WorldLoading to wait for
        them."""
        found: list[T] = self._after(WorldLoad(self._take(items), expected, "a call", []))
        return found

    def _after(self, load: WorldLoad) -> Any:
        if self._next == len(self._found):
            raise WorldLoading(load)
        self._next += 1
        return self._found[self._next - 1].get()

    def _do(self, work: Callable[[], object]) -> None:
        self._found.append(_Result(work))

    def _take(self, items: Iterator[object]) -> Iterator[None]:
        taken: list[object] = []
        for each in items:
            taken.append(each)
            yield
        self._do(lambda: taken)

    def end(self) -> None:
        """Free what the call has read, unless a sandbox has it now."""
        if self.is_long:
            found = [each.value for each in self._found]
            documents = (each.document for each in found if isinstance(each, Fixture))
            left: list[Holder] = list(long_lists([self._data.value, *documents]))
            del self._data, self._found, found, documents
            free_slowly(left)
