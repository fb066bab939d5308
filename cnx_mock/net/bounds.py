"""Everything that is bounded: how much there may be, how much there is, and how often something was refused."""

from collections.abc import Callable

from cnx_mock.settings import Settings, flag, ranges


class Bound:
    """One bound of one server. Its limit is an option."""

    __slots__ = ("limit", "measure", "option", "refused", "used")

    def __init__(self, option: str, limit: int) -> None:
        self.option = option
        """The option's flag."""
        self.limit = limit
        self.used = 0
        """The most that there has been, for what is counted in each request; else what there is now."""
        self.refused = 0
        """How often something was refused or dropped because of it."""
        self.measure: Callable[[], int] = lambda: self.used
        """Returns `used`; whatever knows it better replaces this."""

    def seen(self, amount: int) -> None:
        """Note an amount, if it is the greatest so far."""
        self.used = max(self.used, amount)

    def refusal(self, words: str) -> str:
        """Count a refusal. Return these words with the limit in their braces, and the option."""
        self.refused += 1
        return f"{words.format(self.limit)} ({self.option})"


class Bounds:
    """Every bound of one server, by the name of its option."""

    def __init__(self, settings: Settings) -> None:
        self._all = {name: Bound(flag(name), getattr(settings, name)) for name in ranges()}

    def __getitem__(self, name: str) -> Bound:
        return self._all[name]

    def all(self) -> list[Bound]:
        """Return them all, in the order of the options."""
        return list(self._all.values())
