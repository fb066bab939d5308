"""What a sandbox can race: two functions, at once in worlds like it."""

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
    """Raise InvalidInputError: a sandbox of a race has no race of its own."""
    raise InvalidInputError("this sandbox belongs to a race: call race on the sandbox that started the race")


class Raceable(Handle):
    """A sandbox of which the worlds of a race are copies."""

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
        """Call two functions at once, under every order of their calls to the API that may matter, and fail if they
        leave or answer what they do in no order one after the other.

        Each run has a fresh world: a copy of this sandbox as it is now, with its clock, account, resources and rules.
        The sandbox itself stays as it is. Each function is called in a thread of its own with one argument, a `Sandbox`
        with an address of its own in that world: it must make its calls at the `url` of that. A coroutine function is
        run to its end. First the functions run one after the other, in both orders, each twice; then at once, one call
        at a time: one that is not at its turn waits.

        An outcome is what is left, and what each function returns or raises; ids and times aside. What a function
        raises alone, without a race, is raised here.

        Arguments:

        - `first`: The first function, A. It may be given twice.
        - `second`: The second function, B.
        - `switches`: How often the turn may change in one run.
        - `schedule`: One order to run, such as `A1 B1 B2 A2`, in place of every one.
        - `timeout`: How many seconds each function may take in a run. Unless given, 60 alone, and three times as long
          as alone, and 15, at once.

        Returns what came of each order: of the two orders one after the other, then of those at once. If no calls
        conflict, there is nothing to race: then it is only the first two.

        Raises:

        - `RaceError`, an AssertionError, if an order leads to an outcome that is not one of the serial ones, twice, or
          a function does not end; also if nothing can be compared: a function never ends alone, or the functions are
          never the same twice, or make no call. `schedule` has the order.
        - `InvalidInputError` for an argument that cannot be used.
        - `NotRunningError` if the server is not one of this process.

        Example:

            cnx.race(lambda each: deploy(each.url, each.api_key), lambda each: scale(each.url, each.api_key))
        """
        __tracebackhide__ = True  # for pytest
        _check(first, second, switches, timeout)
        from cnx_mock.python_api.race.race import race  # lazy: only a test that races needs the sweep

        origin = self._origin(self.id)
        found = race(origin, self._at, (first, second), switches, schedule, timeout, self._raced)
        if isinstance(found, BaseException):
            raise found
        return found


def _check(first: object, second: object, switches: object, timeout: object) -> None:
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
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0):
        raise InvalidInputError(f"timeout must be a number of seconds above 0, not {timeout!r}")
