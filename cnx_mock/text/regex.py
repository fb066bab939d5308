"""Regular expressions that are compiled when they are first used: each takes 0.1 to 0.5 ms, and a start needs few."""

import re

__all__ = ["regex"]

TYPE_CHECKING = False  # that of `typing`, which is slow to load
if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:
        """What `re.compile` returns, compiled when one of its attributes is first asked for."""

        def __init__(self, pattern, flags=0):
            self._given = pattern, flags

        def __getattr__(self, name):
            found = getattr(re.compile(*self._given), name)
            setattr(self, name, found)  # from now on it is found without this method
            return found
