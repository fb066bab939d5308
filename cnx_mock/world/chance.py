"""Chance. The only module that is random; everything it gives is a keyed draw: the same key gives the same value.

A draw depends on nothing but the words of its key, so threads, other rules and other sandboxes never change it.
"""

import secrets
from collections.abc import Mapping
from hashlib import blake2b


def digest(*words: object) -> int:
    """A 64-bit number that depends on every word and on where one word ends and the next begins."""
    return int.from_bytes(blake2b(_key(*words), digest_size=8).digest(), "big")


def _key(*words: object) -> bytes:
    return "\x1f".join(map(str, words)).encode("utf-8", "surrogatepass")


def fraction(*words: object) -> float:
    """A number in [0, 1)."""
    return (digest(*words) >> 11) / (1 << 53)


def key_digits(*words: object) -> str:
    """32 lowercase hex digits: the part of a test key behind `cnx_test_`."""
    return f"{digest(*words, 'high'):016x}{digest(*words, 'low'):016x}"


def random_seed() -> int:
    """A seed that nobody chose, short enough to be typed again."""
    return secrets.randbelow(1_000_000_000)


class Chance:
    """The chance of one sandbox: keyed by the server's seed and the sandbox's name."""

    __slots__ = ("_begun", "_counters", "name", "seed")

    def __init__(self, seed: int, name: str) -> None:
        self.seed = seed
        self.name = name
        self._counters: dict[str, int] = {}
        self._begun: dict[str, blake2b] = {}
        """Per kind, the digest of all that its ids have in common: ids are made for every request."""

    def fraction(self, *words: object) -> float:
        """A number in [0, 1) for these words."""
        return fraction(self.seed, self.name, *words)

    def between(self, low: int, high: int, *words: object) -> int:
        """A whole number in [low, high]."""
        return low + digest(self.seed, self.name, *words) % (high - low + 1)

    def count(self, kind: str) -> int:
        """The next number of this kind: 1, 2, 3, …; never given twice."""
        number = self._counters[kind] = self._counters.get(kind, 0) + 1
        return number

    @property
    def counters(self) -> dict[str, int]:
        """How many of each kind have been counted, for a sandbox that is written down."""
        return dict(self._counters)

    def resume(self, counters: Mapping[str, int]) -> None:
        """Count on from these."""
        for kind, number in counters.items():
            self._counters[kind] = max(number, self._counters.get(kind, 0))

    def new_id(self, kind: str, number: int | None = None) -> str:
        """A fresh id such as `inst_8f7e6d5c4b3a2f1e`, derived from (seed, sandbox, kind, counter)."""
        begun = self._begun.get(kind)
        if begun is None:
            begun = self._begun[kind] = blake2b(_key(self.seed, self.name, kind, ""), digest_size=8)
        hasher = begun.copy()
        hasher.update(b"%d" % (number or self.count(kind)))
        return f"{kind}_{hasher.hexdigest()}"
