"""A cache of request targets: the route to an operation is looked up once."""

from cnx_mock.api.router import Router
from cnx_mock.scenario.request import RequestTarget

_MOST = 1000
"""How many targets one server remembers."""

_LONGEST = 1000
"""Characters of the longest path or query that is remembered."""


class Targets:
    """The targets of one server's requests."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._known: dict[tuple[str, str, str], RequestTarget] = {}
        self._once: set[int] = set()
        """The hashes of those that were asked for once: most targets with an id never come again."""

    def find(self, method: str, path: str, query: str) -> RequestTarget:
        """Return what a request asks for; the same object again for most requests that ask for the same."""
        asked = (method, path, query)
        found = self._known.get(asked)
        if found is None:
            operations, params = self._router.find(path) or ({}, ())
            found = RequestTarget(method, path, query, operations.get(method), params)
            if max(len(path), len(query)) <= _LONGEST:
                self._remember(asked, found)
        return found

    def _remember(self, asked: tuple[str, str, str], target: RequestTarget) -> None:
        for kept in (self._known, self._once):
            if len(kept) >= _MOST:
                kept.clear()
        if hash(asked) in self._once:
            self._known[asked] = target
        else:
            self._once.add(hash(asked))
