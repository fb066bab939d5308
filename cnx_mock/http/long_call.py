"""A call of the control plane with a long body: a whole world, written out.

Its body is parsed, and its fixtures are checked, in a thread. Python lets the server's own thread go on every few
milliseconds, so other calls are served meanwhile. A call begins again when a fixture is read, and finds it then.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from cnx_mock.api.parsing import json_object
from cnx_mock.http.disposal import free_slowly, parts_of
from cnx_mock.http.loading import WorldLoad, WorldLoading
from cnx_mock.services.worlds import Fixture, read_fixture
from cnx_mock.text.live_keys import LONG

T = TypeVar("T")


class _Outcome(Generic[T]):
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
    """What is known of a call's body, and of the fixtures in it, when the call begins again. A short body is not
    worth a thread."""

    def __init__(self, body: bytes | None) -> None:
        self.is_long = body is not None and len(body) >= LONG
        self._body = body or b""
        self._data: _Outcome[dict[str, Any]]
        self._fixtures: list[_Outcome[Fixture]] = []
        self._next = 0

    async def parse(self) -> None:
        """Parse the body: before the call begins, if it is long."""
        self._data = await asyncio.to_thread(_Outcome, partial(json_object, self._body))

    def parsed(self) -> dict[str, Any]:
        """Return the object in the body. Raises what `json_object` raises."""
        return self._data.get()

    def begin(self) -> None:
        """Begin the call, or begin it again: it reads the same fixtures in the same order."""
        self._next = 0

    def read_fixture(self, data: Any) -> Fixture:
        """Return the fixture in plain data. Raises FixtureError with every problem in it, WorldLoading to wait for."""
        if not self.is_long:
            return read_fixture(data)
        if self._next == len(self._fixtures):
            raise WorldLoading(WorldLoad(iter(()), 1, "a fixture", [], partial(self._read, data)))
        self._next += 1
        return self._fixtures[self._next - 1].get()

    def end(self) -> None:
        """Free what the call has read, unless a sandbox has it now."""
        if self.is_long:
            fixtures = [each.value for each in self._fixtures]
            left = list(parts_of([self._data.value, *(each.document for each in fixtures if each is not None)]))
            del self._data, self._fixtures, fixtures
            free_slowly(left)

    def _read(self, data: Any) -> None:
        self._fixtures.append(_Outcome(partial(read_fixture, data)))
