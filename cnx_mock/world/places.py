"""Sets of places: which records of a table match, in order of creation, at a cost that hardly depends on their number.

A set is a bitmap, cut into words of 2,048 places. Two sets are intersected word by word. The n-th place is found by the
number of bits in the words before it and then by halving one word, so a deep page costs as much as the first one.
"""

from collections.abc import Iterable, Iterator

_BITS = 2048
"""How many places one word has."""

_FULL = (1 << _BITS) - 1


class PlaceSet:
    """A set of whole numbers from 0, which are read in ascending order."""

    __slots__ = ("_size", "_words")

    def __init__(self, places: Iterable[int] = ()) -> None:
        self._words: dict[int, int] = {}
        self._size = 0
        for place in places:
            self.add(place)

    @classmethod
    def below(cls, end: int) -> "PlaceSet":
        """Return the set of all places before `end`."""
        whole, rest = divmod(end, _BITS)
        words = dict.fromkeys(range(whole), _FULL)
        if rest:
            words[whole] = (1 << rest) - 1
        return cls._of(words)

    @classmethod
    def _of(cls, words: dict[int, int]) -> "PlaceSet":
        made = cls()
        made._words = words
        made._size = sum(map(int.bit_count, words.values()))
        return made

    def __len__(self) -> int:
        return self._size

    def __contains__(self, place: int) -> bool:
        word, bit = divmod(place, _BITS)
        return bool(self._words.get(word, 0) >> bit & 1)

    def add(self, place: int) -> None:
        """Add a place. Nothing happens if the set has it."""
        word, bit = divmod(place, _BITS)
        before = self._words.get(word, 0)
        after = before | 1 << bit
        if after != before:
            self._words[word] = after
            self._size += 1

    def add_all(self, places: Iterable[int]) -> None:
        """Add new places, which the set does not have. It is quickest for places that are close together."""
        words = self._words
        base, bits, count = -1, 0, 0
        for place in places:
            word, bit = divmod(place, _BITS)
            if word != base:
                if bits:
                    words[base] = words.get(base, 0) | bits
                base, bits = word, 0
            bits |= 1 << bit
            count += 1
        if bits:
            words[base] = words.get(base, 0) | bits
        self._size += count

    def discard(self, place: int) -> None:
        """Remove a place. Nothing happens if the set does not have it."""
        if place in self:
            word, bit = divmod(place, _BITS)
            self._words[word] ^= 1 << bit
            self._size -= 1
            if not self._words[word]:
                del self._words[word]

    def discard_all(self, places: "PlaceSet") -> None:
        """Remove all places of another set."""
        words = self._words
        for word, bits in places._words.items():
            gone = words.get(word, 0) & bits
            if gone:
                words[word] ^= gone
                self._size -= gone.bit_count()
                if not words[word]:
                    del words[word]

    def copy(self) -> "PlaceSet":
        """Return a set of its own with the same places."""
        made = PlaceSet()
        made._words, made._size = self._words.copy(), self._size
        return made

    def __and__(self, other: "PlaceSet") -> "PlaceSet":
        """Return the places that both sets have."""
        small, large = sorted((self._words, other._words), key=len)
        shared = {word: bits & large.get(word, 0) for word, bits in small.items()}
        return self._of({word: bits for word, bits in shared.items() if bits})

    def __or__(self, other: "PlaceSet") -> "PlaceSet":
        """Return the places that at least one of the sets has."""
        words = self._words.copy()
        for word, bits in other._words.items():
            words[word] = words.get(word, 0) | bits
        return self._of(words)

    def page(self, start: int, limit: int) -> list[int]:
        """Return at most `limit` places after the first `start`, in ascending order."""
        found: list[int] = []
        for word in sorted(self._words):
            bits = self._words[word]
            count = bits.bit_count()
            if start >= count:
                start -= count
                continue
            found += _from(bits, start, word * _BITS, limit - len(found))
            start = 0
            if len(found) == limit:
                break
        return found

    def __iter__(self) -> Iterator[int]:
        for word in sorted(self._words):
            yield from _from(self._words[word], 0, word * _BITS, _BITS)


def _from(bits: int, start: int, base: int, limit: int) -> Iterator[int]:
    """Return the places of at most `limit` bits of a word after its first `start` ones. `base` is its first place."""
    skipped, half = 0, _BITS // 2
    while start and half:
        count = (bits >> skipped & (1 << half) - 1).bit_count()
        if start >= count:
            start, skipped = start - count, skipped + half
        half //= 2
    bits >>= skipped
    while bits and limit > 0:
        low = bits & -bits
        yield base + skipped + low.bit_length() - 1
        bits ^= low
        limit -= 1
