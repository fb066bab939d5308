"""`Sandbox.race`: two functions at once, in copies of the sandbox's world."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cnx_mock.errors import InvalidInputError
from cnx_mock.python_api.handle import Handle

if TYPE_CHECKING:
    from cnx_mock.python_api.race.origin import RaceOrigin
    from cnx_mock.python_api.race.result import RaceResult


OriginOf = Callable[[str], "RaceOrigin"]
"""Returns the sandbox with an id as it is now, for a race. Raises NotRunningError if that is not in this process."""


def no_origin(sandbox_id: str) -> "RaceOrigin":
    """Raise InvalidInputError: a sandbox that belongs to a race cannot start another one."""
    raise InvalidInputError("this sandbox belongs to a race: call race on the sandbox that started the race")


class Raceable(Handle):
    """A sandbox whose copies are the worlds of a race."""

    __slots__ = ("_origin", "_raced")

    _origin: "OriginOf"
    """Returns the sandbox with an id as it is now."""
    _raced: set[str]
    """The ids of the rules that have injected a fault in a race."""
    id: str

    def _at(self, url: str, sandbox_id: str) -> tuple[Any, Callable[[], None]]:
        """Return a handle of the same key on another server, and what closes its connection."""
        raise NotImplementedError

    def race(
        self,
        first: Callable[[Any], Any],
        second: Callable[[Any], Any],
        /,
        *,
        switches: int = 2,
        schedule: str | None = None,
        timeout: float | None = None,
    ) -> "list[RaceResult]":
        """Run two functions at the same time, once for every order of their calls to the API that may make a
        difference. Fail if a result is not possible when the functions run one after the other.

        Each run has a fresh copy of this sandbox as it is now, with its clock, account, resources and rules. The
        sandbox itself does not change. Each function is called in its own thread, with one argument: a `Sandbox` with
        its own address in that copy. The function must send its calls to the `url` of this argument. A coroutine
        function is awaited. First the functions run one after the other, in both orders, each order twice. Then they
        run at the same time, one call at a time: a function that does not have the turn waits.

        A result is the resources that are left, and what each function returns or raises, without ids and times. If a
        function raises an exception when it runs alone, that is raised here.

        Arguments:

        - `first`: The first function, A. It may be given twice.
        - `second`: The second function, B.
        - `switches`: How often the turn may change in one run.
        - `schedule`: One order to run, such as `A1 B1 B2 A2`, in place of every one.
        - `timeout`: The seconds that each function may take in a run. By default 60 when it runs alone, and in a race
          three times its time alone plus 15.

        Returns the result of each order: first the two orders one after the other, then those at the same time. If no
        calls conflict, the list has only the first two.

        Raises:

        - `RaceError`, an AssertionError, if an order has a result that is not possible one after the other, and has
          such a result again when it is repeated. Also if a function does not end, if the functions give other results
          each time they run alone, or if a function makes no call. `schedule` has the order.
        - `InvalidInputError` for an argument that cannot be used.
        - `NotRunningError` if the server is not one of this process.

        Example:

            cnx.race(lambda each: deploy(each.url, each.api_key), lambda each: scale(each.url, each.api_key))
        """
        __tracebackhide__ = True  # for pytest
        _check(first, second, switches, schedule, timeout)
        from cnx_mock.python_api.race.race import race  # lazy: only a test that races needs the sweep

        origin = self._origin(self.id)
        found = race(origin, self._at, (first, second), switches, schedule, timeout, self._raced)
        if isinstance(found, BaseException):
            raise found
        return found


def _check(first: object, second: object, switches: object, schedule: object, timeout: object) -> None:
    """Raise InvalidInputError for what cannot be raced."""
    for each in (first, second):
        if not callable(each):
            raise InvalidInputError(f"race takes two functions, not {type(each).__name__}: {str(each)[:100]}")
        try:
            inspect.signature(each).bind(None)
        except TypeError:
            name = getattr(each, "__name__", "function")
            raise InvalidInputError(
                f"race calls {name} with one argument, its handle: write it as {name}(sandbox)"
            ) from None
        except ValueError:  # Python does not know what it takes
            continue
    if isinstance(switches, bool) or not isinstance(switches, int) or switches < 0:
        raise InvalidInputError(f"switches must be a whole number from 0, not {switches!r}")
    if not isinstance(schedule, str | None):
        raise InvalidInputError(f"schedule must be a text such as 'A1 B1 A2', not {schedule!r}")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0):
        raise InvalidInputError(f"timeout must be a number of seconds above 0, not {timeout!r}")
