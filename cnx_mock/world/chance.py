"""Chance: the only module that is random. Everything in it but `random_seed` and `random_token` is a keyed draw.

A keyed draw is a pure function of the words of its key: the same key always gives the same value, whatever other
threads, rules or sandboxes draw.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any


def digest(*words: object) -> int:
    """Return a 64-bit number that depends on every word, and on where one word ends and the next begins."""
    return int.from_bytes(blake2b(_key(*words), digest_size=8).digest(), "big")


def numbered(before: Sequence[object], after: Sequence[object] = ()) -> Callable[[int], int]:
    """Return a function of n that returns `digest(*before, n, *after)`, quicker than `digest` for many n."""
    begun, end = blake2b(_key(*before, ""), digest_size=8), _key("", *after) if after else b""
    copy, whole = begun.copy, int.from_bytes

    def draw(number: int) -> int:
        hasher = copy()  # half of the time that a new one takes
        hasher.update(b"%d%b" % (number, end))
        return whole(hasher.digest(), "big")

    return draw


def _key(*words: object) -> bytes:
    return "\x1f".join(map(str, words)).encode("utf-8", "surrogatepass")


def fraction(*words: object) -> float:
    """Return a number in [0, 1) for these words."""
    return as_fraction(digest(*words))


def as_fraction(number: int) -> float:
    """Return the number in [0, 1) that a digest stands for."""
    return (number >> 11) / (1 << 53)


def key_digits(*words: object) -> str:
    """Return 32 lowercase hex digits, as a test key has them behind its prefix."""
    return f"{digest(*words, 'high'):016x}{digest(*words, 'low'):016x}"


def random_seed() -> int:
    """Return a random seed of at most nine digits, short enough to be typed again."""
    import secrets  # lazy: only a seed or a token that is drawn needs it

    return secrets.randbelow(1_000_000_000)


def random_token() -> str:
    """Return a random secret of 32 letters and digits, which no text that is printed can hint at."""
    import secrets  # lazy: as above

    return secrets.token_hex(16)


class Chance:
    """The random draws of one sandbox: keyed by the server's seed and the sandbox's name."""

    __slots__ = ("_begun", "_counters", "name", "seed")

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.name = name
        self._counters: dict[str, int] = {}
        self._begun: dict[str, Any] = {}
        """By the first word of keys, a hasher that has read what they have in common. It saves half of the time: every
        request gets an id."""

    def fraction(self, *words: object) -> float:
        """Return a number in [0, 1) for these words."""
        return fraction(self.seed, self.name, *words)

    def between_for(self, low: int, high: int, purpose: str, word: str) -> int:
        """Return a whole number in [low, high] for these two words, quicker for many words of one purpose."""
        begun = self._begun.get(purpose)
        hasher = self._hasher(purpose) if begun is None else begun.copy()
        hasher.update(word.encode())
        return low + int.from_bytes(hasher.digest(), "big") % (high - low + 1)

    def draw(self, purpose: str, word: str) -> Callable[..., int]:
        """Return a function of n that returns a 64-bit number for these two words and n; without n, one for the two
        words. It is quick for several n, and for many words of one purpose."""
        begun = self._begun.get(purpose)
        hasher = self._hasher(purpose) if begun is None else begun.copy()
        hasher.update(word.encode())
        copy, whole = hasher.copy, int.from_bytes

        def draw(number: int | None = None) -> int:
            if number is None:
                return whole(hasher.digest(), "big")
            more = copy()
            more.update(b"\x1f%d" % number)
            return whole(more.digest(), "big")

        return draw

    def _hasher(self, first: str) -> Any:
        """Return a hasher that has read the beginning of every key with this first word."""
        begun = self._begun.get(first)
        if begun is not None:
            return begun.copy()
        begun = blake2b(_key(self.seed, self.name, first, ""), digest_size=8)
        if self._counters.get(first, 2) > 1:  # most sandboxes have one account and one key
            self._begun[first] = begun.copy()
        return begun

    def count(self, kind: str) -> int:
        """Return the next number of this kind: 1, 2, 3, …; each is returned once."""
        number = self._counters[kind] = self._counters.get(kind, 0) + 1
        return number

    @property
    def counters(self) -> dict[str, int]:
        """The last number of each kind, as an export of the sandbox needs it."""
        return dict(self._counters)

    def resume(self, counters: Mapping[str, int]) -> None:
        """Continue counting from these numbers. A number that is already higher stays."""
        for kind, number in counters.items():
            self._counters[kind] = max(number, self._counters.get(kind, 0))

    def new_id(self, prefix: str, number: int | None = None) -> str:
        """Return an id such as `inst_8f7e6d5c4b3a2f1e`, derived from (seed, sandbox, prefix, number).

        Without `number` it is the prefix's next one, which makes the id a fresh one.
        """
        if not number:
            number = self._counters[prefix] = self._counters.get(prefix, 0) + 1
        begun = self._begun.get(prefix)
        hasher = self._hasher(prefix) if begun is None else begun.copy()
        hasher.update(b"%d" % number)
        return f"{prefix}_{hasher.hexdigest()}"
