"""Parts of error messages: the word that was probably meant, and the list of the words that are allowed."""

from collections.abc import Iterable
from itertools import islice

_LONGEST_WORD = 200  # difflib takes quadratic time, and a word this long is not a misspelt name
_SHORTEST_BEGINNING = 3
_MOST_WORDS = 100  # a file of a thousand rules can misspell a thousand names, and each is compared with all these words


def nearest(word: object, known: Iterable[str], most: int = _MOST_WORDS) -> str | None:
    """Return the known word nearest to `word`, in the known spelling; None if none is near.

    The comparison ignores case. Of more than `most` known words, those that begin as `word` does are compared, `most`
    of them at most: give more only for words that do not come from outside. Data from Python may have a `word` that is
    not text: nothing is near to it.
    """
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return None
    words = list(known)
    if len(words) > most:
        first = word[:1].lower()
        words = list(islice((each for each in words if each[:1].lower() == first), most))
    spellings = {each.lower(): each for each in sorted(words) if len(each) <= _LONGEST_WORD}
    from difflib import get_close_matches  # lazy: only a misspelt word needs it

    near = get_close_matches(word.lower(), spellings, n=1, cutoff=0.6) or _begun(word.lower(), spellings)
    return spellings[near[0]] if near else None


def _begun(word: str, known: Iterable[str]) -> list[str]:
    """Return the one word that begins with `word`, as `flaky-network` does with `flaky`; none if there are several."""
    longer = [each for each in known if each.startswith(word)] if len(word) >= _SHORTEST_BEGINNING else []
    return longer if len(longer) == 1 else []


def did_you_mean(word: object, known: Iterable[str], most: int = _MOST_WORDS) -> str:
    """Return ``", did you mean 'latency'?"`` for the known word nearest to `word`, or ``""`` if none is near. `most` is
    as for `nearest`."""
    near = nearest(word, known, most)
    return "" if near is None else f", did you mean '{near}'?"


def did_you_mean_operation(word: str, known: Iterable[str]) -> str:
    """Return the hint for an operation that does not exist, such as ``", did you mean 'instances.list'?"``.

    Only the verbs of the resource that was probably meant are compared. If none of them is near, the hint lists that
    resource's operations. Without such a resource the result is ``""``.
    """
    names = list(known)
    resource, _, verb = word.rpartition(".")
    meant = nearest(resource, {name.rpartition(".")[0] for name in names})
    if meant is None:
        return did_you_mean(word, names)
    verbs = [name.rpartition(".")[2] for name in names if name.rpartition(".")[0] == meant]
    near = verb if verb == "*" else nearest(verb, verbs)
    if near is None:
        return f" ({meant} has {one_of(f'{meant}.{each}' for each in verbs)})"
    return f", did you mean '{meant}.{near}'?"


def one_of(words: Iterable[str], given: object = None) -> str:
    """Return the words as a list for a sentence, in the order given: ``"starter, pro, enterprise"``.

    If one of them is near to `given`, the list ends with it: ``"starter, pro; did you mean 'pro'?"``.
    """
    words = list(words)
    near = nearest(given, words)
    return ", ".join(words) + ("" if near is None else f"; did you mean '{near}'?")


def unknown(noun: str, word: object, known: Iterable[str]) -> str:
    """Return ``"unknown key, did you mean 'times'?"``; the list of the known words if none is near."""
    known = list(known)
    return f"unknown {noun}{did_you_mean(word, known) or (f' (known: {one_of(known)})' if known else '')}"
