"""Lasting effects that a fault starts at one call: a revoked key, a port that refuses connections."""

from collections.abc import Callable

from cnx_mock.world.records import KeyRecord


class Lasting:
    """One such effect. It ends by itself, with its rule, or when the sandbox is reset."""

    def refuses(self, key: KeyRecord, now: int) -> bool:
        """Return whether a call that arrives now with this key is refused, and count it. `now` is an instant of the
        sandbox's clock."""
        return False

    def end(self) -> None:
        """End it now. Idempotent."""


class Revocation(Lasting):
    """A key that the API does not accept any more, for a number of calls, until an instant, or for good."""

    def __init__(self, key: KeyRecord, *, calls: int | None = None, until: int | None = None) -> None:
        self._key = key
        self._calls = calls
        self._until = until

    def refuses(self, key: KeyRecord, now: int) -> bool:
        """Return whether it is this key, and is still revoked."""
        if key is not self._key or self._calls == 0 or (self._until is not None and now >= self._until):
            return False
        if self._calls is not None:
            self._calls -= 1
        return True


class LastingOutage(Lasting):
    """A lasting effect below HTTP, and a function that ends it, which may be called more than once."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def end(self) -> None:
        self._end()
