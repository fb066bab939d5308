"""What requests ask for, remembered: the way to an operation is looked for once."""

from cnx_mock.api.router import Router
from cnx_mock.scenario.request import Target

_MOST = 1000
"""How many targets one server remembers."""

_LONGEST = 1000
"""Characters of the longest path or query that is remembered."""


class Targets:
    """The targets of one server's requests."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._known: dict[tuple[str, str, str], Target] = {}

    def find(self, method: str, path: str, query: str) -> Target:
        """Return what a request asks for; the same object again for most requests that ask for the same."""
        found = self._known.get((method, path, query))
        if found is None:
            operations, params = self._router.find(path) or ({}, ())
            found = Target(method, path, query, operations.get(method), params)
            if max(len(path), len(query)) <= _LONGEST:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[method, path, query] = found
        return found
