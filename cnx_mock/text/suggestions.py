"""Parts of error messages: the word that was probably meant, and the list of the words that are allowed."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST_WORD = 200  # difflib takes quadratic time, and a longer word is no misspelling of a name


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return ``", did you mean 'latency'?"`` for the known word nearest to `word`, or ``""`` if none is near.

    The comparison ignores case; the result has the known spelling. Data from Python may have a `word` that is not text:
    nothing is near to it.
    """
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return ""
    spellings = {each.lower(): each for each in sorted(known) if len(each) <= _LONGEST_WORD}
    near = get_close_matches(word.lower(), spellings, n=1, cutoff=0.6)
    return f", did you mean '{spellings[near[0]]}'?" if near else ""


def one_of(words: Iterable[str]) -> str:
    """Return the words as a list for a sentence, in the order given: ``"starter, pro, enterprise"``."""
    return ", ".join(words)
